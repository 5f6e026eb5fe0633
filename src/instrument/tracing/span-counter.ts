import { TraceFlags } from "@opentelemetry/api";
import type { ReadableSpan, Span, SpanProcessor } from "@opentelemetry/sdk-trace";
import type { SpanCounts } from "./tracing.ts";

/** Sampled: made to leave the process. Others are only recorded. */
export function isSampled(span: ReadableSpan): boolean {
  return (span.spanContext().traceFlags & TraceFlags.SAMPLED) !== 0;
}

/** Counts sampled spans as they start and end; the queues of the exporters count what becomes of them. */
export class SpanCounter implements SpanProcessor {
  readonly counts: SpanCounts = { started: 0, ended: 0, exported: 0, failed: 0, dropped: 0 };

  onStart(span: Span): void {
    if (isSampled(span)) this.counts.started++;
  }

  onEnd(span: ReadableSpan): void {
    if (isSampled(span)) this.counts.ended++;
  }

  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
}
