import type { Batch, ChainProgress, HistoryMode } from "../batch/batch.ts";
import { assert } from "../errors.ts";
import { type EncodedRows, NO_ROWS } from "../lib/byte-writer.ts";
import { storedText } from "../lib/stored-text.ts";
import type { AppendTable } from "./append-table.ts";
import type {
  BlockRange,
  CheckpointPosition,
  DrainRun,
  QueuedBatch,
  SkippedEvent,
  SplitReason,
  StoredChild,
  TableChanges,
} from "./drain-run.ts";
import type { EffectTable } from "./effect-table.ts";
import type { EntityTable } from "./entity-table.ts";
import type { EventLog } from "./event-log.ts";
import { keptSlices, sliceBytesOf } from "./kept-slices.ts";

export interface RunLimits {
  /** A run is not written before it has so many items, unless someone waits for it or nothing else is to be done. */
  readonly minimumItems: number;
  /** Nor before it is so old, in milliseconds, when a chain in it is at its head. */
  readonly liveAgeMs: number;
  /** A run takes no further batch beyond so many changes, */
  readonly maximumChanges: number;
  /** so many bytes, */
  readonly maximumBytes: number;
  /** or so many batches. */
  readonly maximumBatches: number;
}

/** Memory of a queued batch, about; and of an event, which is remembered for as long as its rows can fail. */
const BATCH_BYTES = 1024;
const EVENT_BYTES = 24;

export interface OpenRunParts {
  readonly entities: readonly EntityTable[];
  readonly appends: readonly AppendTable[];
  readonly effects: EffectTable;
  readonly events: EventLog;
  readonly limits: RunLimits;
  /** Batches keep their slices, for raw events. */
  readonly keepSlices: boolean;
  /** Numbers of runs that are taken: of an earlier session of the process. */
  readonly runsBefore: number;
}

/**
 * The run that batches join when they are committed, until it is sealed. Limits are applied when a batch joins, so
 * that a run ends only between batches, and a batch of another history mode always ends it.
 */
export class OpenRun {
  readonly #entities: readonly EntityTable[];
  readonly #appends: readonly AppendTable[];
  readonly #effects: EffectTable;
  readonly #events: EventLog;
  readonly #limits: RunLimits;
  readonly #keepSlices: boolean;
  #id: number;
  #batches: QueuedBatch[] = [];
  #blocks = new Map<number, BlockRange>();
  #progress = new Map<number, ChainProgress>();
  #positions: CheckpointPosition[] = [];
  #skipped: SkippedEvent[] = [];
  #children = new Map<string, StoredChild>();
  #items = 0;
  #liveSince: number | undefined;
  #sliceBytes = 0;
  #skippedEscapes = 0;

  constructor({ entities, appends, effects, events, limits, keepSlices, runsBefore }: OpenRunParts) {
    this.#entities = entities;
    this.#appends = appends;
    this.#effects = effects;
    this.#events = events;
    this.#limits = limits;
    this.#id = runsBefore + 1;
    this.#keepSlices = keepSlices;
  }

  get isEmpty(): boolean {
    return this.#batches.length === 0;
  }

  get batches(): number {
    return this.#batches.length;
  }

  get items(): number {
    return this.#items;
  }

  /** When its first batch was committed; milliseconds since the epoch. */
  get since(): number | undefined {
    return this.#batches[0]?.queuedAt;
  }

  /** When it has to be written for its age alone; infinity: at no time, since no chain in it is at its head. */
  get dueAt(): number {
    return (this.#liveSince ?? Number.POSITIVE_INFINITY) + this.#limits.liveAgeMs;
  }

  get mode(): HistoryMode | undefined {
    return this.#batches[0]?.mode;
  }

  /** Changed rows, before-images, inserted rows and outputs of effects, those of the batch in progress included. */
  get changes(): number {
    let changes = this.#effects.changes;
    for (const table of this.#entities) changes += table.changes;
    for (const table of this.#appends) changes += table.rows;
    return changes;
  }

  /** Memory of all of it, about. */
  get bytes(): number {
    let bytes = this.#heldBytes + this.#effects.bytes;
    for (const table of this.#entities) bytes += table.pendingBytes;
    for (const table of this.#appends) bytes += table.bytes;
    return bytes;
  }

  /** Seals the run if the batch in progress, of this mode, may not join it: with it the run would be beyond a limit. */
  sealBefore(mode: HistoryMode): DrainRun | undefined {
    if (this.isEmpty) return undefined;
    if (this.mode !== mode) return this.seal("history_mode");
    if (this.#batches.length >= this.#limits.maximumBatches) return this.seal("batches");
    if (this.changes > this.#limits.maximumChanges) return this.seal("changes");
    return this.bytes > this.#limits.maximumBytes ? this.seal("bytes") : undefined;
  }

  /**
   * @param at when the batch is committed
   * @returns how many changes it brings
   */
  join(batch: Batch, at: number, positions: readonly CheckpointPosition[], skipped: readonly SkippedEvent[]): number {
    assert(this.isEmpty || this.mode === batch.mode, "a run would mix history modes");
    let changes = 0;
    for (const table of this.#entities) changes += table.commit(batch.id);
    for (const table of this.#appends) changes += table.commit();
    changes += this.#effects.commit();
    this.#events.commit();
    if (batch.progress.some(({ head }) => head.live)) this.#liveSince ??= at;
    const { slices, ...rest } = batch;
    const queued = { ...rest, queuedAt: at };
    if (this.#keepSlices) {
      this.#batches.push({ ...queued, slices: keptSlices(slices) });
      this.#sliceBytes += sliceBytesOf(slices);
    } else this.#batches.push(queued);
    for (const { range, fromBlock, throughBlock } of slices) {
      const from = this.#blocks.get(range.chainId)?.from ?? fromBlock;
      this.#blocks.set(range.chainId, { chainId: range.chainId, from, to: throughBlock });
    }
    for (const progress of batch.progress) {
      const headers = [...(this.#progress.get(progress.chainId)?.headers ?? []), ...progress.headers];
      this.#progress.set(progress.chainId, { ...progress, headers });
      this.#addChildren(progress);
    }
    this.#positions.push(...positions);
    for (const event of skipped) this.#skipped.push(this.#stored(event));
    this.#items += batch.items;
    return changes;
  }

  /** Encodes everything that its batches changed, and starts the next run. Synchronous. */
  seal(splitReason: SplitReason): DrainRun | undefined {
    const batches = this.#batches;
    const [first, last] = [batches[0], batches.at(-1)];
    if (first === undefined || last === undefined) return undefined;
    const tables: TableChanges[] = [];
    for (const table of this.#entities) tables.push({ table: table.model, ...table.seal() });
    for (const table of this.#appends) {
      const { inserts, events } = table.takeCommitted();
      tables.push({ table: table.model, ...NOTHING, inserts, origins: { ...NOTHING.origins, inserts: events } });
    }
    const effects = this.#effects.seal();
    const written = tables.map(encodedOf);
    const all = [...written.flat(), effects];
    const run: DrainRun = {
      id: this.#id,
      mode: first.mode,
      batches,
      checkpoints: { from: first.checkpoints.from, to: last.checkpoints.to },
      items: this.#items,
      changes: countRows(all),
      bytes: all.reduce((sum, { bytes }) => sum + bytes, 0),
      heldBytes: this.#heldBytes,
      progress: [...this.#progress.values()],
      blocks: [...this.#blocks.values()],
      positions: this.#positions,
      tables: tables.filter((_, at) => countRows(written[at] ?? []) > 0),
      effects,
      rawEvents: NO_ROWS,
      origins: this.#events.takeCommitted(),
      skipped: this.#skipped,
      children: [...this.#children.values()],
      escapes: this.#takeEscapes(),
      splitReason,
    };
    this.#id++;
    this.#batches = [];
    this.#positions = [];
    this.#skipped = [];
    this.#children = new Map();
    this.#items = 0;
    this.#liveSince = undefined;
    this.#sliceBytes = 0;
    this.#blocks = new Map();
    this.#progress = new Map();
    return run;
  }

  get #heldBytes(): number {
    return this.#batches.length * BATCH_BYTES + this.#items * EVENT_BYTES + this.#sliceBytes;
  }

  #addChildren({ chainId, checkpoint, children }: ChainProgress): void {
    for (const child of children ?? []) {
      const key = `${chainId} ${child.contract} ${child.address}`;
      const known = this.#children.get(key);
      if (known === undefined || known.block > child.block) this.#children.set(key, { ...child, chainId, checkpoint });
    }
  }

  /** What a handler throws may hold anything. */
  #stored(event: SkippedEvent): SkippedEvent {
    const message = storedText(event.message);
    if (message !== event.message) this.#skippedEscapes++;
    return { ...event, message };
  }

  #takeEscapes(): ReadonlyMap<string, number> {
    const escapes = new Map<string, number>();
    for (const table of [...this.#entities, ...this.#appends]) escapes.set(table.model.sqlName, table.takeEscapes());
    escapes.set("effects", this.#effects.takeEscapes());
    escapes.set("skipped_events", this.#skippedEscapes);
    this.#skippedEscapes = 0;
    return new Map([...escapes].filter(([, count]) => count > 0));
  }
}

function encodedOf(changes: TableChanges): EncodedRows[] {
  const { inserts, updates, upserts, deletes, history, unknownHistory } = changes;
  return [inserts, updates, upserts, deletes, history, unknownHistory];
}

function countRows(encoded: readonly EncodedRows[]): number {
  return encoded.reduce((sum, { rows }) => sum + rows, 0);
}

const NOTHING: Omit<TableChanges, "table"> = {
  inserts: NO_ROWS,
  updates: NO_ROWS,
  upserts: NO_ROWS,
  deletes: NO_ROWS,
  history: NO_ROWS,
  unknownHistory: NO_ROWS,
  origins: { inserts: [], updates: [], upserts: [], deletes: [] },
};
