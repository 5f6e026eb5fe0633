import type { EntityTable } from "./entity-table.ts";
import type { RowQuery } from "./row-query.ts";
import type { RowReader } from "./row-reader.ts";
import { isWhole } from "./row-search.ts";
import type { KeyValue, Row, StoredRow } from "./table.ts";

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

/** A query's limit grows so many times when rows of its answer have changed in memory. */
const LIMIT_GROWTH = 4;

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

  /** Rows that match, in the query's order: what the storage has, as memory knows it better. */
  find(table: EntityTable, chainId: number, query: RowQuery): Promise<readonly Row[]> {
    const found = this.#find(table, chainId, query);
    // When nobody awaits it, the handler is refused for that, and the process is not ended by a rejection.
    found.catch(() => {});
    return found;
  }

  /** Brings rows into memory: none of them was there, or known not to exist. */
  load(table: EntityTable, chainId: number, keys: ReadonlyMap<KeyValue, Row>): Promise<void> {
    return this.#during(async () => {
      const found = await this.#reader.rowsByKey(table.model, chainId, [...keys.values()]);
      if (!this.#cancelled) take(table, chainId, keys, found);
    });
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
    const keys = new Map([...reads].map(([key, { keyRow }]) => [key, keyRow]));
    try {
      await this.#during(async () => {
        const found = await this.#reader.rowsByKey(table.model, chainId, [...keys.values()]);
        if (this.#cancelled) return;
        take(table, chainId, keys, found);
        for (const [key, read] of reads) {
          const row = table.known(chainId, key);
          this.#pending--;
          read.done.resolve(row === "absent" ? undefined : row);
        }
      });
    } catch (error) {
      if (!this.#cancelled) this.#reject(reads, error);
    }
  }

  async #find(table: EntityTable, chainId: number, query: RowQuery): Promise<readonly Row[]> {
    this.#fromStorage++;
    if (!this.#cancelled) this.#pending++;
    try {
      for (let limit = query.limit; !this.#cancelled; limit = limit && limit * LIMIT_GROWTH) {
        const found = await this.#during(() => this.#attempt(table, chainId, query, limit));
        if (found !== undefined) return found;
      }
    } catch (error) {
      if (!this.#cancelled) throw error;
    } finally {
      if (!this.#cancelled) this.#pending--;
    }
    // The handler does not go on.
    return new Promise<never>(() => {});
  }

  /** Undefined: the storage has to be asked for more rows; or it was cancelled. */
  async #attempt(
    table: EntityTable,
    chainId: number,
    query: RowQuery,
    limit: number | undefined,
  ): Promise<readonly Row[] | undefined> {
    const stored = await this.#reader.rowsWhere(table.model, chainId, { ...query, limit });
    if (this.#cancelled) return undefined;
    for (const found of stored) table.loaded(chainId, table.keyOf(found.row), found.row, found);
    const rows = table.find(chainId, query);
    return isWhole(query, rows, stored, limit) ? rows : undefined;
  }

  /** What becomes durable meanwhile stays in memory: it may not be in what is read. */
  async #during<T>(read: () => Promise<T>): Promise<T> {
    const query = { durableRun: this.#durableRun() };
    this.#underWay.add(query);
    try {
      return await read();
    } finally {
      this.#underWay.delete(query);
      this.#onLoaded();
    }
  }

  #reject(reads: ReadonlyMap<KeyValue, WaitingRead>, error: unknown): void {
    this.#pending -= reads.size;
    for (const read of reads.values()) read.done.reject(error);
  }
}

/** Takes what was found of the keys, and that there is nothing for the others. */
function take(
  table: EntityTable,
  chainId: number,
  keys: ReadonlyMap<KeyValue, Row>,
  found: readonly StoredRow[],
): void {
  const stored = new Map(found.map((row) => [table.keyOf(row.row), row]));
  for (const [key, keyRow] of keys) table.loaded(chainId, key, keyRow, stored.get(key));
}

function entryOf<K, V>(map: Map<K, V>, key: K, make: () => V): V {
  let value = map.get(key);
  if (value === undefined) {
    value = make();
    map.set(key, value);
  }
  return value;
}
