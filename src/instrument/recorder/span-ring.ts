import { type Attributes, type AttributeValue, TraceFlags } from "@opentelemetry/api";
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import type { ReadableSpan, Span, SpanProcessor } from "@opentelemetry/sdk-trace";
import { isSampled } from "../tracing/span-counter.ts";
import type { RecentSpans, TakenSpans } from "../tracing/tracing.ts";

const MAX_ENDED = 5_000;
const MAX_OPEN = 10_000;
/** Of ended spans, as estimated: a storm of errors with long stacks keeps fewer of them. */
const MAX_BYTES = 16 * 1024 * 1024;
/** Made into text in one go: about a millisecond. */
const SPANS_PER_TEXT = 20;

export interface SpanRingLimits {
  readonly ended: number;
  readonly open: number;
  readonly bytes: number;
}

/** What takes spans that shall leave the process. */
export type SpanSender = Pick<SpanProcessor, "onEnd">;

interface Kept {
  readonly span: ReadableSpan;
  readonly bytes: number;
  /** An exporter has it, or will have. */
  isSent: boolean;
}

/** The last ended spans and those that are open, within bounds of number and bytes. */
export class SpanRing implements SpanProcessor, RecentSpans {
  readonly #senders: readonly SpanSender[];
  readonly #limits: SpanRingLimits;
  /** By span id, in order of their start. */
  readonly #open = new Map<string, ReadableSpan>();
  /** In order of their end, from `#first` on; slots before it are empty. */
  #ended: (Kept | undefined)[] = [];
  #first = 0;
  #bytes = 0;
  /** Traces of which a part was sent while another was still open. */
  #sentInPart: ReadonlySet<string> = new Set();

  constructor(senders: readonly SpanSender[], limits: Partial<SpanRingLimits> = {}) {
    this.#senders = senders;
    this.#limits = { ended: MAX_ENDED, open: MAX_OPEN, bytes: MAX_BYTES, ...limits };
  }

  onStart(span: Span): void {
    this.#open.set(span.spanContext().spanId, span);
    if (this.#open.size <= this.#limits.open) return;
    const [oldest] = this.#open.keys();
    this.#open.delete(oldest as string);
  }

  onEnd(span: ReadableSpan): void {
    const { traceId, spanId } = span.spanContext();
    this.#open.delete(spanId);
    const kept: Kept = { span, bytes: bytesOf(span), isSent: isSampled(span) };
    this.#ended.push(kept);
    this.#bytes += kept.bytes;
    this.#evict();
    if (!kept.isSent && this.#sentInPart.has(traceId)) this.#send(kept);
  }

  async take(): Promise<TakenSpans> {
    // A detector may still be looking for the host's id, in the first moments.
    const [any] = this.#open.values();
    await (any ?? this.#ended.at(-1)?.span)?.resource.waitForAsyncAttributes?.();
    const ended = this.#ended.flatMap((kept) => kept?.span ?? []);
    const open = [...this.#open.values()];
    return {
      ended: { count: ended.length, texts: () => textsOf(ended) },
      open: { count: open.length, texts: () => textsOf(open, markOpen) },
    };
  }

  send(): void {
    if (this.#senders.length === 0) return;
    for (const kept of this.#ended) if (kept?.isSent === false) this.#send(kept);
    const unsampled = [...this.#open.values()].filter((span) => !isSampled(span));
    this.#sentInPart = new Set(unsampled.map((span) => span.spanContext().traceId));
  }

  async forceFlush(): Promise<void> {}
  async shutdown(): Promise<void> {}

  #send(kept: Kept): void {
    kept.isSent = true;
    const span = sampled(kept.span);
    for (const sender of this.#senders) sender.onEnd(span);
  }

  #evict(): void {
    const { ended, bytes } = this.#limits;
    while (this.#ended.length - this.#first > ended || this.#bytes > bytes) {
      this.#bytes -= (this.#ended[this.#first] as Kept).bytes;
      this.#ended[this.#first++] = undefined;
    }
    if (this.#first < ended) return;
    this.#ended = this.#ended.slice(this.#first);
    this.#first = 0;
  }
}

/** The same span as one that is exported: what is sent after all was sampled after all. */
function sampled(span: ReadableSpan): ReadableSpan {
  const context = { ...span.spanContext(), traceFlags: TraceFlags.SAMPLED };
  const { name, kind, parentSpanContext, startTime, endTime, status, attributes, links, events, duration } = span;
  const { ended, resource, instrumentationScope } = span;
  return {
    ...{ name, kind, startTime, endTime, status, attributes, links, events, duration },
    ...{ ended, resource, instrumentationScope, spanContext: () => context },
    ...(parentSpanContext === undefined ? {} : { parentSpanContext }),
    droppedAttributesCount: span.droppedAttributesCount,
    droppedEventsCount: span.droppedEventsCount,
    droppedLinksCount: span.droppedLinksCount,
  };
}

/** About what a span takes in memory. */
function bytesOf({ attributes, events, links, status }: ReadableSpan): number {
  let bytes = 700 + attributesBytes(attributes) + links.length * 150 + (status.message?.length ?? 0);
  for (const event of events) bytes += 150 + attributesBytes(event.attributes ?? {});
  return bytes;
}

function attributesBytes(attributes: Attributes): number {
  let bytes = 0;
  for (const name in attributes) bytes += 16 + valueBytes(attributes[name]);
  return bytes;
}

function valueBytes(value: AttributeValue | null | undefined): number {
  if (typeof value === "string") return 16 + value.length;
  if (!Array.isArray(value)) return 8;
  let bytes = 16;
  for (const item of value) bytes += valueBytes(item);
  return bytes;
}

interface OtlpSpans {
  readonly resourceSpans: { readonly scopeSpans: { readonly spans: Record<string, unknown>[] }[] }[];
}

function* textsOf(
  spans: readonly ReadableSpan[],
  change: (span: Record<string, unknown>) => void = () => {},
): Iterable<string> {
  for (let i = 0; i < spans.length; i += SPANS_PER_TEXT) {
    const bytes = JsonTraceSerializer.serializeRequest(spans.slice(i, i + SPANS_PER_TEXT));
    const { resourceSpans } = JSON.parse(Buffer.from(bytes ?? []).toString()) as OtlpSpans;
    for (const resource of resourceSpans) {
      for (const { spans } of resource.scopeSpans) spans.forEach(change);
      yield JSON.stringify(resource);
    }
  }
}

function markOpen(span: Record<string, unknown>): void {
  delete span.endTimeUnixNano;
  span.open = true;
}
