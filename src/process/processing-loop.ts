import type { Batch, BatchSlice } from "../batch/batch.ts";
import { type BatchRoom, createBatch, type SliceSupply } from "../batch/create-batch.ts";
import type { ChainLabel } from "../chain/chain-label.ts";
import type { ChildAddress } from "../chain/child-address.ts";
import { releaseText } from "../chain/log-page.ts";
import type { BatchStart, BatchTelemetry, CapacityWait } from "../instrument/batch-telemetry.ts";
import type { Telemetry } from "../instrument/telemetry.ts";
import type { Clock } from "../lib/clock.ts";
import type { Signal } from "../lib/signal.ts";
import { unlessAborted } from "../lib/unless-aborted.ts";
import type { Store } from "../store/store.ts";
import type { BatchProcessor, ProcessOutcome } from "./batch-processor.ts";
import type { ChainSetup } from "./chain-setup.ts";

/** The fetched blocks of one chain, and whether more will come. */
export interface ChainSupply extends SliceSupply {
  readonly label: ChainLabel;
  /** Nothing will come any more: the chain's last block has been fetched. */
  readonly isEnded: boolean;
  /** The chain has nothing more to fetch for now. */
  readonly isAtHead: boolean;
  /** Newly fetched blocks can still be orphaned. */
  readonly isInsideWindow: boolean;
  /** What was taken last comes first again, in the order in which it was taken. */
  giveBack(slices: readonly BatchSlice[]): void;
  /** Until the logs of these addresses are among what is to be taken, from their blocks on. */
  cover(children: readonly ChildAddress[], signal: AbortSignal): Promise<void>;
}

export interface ProcessingLoopOptions {
  readonly store: Store;
  readonly supplies: readonly ChainSupply[];
  /** Notified when a range has arrived, a supply has ended, the loop shall stop, or the store has failed. */
  readonly arrived: Signal;
  /** Aborts when nothing may be waited for any more: a batch in progress is dropped, whatever its handlers wait for. */
  readonly abandoned: AbortSignal;
  readonly processor: BatchProcessor;
  /** What comes before the first block of a chain; undefined: nothing. */
  readonly setup?: ChainSetup | undefined;
  readonly telemetry: Telemetry;
  /** Batches that an earlier session of the process has numbered. Default 0. */
  readonly batchesBefore?: number;
  /** Most that is in a batch, single blocks apart. */
  readonly batchRoom: BatchRoom;
  /** The drain run being written, to link a capacity wait to it. */
  readonly drainInFlight: () => unknown;
  /** Pages are read again when their batch is written: raw events are made of them. */
  readonly keepsPages: boolean;
  readonly clock: Clock;
}

type Registered = Extract<ProcessOutcome, { readonly kind: "registered" }>;
type Processor = Pick<BatchProcessor, "process" | "cancel">;

/** What a step came to; only the loop decides what follows. */
type Step = "progress" | "ended" | "stopped";

/**
 * The processing loop: await events → await capacity → create a batch → run its handlers → commit it to memory. It
 * never awaits a write: only capacity, and only when a write can free it.
 */
export class ProcessingLoop {
  readonly #o: ProcessingLoopOptions;
  #batchId: number;

  constructor(options: ProcessingLoopOptions) {
    this.#o = options;
    this.#batchId = options.batchesBefore ?? 0;
  }

  /** The number of the last batch. */
  get lastBatch(): number {
    return this.#batchId;
  }

  /**
   * Runs until every chain has ended, or `signal` aborts; a batch that was begun is finished first, or abandoned.
   * @throws the error of a handler, after everything before it was committed; the failure of the store
   */
  async run(signal: AbortSignal): Promise<"ended" | "stopped"> {
    try {
      for (;;) {
        const step = await this.#step(signal);
        if (step === "progress") continue;
        this.#o.store.setProcessingIdle(true);
        return step;
      }
    } finally {
      this.#o.telemetry.processLoop.enter("other");
    }
  }

  async #step(signal: AbortSignal): Promise<Step> {
    const supplied = await this.#awaitSupply(signal);
    if (supplied !== "progress") return supplied;
    const askedAt = this.#o.clock.now();
    const capacityWait = await this.#awaitCapacity(signal);
    if (signal.aborted) return "stopped";
    return this.#process(askedAt, capacityWait, signal);
  }

  async #awaitSupply(signal: AbortSignal): Promise<Step> {
    const { supplies, arrived, store, telemetry } = this.#o;
    for (;;) {
      const next = arrived.next();
      if (store.failure !== undefined) throw store.failure;
      if (signal.aborted) return "stopped";
      if (supplies.some((supply) => !supply.isEmpty)) break;
      if (supplies.every((supply) => supply.isEnded)) return "ended";
      telemetry.processLoop.enter(supplies.every((supply) => supply.isAtHead) ? "idle_at_head" : "fetch");
      // While there is nothing to process, nothing is gained by writing later.
      store.setProcessingIdle(true);
      await next;
    }
    store.setProcessingIdle(false);
    telemetry.processLoop.enter("other");
    return "progress";
  }

  /** Until there is capacity, or `signal` aborts: a stop must not wait for a database that is away. */
  async #awaitCapacity(signal: AbortSignal): Promise<CapacityWait | undefined> {
    const { store, clock, telemetry } = this.#o;
    const reason = store.capacityReached;
    if (reason === undefined) return undefined;
    const { changes, items, bytes } = store.uncommitted;
    const startedAt = clock.now();
    const wait = {
      startedAt,
      reason,
      uncommittedChanges: changes + items,
      uncommittedBytes: bytes,
      queuedBatches: store.queuedBatches,
      limit: reason === "changes" ? store.limits.capacityChanges : store.limits.capacityBytes,
      drainOrigin: this.#o.drainInFlight(),
    };
    telemetry.processLoop.enter("capacity");
    const open = telemetry.waiting({ state: "capacity", what: "spindex.capacity_wait" });
    const wake = (): void => store.changed.notify();
    signal.addEventListener("abort", wake, { once: true });
    let wakeUps: number;
    try {
      wakeUps = await store.waitUntil(() => store.capacityReached === undefined || signal.aborted);
    } finally {
      signal.removeEventListener("abort", wake);
      open.end();
      telemetry.processLoop.enter("other");
    }
    return { ...wait, drainOrigin: wait.drainOrigin ?? this.#o.drainInFlight(), wakeUps, endedAt: clock.now() };
  }

  async #process(askedAt: number, capacityWait: CapacityWait | undefined, signal: AbortSignal): Promise<Step> {
    const { store, telemetry, clock } = this.#o;
    const createdFrom = clock.now();
    const next = this.#nextBatch();
    if (next === undefined) return "progress";
    const { batch, processor } = next;
    this.#batchId = batch.id;
    const batchTelemetry = telemetry.batchStarted(this.#startOf(batch, askedAt, createdFrom, capacityWait));
    batch.origin = batchTelemetry;
    store.beginBatch(batch);
    batchTelemetry.processing();
    telemetry.processLoop.enter("handlers");
    const outcome = await this.#outcomeOf(processor, batch, batchTelemetry);
    telemetry.processLoop.enter("other");
    if (outcome === "abandoned") {
      if (store.failure !== undefined) throw store.failure;
      return "stopped";
    }
    const processed = outcome.kind === "processed" ? batch : outcome.kept;
    if (processed === undefined) {
      store.abandonBatch();
      if (outcome.kind === "failed") batchTelemetry.abandoned("failed", outcome.error);
      else batchTelemetry.abandoned("aborted");
    } else {
      const changes = store.commitBatch(processed);
      const frontierGap = store.processedCheckpoint - store.committedCheckpoint;
      const kept =
        processed === batch ? undefined : { items: processed.items, lastCheckpoint: processed.checkpoints.to };
      batchTelemetry.committed({ changes, queuedBatches: store.queuedBatches, frontierGap, kept });
      if (!this.#o.keepsPages) releasePages(processed);
    }
    if (outcome.kind === "failed") throw outcome.error;
    return outcome.kind === "registered" ? this.#cover(outcome, signal) : "progress";
  }

  /** Everything from the block on that has registered addresses is processed again, with the logs of these. */
  async #cover({ rest, chainId, children }: Registered, signal: AbortSignal): Promise<Step> {
    const { supplies, telemetry } = this.#o;
    for (const supply of supplies) supply.giveBack(rest.filter(({ range }) => range.chainId === supply.chainId));
    telemetry.processLoop.enter("fetch");
    try {
      await supplies.find((supply) => supply.chainId === chainId)?.cover(children, signal);
      return "progress";
    } catch (error) {
      if (signal.aborted) return "stopped";
      throw error;
    } finally {
      telemetry.processLoop.enter("other");
    }
  }

  async #outcomeOf(
    processor: Processor,
    batch: Batch,
    batchTelemetry: BatchTelemetry,
  ): Promise<ProcessOutcome | "abandoned"> {
    const { store, abandoned } = this.#o;
    try {
      return await unlessAborted(processor.process(batch, batchTelemetry), abandoned);
    } catch (error) {
      if (!abandoned.aborted) throw error;
      // First of all, so that handlers which go on meanwhile change nothing.
      store.abandonBatch();
      processor.cancel();
      batchTelemetry.abandoned("aborted", store.failure);
      return "abandoned";
    }
  }

  #nextBatch(): { batch: Batch; processor: Processor } | undefined {
    const { store, supplies, setup, processor } = this.#o;
    const id = this.#batchId + 1;
    const setupBatch = setup?.nextBatch(id);
    if (setup !== undefined && setupBatch !== undefined) return { batch: setupBatch, processor: setup };
    const turn = this.#batchId % supplies.length;
    const batch = createBatch({
      id,
      firstCheckpoint: store.nextCheckpoint,
      room: this.#o.batchRoom,
      supplies: [...supplies.slice(turn), ...supplies.slice(0, turn)],
      shardInsideWindow: supplies.some((supply) => supply.isInsideWindow),
    });
    return batch && { batch, processor };
  }

  #startOf(batch: Batch, askedAt: number, createdFrom: number, capacityWait: CapacityWait | undefined): BatchStart {
    const { supplies, batchRoom } = this.#o;
    const isEnd = batch.items < batchRoom.items && supplies.every((supply) => supply.isEmpty);
    const ids = new Set(batch.progress.map(({ chainId }) => chainId));
    return {
      id: batch.id,
      mode: batch.mode,
      items: batch.items,
      checkpoints: batch.checkpoints,
      chains: this.#o.supplies.filter(({ chainId }) => ids.has(chainId)).map(({ label }) => label),
      blocks: batch.progress.map(({ chainId, block }) => blocksOf(batch, chainId, block)),
      live: batch.progress.every(({ head }) => head.live),
      askedAt,
      createdFrom,
      boundBy: isEnd ? "end" : "size",
      capacityWait,
      fetchOrigins: [...new Set(batch.slices.map(({ range }) => range.origin))],
    };
  }
}

/** Pages of which the batch has the last events are not needed any more. */
function releasePages({ slices }: Batch): void {
  for (const { range, toRow } of slices) if (toRow === range.page.count) releaseText(range.page);
}

/** The blocks of a chain that a batch brings, up to its progress; what setup does is in the first one alone. */
function blocksOf({ slices }: Batch, chainId: number, to: number): BatchStart["blocks"][number] {
  const starts = slices.filter(({ range }) => range.chainId === chainId).map(({ fromBlock }) => fromBlock);
  return { chainId, from: Math.min(to, ...starts), to };
}
