import {
  type Attributes,
  type HrTime,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { messageOf } from "../../errors.ts";
import { cutText } from "../../lib/cut-text.ts";
import { type EventAttributes, type EventOf, SPANS, type SpanAttributes, type SpanName } from "../names.ts";
import { redact } from "../redact.ts";
import { FOLLOWS } from "./sampler.ts";
import {
  errorTypeOf,
  type OpenSpan,
  type SpanIds,
  type SpanRef,
  type SpanStart,
  UntracedSpan,
  untracedSpan,
} from "./tracing.ts";

/** So that no span is huge: queues count them, not their bytes. */
export const SPAN_LIMITS = { linkCountLimit: 1_024, attributeValueLengthLimit: 16_384 };

/** Starts a span below the one that is named, and below no other. */
export function startSpan<N extends SpanName>(tracer: Tracer, name: N, start: SpanStart<N>): OpenSpan<N> {
  const { parent, follows = [] } = start;
  let context = follows.length === 0 ? ROOT_CONTEXT : ROOT_CONTEXT.setValue(FOLLOWS, true);
  if (parent !== undefined) {
    // What is below a span that is not sampled is as good as that span itself.
    if (parent instanceof UntracedSpan) return parent as unknown as OpenSpan<N>;
    if (!(parent instanceof RecordedSpan)) return untracedSpan();
    context = parent.asParent();
  }
  const links = new Map<string, SpanRef>();
  for (const link of start.links ?? []) if (link !== undefined) links.set(link.spanId, link);
  const span = tracer.startSpan(
    start.title ?? name,
    {
      kind: SPANS[name].kind === "client" ? SpanKind.CLIENT : SpanKind.INTERNAL,
      startTime: timeOf(start.startedAt),
      links: [...links.values()].map((context) => ({ context })),
      root: parent === undefined,
    },
    context,
  );
  if (!span.isRecording()) return new UntracedSpan(traceparentOf(span.spanContext())) as unknown as OpenSpan<N>;
  const recorded = new RecordedSpan<N>(span, new Set(links.keys()));
  if (start.attributes !== undefined) recorded.set(start.attributes);
  return recorded;
}

class RecordedSpan<N extends SpanName> implements OpenSpan<N> {
  readonly ref: SpanRef | undefined;
  readonly isRecording = true;
  readonly #span: Span;
  /** One link a target: viewers key their lists by span id. */
  readonly #linked: Set<string>;

  constructor(span: Span, linked: Set<string>) {
    this.#span = span;
    this.#linked = linked;
    const context = span.spanContext();
    this.ref = (context.traceFlags & TraceFlags.SAMPLED) === 0 ? undefined : context;
  }

  get ids(): SpanIds {
    return this.#span.spanContext();
  }

  get traceparent(): string {
    return traceparentOf(this.#span.spanContext());
  }

  asParent(): typeof ROOT_CONTEXT {
    return trace.setSpan(ROOT_CONTEXT, this.#span);
  }

  set(attributes: SpanAttributes<N>): void {
    this.#span.setAttributes(present(attributes));
  }

  setOwn(attributes: Readonly<Record<string, string | number | boolean>>): void {
    this.#span.setAttributes(present(attributes));
  }

  event<E extends EventOf<N>>(name: E, at: number, attributes: EventAttributes<E> = {}): void {
    this.#span.addEvent(name, present(attributes), timeOf(at));
  }

  link(target: SpanRef | undefined): void {
    if (target === undefined || this.#linked.has(target.spanId)) return;
    this.#linked.add(target.spanId);
    this.#span.addLink({ context: target });
  }

  mark(error: unknown): void {
    // The library bounds the texts of attributes, and not this one.
    const message = cutText(redact(messageOf(error)), SPAN_LIMITS.attributeValueLengthLimit);
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message });
    this.#span.setAttribute("error.type", errorTypeOf(error));
  }

  fail(error: unknown, at: number): void {
    this.mark(error);
    const stack = error instanceof Error && error.stack !== undefined ? redact(error.stack) : undefined;
    const attributes: EventAttributes<"exception"> = {
      "exception.type": errorTypeOf(error),
      "exception.message": redact(messageOf(error)),
      "exception.stacktrace": stack,
    };
    this.#span.addEvent("exception", present(attributes), timeOf(at));
  }

  end(at: number): void {
    this.#span.end(timeOf(at));
  }
}

/** Version, trace, span, and whether it is sampled: https://www.w3.org/TR/trace-context/#traceparent-header */
function traceparentOf({ traceId, spanId, traceFlags }: SpanRef): string {
  return `00-${traceId}-${spanId}-${(traceFlags & TraceFlags.SAMPLED) === 0 ? "00" : "01"}`;
}

function present(attributes: Readonly<Record<string, unknown>>): Attributes {
  const result: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) result[name] = bounded(value);
  return result as Attributes;
}

/** The library would cut it too, but keep the whole text in memory. */
function bounded(value: unknown): unknown {
  return typeof value === "string" ? cutText(value, SPAN_LIMITS.attributeValueLengthLimit) : value;
}

/** Seconds and nanoseconds: plain numbers would be taken for something relative when they are small. */
function timeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.min(999_999_999, Math.round((ms - seconds * 1000) * 1e6))];
}
