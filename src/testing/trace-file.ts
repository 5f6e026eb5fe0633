import { readFile } from "node:fs/promises";

/** A span as it was exported. */
export interface FileSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId: string | undefined;
  readonly name: string;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** Exact, where the difference of the two times is rounded. */
  readonly durationMs: number;
  readonly attributes: Readonly<Record<string, AttributeValue>>;
  readonly events: readonly { readonly name: string; readonly attributes: FileSpan["attributes"] }[];
  readonly links: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly isError: boolean;
}

export type AttributeValue = string | number | boolean | readonly AttributeValue[];

/** Spans and how they hang together: from any batch to its drain run and write transaction, and back. */
export class TraceModel {
  readonly spans: readonly FileSpan[];
  readonly #byId = new Map<string, FileSpan>();
  readonly #children = new Map<string, FileSpan[]>();
  readonly #linking = new Map<string, FileSpan[]>();

  constructor(spans: readonly FileSpan[]) {
    this.spans = spans;
    for (const span of spans) {
      this.#byId.set(span.spanId, span);
      if (span.parentSpanId !== undefined) append(this.#children, span.parentSpanId, span);
      for (const link of span.links) append(this.#linking, link.spanId, span);
    }
  }

  named(name: string): readonly FileSpan[] {
    return this.spans.filter((span) => span.name === name);
  }

  parentOf(span: FileSpan): FileSpan | undefined {
    return span.parentSpanId === undefined ? undefined : this.#byId.get(span.parentSpanId);
  }

  /** The spans below it, in order of their start. */
  childrenOf(span: FileSpan): readonly FileSpan[] {
    return (this.#children.get(span.spanId) ?? []).toSorted((a, b) => a.startedAt - b.startedAt);
  }

  /** The spans that it links to, as far as they are in the model. */
  linkedFrom(span: FileSpan): readonly FileSpan[] {
    return span.links.flatMap(({ spanId }) => this.#byId.get(spanId) ?? []);
  }

  /** The spans that link to it. */
  linkingTo(span: FileSpan): readonly FileSpan[] {
    return this.#linking.get(span.spanId) ?? [];
  }

  /** Links, and parents, that lead nowhere, in words. Empty when the trace is whole. */
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

  batches(): readonly FileSpan[] {
    return this.named("spindex.batch");
  }

  /** The drain run that took a batch. */
  drainRunOf(batch: FileSpan): FileSpan | undefined {
    return this.linkedFrom(batch).find((span) => span.name === "spindex.drain_run");
  }

  /** The write transaction that decided a batch. */
  writeTransactionOf(batch: FileSpan): FileSpan | undefined {
    const persist = this.childrenOf(batch).find((span) => span.name === "spindex.batch.persist");
    return persist === undefined ? undefined : this.linkedFrom(persist).at(0);
  }

  /** The batches of a drain run, or of the run that a write transaction belongs to. */
  batchesOf(run: FileSpan): readonly FileSpan[] {
    const root = run.name === "spindex.drain_run" ? run : this.parentOf(run);
    return root === undefined ? [] : this.linkedFrom(root).filter((span) => span.name === "spindex.batch");
  }
}

/**
 * Reads a file written with `--trace-file`: one OTLP/JSON request a line. A line that a killed process left unfinished is
 * passed over; what linked to its spans is dangling then.
 */
export async function readTraceFile(path: string): Promise<TraceModel> {
  return traceModelOf(await readFile(path, "utf8"));
}

/** The model of a trace file's text. */
export function traceModelOf(text: string): TraceModel {
  return new TraceModel(text.split("\n").flatMap(spansOfLine));
}

interface OtlpValue {
  readonly stringValue?: string;
  readonly intValue?: string | number;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
  readonly arrayValue?: { readonly values?: readonly OtlpValue[] };
}

interface OtlpAttribute {
  readonly key: string;
  readonly value: OtlpValue;
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly startTimeUnixNano: string;
  readonly endTimeUnixNano: string;
  readonly attributes?: readonly OtlpAttribute[];
  readonly events?: readonly { readonly name: string; readonly attributes?: readonly OtlpAttribute[] }[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status?: { readonly code?: number };
}

interface OtlpRequest {
  readonly resourceSpans: readonly { readonly scopeSpans: readonly { readonly spans: readonly OtlpSpan[] }[] }[];
}

const STATUS_ERROR = 2;

function spansOfLine(line: string): FileSpan[] {
  const request = requestOf(line);
  return (request?.resourceSpans ?? []).flatMap(({ scopeSpans }) =>
    scopeSpans.flatMap(({ spans }) => spans.map(spanOf)),
  );
}

function requestOf(line: string): OtlpRequest | undefined {
  try {
    return JSON.parse(line) as OtlpRequest;
  } catch {
    return undefined;
  }
}

function spanOf(span: OtlpSpan): FileSpan {
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId === "" ? undefined : span.parentSpanId,
    name: span.name,
    startedAt: Number(span.startTimeUnixNano) / 1e6,
    endedAt: Number(span.endTimeUnixNano) / 1e6,
    durationMs: Number(BigInt(span.endTimeUnixNano) - BigInt(span.startTimeUnixNano)) / 1e6,
    attributes: attributesOf(span.attributes),
    events: (span.events ?? []).map((event) => ({ name: event.name, attributes: attributesOf(event.attributes) })),
    links: (span.links ?? []).map(({ traceId, spanId }) => ({ traceId, spanId })),
    isError: span.status?.code === STATUS_ERROR,
  };
}

function attributesOf(attributes: readonly OtlpAttribute[] = []): FileSpan["attributes"] {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue(value: OtlpValue): AttributeValue {
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(plainValue);
  if (value.intValue !== undefined) return Number(value.intValue);
  return value.stringValue ?? value.boolValue ?? value.doubleValue ?? "";
}

function append<K, V>(lists: Map<K, V[]>, key: K, value: V): void {
  const list = lists.get(key);
  if (list === undefined) lists.set(key, [value]);
  else list.push(value);
}
