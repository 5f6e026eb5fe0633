import { TraceFlags } from "@opentelemetry/api";
import {
  BatchSpanProcessor,
  type ReadableSpan,
  type Span,
  type SpanExporter,
  type SpanProcessor,
} from "@opentelemetry/sdk-trace";
import type { SpanCounts } from "./tracing.ts";

/** The library's default of 2,048 drops spans in silence when an outage ends and hundreds of batches end with it. */
const MAX_QUEUED_SPANS = 16_384;
const MAX_EXPORT_SPANS = 512;
const EXPORT_DELAY_MS = 1_000;

/** Counts spans as they start and end. */
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

/** Batches spans for one exporter, and knows of each one what became of it. */
export class CountingProcessor implements SpanProcessor {
  readonly #inner: BatchSpanProcessor;
  readonly #counts: SpanCounts;
  #pending = 0;

  constructor(exporter: SpanExporter, counter: SpanCounter) {
    this.#counts = counter.counts;
    this.#inner = new BatchSpanProcessor({
      exporter: this.#counting(exporter),
      maxQueueSize: MAX_QUEUED_SPANS,
      maxExportBatchSize: MAX_EXPORT_SPANS,
      scheduledDelayMillis: EXPORT_DELAY_MS,
    });
  }

  onStart(): void {}

  onEnd(span: ReadableSpan): void {
    if ((span.spanContext().traceFlags & TraceFlags.SAMPLED) === 0) return;
    if (this.#pending >= MAX_QUEUED_SPANS) {
      this.#counts.dropped++;
      return;
    }
    this.#pending++;
    this.#inner.onEnd(span);
  }

  forceFlush(): Promise<void> {
    return this.#inner.forceFlush();
  }

  shutdown(): Promise<void> {
    return this.#inner.shutdown();
  }

  #counting(exporter: SpanExporter): SpanExporter {
    return {
      export: (spans, done) =>
        exporter.export(spans, (result) => {
          this.#pending -= spans.length;
          if (result.code === 0) this.#counts.exported += spans.length;
          else this.#counts.failed += spans.length;
          done(result);
        }),
      shutdown: () => exporter.shutdown(),
      forceFlush: async () => exporter.forceFlush?.(),
    };
  }
}
