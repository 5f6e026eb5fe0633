import type { Attributes, HrTime } from "@opentelemetry/api";
import { SpanStatusCode } from "@opentelemetry/api";
import type { ReadableSpan, SpanExporter } from "@opentelemetry/sdk-trace";
import { type RecordedAttributes, SPAN_KINDS, TraceModel, type TraceSpan } from "../recorded/trace-model.ts";

/** Keeps what is exported in memory. */
export class SpanCollector implements SpanExporter {
  #spans: TraceSpan[] = [];

  export(...[spans, done]: Parameters<SpanExporter["export"]>): void {
    for (const span of spans) this.#spans.push(recordedSpan(span));
    done({ code: 0 });
  }

  async shutdown(): Promise<void> {}

  /** Everything so far. */
  model(): TraceModel {
    return new TraceModel(this.#spans);
  }

  /** Forgets everything so far. */
  clear(): void {
    this.#spans = [];
  }
}

function recordedSpan(span: ReadableSpan): TraceSpan {
  const { traceId, spanId } = span.spanContext();
  return {
    traceId,
    spanId,
    parentSpanId: span.parentSpanContext?.spanId,
    name: span.name,
    // OTLP has one more, in front.
    kind: SPAN_KINDS[span.kind + 1] ?? "unspecified",
    startedAt: msOf(span.startTime),
    endedAt: msOf(span.endTime),
    durationMs: (span.endTime[0] - span.startTime[0]) * 1000 + (span.endTime[1] - span.startTime[1]) / 1e6,
    isOpen: !span.ended,
    attributes: attributesOf(span.attributes),
    events: span.events.map(({ name, time, attributes }) => ({
      name,
      at: msOf(time),
      attributes: attributesOf(attributes),
    })),
    links: span.links.map(({ context }) => ({ traceId: context.traceId, spanId: context.spanId })),
    isError: span.status.code === SpanStatusCode.ERROR,
    statusMessage: span.status.message,
    resource: attributesOf(span.resource.attributes),
  };
}

function msOf([seconds, nanoseconds]: HrTime): number {
  return seconds * 1000 + nanoseconds / 1e6;
}

/** A copy: our own attributes have plain values. */
function attributesOf(attributes: Attributes | undefined): RecordedAttributes {
  return { ...attributes } as RecordedAttributes;
}
