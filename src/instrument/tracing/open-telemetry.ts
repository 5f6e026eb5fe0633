import {
  type Attributes,
  type DiagLogFunction,
  DiagLogLevel,
  diag,
  type HrTime,
  ProxyTracerProvider,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  TraceFlags,
  type Tracer,
  trace,
} from "@opentelemetry/api";
import { envDetector, hostDetector, osDetector, type ResourceDetector } from "@opentelemetry/resources";
import { NodeSDK } from "@opentelemetry/sdk-node";
import { ParentBasedSampler, TraceIdRatioBasedSampler } from "@opentelemetry/sdk-trace";
import type { Logger } from "pino";
import { messageOf } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { logEvent } from "../log.ts";
import { type EventAttributes, type EventOf, SPANS, type SpanAttributes, type SpanName } from "../names.ts";
import { redact } from "../redact.ts";
import { ExportQueue } from "./export-queue.ts";
import { OtlpSink } from "./otlp-sink.ts";
import { LinkAwareSampler } from "./sampler.ts";
import { seededIds } from "./seeded-ids.ts";
import { SpanCounter } from "./span-counter.ts";
import { exporterSink, type SpanSink } from "./span-sink.ts";
import { TraceFileExporter } from "./trace-file-exporter.ts";
import {
  errorTypeOf,
  type OpenSpan,
  type SpanRef,
  type SpanStart,
  type Tracing,
  type TracingOptions,
  UntracedSpan,
  untracedSpan,
} from "./tracing.ts";

/** So that no span is huge: the queue counts them, not their bytes. */
const SPAN_LIMITS = { linkCountLimit: 1_024, attributeValueLengthLimit: 16_384 };

/** The only place that knows the tracing library. Loaded only when there is an exporter. */
export async function startOpenTelemetry(options: TracingOptions, clock: Clock): Promise<Tracing> {
  const counter = new SpanCounter();
  const { counts } = counter;
  let onRequest = (_seconds: number): void => {};
  const queues = (await sinksOf(options)).map((sink) => {
    return new ExportQueue({ sink, counts, clock, log: options.log, onRequest: (seconds) => onRequest(seconds) });
  });
  const sdk = new NodeSDK({
    // Traces only: without these two lists the SDK exports metrics and logs too, to localhost.
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [],
    // The process detector would send the command line, which may hold keys.
    resourceDetectors: [envDetector, hostDetector, osDetector, identityOf(options)],
    textMapPropagator: null,
    sampler: new ParentBasedSampler({ root: new LinkAwareSampler(new TraceIdRatioBasedSampler(options.ratio)) }),
    spanProcessors: [counter, ...queues],
    spanLimits: SPAN_LIMITS,
    ...(options.seed === undefined ? {} : { idGenerator: seededIds(options.seed) }),
  });
  const tracer = tracerOf(sdk, options.version);
  routeDiagnostics(options.log);
  let closed: Promise<void> | undefined;
  return {
    counts,
    get queued() {
      return queues.reduce((sum, queue) => sum + queue.size, 0);
    },
    onRequest: (listener) => {
      onRequest = listener;
    },
    start: (name, start) => startSpan(tracer, name, start),
    flush: async () => {
      await Promise.all(queues.map((queue) => queue.forceFlush()));
    },
    shutdown: () => {
      closed ??= sdk.shutdown();
      return closed;
    },
  };
}

async function sinksOf({ exporters }: TracingOptions): Promise<SpanSink[]> {
  const { otlpEndpoint, headers = {}, file, others = [] } = exporters;
  const sinks = others.map(exporterSink);
  if (otlpEndpoint !== undefined) sinks.push(new OtlpSink({ endpoint: otlpEndpoint, headers }));
  if (file !== undefined) sinks.push(exporterSink(await TraceFileExporter.open(file)));
  return sinks;
}

/** Comes last among the detectors: who we are is not for the environment to say. */
function identityOf(options: TracingOptions): ResourceDetector {
  const attributes = {
    "service.name": options.serviceName,
    "service.namespace": "spindex",
    "service.version": options.version,
    "service.instance.id": options.instanceId,
  };
  return { detect: () => ({ attributes }) };
}

/**
 * Starts the SDK and takes its tracer without leaving it behind as the process's global one: each indexer has its own,
 * and a program that embeds us keeps the one it has set.
 */
function tracerOf(sdk: NodeSDK, version: string): Tracer {
  const before = trace.getTracerProvider();
  const wasSet = before instanceof ProxyTracerProvider && before.getDelegateTracer("spindex") !== undefined;
  // It complains of other globals that are there already, a second time for a second indexer: that is as it should be.
  diag.disable();
  trace.disable();
  sdk.start();
  const tracer = trace.getTracer("spindex", version);
  trace.disable();
  if (wasSet) trace.setGlobalTracerProvider(before);
  return tracer;
}

/** The library's complaints become log lines; by default they vanish. */
function routeDiagnostics(log: Logger): void {
  const report: DiagLogFunction = (message, ...details) =>
    logEvent(log, "telemetry.problem", { problem: redact([message, ...details.map(messageOf)].join(" ")) });
  const ignore: DiagLogFunction = () => {};
  diag.setLogger(
    { error: report, warn: report, info: ignore, debug: ignore, verbose: ignore },
    { logLevel: DiagLogLevel.WARN, suppressOverrideMessage: true },
  );
}

function startSpan<N extends SpanName>(tracer: Tracer, name: N, start: SpanStart<N>): OpenSpan<N> {
  const { parent } = start;
  let context = ROOT_CONTEXT;
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
    this.#span.setAttributes(attributes);
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
    this.#span.setStatus({ code: SpanStatusCode.ERROR, message: redact(messageOf(error)) });
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
  for (const [name, value] of Object.entries(attributes)) if (value !== undefined) result[name] = value;
  return result as Attributes;
}

/** Seconds and nanoseconds: plain numbers would be taken for something relative when they are small. */
function timeOf(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.min(999_999_999, Math.round((ms - seconds * 1000) * 1e6))];
}
