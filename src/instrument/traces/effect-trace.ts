import type { EffectCall, EffectCallTelemetry, TraceHeaders } from "../batch-telemetry.ts";
import type { Instruments } from "../instruments.ts";
import type { OpenSpan } from "../tracing/tracing.ts";

/** Effects that took less than this, waiting for their limits included, get no span, unless they failed. */
const SPAN_MS = 100;
/** Most spans a batch that are made only because their id left the process. */
const MAX_PROPAGATING = 200;

/** What the calls of one batch share. */
export interface EffectParent {
  readonly span: OpenSpan<"spindex.batch.process">;
  /** Calls that have given their own span's id away. */
  propagating: number;
}

/**
 * One call of an effect's function. Its span is made afterwards, when it was slow or failed; or at once, when its id
 * leaves the process: then it is kept whatever becomes of the call. Beyond a number a batch, the id of the batch's
 * process span leaves instead.
 */
export class EffectTrace implements EffectCallTelemetry {
  readonly #instruments: Instruments;
  readonly #parent: EffectParent;
  readonly #call: EffectCall;
  #span: OpenSpan<"spindex.effect"> | undefined;

  constructor(instruments: Instruments, parent: EffectParent, call: EffectCall) {
    this.#instruments = instruments;
    this.#parent = parent;
    this.#call = call;
  }

  traceHeaders(): TraceHeaders {
    const { traceparent } = this.#propagated();
    return traceparent === undefined ? {} : { traceparent };
  }

  ended({ calledAt, endedAt, error }: Parameters<EffectCallTelemetry["ended"]>[0]): void {
    const { effect, askedAt } = this.#call;
    if (error !== undefined || endedAt - askedAt > SPAN_MS) this.#span ??= this.#start();
    this.#span?.set({ "spindex.effect.queued_ms": calledAt - askedAt });
    if (error !== undefined) this.#span?.fail(error, endedAt);
    this.#span?.end(endedAt);
    const seconds = (endedAt - calledAt) / 1000;
    this.#instruments.metrics.observe("effect_duration_seconds", { effect }, seconds, this.#span?.ref);
  }

  #propagated(): OpenSpan<"spindex.effect"> | OpenSpan<"spindex.batch.process"> {
    const { span } = this.#parent;
    if (this.#span !== undefined) return this.#span;
    if (!span.isRecording || this.#parent.propagating >= MAX_PROPAGATING) return span;
    this.#parent.propagating++;
    this.#span = this.#start();
    return this.#span;
  }

  #start(): OpenSpan<"spindex.effect"> {
    const { effect, askedAt } = this.#call;
    const attributes = { "spindex.effect.name": effect };
    return this.#instruments.tracing.start("spindex.effect", {
      parent: this.#parent.span,
      startedAt: askedAt,
      attributes,
    });
  }
}
