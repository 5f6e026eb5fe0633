import { SpindexError } from "../errors.ts";
import type { DrainTelemetry } from "../instrument/drain-telemetry.ts";
import type { Telemetry } from "../instrument/telemetry.ts";
import { type BackoffOptions, backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import type { DrainRun } from "../store/drain-run.ts";
import type { RowOrigin } from "../store/event-log.ts";
import type { Store } from "../store/store.ts";
import { type Storage, WriteFailure } from "./storage.ts";

export interface PersistenceLoopOptions {
  readonly store: Store;
  readonly storage: Storage;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  /** How long a write may be retried before the process gives up. */
  readonly retryBudgetMs: number;
  readonly backoff: BackoffOptions;
}

/**
 * The persistence loop: while batches are queued, take the leading run, write it in one transaction, advance the
 * committed frontier. One write is in flight, ever. A write that cannot succeed fails the store, once, and ends the loop.
 */
export class PersistenceLoop {
  readonly #o: PersistenceLoopOptions;
  #inFlight: DrainTelemetry | undefined;

  constructor(options: PersistenceLoopOptions) {
    this.#o = options;
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
      else await next;
    }
    signal.removeEventListener("abort", wake);
  }

  async #drain(signal: AbortSignal): Promise<void> {
    const { store, telemetry } = this.#o;
    telemetry.writeLoop.enter("snapshot");
    const startedAt = this.#o.clock.now();
    const queuedBatchesBefore = store.queuedBatches;
    const run = store.takeRun();
    if (run === undefined) return;
    const drain = telemetry.drainStarted({
      id: run.id,
      mode: run.mode,
      checkpoints: run.checkpoints,
      items: run.items,
      queuedBatchesBefore,
      queuedBatchesAfter: store.queuedBatches,
      splitReason: run.splitReason,
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
      await this.#write(run, drain, signal);
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

  /** Writes the run, again and again with the same bytes while that can help. */
  async #write(run: DrainRun, drain: DrainTelemetry, signal: AbortSignal): Promise<void> {
    const { storage, telemetry, clock } = this.#o;
    const deadline = clock.now() + this.#o.retryBudgetMs;
    for (let attempt = 1; ; attempt++) {
      telemetry.writeLoop.enter("write");
      const transaction = drain.transaction(attempt);
      try {
        const { alreadyDurable } = await storage.write(run, transaction);
        transaction.succeeded(alreadyDurable);
        return;
      } catch (error) {
        const waitMs = backoffMs(attempt, this.#o.backoff, clock);
        const kind = error instanceof WriteFailure ? error.kind : "fatal";
        const canHelp = kind === "transient" || kind === "outcome_unknown";
        const willRetry = canHelp && !signal.aborted && clock.now() + waitMs < deadline;
        transaction.failed(error, { kind, willRetry });
        if (!willRetry) throw finalError(run, error, kind, attempt, drain.traceId);
        telemetry.writeLoop.enter("retry_backoff");
        await clock.sleep(waitMs, signal);
      }
    }
  }
}

function finalError(
  run: DrainRun,
  error: unknown,
  kind: WriteFailure["kind"],
  attempt: number,
  traceId: string | undefined,
): SpindexError {
  const failure = error instanceof WriteFailure ? error : undefined;
  const { from, to } = run.checkpoints;
  const blocks = run.blocks.map((range) => `chain ${range.chainId} blocks ${range.from} to ${range.to}`).join(", ");
  const place = `checkpoints ${from} to ${to} (${blocks})`;
  const message = error instanceof Error ? error.message : String(error);
  const options = {
    cause: error,
    details: {
      statement: failure?.statement,
      table: failure?.table,
      sqlState: failure?.sqlState,
      row: failure?.row,
      ...(failure?.origin === undefined ? {} : detailsOf(failure.origin)),
      attempt,
      traceId,
    },
  };
  switch (kind) {
    case "fenced":
      return new SpindexError("WRITER_FENCED", `another process has taken over: ${message}`, {
        ...options,
        fix: "Nothing of this process will be written any more. Run one process for a schema and shard.",
      });
    case "went_back":
      return new SpindexError("DATABASE_WENT_BACK", `the database lost writes that it had confirmed: ${message}`, {
        ...options,
        fix: "Start again: indexing resumes from what the database has.",
      });
    case "transient":
    case "outcome_unknown":
      return new SpindexError("WRITE_RETRIES_EXHAUSTED", `writing ${place} failed ${attempt} times: ${message}`, {
        ...options,
        fix: "See that the database can be reached, and start again: indexing resumes from what is durable.",
      });
    case "fatal":
      return new SpindexError("WRITE_FAILED", `writing ${place} failed: ${message}${guilt(failure)}`, {
        ...options,
        fix: "Nothing of this run was written. Mend what makes the row, or the rule that it breaks, and start again.",
      });
  }
}

/** The row and the handler event to blame, in words. */
function guilt(failure: WriteFailure | undefined): string {
  const { row, origin } = failure ?? {};
  const shown = row === undefined ? "" : `; the row is ${row.length > 300 ? `${row.slice(0, 297)}...` : row}`;
  if (origin === undefined) return shown;
  const { handler, block, logIndex, chainId, checkpoint } = origin;
  return `${shown}; it came from ${handler} at block ${block}, log ${logIndex} of chain ${chainId} (checkpoint ${checkpoint})`;
}

function detailsOf({ handler, chainId, block, logIndex, checkpoint }: RowOrigin): Record<string, string | number> {
  return { handler, chainId, block, logIndex, checkpoint };
}
