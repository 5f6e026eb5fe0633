import { AddressTable } from "../abi/address-table.ts";
import type { ChainProgress } from "../batch/batch.ts";
import type { IndexerDefinition } from "../config/definition.ts";
import { effectDefinitionOf } from "../config/effect.ts";
import type { Registration, SetupRegistration } from "../config/registration.ts";
import { SpindexError } from "../errors.ts";
import type { DrainTelemetry } from "../instrument/drain-telemetry.ts";
import type { FlushReason } from "../instrument/flush-telemetry.ts";
import type { Telemetry } from "../instrument/telemetry.ts";
import type { Clock } from "../lib/clock.ts";
import { Signal } from "../lib/signal.ts";
import { unlessAborted } from "../lib/unless-aborted.ts";
import type { ResumePoint } from "../postgres/resume.ts";
import { BatchProcessor } from "../process/batch-processor.ts";
import { type AnySetupHandler, ChainSetup } from "../process/chain-setup.ts";
import { EffectCalls } from "../process/effect-calls.ts";
import { HandlerWaits } from "../process/handler-waits.ts";
import { ProcessingLoop } from "../process/processing-loop.ts";
import { ReorgDetected } from "../reorg/chain-link.ts";
import type { ChainSource } from "../source/fallback-source.ts";
import { Store } from "../store/store.ts";
import { PersistenceLoop } from "../write/persistence-loop.ts";
import { RawEvents } from "../write/raw-events.ts";
import { type ChainLane, createLane } from "./chain-lane.ts";
import { chainMetadataOf } from "./chain-metadata.ts";
import type { IndexerLimits } from "./limits.ts";
import { laneStart, progressOf, wasLive } from "./resumed-chain.ts";
import { handledLogReader, routesOf } from "./routes.ts";
import { scanReporter } from "./scan-reporter.ts";
import type { SessionStorage } from "./session-storage.ts";
import { Totals } from "./totals.ts";
import { warmUp } from "./warm-up.ts";

export interface SessionOptions {
  readonly definition: IndexerDefinition;
  readonly registrations: readonly Registration[];
  /** What runs once a chain, before its first block. */
  readonly setup?: SetupRegistration | undefined;
  /** Stop at the head seen first, or at the end blocks. */
  readonly once: boolean;
  readonly limits: IndexerLimits;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

/** How a session ended without an error. */
export type SessionOutcome = "ended" | "stopped";

const WRITE_BACKOFF = { firstMs: 100, maxMs: 10_000 };

/**
 * The parts of a running indexer, from one resume point on: lanes that fetch, the store, and the two loops. A session
 * never goes back: after a reorg a new one is built from what the storage has. Batches and runs are numbered on from the
 * session before it, so that a number means one of them as long as the process lives.
 */
export class Session {
  readonly store: Store;
  readonly effects: EffectCalls;
  readonly lanes: readonly ChainLane[];
  /** Those of the sessions before it are in them. */
  readonly totals: Totals;
  readonly #o: SessionOptions;
  readonly #storage: SessionStorage;
  readonly #arrived = new Signal();
  /** A stop has taken too long. */
  readonly #late = new AbortController();
  readonly #processing: ProcessingLoop;
  readonly #persistence: PersistenceLoop;

  constructor(
    options: SessionOptions,
    storage: SessionStorage,
    resume: ResumePoint,
    sources: ReadonlyMap<number, ChainSource>,
    before?: Session,
  ) {
    this.#o = options;
    this.#storage = storage;
    const { definition, registrations, telemetry, clock, limits } = options;
    this.totals = before?.totals ?? new Totals();
    const addresses = new AddressTable();
    const routes = routesOf(registrations, addresses);
    this.lanes = definition.chains.map((chain) =>
      createLane({
        definition: chain,
        contracts: definition.contracts,
        registrations,
        source: sources.get(chain.id) as ChainSource,
        addresses,
        start: laneStart(resume.chains, chain.id),
        live: wasLive(resume.chains, chain.id, before?.lanes),
        arrived: this.#arrived,
        once: options.once,
        bufferRoom: limits.fetchBuffer,
        onUndecodable: (label, error) => this.totals.countUndecodable(label.name, error.reason),
        telemetry,
        clock,
      }),
    );
    const waits = new HandlerWaits(telemetry);
    this.store = new Store({
      tables: definition.tables,
      emptyTables: resume.emptyTables,
      codecOf: storage.codecOf,
      reader: waits.reading(storage),
      onIndex: (table, index) => storage.needIndex?.(table, index),
      onScan: scanReporter(telemetry.log),
      effectCodec: storage.effectCodec,
      keepSlices: definition.rawEvents,
      committed: resume.committedCheckpoint,
      nextCheckpoint: resume.nextCheckpoint,
      progress: resume.chains.map(progressOf),
      limits: limits.store,
      clock,
      runsBefore: before?.store.lastRun ?? 0,
    });
    this.totals.begin(this.store);
    this.effects = new EffectCalls({
      store: this.store,
      reader: storage,
      definitionOf: effectDefinitionOf,
      waits,
      clock,
    });
    const rawEvents = new RawEvents({ read: handledLogReader(routes, addresses), codec: storage.rawEventCodec, clock });
    this.#persistence = new PersistenceLoop({
      store: this.store,
      storage,
      telemetry,
      clock,
      retryBudgetMs: limits.writeRetryBudgetMs,
      backoff: WRITE_BACKOFF,
      metadata: chainMetadataOf(this.lanes, this.store),
      pruneEveryMs: limits.pruneEveryMs,
      onDurable: (progress, drain) => this.#observeDurable(progress, drain),
      ...(definition.rawEvents ? { rawEvents } : {}),
    });
    const processor = new BatchProcessor({
      chains: this.lanes.map(({ label }) => label),
      registrars: new Map(this.lanes.map(({ label, registrar }) => [label.id, registrar])),
      routes,
      tables: definition.tables,
      addresses,
      store: this.store,
      effects: this.effects,
      processLoop: telemetry.processLoop,
      clock,
      onUndecodable: (chain, error) => this.totals.countUndecodable(chain.name, error.reason),
    });
    this.#processing = new ProcessingLoop({
      store: this.store,
      supplies: this.lanes.map(({ supply }) => supply),
      arrived: this.#arrived,
      abandoned: AbortSignal.any([this.store.failed, this.#late.signal]),
      processor,
      setup: this.#setup(),
      telemetry,
      batchRoom: limits.batch,
      batchesBefore: before === undefined ? 0 : before.#processing.lastBatch,
      keepsPages: definition.rawEvents,
      drainInFlight: () => this.#persistence.inFlightOrigin,
      clock,
    });
  }

  get #chainIds(): readonly number[] {
    return this.lanes.map(({ label }) => label.id);
  }

  /** The backfill of every chain is over. */
  get isLive(): boolean {
    return this.lanes.every(({ head, supply }) => head.live || supply.isEnded);
  }

  /**
   * Runs the loops until every chain has ended or `signal` aborts; then everything processed is made durable.
   * @throws what ended it: a handler's error, a source's, ReorgDetected, or the write failure. Unless writing itself has
   * failed or took too long, everything processed before is durable then.
   */
  async run(signal: AbortSignal): Promise<SessionOutcome> {
    const work = new AbortController();
    const writing = new AbortController();
    const over = new AbortController();
    const errors: unknown[] = [];
    const stopWork = (): void => {
      work.abort();
      this.#arrived.notify();
    };
    signal.addEventListener("abort", stopWork, { once: true });
    if (signal.aborted) stopWork();
    const owned = async (loop: Promise<unknown>): Promise<void> => {
      try {
        await loop;
      } catch (error) {
        errors.push(error);
        stopWork();
      }
    };
    const stopLosing = this.#failWhenLost();
    const deadline = this.#endLate(work.signal, over.signal);
    const persistence = this.#persistence.run(writing.signal).then(stopWork);
    const fetching = this.lanes.map((lane) => owned(lane.fetcher.run(work.signal)));
    let outcome: SessionOutcome = "stopped";
    await owned(
      warmUp({ ...this.#o, store: this.store, reader: this.#storage, chainIds: this.#chainIds }, work.signal)
        .then(() => this.#processing.run(work.signal))
        .then((how) => {
          outcome = how;
        }),
    );
    stopWork();
    await Promise.all(fetching);
    const isLate = await this.#flush(reasonOf(outcome, errors));
    writing.abort();
    await persistence;
    over.abort();
    await deadline;
    // A reorg is not answered either by a storage that does not answer.
    if (isLate || (this.#late.signal.aborted && errors[0] instanceof ReorgDetected)) errors.unshift(this.#lateness());
    signal.removeEventListener("abort", stopWork);
    stopLosing();
    if (this.store.failure !== undefined && !isLate) throw this.store.failure;
    if (errors.length > 0) throw errors[0];
    return outcome;
  }

  #observeDurable(progress: readonly ChainProgress[], drain: DrainTelemetry): void {
    for (const { chainId, block } of progress) {
      const lane = this.lanes.find(({ label }) => label.id === chainId);
      for (const seconds of lane?.head.durable(block) ?? []) drain.blockDurable(lane?.label.name ?? "", seconds);
    }
  }

  /** From the moment when work shall stop, its end has so much time, with the flush. */
  async #endLate(stopped: AbortSignal, over: AbortSignal): Promise<void> {
    const { clock, limits } = this.#o;
    if (!stopped.aborted) await new Promise((resolve) => stopped.addEventListener("abort", resolve, { once: true }));
    await clock.sleep(limits.flushDeadlineMs, over);
    if (over.aborted) return;
    this.#late.abort();
    this.#storage.breakOff();
  }

  #setup(): ChainSetup | undefined {
    const { setup, definition, clock } = this.#o;
    if (setup === undefined) return undefined;
    return new ChainSetup({
      // The handler's types were checked where it was registered.
      handler: setup.handler as unknown as AnySetupHandler,
      chains: this.lanes.map(({ label, selection }) => ({ label, startBlock: selection.startBlock })),
      tables: definition.tables,
      store: this.store,
      effects: this.effects,
      clock,
    });
  }

  /** Without the shard nothing may be written any more, also while nothing is there to be written. */
  #failWhenLost(): () => void {
    const { lost } = this.#storage;
    const fail = (): void => {
      this.store.fail(lost.reason as SpindexError);
      this.#storage.breakOff();
    };
    if (lost.aborted) fail();
    else lost.addEventListener("abort", fail, { once: true });
    return () => lost.removeEventListener("abort", fail);
  }

  /** @returns whether it took too long */
  async #flush(reason: FlushReason): Promise<boolean> {
    const { telemetry } = this.#o;
    if (this.store.failure !== undefined || this.store.isDrained) return false;
    const flush = telemetry.flushStarted({
      reason,
      pendingBatches: this.store.uncommitted.batches,
      drainOrigin: this.#persistence.inFlightOrigin,
    });
    telemetry.processLoop.enter("flush");
    try {
      await unlessAborted(this.store.flush(), this.#late.signal);
      flush.done("durable");
      return false;
    } catch {
      const { failure } = this.store;
      if (failure === undefined) flush.done("late");
      else flush.failed(failure);
      return failure === undefined;
    } finally {
      telemetry.processLoop.enter("other");
    }
  }

  #lateness(): SpindexError {
    const { items, changes } = this.store.uncommitted;
    return new SpindexError(
      "WRITE_RETRIES_EXHAUSTED",
      `${items} processed events (${changes} changes) were not durable within ${this.#o.limits.flushDeadlineMs} ms`,
      { fix: "Nothing is lost: they are indexed again at the next start." },
    );
  }
}

function reasonOf(outcome: SessionOutcome, errors: readonly unknown[]): FlushReason {
  const [error] = errors;
  if (error === undefined) return outcome === "ended" ? "end" : "stop";
  return error instanceof ReorgDetected ? "reorg" : "failure";
}
