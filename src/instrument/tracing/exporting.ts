import { diag, ProxyTracerProvider, type Tracer, trace } from "@opentelemetry/api";
import type { ResourceDetector } from "@opentelemetry/resources";
import { NodeSDK } from "@opentelemetry/sdk-node";
import type { IdGenerator, Sampler, SpanProcessor } from "@opentelemetry/sdk-trace";
import { OtlpSink } from "./otlp-sink.ts";
import { exporterSink, type SpanSink } from "./span-sink.ts";
import { TraceFileExporter } from "./trace-file-exporter.ts";
import type { TraceExporters } from "./tracing.ts";

/** What makes spans, and its end. */
export interface TracerSource {
  readonly tracer: Tracer;
  shutdown(): Promise<void>;
}

export interface ProviderOptions {
  readonly version: string;
  readonly sampler: Sampler;
  readonly spanProcessors: SpanProcessor[];
  readonly spanLimits: { readonly linkCountLimit: number; readonly attributeValueLengthLimit: number };
  readonly resourceDetectors: ResourceDetector[];
  readonly idGenerator?: IdGenerator;
}

export async function openSinks({
  otlpEndpoint,
  headers = {},
  file,
  others = [],
}: TraceExporters): Promise<SpanSink[]> {
  const sinks = others.map(exporterSink);
  if (otlpEndpoint !== undefined) sinks.push(new OtlpSink({ endpoint: otlpEndpoint, headers }));
  if (file !== undefined) sinks.push(exporterSink(await TraceFileExporter.open(file)));
  return sinks;
}

/** The SDK, for spans that leave the process. It is the heavy part: loaded only when there is an exporter. */
export function startSdk({ version, ...options }: ProviderOptions): TracerSource {
  const sdk = new NodeSDK({
    ...options,
    // Traces only: without these two lists the SDK exports metrics and logs too, to localhost.
    metricReaders: [],
    logRecordProcessors: [],
    instrumentations: [],
    textMapPropagator: null,
  });
  return { tracer: tracerOf(sdk, version), shutdown: () => sdk.shutdown() };
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
