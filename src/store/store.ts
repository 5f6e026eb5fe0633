import type { Batch, ChainProgress } from "../batch/batch.ts";
import type { Checkpoint } from "../chain/checkpoint.ts";
import { assert } from "../errors.ts";
import type { Clock } from "../lib/clock.ts";
import { Signal } from "../lib/signal.ts";
import { AppendTable } from "./append-table.ts";
import { Cache } from "./cache.ts";
import { type ChangeScope, type MutableScope, NO_SCOPE } from "./change-scope.ts";
import type { CheckpointPosition, DrainRun, SkippedEvent } from "./drain-run.ts";
import { EffectTable } from "./effect-table.ts";
import { EntityTable, type ReadCounts } from "./entity-table.ts";
import { EventLog } from "./event-log.ts";
import { Journal } from "./journal.ts";
import { OpenRun } from "./open-run.ts";
import { Reads } from "./reads.ts";
import { columnsOf, type RowQuery } from "./row-query.ts";
import type { StoreLimits, StoreOptions } from "./store-options.ts";
import type { IndexModel } from "./table.ts";

/** Going through fewer rows in memory is no matter. */
const BIG_TABLE_ROWS = 10_000;
/** What runs before the first event. */
const SET_UP = "the set-up";

/** What waits to become durable. */
export interface Uncommitted {
  readonly batches: number;
  readonly items: number;
  readonly changes: number;
  readonly bytes: number;
  /** When the oldest batch among them was committed; milliseconds since the epoch. */
  readonly oldestAt: number | undefined;
}

/**
 * The meeting place of the two loops: rows in memory, the two frontiers, and the queue between them. Synchronous, without
 * I/O. The processing loop opens a batch, changes rows block by block and commits the batch; the persistence loop takes
 * sealed runs and says when they are durable.
 */
export class Store {
  readonly limits: StoreLimits;
  /** Notified whenever a batch is committed, a run is durable, someone starts to wait, or the store has failed. */
  readonly changed: Signal = new Signal();
  readonly reads: Reads;
  readonly cache: Cache;
  /** Outputs of effects. */
  readonly effects: EffectTable;
  readonly #clock: Clock;
  readonly #entities = new Map<string, EntityTable>();
  readonly #appends = new Map<string, AppendTable>();
  readonly #journal = new Journal();
  readonly #events = new EventLog();
  readonly #open: OpenRun;
  #sealed: DrainRun[] = [];
  #inFlight: DrainRun | undefined;
  #durableRun: number;
  #batch: Batch | undefined;
  #scope: MutableScope = { ...NO_SCOPE };
  #batchPositions: CheckpointPosition[] = [];
  #batchSkipped: SkippedEvent[] = [];
  readonly #processed = new Map<number, ChainProgress>();
  readonly #committed = new Map<number, ChainProgress>();
  #processedCheckpoint: Checkpoint;
  #nextCheckpoint: Checkpoint;
  #committedCheckpoint: Checkpoint;
  #lastCommitAt: number | undefined;
  #itemsProcessed = 0;
  #waiters = 0;
  #processingIdle = false;
  readonly #failed = new AbortController();
  readonly #onScan: StoreOptions["onScan"];
  #handler = SET_UP;

  constructor(options: StoreOptions) {
    const { runsBefore = 0 } = options;
    const firstRun = runsBefore + 1;
    this.limits = options.limits;
    this.#clock = options.clock;
    this.#onScan = options.onScan;
    this.reads = new Reads({
      reader: options.reader,
      areAllAsync: options.asyncReads ?? false,
      durableRun: () => this.#durableRun,
      onLoaded: () => this.#trimCache(),
    });
    for (const model of options.tables) {
      const codec = options.codecOf(model);
      if (model.appendOnly) this.#appends.set(model.name, new AppendTable(model, codec, this.#journal));
      else {
        const isComplete = options.emptyTables.has(model.name);
        const onIndex = (index: IndexModel): void => options.onIndex?.(model, index);
        this.#entities.set(model.name, new EntityTable(model, codec, this.#journal, { isComplete, firstRun, onIndex }));
      }
    }
    this.effects = new EffectTable(options.effectCodec, firstRun);
    const entities = [...this.#entities.values()];
    this.cache = new Cache(entities, this.effects, options.limits);
    this.#open = new OpenRun({
      entities,
      appends: [...this.#appends.values()],
      effects: this.effects,
      events: this.#events,
      limits: options.limits,
      keepSlices: options.keepSlices ?? false,
      runsBefore,
    });
    this.#durableRun = runsBefore;
    this.#processedCheckpoint = options.committed;
    this.#nextCheckpoint = options.nextCheckpoint;
    this.#committedCheckpoint = options.committed;
    for (const progress of options.progress) {
      this.#processed.set(progress.chainId, progress);
      this.#committed.set(progress.chainId, progress);
    }
  }

  get processedCheckpoint(): Checkpoint {
    return this.#processedCheckpoint;
  }

  /** The number that the next position takes. */
  get nextCheckpoint(): Checkpoint {
    return this.#nextCheckpoint;
  }

  /** The number of the last durable run. */
  get lastRun(): number {
    return this.#durableRun;
  }

  get committedCheckpoint(): Checkpoint {
    return this.#committedCheckpoint;
  }

  get lastCommitAt(): number | undefined {
    return this.#lastCommitAt;
  }

  /** Events of committed batches since the start. */
  get itemsProcessed(): number {
    return this.#itemsProcessed;
  }

  /** The first fatal error: sticky. Everyone who waits is rejected with it. */
  get failure(): Error | undefined {
    return this.#failed.signal.reason as Error | undefined;
  }

  /** Aborts with that error. */
  get failed(): AbortSignal {
    return this.#failed.signal;
  }

  processed(chainId: number): ChainProgress | undefined {
    return this.#processed.get(chainId);
  }

  committed(chainId: number): ChainProgress | undefined {
    return this.#committed.get(chainId);
  }

  entity(name: string): EntityTable {
    const table = this.#entities.get(name);
    assert(table !== undefined, `no entity ${name}`);
    return table;
  }

  append(name: string): AppendTable {
    const table = this.#appends.get(name);
    assert(table !== undefined, `no append-only entity ${name}`);
    return table;
  }

  /** Reads of rows by handlers since the last call, by the table's name in SQL. */
  takeReads(): readonly ({ readonly table: string } & ReadCounts)[] {
    const taken = [...this.#entities.values()].map((entity) => ({
      table: entity.model.sqlName,
      ...entity.takeReads(),
    }));
    return taken.filter(({ memory, storage }) => memory + storage > 0);
  }

  /** Whether rows may be changed: between `beginBatch` and `commitBatch`. */
  get isChangeable(): boolean {
    return this.#batch !== undefined;
  }

  /** Where the changes of the moment belong. */
  get scope(): ChangeScope {
    return this.#scope;
  }

  /** Those whose rows are read. */
  get entities(): readonly EntityTable[] {
    return [...this.#entities.values()];
  }

  /** A handler looks for rows. Going through a big table, or one of which not all is in memory, is told. */
  noteFind(table: EntityTable, query: RowQuery): void {
    if (this.#onScan === undefined || (table.isComplete && table.records < BIG_TABLE_ROWS)) return;
    if (!table.search.isScan(query)) return;
    this.#onScan({ handler: this.#handler, table: table.model.name, columns: columnsOf(query) });
  }

  // ── the processing loop ────────────────────────────────────────────────────────────────────────────────────────────

  beginBatch(batch: Batch): void {
    assert(this.#batch === undefined, "a batch is begun while another is in progress");
    assert(batch.checkpoints.from === this.#nextCheckpoint, "a batch does not follow the one before it");
    this.#batch = batch;
    this.#handler = SET_UP;
  }

  /** A block of the batch, or the end of a scanned range: what is changed next belongs to its checkpoint. */
  beginBlock(chainId: number, block: number, checkpoint: Checkpoint, insideWindow: boolean): void {
    assert(this.#batch !== undefined, "a block is begun outside a batch");
    const keepSharedHistory = this.#batch.mode === "keep";
    const keepHistory = keepSharedHistory && insideWindow;
    this.#scope = { batch: this.#batch.id, checkpoint, chainId, event: 0, keepHistory, keepSharedHistory };
    this.#events.beginBlock(chainId, block, checkpoint);
    if (keepSharedHistory) this.#batchPositions.push({ checkpoint, chainId, block });
    this.#journal.beginBlock();
  }

  /** What is changed next came from this event. */
  beginEvent(logIndex: number, handler: string): void {
    this.#journal.beginEvent();
    this.#handler = handler;
    this.#scope.event = this.#events.add(logIndex, handler);
  }

  /** Takes back what the current event changed. */
  undoEvent(): void {
    this.#journal.undoEvent();
  }

  /** Takes back what the current block changed. */
  undoBlock(): void {
    this.#journal.undoBlock();
    this.effects.undoBlock(this.#scope.checkpoint);
    this.#batchPositions = this.#batchPositions.filter(({ checkpoint }) => checkpoint !== this.#scope.checkpoint);
    this.#batchSkipped = this.#batchSkipped.filter(({ checkpoint }) => checkpoint !== this.#scope.checkpoint);
  }

  /** Notes an event whose changes were undone by the policy of its handler. */
  skip(event: SkippedEvent): void {
    this.#batchSkipped.push(event);
  }

  /**
   * Hands a processed batch over: memory only. Advances the processed frontier and wakes the writer.
   * @param batch the one that was begun, or its leading part after a handler failed
   * @returns how many changes it brings: changed rows, before-images and inserted rows
   */
  commitBatch(batch: Batch): number {
    assert(this.#batch?.id === batch.id, "a batch is committed that was not begun");
    this.#batch = undefined;
    const sealed = this.#open.sealBefore(batch.mode);
    if (sealed !== undefined) this.#sealed.push(sealed);
    const changes = this.#open.join(batch, this.#clock.now(), this.#batchPositions, this.#batchSkipped);
    this.#batchPositions = [];
    this.#batchSkipped = [];
    this.#processedCheckpoint = batch.checkpoints.to;
    this.#nextCheckpoint = batch.checkpoints.to + 1;
    for (const progress of batch.progress) this.#processed.set(progress.chainId, progress);
    this.#itemsProcessed += batch.items;
    this.changed.notify();
    return changes;
  }

  /** Says that there is nothing to process for the moment: then nothing is gained by writing later. */
  setProcessingIdle(idle: boolean): void {
    if (this.#processingIdle === idle) return;
    this.#processingIdle = idle;
    if (idle) this.changed.notify();
  }

  /** Drops the batch in progress: nothing of it will be written, and nothing can be processed after it. */
  abandonBatch(): void {
    this.#batch = undefined;
    this.effects.abandonBatch();
  }

  // ── the persistence loop ───────────────────────────────────────────────────────────────────────────────────────────

  /** Whether it is time to write: see RunLimits. */
  get isRunDue(): boolean {
    if (this.#sealed.length > 0) return true;
    if (this.#open.isEmpty) return false;
    if (this.#processingIdle || this.#waiters > 0 || this.#open.items >= this.limits.minimumItems) return true;
    return this.#clock.now() >= this.#open.dueAt;
  }

  /** When a run will be due even if nothing else happens; infinity: never. */
  get runDueAt(): number {
    return this.#open.dueAt;
  }

  /** The next run, encoded; encoding the open run is synchronous. One run is in flight at a time. */
  takeRun(): DrainRun | undefined {
    assert(this.#inFlight === undefined, "two runs in flight");
    this.#inFlight = this.#sealed.shift() ?? this.#open.seal("drained");
    return this.#inFlight;
  }

  /** The run in flight is durable: advances the committed frontier. */
  durable(run: DrainRun): void {
    assert(this.#inFlight === run, "a run is durable that was not in flight");
    this.#inFlight = undefined;
    this.#durableRun = run.id;
    this.#committedCheckpoint = run.checkpoints.to;
    for (const progress of run.progress) this.#committed.set(progress.chainId, progress);
    this.#lastCommitAt = this.#clock.now();
    this.#trimCache();
    this.changed.notify();
  }

  /** Latches the first fatal error. */
  fail(error: Error): void {
    this.#failed.abort(error);
    this.changed.notify();
  }

  // ── waiting and figures ────────────────────────────────────────────────────────────────────────────────────────────

  get uncommitted(): Uncommitted {
    let batches = this.#open.batches;
    let items = this.#open.items;
    let changes = this.#open.changes;
    let bytes = this.#open.bytes;
    for (const run of this.#sealedAndInFlight()) {
      batches += run.batches.length;
      items += run.items;
      changes += run.changes;
      bytes += run.bytes + run.heldBytes;
    }
    const oldestAt = this.#sealedAndInFlight()[0]?.batches[0]?.queuedAt ?? this.#open.since;
    return { batches, items, changes, bytes, oldestAt };
  }

  /** Batches that no write has taken yet. */
  get queuedBatches(): number {
    return this.#sealed.reduce((sum, run) => sum + run.batches.length, this.#open.batches);
  }

  /** Which limit is reached; undefined when processing may go on. Only what a write can free counts as a reason to wait. */
  get capacityReached(): "changes" | "bytes" | undefined {
    const { batches, items, changes, bytes } = this.uncommitted;
    if (batches === 0) return undefined;
    if (changes + items >= this.limits.capacityChanges) return "changes";
    return bytes >= this.limits.capacityBytes ? "bytes" : undefined;
  }

  /**
   * Waits until `condition` holds, which must become true through writes alone.
   * @throws the failure, once the store has failed
   */
  async waitUntil(condition: () => boolean): Promise<number> {
    let wakeUps = 0;
    this.#waiters++;
    this.#trimCache();
    this.changed.notify();
    try {
      for (;;) {
        const next = this.changed.next();
        if (this.failure !== undefined) throw this.failure;
        if (condition()) return wakeUps;
        await next;
        wakeUps++;
      }
    } finally {
      this.#waiters--;
    }
  }

  /** Waits until everything that is committed to memory now is durable. */
  async flush(): Promise<void> {
    const target = this.#processedCheckpoint;
    await this.waitUntil(() => this.#committedCheckpoint >= target);
  }

  get isDrained(): boolean {
    return this.#committedCheckpoint >= this.#processedCheckpoint;
  }

  /** Rows that are durable make room; never those that a query under way could miss. */
  #trimCache(): void {
    const throughRun = Math.min(this.#durableRun, this.reads.oldestDurableRun ?? Number.POSITIVE_INFINITY);
    this.cache.trim(this.uncommitted.bytes, throughRun);
  }

  #sealedAndInFlight(): readonly DrainRun[] {
    return this.#inFlight === undefined ? this.#sealed : [this.#inFlight, ...this.#sealed];
  }
}
