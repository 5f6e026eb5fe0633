import { assert } from "../../errors.ts";
import type {
  BatchStart,
  BatchTelemetry,
  CommitSummary,
  EffectCall,
  EffectCallTelemetry,
  HandlerCall,
  HandlerSummary,
  ProcessSummary,
} from "../batch-telemetry.ts";
import type { HandlerPlace, HandlerTelemetry } from "../handler-telemetry.ts";
import { type Instruments, idsOf, MAX_LINKED, Origin, traceIdsOf } from "../instruments.ts";
import { logEvent } from "../log.ts";
import type { LabelsOf } from "../names.ts";
import type { OpenSpan, SpanRef, TracedSpan } from "../tracing/tracing.ts";
import type { Doing, Unfinished } from "../waiting/unfinished.ts";
import { traceCapacityWait } from "./capacity-wait.ts";
import { type EffectParent, EffectTrace } from "./effect-trace.ts";
import { HandlersTrace } from "./handlers-trace.ts";

/** Handlers that took less than this in a batch get no span. */
const HANDLERS_SPAN_MS = 5;

type Stage =
  | { readonly name: "creating" }
  | {
      readonly name: "processing";
      readonly since: number;
      readonly span: OpenSpan<"spindex.batch.process">;
      readonly effects: EffectParent;
      handlers: HandlersTrace | undefined;
    }
  | { readonly name: "processed"; readonly at: number }
  | { readonly name: "queued"; readonly committedAt: number }
  | {
      readonly name: "persisting";
      readonly committedAt: number;
      readonly pickedUpAt: number;
      readonly span: OpenSpan<"spindex.batch.persist">;
    }
  | { readonly name: "ended" };

const WAIT_OF = {
  creating: "handlers",
  processing: "handlers",
  processed: "handlers",
  queued: "queued",
  persisting: "persist",
  ended: "persist",
} as const satisfies Record<Stage["name"], Doing["state"]>;

/**
 * One batch: creating → processing → processed → queued → persisting → ended, its stages one after the other without a gap, so that
 * they sum to the whole. The loops drive it up to the queue, its drain run from there.
 */
export class BatchTrace implements BatchTelemetry, Unfinished {
  readonly id: number;
  readonly #instruments: Instruments;
  readonly #start: BatchStart;
  readonly #root: OpenSpan<"spindex.batch">;
  #stage: Stage = { name: "creating" };
  /** A handler has failed for good in it. */
  #hasFailed = false;

  constructor(instruments: Instruments, start: BatchStart) {
    this.id = start.id;
    this.#instruments = instruments;
    this.#start = start;
    instruments.mode.isLive = start.live;
    const fetches = [...new Set(start.fetchOrigins)].filter((origin) => origin instanceof Origin);
    const fetchRefs = fetches.flatMap(({ ref }) => ref ?? []).slice(0, MAX_LINKED);
    const [first, ...others] = start.chains;
    this.#root = instruments.tracing.start("spindex.batch", {
      parent: undefined,
      startedAt: start.askedAt,
      links: fetchRefs,
      attributes: {
        "spindex.mode": start.live ? "live" : "backfill",
        "spindex.chain.name": others.length === 0 ? first?.name : undefined,
        "spindex.chain.id": others.length === 0 ? first?.id : undefined,
        "spindex.chains": others.length === 0 ? undefined : start.chains.map(({ name }) => name),
        "spindex.batch.id": start.id,
        "spindex.block.from": others.length === 0 ? start.blocks[0]?.from : undefined,
        "spindex.block.to": others.length === 0 ? start.blocks[0]?.to : undefined,
        "spindex.batch.items": start.items,
        "spindex.batch.fetches": fetches.length,
        "spindex.fetch.trace_ids": traceIdsOf(fetchRefs),
        "spindex.history_mode": start.mode,
        "spindex.checkpoint.from": start.checkpoints.from,
        "spindex.checkpoint.to": start.checkpoints.to,
      },
    });
    if (start.capacityWait !== undefined) traceCapacityWait(instruments, this.#root, start.id, start.capacityWait);
    instruments.open.add(this);
  }

  get since(): number {
    return this.#start.askedAt;
  }

  doing(): Doing {
    return {
      state: WAIT_OF[this.#stage.name],
      what: "spindex.batch",
      span: this.#root,
      attributes: { "spindex.batch.id": this.id },
    };
  }

  /** The span of its handlers, while they run. */
  get handlersSpan(): OpenSpan<"spindex.batch.process"> | undefined {
    return this.#stage.name === "processing" ? this.#stage.span : undefined;
  }

  get isLive(): boolean {
    return this.#start.live;
  }

  /** To link to it: undefined when it is not exported. */
  get ref(): SpanRef | undefined {
    return this.#root.ref;
  }

  processing(): void {
    assert(this.#stage.name === "creating", "handlers begin on a batch that is past its creation");
    const { tracing, clock } = this.#instruments;
    const at = clock.now();
    tracing
      .start("spindex.batch.create", {
        parent: this.#root,
        startedAt: this.#start.createdFrom,
        attributes: {
          "spindex.batch.items": this.#start.items,
          "spindex.chains": this.#start.chains.map(({ name }) => name),
          "spindex.batch.bound_by": this.#start.boundBy,
        },
      })
      .end(at);
    const span = tracing.start("spindex.batch.process", { parent: this.#root, startedAt: at });
    this.#stage = { name: "processing", since: at, span, effects: { span, propagating: 0 }, handlers: undefined };
  }

  handlers(place: () => HandlerPlace): HandlerTelemetry {
    assert(this.#stage.name === "processing", "handlers of a batch that is not being processed");
    const handlers = new HandlersTrace(this.#instruments, this.id, this.#stage.span, place);
    this.#stage.handlers = handlers;
    return handlers;
  }

  processed(summary: ProcessSummary): void {
    assert(this.#stage.name === "processing", "a batch is processed that was not being processed");
    const { metrics, clock } = this.#instruments;
    const { span, since, handlers } = this.#stage;
    const spansLeftOut = handlers?.end();
    span.set({
      "spindex.handler.spans_left_out": spansLeftOut,
      "spindex.handler.calls": summary.handlerCalls,
      "spindex.events.skipped": summary.skippedEvents,
      "spindex.reads.memory": summary.reads.reduce((sum, { memory }) => sum + memory, 0),
      "spindex.reads.storage": summary.readsFromStorage,
      "spindex.effect.calls": summary.effects.reduce((sum, { calls }) => sum + calls, 0),
    });
    for (const { table, memory, storage } of summary.reads) {
      metrics.add("store_reads_total", { table, outcome: "memory" }, memory);
      metrics.add("store_reads_total", { table, outcome: "storage" }, storage);
    }
    for (const { effect, outcome, calls } of summary.effects)
      metrics.add("effect_calls_total", { effect, outcome }, calls);
    for (const handler of summary.handlers) this.#handlersRan(handler, span, since);
    for (const call of summary.slowest) this.#callSpan(call, span);
    const at = clock.now();
    span.end(at);
    this.#stage = { name: "processed", at };
  }

  effectAsked(call: EffectCall): EffectCallTelemetry {
    assert(this.#stage.name === "processing", "an effect is called in a batch that is not being processed");
    return new EffectTrace(this.#instruments, this.#stage.effects, call);
  }

  handlerFailed(call: HandlerCall, policy: "stop" | "skip" = "stop"): void {
    assert(this.#stage.name === "processing", "a handler failed in a batch that was not being processed");
    const { metrics, log } = this.#instruments;
    const { span } = this.#stage;
    const callSpan = this.#callSpan(call, span);
    const { handler, chain, block, logIndex, transactionHash } = call;
    if (policy === "stop") {
      this.#hasFailed = true;
      span.fail(call.error, call.endedAt);
      metrics.add("handler_failures_total", { handler });
    } else metrics.add("skipped_events_total", { handler });
    logEvent(log, policy === "stop" ? "handler.failed" : "handler.skipped", {
      ...idsOf(callSpan),
      batch_id: this.id,
      chain: chain.name,
      handler,
      block,
      log_index: logIndex,
      transaction: transactionHash,
      err: call.error,
    });
  }

  committed(summary: CommitSummary): void {
    assert(this.#stage.name === "processed", "a batch is committed that is not processed");
    const committedAt = this.#instruments.clock.now();
    this.#instruments.tracing
      .start("spindex.batch.commit", {
        parent: this.#root,
        startedAt: this.#stage.at,
        attributes: {
          "spindex.commit.changes": summary.changes,
          "spindex.queue.batches": summary.queuedBatches,
          "spindex.frontier.gap": summary.frontierGap,
        },
      })
      .end(committedAt);
    if (summary.kept !== undefined) {
      const { items, lastCheckpoint } = summary.kept;
      this.#root.set({ "spindex.batch.items": items, "spindex.checkpoint.to": lastCheckpoint });
    }
    this.#stage = { name: "queued", committedAt };
  }

  abandoned(outcome: "failed" | "aborted", error?: unknown): void {
    this.#end(outcome, this.#instruments.clock.now(), undefined, error);
  }

  abort(): void {
    this.abandoned("aborted");
  }

  /** A drain run has taken it. */
  pickedUp(drain: Origin, at: number): void {
    assert(this.#stage.name === "queued", "a drain run takes a batch that is not queued");
    const { committedAt } = this.#stage;
    const ids = { "spindex.drain.id": drain.id, "spindex.drain.trace_id": drain.ref?.traceId };
    const { tracing } = this.#instruments;
    this.#root.link(drain.ref);
    this.#root.set(ids);
    this.#wasQueued(committedAt, at, drain);
    const span = tracing.start("spindex.batch.persist", {
      parent: this.#root,
      startedAt: at,
      attributes: { "spindex.drain.id": drain.id },
    });
    this.#stage = { name: "persisting", committedAt, pickedUpAt: at, span };
  }

  /** Until a drain run took it; or none did. */
  #wasQueued(from: number, to: number, drain: Origin | undefined): void {
    this.#instruments.tracing
      .start("spindex.batch.queued", {
        parent: this.#root,
        startedAt: from,
        links: [drain?.ref],
        attributes: { "spindex.drain.id": drain?.id, "spindex.drain.trace_id": drain?.ref?.traceId },
      })
      .end(to);
  }

  /** Its drain run has ended; `write` is the transaction that decided it. */
  drained(outcome: "durable" | "failed" | "aborted", at: number, write: SpanRef | undefined, error?: unknown): void {
    this.#end(outcome, at, write, error);
  }

  #end(outcome: "durable" | "failed" | "aborted", at: number, write: SpanRef | undefined, error: unknown): void {
    const stage = this.#stage;
    if (stage.name === "ended") return;
    this.#stage = { name: "ended" };
    this.#instruments.open.delete(this);
    if (stage.name === "processing") stage.span.end(at);
    if (stage.name === "queued") this.#wasQueued(stage.committedAt, at, undefined);
    if (stage.name === "persisting") {
      stage.span.link(write);
      stage.span.set({ "spindex.write.trace_id": write?.traceId });
      if (error !== undefined) stage.span.mark(error);
      stage.span.end(at);
      if (outcome === "durable") this.#attribute(stage, at);
    }
    this.#root.set({ "spindex.outcome": outcome });
    if (error !== undefined) this.#root.mark(error);
    this.#root.end(at);
    if (outcome === "durable" && this.#start.mode === "keep") this.#mayBeRolledBack();
    const seconds = (at - this.#start.askedAt) / 1000;
    this.#instruments.metrics.observe("batch_duration_seconds", { outcome }, seconds, this.ref);
    // Only now: what was before the event in the batch becomes durable first, and belongs to its trace.
    if (this.#hasFailed) this.#instruments.dump("handler_failure");
  }

  /** A rollback that takes it back links to it. */
  #mayBeRolledBack(): void {
    if (this.ref === undefined) return;
    const blocks = new Map(this.#start.blocks.map(({ chainId, to }) => [chainId, to]));
    this.#instruments.rollable.add(this.ref, blocks);
  }

  /** Says where the time of a durable batch went. */
  #attribute(stage: { readonly committedAt: number; readonly pickedUpAt: number }, durableAt: number): void {
    const { askedAt, createdFrom } = this.#start;
    const parts = {
      capacity: createdFrom - askedAt,
      process: stage.committedAt - createdFrom,
      queue: stage.pickedUpAt - stage.committedAt,
      write: durableAt - stage.pickedUpAt,
    } satisfies Record<LabelsOf<"batch_stage_duration_seconds">["stage"], number>;
    this.#root.set({
      "spindex.lag.capacity_ms": parts.capacity,
      "spindex.lag.process_ms": parts.process,
      "spindex.lag.queue_ms": parts.queue,
      "spindex.lag.write_ms": parts.write,
    });
    const { metrics } = this.#instruments;
    metrics.observe("batch_stage_duration_seconds", { stage: "capacity" }, parts.capacity / 1000, this.ref);
    metrics.observe("batch_stage_duration_seconds", { stage: "process" }, parts.process / 1000, this.ref);
    metrics.observe("batch_stage_duration_seconds", { stage: "queue" }, parts.queue / 1000, this.ref);
    metrics.observe("batch_stage_duration_seconds", { stage: "write" }, parts.write / 1000, this.ref);
  }

  #handlersRan(ran: HandlerSummary, parent: OpenSpan<"spindex.batch.process">, startedAt: number): void {
    const { tracing, metrics } = this.#instruments;
    metrics.add("events_processed_total", { chain: ran.chain, handler: ran.handler }, ran.calls);
    metrics.addObservations("handler_duration_seconds", { handler: ran.handler }, ran.totalMs / 1000, ran.calls);
    if (ran.totalMs <= HANDLERS_SPAN_MS) return;
    tracing
      .start("spindex.handlers", {
        parent,
        startedAt,
        attributes: {
          "spindex.handler.name": ran.handler,
          "spindex.chain.name": ran.chain,
          "spindex.handler.calls": ran.calls,
          "spindex.handler.total_ms": ran.totalMs,
          "spindex.handler.max_ms": ran.maxMs,
        },
      })
      .end(startedAt + ran.totalMs);
  }

  #callSpan(call: HandlerCall, parent: OpenSpan<"spindex.batch.process">): TracedSpan {
    const span = this.#instruments.tracing.start("spindex.handler", {
      parent,
      startedAt: call.startedAt,
      attributes: {
        "spindex.handler.name": call.handler,
        "spindex.chain.name": call.chain.name,
        "spindex.chain.id": call.chain.id,
        "spindex.block.number": call.block,
        "spindex.log.index": call.logIndex,
        "spindex.transaction.hash": call.transactionHash,
      },
    });
    if (call.error !== undefined) span.mark(call.error);
    span.end(call.endedAt);
    return span;
  }
}
