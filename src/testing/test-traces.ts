import type { Batch } from "../batch/batch.ts";
import type { ChainLabel } from "../chain/chain-label.ts";
import type { BatchTelemetry } from "../instrument/batch-telemetry.ts";
import { createTelemetry } from "../instrument/create-telemetry.ts";
import type { WriteTransactionTelemetry } from "../instrument/drain-telemetry.ts";
import type { HandlerTelemetry } from "../instrument/handler-telemetry.ts";
import { createLog } from "../instrument/log.ts";
import type { Telemetry } from "../instrument/telemetry.ts";
import type { Tracing } from "../instrument/tracing/tracing.ts";
import { systemClock } from "../lib/clock.ts";
import type { DrainRun } from "../store/drain-run.ts";
import type { Store } from "../store/store.ts";

export interface TestTracesOptions {
  /** The indexer's. */
  readonly name: string;
  readonly chains: readonly ChainLabel[];
  readonly tracing: Tracing;
  readonly store: Store;
}

/** The traces of a test indexer: those that a real one has, of its batches and of their writes. */
export class TestTraces {
  readonly #telemetry: Telemetry;
  readonly #chains: readonly ChainLabel[];
  readonly #store: Store;

  constructor({ name, chains, tracing, store }: TestTracesOptions) {
    this.#chains = chains;
    this.#store = store;
    this.#telemetry = createTelemetry({
      name,
      shard: "test",
      version: "0.0.0",
      log: createLog({ level: "silent", format: "json", destination: { write: () => {} } }),
      tracing,
      chains,
      tables: [],
      handlers: [],
      processMetrics: false,
    });
  }

  /** @param handlers what its handlers are given, but for their spans */
  batchStarted(batch: Batch, handlers: HandlerTelemetry): BatchTelemetry {
    const now = systemClock.now();
    const ids = new Set(batch.progress.map(({ chainId }) => chainId));
    const traced = this.#telemetry.batchStarted({
      id: batch.id,
      mode: batch.mode,
      items: batch.items,
      checkpoints: batch.checkpoints,
      chains: this.#chains.filter(({ id }) => ids.has(id)),
      blocks: batch.progress.map(({ chainId, block }) => ({ chainId, from: block, to: block })),
      live: false,
      askedAt: now,
      createdFrom: now,
      boundBy: "end",
      capacityWait: undefined,
      fetchOrigins: [],
    });
    batch.origin = traced;
    traced.processing();
    return {
      processing: () => {},
      handlers: (place) => {
        const spans = traced.handlers(place);
        return {
          ...handlers,
          span: (name, run) => spans.span(name, run),
          beginBlock: () => both(handlers, spans, "beginBlock"),
          beginEvent: () => both(handlers, spans, "beginEvent"),
          undoEvent: () => both(handlers, spans, "undoEvent"),
          undoBlock: () => both(handlers, spans, "undoBlock"),
        };
      },
      processed: (summary) => {
        handlers.beginBlock();
        traced.processed(summary);
      },
      effectAsked: (call) => traced.effectAsked(call),
      handlerFailed: (call, policy) => traced.handlerFailed(call, policy),
      committed: (summary) => traced.committed(summary),
      abandoned: (outcome, error) => traced.abandoned(outcome, error),
    };
  }

  /** Writes a run inside its trace. */
  async drained(run: DrainRun, write: (transaction: WriteTransactionTelemetry) => Promise<void>): Promise<void> {
    const now = systemClock.now();
    const drain = this.#telemetry.drainStarted({
      id: run.id,
      mode: run.mode,
      checkpoints: run.checkpoints,
      items: run.items,
      queuedBatchesBefore: run.batches.length,
      queuedBatchesAfter: this.#store.queuedBatches,
      splitReason: run.splitReason,
      escapes: run.escapes,
      batchOrigins: run.batches.map(({ origin }) => origin),
      snapshot: { startedAt: now, endedAt: now, tables: run.tables.length, changes: run.changes, bytes: run.bytes },
    });
    const transaction = drain.transaction(1);
    await write(transaction);
    transaction.succeeded(false);
    drain.durable();
  }
}

function both(
  handlers: HandlerTelemetry,
  spans: HandlerTelemetry,
  what: "beginBlock" | "beginEvent" | "undoEvent" | "undoBlock",
): void {
  handlers[what]();
  spans[what]();
}
