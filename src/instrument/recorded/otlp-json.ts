import { readFile } from "node:fs/promises";
import { type AttributeValue, type RecordedAttributes, SPAN_KINDS, TraceModel, type TraceSpan } from "./trace-model.ts";

/** An `ExportTraceServiceRequest`, in the form that JSON gives it. */
export interface OtlpRequest {
  readonly resourceSpans?: readonly {
    readonly resource?: { readonly attributes?: readonly OtlpAttribute[] };
    readonly scopeSpans?: readonly { readonly spans?: readonly OtlpSpan[] }[];
  }[];
}

interface OtlpSpan {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentSpanId?: string;
  readonly name: string;
  readonly kind?: number;
  readonly startTimeUnixNano: string | bigint;
  /** Missing in an open span of a flight recorder's dump. */
  readonly endTimeUnixNano?: string | bigint;
  readonly attributes?: readonly OtlpAttribute[];
  readonly events?: readonly {
    readonly name: string;
    readonly timeUnixNano?: string | bigint;
    readonly attributes?: readonly OtlpAttribute[];
  }[];
  readonly links?: readonly { readonly traceId: string; readonly spanId: string }[];
  readonly status?: { readonly code?: number; readonly message?: string };
}

interface OtlpAttribute {
  readonly key: string;
  readonly value: OtlpValue;
}

interface OtlpValue {
  readonly stringValue?: string;
  readonly intValue?: string | number | bigint;
  readonly doubleValue?: number;
  readonly boolValue?: boolean;
  readonly arrayValue?: { readonly values?: readonly OtlpValue[] };
}

const STATUS_ERROR = 2;

/**
 * Reads a file written with `--trace-file`: one OTLP/JSON request a line. A line that a killed process left unfinished is
 * passed over; what linked to its spans is dangling then.
 */
export async function readTraceFile(path: string): Promise<TraceModel> {
  const lines = (await readFile(path, "utf8")).split("\n");
  return new TraceModel(lines.flatMap((line) => spansOf(requestOf(line) ?? {})));
}

/**
 * The spans of a request.
 * @param openUntil the moment that spans without an end are shown at, in milliseconds since the epoch
 */
export function spansOf({ resourceSpans = [] }: OtlpRequest, openUntil = 0): TraceSpan[] {
  return resourceSpans.flatMap(({ resource, scopeSpans = [] }) => {
    const recordedBy = attributesOf(resource?.attributes);
    return scopeSpans.flatMap(({ spans = [] }) => spans.map((span) => spanOf(span, recordedBy, openUntil)));
  });
}

function requestOf(line: string): OtlpRequest | undefined {
  try {
    return JSON.parse(line) as OtlpRequest;
  } catch {
    return undefined;
  }
}

function spanOf(span: OtlpSpan, resource: RecordedAttributes, openUntil: number): TraceSpan {
  const start = BigInt(span.startTimeUnixNano);
  const until = BigInt(Math.round(openUntil)) * 1_000_000n;
  const end = span.endTimeUnixNano === undefined ? (until > start ? until : start) : BigInt(span.endTimeUnixNano);
  return {
    traceId: span.traceId,
    spanId: span.spanId,
    parentSpanId: span.parentSpanId || undefined,
    name: span.name,
    kind: SPAN_KINDS[span.kind ?? 0] ?? "unspecified",
    startedAt: msOf(start),
    endedAt: msOf(end),
    durationMs: msOf(end - start),
    isOpen: span.endTimeUnixNano === undefined,
    attributes: attributesOf(span.attributes),
    events: (span.events ?? []).map(({ name, timeUnixNano = 0n, attributes }) => ({
      name,
      at: msOf(BigInt(timeUnixNano)),
      attributes: attributesOf(attributes),
    })),
    links: (span.links ?? []).map(({ traceId, spanId }) => ({ traceId, spanId })),
    isError: span.status?.code === STATUS_ERROR,
    statusMessage: span.status?.message || undefined,
    resource,
  };
}

/** In two parts: nanoseconds since the epoch are more than a number can hold. */
function msOf(nanoseconds: bigint): number {
  return Number(nanoseconds / 1_000_000_000n) * 1000 + Number(nanoseconds % 1_000_000_000n) / 1e6;
}

function attributesOf(attributes: readonly OtlpAttribute[] = []): RecordedAttributes {
  return Object.fromEntries(attributes.map(({ key, value }) => [key, plainValue(value)]));
}

function plainValue(value: OtlpValue): AttributeValue {
  if (value.arrayValue !== undefined) return (value.arrayValue.values ?? []).map(plainValue);
  if (value.intValue !== undefined) return Number(value.intValue);
  return value.stringValue ?? value.boolValue ?? value.doubleValue ?? "";
}
