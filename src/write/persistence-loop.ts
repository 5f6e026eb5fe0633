import type { DrainTelemetry } from "../instrument/drain-telemetry.ts";
import type { Telemetry } from "../instrument/telemetry.ts";
import { type BackoffOptions, backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import type { DrainRun } from "../store/drain-run.ts";
import type { Store } from "../store/store.ts";
import type { ChainMetadata, ChainMetadataSource } from "./chain-metadata.ts";
import type { RawEvents } from "./raw-events.ts";
import { type Storage, WriteFailure } from "./storage.ts";
import { Upkeep } from "./upkeep.ts";
import { writeError } from "./write-error.ts";

export interface PersistenceLoopOptions {
  readonly store: Store;
  readonly storage: Storage;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** How long a write may be retried before the process gives up. */
  readonly retryBudgetMs: number;
  readonly backoff: BackoffOptions;
  /** What is known of the chains beside their rows. Left out: nothing is written but runs. */
  readonly metadata?: ChainMetadataSource;
  /** How often to look for what nothing can need any more. Left out: nothing is pruned. */
  readonly pruneEveryMs?: number;
  /** Called when the positions of a run are durable, before anyone who waits for it goes on. */
  readonly onDurable?: (progress: DrainRun["progress"], drain: DrainTelemetry) => void;
  /** Left out: raw events are not kept. */
  readonly rawEvents?: RawEvents;
}

/**
 * The persistence loop: while batches are queued, take the leading run, write it in one transaction, advance the
 * committed frontier. While no run is due, keep the chains' metadata up to date and prune, one short write at a time.
 * One write is in flight, ever. A write that cannot succeed fails the store, once, and ends the loop.
 */
export class PersistenceLoop {
  readonly #o: PersistenceLoopOptions;
  readonly #upkeep: Upkeep;
  #inFlight: DrainTelemetry | undefined;

  constructor(options: PersistenceLoopOptions) {
    this.#o = options;
    this.#upkeep = new Upkeep(options);
  }

  /** The trace of the run that is being written, to link to it. */
  get inFlightOrigin(): unknown {
    return this.#inFlight?.origin;
  }

  /** Runs until `signal` aborts (a run in flight is finished first) or the store has failed. */
  async run(signal: AbortSignal): Promise<void> {
    const { store } = this.#o;
    const wake = (): void => store.changed.notify();
    signal.addEventListener("abort", wake, { once: true });
    while (!signal.aborted && store.failure === undefined) {
      const next = store.changed.next();
      if (store.isRunDue) await this.#drain(signal);
      else if (!(await this.#keepUp())) await this.#rest(next);
    }
    signal.removeEventListener("abort", wake);
  }

  /** @returns whether there was something to do */
  async #keepUp(): Promise<boolean> {
    try {
      return await this.#upkeep.step();
    } catch (error) {
      this.#o.store.fail(error instanceof Error ? error : new Error(String(error)));
      return true;
    }
  }

  /** Until something has changed in the store, or the next run or upkeep is due. */
  async #rest(changed: Promise<void>): Promise<void> {
    const { clock, store } = this.#o;
    const untilMs = Math.min(this.#upkeep.nextAt, store.runDueAt) - clock.now();
    if (untilMs === Number.POSITIVE_INFINITY) return changed;
    const over = new AbortController();
    await Promise.race([changed, clock.sleep(untilMs, over.signal)]);
    over.abort();
  }

  async #drain(signal: AbortSignal): Promise<void> {
    const { store, telemetry } = this.#o;
    const startedAt = this.#o.clock.now();
    const queuedBatchesBefore = store.queuedBatches;
    telemetry.writeLoop.enter("snapshot");
    // Processing stands still meanwhile: the time is ours, not that of what it is doing.
    const run = telemetry.processLoop.interrupt("blocked", () => store.takeRun());
    if (run === undefined) {
      telemetry.writeLoop.enter("idle");
      return;
    }
    const drain = telemetry.drainStarted({
      id: run.id,
      mode: run.mode,
      checkpoints: run.checkpoints,
      items: run.items,
      queuedBatchesBefore,
      queuedBatchesAfter: store.queuedBatches,
      splitReason: run.splitReason,
      escapes: run.escapes,
      batchOrigins: run.batches.map(({ origin }) => origin),
      snapshot: {
        startedAt,
        endedAt: this.#o.clock.now(),
        tables: run.tables.length,
        changes: run.changes,
        bytes: run.bytes,
      },
    });
    this.#inFlight = drain;
    try {
      const complete = await this.#withRawEvents(run, drain);
      const metadata = this.#upkeep.metadata();
      await this.#write(complete, metadata, drain, signal);
      this.#upkeep.metadataWritten(metadata);
      this.#o.onDurable?.(run.progress, drain);
      drain.durable();
      store.durable(run);
    } catch (error) {
      drain.failed(error);
      store.fail(error instanceof Error ? error : new Error(String(error)));
    } finally {
      this.#inFlight = undefined;
      telemetry.writeLoop.enter("idle");
    }
  }

  /** The run with its raw events, encoded once for all attempts. */
  async #withRawEvents(run: DrainRun, drain: DrainTelemetry): Promise<DrainRun> {
    const { rawEvents, clock, telemetry } = this.#o;
    if (rawEvents === undefined) return run;
    const startedAt = clock.now();
    const { run: complete, escapes } = await rawEvents.addTo(run, (part) =>
      telemetry.processLoop.interrupt("blocked", part),
    );
    const { rows, bytes } = complete.rawEvents;
    drain.rawEventsEncoded({ startedAt, endedAt: clock.now(), events: rows, bytes, escapes });
    return complete;
  }

  /** Writes the run, again and again with the same bytes while that can help. */
  async #write(
    run: DrainRun,
    metadata: readonly ChainMetadata[],
    drain: DrainTelemetry,
    signal: AbortSignal,
  ): Promise<void> {
    const { storage, telemetry, clock } = this.#o;
    const deadline = clock.now() + this.#o.retryBudgetMs;
    for (let attempt = 1; ; attempt++) {
      telemetry.writeLoop.enter("write");
      const transaction = drain.transaction(attempt);
      try {
        const { alreadyDurable } = await storage.write(run, transaction, metadata);
        transaction.succeeded(alreadyDurable);
        return;
      } catch (error) {
        const waitMs = backoffMs(attempt, this.#o.backoff, clock);
        const kind = error instanceof WriteFailure ? error.kind : "fatal";
        const canHelp = kind === "transient" || kind === "outcome_unknown";
        const willRetry = canHelp && !signal.aborted && clock.now() + waitMs < deadline;
        transaction.failed(error, { kind, willRetry });
        if (!willRetry) throw writeError(error, { place: placeOf(run), attempt, traceId: drain.traceId });
        telemetry.writeLoop.enter("retry_backoff");
        await clock.sleep(waitMs, signal);
      }
    }
  }
}

function placeOf(run: DrainRun): string {
  const { from, to } = run.checkpoints;
  const blocks = run.blocks.map((range) => `chain ${range.chainId} blocks ${range.from} to ${range.to}`).join(", ");
  return `checkpoints ${from} to ${to} (${blocks})`;
}
