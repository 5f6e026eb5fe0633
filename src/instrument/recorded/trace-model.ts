import { SPANS, type SpanName } from "../names.ts";

export type AttributeValue = string | number | boolean | readonly AttributeValue[];
export type RecordedAttributes = Readonly<Record<string, AttributeValue>>;

/** A span as it was exported. */
export interface TraceSpan {
  /** 32 hexadecimal digits. */
  readonly traceId: string;
  /** 16 hexadecimal digits. */
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  readonly kind: SpanKindName;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Exact, where the difference of the two times is rounded. */
  readonly durationMs: number;
  /** It had not ended when the flight recorder wrote it down: its end is that moment. */
  readonly isOpen: boolean;
  readonly attributes: RecordedAttributes;
  readonly events: readonly TraceEvent[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly isError: boolean;
  /** What the status says beside the error. */
  readonly statusMessage: string | undefined;
  /** Who recorded it: `service.name`, … */
  readonly resource: RecordedAttributes;
}

export interface TraceEvent {
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly at: number;
  readonly attributes: RecordedAttributes;
}

/** Kinds of spans, in the order of their numbers in OTLP. */
export const SPAN_KINDS = ["unspecified", "internal", "server", "client", "producer", "consumer"] as const;
export type SpanKindName = (typeof SPAN_KINDS)[number];

/** Spans and how they hang together: from any batch to its drain run and write transaction, and back. */
export class TraceModel {
  /** In the order in which they were exported. */
  readonly spans: readonly TraceSpan[];
  readonly #byId = new Map<string, TraceSpan>();
  readonly #children = new Map<string, TraceSpan[]>();
  readonly #linking = new Map<string, TraceSpan[]>();

  constructor(spans: readonly TraceSpan[]) {
    this.spans = spans;
    for (const span of spans) {
      this.#byId.set(span.spanId, span);
      if (span.parentSpanId !== undefined) append(this.#children, span.parentSpanId, span);
      for (const link of span.links) append(this.#linking, link.spanId, span);
    }
  }

  /** Spans of one name. One in braces stands for all that have the attribute's value for a name: `{rpc.method}`. */
  named(name: SpanName): readonly TraceSpan[] {
    return this.spans.filter((span) => isNamed(span, name));
  }

  span(spanId: string): TraceSpan | undefined {
    return this.#byId.get(spanId);
  }

  parentOf(span: TraceSpan): TraceSpan | undefined {
    return span.parentSpanId === undefined ? undefined : this.#byId.get(span.parentSpanId);
  }

  /** The spans below it, in order of their start. */
  childrenOf(span: TraceSpan): readonly TraceSpan[] {
    return (this.#children.get(span.spanId) ?? []).toSorted((a, b) => a.startedAt - b.startedAt);
  }

  /** The spans that it links to, as far as they are in the model. */
  linkedFrom(span: TraceSpan): readonly TraceSpan[] {
    return span.links.flatMap(({ spanId }) => this.#byId.get(spanId) ?? []);
  }

  /** The spans that link to it. */
  linkingTo(span: TraceSpan): readonly TraceSpan[] {
    return this.#linking.get(span.spanId) ?? [];
  }

  /** Links, and parents, that lead nowhere, in words. Empty when the traces are whole. */
  dangling(): readonly string[] {
    return this.spans.flatMap((span) => {
      const links = span.links.filter(({ traceId, spanId }) => this.#byId.get(spanId)?.traceId !== traceId);
      const dangling = links.map(({ spanId }) => `${span.name} ${span.spanId} links to ${spanId}`);
      const parent = span.parentSpanId;
      if (parent !== undefined && this.#byId.get(parent)?.traceId !== span.traceId) {
        dangling.push(`${span.name} ${span.spanId} has the parent ${parent}`);
      }
      return dangling;
    });
  }

  batches(): readonly TraceSpan[] {
    return this.named("spindex.batch");
  }

  /** The drain run that took a batch. */
  drainRunOf(batch: TraceSpan): TraceSpan | undefined {
    return this.linkedFrom(batch).find((span) => isNamed(span, "spindex.drain_run"));
  }

  /** The write transaction that decided a batch. */
  writeTransactionOf(batch: TraceSpan): TraceSpan | undefined {
    const persist = this.childrenOf(batch).find((span) => isNamed(span, "spindex.batch.persist"));
    return persist === undefined ? undefined : this.linkedFrom(persist).at(0);
  }

  /** The batches of a drain run, or of the run that a write transaction belongs to. */
  batchesOf(run: TraceSpan): readonly TraceSpan[] {
    const root = isNamed(run, "spindex.drain_run") ? run : this.parentOf(run);
    return root === undefined ? [] : this.linkedFrom(root).filter((span) => isNamed(span, "spindex.batch"));
  }
}

/** Whether a span is what the contract calls so. */
export function isNamed(span: TraceSpan, name: SpanName): boolean {
  if (!name.startsWith("{")) return span.name === name;
  if (Object.hasOwn(SPANS, span.name)) return false;
  // Those of handlers are called as their handlers like.
  if (name === "{handler.span}") return span.kind === "internal";
  return span.attributes[name.slice(1, -1)] === span.name;
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
