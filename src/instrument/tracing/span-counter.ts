import type { ReadableSpan, Span, SpanProcessor } from "@opentelemetry/sdk-trace";
import type { SpanCounts } from "./tracing.ts";

/** Counts spans as they start and end; the queues of the exporters count what becomes of them. */
export class SpanCounter implements SpanProcessor {
  readonly counts: SpanCounts = { started: 0, ended: 0, exported: 0, failed: 0, dropped: 0 };

  onStart(_span: Span): void {
    this.counts.started++;
  }

  onEnd(_span: ReadableSpan): void {
    this.counts.ended++;
  }

  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}
}
