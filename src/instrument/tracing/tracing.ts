import type { SpanContext } from "@opentelemetry/api";
import type { SpanExporter } from "@opentelemetry/sdk-trace";
import type { Logger } from "pino";
import type { Clock } from "../../lib/clock.ts";
import type { EventAttributes, EventOf, SpanAttributes, SpanName } from "../names.ts";

/** A span that is exported: what can be linked to. */
export type SpanRef = Pick<SpanContext, "traceId" | "spanId" | "traceFlags">;

export interface SpanStart<N extends SpanName> {
  /** Undefined: the root of a trace of its own. */
  readonly parent: TracedSpan | undefined;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  /** Undefined ones (of spans that are not exported) are left out, and one of several to the same span. */
  readonly links?: readonly (SpanRef | undefined)[];
  /**
   * For a root: it is exported whenever one of these is, else by the share of traces. Not for batches: each links to up
   * to 32 fetches, and at 1 % a quarter of all batches would be taken.
   */
  readonly follows?: readonly SpanRef[];
  /** The span's own name, for names in braces: `COPY transfer` for `{db.query.summary}`. */
  readonly title?: string;
  readonly attributes?: SpanAttributes<N>;
}

/** What leads to a span wherever it is kept. */
export type SpanIds = Pick<SpanContext, "traceId" | "spanId">;

/** Any span, as a parent or a target of links. */
export interface TracedSpan {
  /** Undefined when the span is not exported: then no one may link to it. */
  readonly ref: SpanRef | undefined;
  /** Undefined when nothing keeps what the span is told; one that is not exported is kept by the flight recorder. */
  readonly ids: SpanIds | undefined;
  /** Something keeps what the span is told. */
  readonly isRecording: boolean;
  /** The W3C header that makes another process's spans its children; undefined when nothing is traced at all. */
  readonly traceparent: string | undefined;
}

/** An open span. Times are explicit, so that spans can be made afterwards. */
export interface OpenSpan<N extends SpanName> extends TracedSpan {
  set(attributes: SpanAttributes<N>): void;
  /** Attributes that the contract does not know: a user's. */
  setOwn(attributes: Readonly<Record<string, string | number | boolean>>): void;
  event<E extends EventOf<N>>(name: E, at: number, attributes?: EventAttributes<E>): void;
  link(target: SpanRef | undefined): void;
  /** Status and `error.type`: for a span whose error is recorded on another one. It stays open. */
  mark(error: unknown): void;
  /** `mark`, and the exception event, on the span where the error is handled last. It stays open. */
  fail(error: unknown, at: number): void;
  end(at: number): void;
}

/** Span counts since the start, by what became of them. */
export interface SpanCounts {
  started: number;
  ended: number;
  exported: number;
  failed: number;
  dropped: number;
}

/** The last spans, sampled or not: what the flight recorder dumps. */
export interface RecentSpans {
  /** Those of this moment, whatever ends or begins while they are written. */
  take(): Promise<TakenSpans>;
  /**
   * Sends ended spans that no exporter has had, since they were not sampled; and, as they end, the rest of the traces
   * that they belong to. Each is sent once.
   */
  send(): void;
}

/** As OTLP/JSON `ResourceSpans` objects, one a text; each text is made when it is asked for, from few spans. */
export interface TakenSpans {
  readonly ended: { readonly count: number; texts(): Iterable<string> };
  /** Begun and not ended: they have `open: true` and no `endTimeUnixNano`. */
  readonly open: { readonly count: number; texts(): Iterable<string> };
}

/**
 * Where spans come from. A parent is always named: nothing is taken from an asynchronous context, so that a drain run
 * can never land in the trace of the batch that woke the writer.
 */
export interface Tracing {
  readonly counts: Readonly<SpanCounts>;
  /** The spans that are kept in memory; undefined when none are. */
  readonly recent: RecentSpans | undefined;
  /** Spans that have ended and are kept until they are sent, summed over exporters. */
  readonly queued: number;
  /** Says whom to call after each request to an exporter, with the seconds that it took. */
  onRequest(listener: (seconds: number) => void): void;
  start<N extends SpanName>(name: N, start: SpanStart<N>): OpenSpan<N>;
  /** Sends what has ended; bounded, never rejects. */
  flush(): Promise<void>;
  /** Flushes and closes; bounded, never rejects. */
  shutdown(): Promise<void>;
}

export interface TraceExporters {
  /** Base address of a collector, e.g. `http://localhost:4318`; `/v1/traces` is added. */
  readonly otlpEndpoint?: string | undefined;
  readonly headers?: Readonly<Record<string, string>> | undefined;
  /** A file that gets one OTLP/JSON request a line. */
  readonly file?: string | undefined;
  /** Exporters of the caller's own. */
  readonly others?: readonly SpanExporter[] | undefined;
}

export interface TracingOptions {
  /** The indexer's name: `service.name`. */
  readonly serviceName: string;
  readonly version: string;
  /** `service.instance.id`, the same as the metrics' instance. */
  readonly instanceId: string;
  /** More attributes of the resource, such as `deployment.environment.name`. They cannot say who we are. */
  readonly resourceAttributes?: Readonly<Record<string, string>> | undefined;
  readonly exporters: TraceExporters;
  /** Share of traces that are exported, 0 to 1. */
  readonly ratio: number;
  /** Makes all ids follow from it, for tests. Default: random ids. */
  readonly seed?: number;
  /** Keep the last spans in memory, those too that are not sampled. Default: false. */
  readonly record?: boolean;
  readonly log: Logger;
  readonly clock?: Clock;
}

export function hasExporter({ otlpEndpoint, file, others = [] }: TraceExporters): boolean {
  return otlpEndpoint !== undefined || file !== undefined || others.length > 0;
}

/** A span of which nothing is kept. One stands for all spans below it too. */
export class UntracedSpan implements OpenSpan<SpanName> {
  readonly ref: undefined;
  readonly ids: undefined;
  readonly isRecording = false;
  readonly traceparent: string | undefined;

  constructor(traceparent?: string) {
    this.traceparent = traceparent;
  }

  set(): void {}
  setOwn(): void {}
  event(): void {}
  link(): void {}
  mark(): void {}
  fail(): void {}
  end(): void {}
}

const UNTRACED_SPAN = new UntracedSpan();

/** The span that is not there. */
export function untracedSpan<N extends SpanName>(): OpenSpan<N> {
  return UNTRACED_SPAN as unknown as OpenSpan<N>;
}

/** Tracing that is switched off. */
export function noTracing(): Tracing {
  return {
    counts: { started: 0, ended: 0, exported: 0, failed: 0, dropped: 0 },
    recent: undefined,
    queued: 0,
    onRequest() {},
    start: untracedSpan,
    flush: async () => {},
    shutdown: async () => {},
  };
}

/** The name of an error's kind: its code when it has one, as the SQLSTATE that a failed write ends with. */
export function errorTypeOf(error: unknown): string {
  if (!(error instanceof Error)) return typeof error;
  const { code: own, sqlState } = error as { code?: unknown; sqlState?: unknown };
  const code = own ?? sqlState;
  return typeof code === "string" || typeof code === "number" ? String(code) : error.name;
}

/** Whether the error only says that the work was cancelled. */
export function isCancellation(error: unknown): boolean {
  return error instanceof Error && error.name === "AbortError";
}
