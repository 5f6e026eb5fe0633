import type { DrainStart, DrainTelemetry, RawEventsEncoded, WriteTransactionTelemetry } from "../drain-telemetry.ts";
import { type Instruments, MAX_LINKED, Origin, traceIdsOf } from "../instruments.ts";
import type { OpenSpan, SpanRef } from "../tracing/tracing.ts";
import type { Doing, Unfinished } from "../waiting/unfinished.ts";
import { BatchTrace } from "./batch-trace.ts";
import { WriteTrace } from "./write-trace.ts";

/** One drain run: a trace of its own, linked with its batches in both directions. */
export class DrainTrace implements DrainTelemetry, Unfinished {
  readonly origin: Origin;
  readonly #instruments: Instruments;
  readonly #batches: readonly BatchTrace[];
  readonly #root: OpenSpan<"spindex.drain_run">;
  readonly #startedAt: number;
  #attempt: WriteTrace | undefined;
  #isEnded = false;

  constructor(instruments: Instruments, start: DrainStart) {
    const { snapshot } = start;
    this.#instruments = instruments;
    // The run begins with its snapshot: that is when its batches were picked up.
    this.#startedAt = snapshot.startedAt;
    this.#batches = start.batchOrigins.filter((origin) => origin instanceof BatchTrace);
    const refs = this.batchRefs;
    this.#root = instruments.tracing.start("spindex.drain_run", {
      parent: undefined,
      startedAt: this.#startedAt,
      links: refs,
      follows: refs,
      attributes: this.#attributesOf(start, refs),
    });
    this.origin = new Origin(start.id, this.#root.ref);
    for (const batch of this.#batches) batch.pickedUp(this.origin, this.#startedAt);
    for (const waiting of instruments.awaiting) waiting.awaits(this.origin);
    instruments.tracing
      .start("spindex.snapshot", {
        parent: this.#root,
        startedAt: snapshot.startedAt,
        attributes: {
          "spindex.snapshot.tables": snapshot.tables,
          "spindex.snapshot.changes": snapshot.changes,
          "spindex.snapshot.bytes": snapshot.bytes,
        },
      })
      .end(snapshot.endedAt);
    const { metrics } = instruments;
    metrics.observe("snapshot_duration_seconds", {}, (snapshot.endedAt - snapshot.startedAt) / 1000);
    metrics.observe("drain_run_batches", {}, this.#batches.length);
    metrics.add("drain_splits_total", { reason: start.splitReason });
    for (const [table, texts] of start.escapes) metrics.add("encoding_escapes_total", { table }, texts);
    instruments.open.add(this);
  }

  get since(): number {
    return this.#startedAt;
  }

  doing(): Doing {
    const attempt = this.#attempt;
    return {
      state: attempt?.isEnded === true ? "retry_backoff" : "run",
      what: "spindex.drain_run",
      span: this.#root,
      backendPids: attempt?.backendPids,
      attributes: { "spindex.drain.id": this.origin.id, "spindex.write.attempt": attempt?.number },
    };
  }

  /** Its batches, as far as they are exported. */
  get batchRefs(): readonly SpanRef[] {
    return this.#batches.flatMap(({ ref }) => ref ?? []);
  }

  get traceId(): string | undefined {
    return this.#root.ref?.traceId;
  }

  rawEventsEncoded({ startedAt, endedAt, events, bytes, escapes }: RawEventsEncoded): void {
    this.#instruments.tracing
      .start("spindex.raw_events", {
        parent: this.#root,
        startedAt,
        attributes: { "spindex.snapshot.changes": events, "spindex.snapshot.bytes": bytes },
      })
      .end(endedAt);
    if (escapes > 0) this.#instruments.metrics.add("encoding_escapes_total", { table: "raw_events" }, escapes);
  }

  transaction(attempt: number): WriteTransactionTelemetry {
    this.#attempt = new WriteTrace(this.#instruments, {
      attempt,
      drain: this.origin,
      parent: this.#root,
      before: this.#attempt,
    });
    return this.#attempt;
  }

  blockDurable(chain: string, seconds: number): void {
    this.#instruments.metrics.observe("block_to_durable_duration_seconds", { chain }, seconds, this.#root.ref);
  }

  durable(): void {
    this.#end("durable", undefined);
  }

  failed(error: unknown): void {
    this.#end("failed", error);
    this.#instruments.dump("write_failure");
  }

  abort(): void {
    this.#attempt?.abort();
    this.#end("aborted", undefined);
  }

  #end(outcome: "durable" | "failed" | "aborted", error: unknown): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    const { clock, metrics, open } = this.#instruments;
    open.delete(this);
    const at = clock.now();
    for (const batch of this.#batches) batch.drained(outcome, at, this.#attempt?.ref, error);
    this.#root.set({ "spindex.outcome": outcome });
    if (error !== undefined) this.#root.mark(error);
    this.#root.end(at);
    metrics.add("drain_runs_total", { outcome });
    metrics.observe("drain_run_duration_seconds", {}, (at - this.#startedAt) / 1000, this.#root.ref);
  }

  #attributesOf(start: DrainStart, sampled: readonly SpanRef[]): Parameters<OpenSpan<"spindex.drain_run">["set"]>[0] {
    return {
      "spindex.drain.id": start.id,
      "spindex.drain.batches": this.#batches.length,
      "spindex.drain.unsampled_batches": this.#batches.length - sampled.length,
      "spindex.batch.trace_ids": traceIdsOf(sampled),
      "spindex.batch.ids": this.#batches.slice(0, MAX_LINKED).map(({ id }) => String(id)),
      "spindex.drain.items": start.items,
      "spindex.drain.split_reason": start.splitReason,
      "spindex.mode": this.#batches.some(({ isLive }) => isLive) ? "live" : "backfill",
      "spindex.history_mode": start.mode,
      "spindex.checkpoint.from": start.checkpoints.from,
      "spindex.checkpoint.to": start.checkpoints.to,
      "spindex.queue.batches": start.queuedBatchesBefore,
      "spindex.queue.batches_after": start.queuedBatchesAfter,
    };
  }
}
