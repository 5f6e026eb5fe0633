import type { EntityTable } from "./entity-table.ts";
import type { KeyValue, Row, RowReader, StoredRow } from "./table.ts";

interface WaitingRead {
  readonly keyRow: Row;
  readonly done: PromiseWithResolvers<Row | undefined>;
}

export interface ReadsOptions {
  readonly reader: RowReader;
  /** Rows that are in memory are read from the storage, too: no read is answered at once. For tests. */
  readonly areAllAsync: boolean;
  /** The last run that is durable. */
  readonly durableRun: () => number;
  /** Rows have come into memory. */
  readonly onLoaded: () => void;
}

/** Reads of rows that are not in memory: those asked for in the same turn of a handler become one query a table. */
export class Reads {
  /** Rows that are in memory are read here, too: no read is answered at once. */
  readonly areAllAsync: boolean;
  readonly #reader: RowReader;
  readonly #durableRun: () => number;
  readonly #onLoaded: () => void;
  /** For each query under way, the run that was durable when it began. */
  readonly #underWay = new Set<{ readonly durableRun: number }>();
  #waiting = new Map<EntityTable, Map<number, Map<KeyValue, WaitingRead>>>();
  #pending = 0;
  #cancelled = false;
  #fromStorage = 0;

  constructor(options: ReadsOptions) {
    this.#reader = options.reader;
    this.#durableRun = options.durableRun;
    this.#onLoaded = options.onLoaded;
    this.areAllAsync = options.areAllAsync;
  }

  /**
   * The run that was durable when the oldest query under way began; undefined without any. What became durable later may
   * be in neither its answer nor, once evicted, in memory.
   */
  get oldestDurableRun(): number | undefined {
    const runs = [...this.#underWay].map(({ durableRun }) => durableRun);
    return runs.length === 0 ? undefined : Math.min(...runs);
  }

  /** Reads that have not been answered yet. */
  get pending(): number {
    return this.#pending;
  }

  /** Reads that have gone to the storage since the start. */
  get fromStorage(): number {
    return this.#fromStorage;
  }

  read(table: EntityTable, chainId: number, keyInput: unknown): Promise<Row | undefined> {
    const key = table.keyOf(keyInput);
    if (this.#waiting.size === 0) queueMicrotask(() => this.#send());
    const chains = entryOf(this.#waiting, table, () => new Map<number, Map<KeyValue, WaitingRead>>());
    const keys = entryOf(chains, chainId, () => new Map<KeyValue, WaitingRead>());
    const waiting = entryOf(keys, key, () => {
      if (!this.#cancelled) this.#pending++;
      this.#fromStorage++;
      return { keyRow: table.keyRowOf(keyInput), done: Promise.withResolvers<Row | undefined>() };
    });
    return waiting.done.promise;
  }

  /** For good: reads that wait are never answered, and nothing counts as pending any more. */
  cancel(): void {
    this.#cancelled = true;
    this.#pending = 0;
  }

  #send(): void {
    const sent = this.#waiting;
    this.#waiting = new Map();
    for (const [table, chains] of sent) {
      // Never rejects: what fails is told to those who wait for the rows.
      for (const [chainId, reads] of chains) this.#query(table, chainId, reads).catch(() => {});
    }
  }

  async #query(table: EntityTable, chainId: number, reads: ReadonlyMap<KeyValue, WaitingRead>): Promise<void> {
    if (this.#cancelled) return;
    const query = { durableRun: this.#durableRun() };
    this.#underWay.add(query);
    try {
      const found = await this.#reader.rowsByKey(
        table.model,
        chainId,
        [...reads.values()].map((read) => read.keyRow),
      );
      if (!this.#cancelled) this.#answer(table, chainId, reads, found);
    } catch (error) {
      if (!this.#cancelled) this.#reject(reads, error);
    } finally {
      this.#underWay.delete(query);
      this.#onLoaded();
    }
  }

  #answer(
    table: EntityTable,
    chainId: number,
    reads: ReadonlyMap<KeyValue, WaitingRead>,
    found: readonly StoredRow[],
  ): void {
    const stored = new Map(found.map((row) => [table.keyOf(row.row), row]));
    for (const [key, read] of reads) {
      table.loaded(chainId, key, read.keyRow, stored.get(key));
      const row = table.known(chainId, key);
      this.#pending--;
      read.done.resolve(row === "absent" ? undefined : row);
    }
  }

  #reject(reads: ReadonlyMap<KeyValue, WaitingRead>, error: unknown): void {
    this.#pending -= reads.size;
    for (const read of reads.values()) read.done.reject(error);
  }
}

function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
