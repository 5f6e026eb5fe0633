import { type DiagLogFunction, DiagLogLevel, diag } from "@opentelemetry/api";
import {
  defaultResource,
  detectResources,
  hostDetector,
  osDetector,
  type ResourceDetector,
} from "@opentelemetry/resources";
import { TracerProvider } from "@opentelemetry/sdk-trace";
import type { Logger } from "pino";
import { messageOf } from "../../errors.ts";
import type { Clock } from "../../lib/clock.ts";
import { logEvent } from "../log.ts";
import { SpanRing, type SpanSender } from "../recorder/span-ring.ts";
import { redact } from "../redact.ts";
import { ExportQueue } from "./export-queue.ts";
import type { ProviderOptions, TracerSource } from "./exporting.ts";
import { samplerOf } from "./sampler.ts";
import { seededIds } from "./seeded-ids.ts";
import { SpanCounter } from "./span-counter.ts";
import { SPAN_LIMITS, startSpan } from "./spans.ts";
import { hasExporter, type Tracing, type TracingOptions } from "./tracing.ts";

/**
 * The only place that knows the tracing library. Loaded only when spans are exported or recorded; the SDK, which is the
 * larger part of it, only when they are exported.
 */
export async function startOpenTelemetry(options: TracingOptions, clock: Clock): Promise<Tracing> {
  const { exporters, ratio, record = false, version, log, seed } = options;
  const counter = new SpanCounter();
  const { counts } = counter;
  let onRequest = (_seconds: number): void => {};
  const exporting = hasExporter(exporters) ? await import("./exporting.ts") : undefined;
  const sinks = (await exporting?.openSinks(exporters)) ?? [];
  const queues = sinks.map(
    (sink) => new ExportQueue({ sink, counts, clock, log, onRequest: (seconds) => onRequest(seconds) }),
  );
  const ring = record ? new SpanRing(sendersOf(queues, counter)) : undefined;
  const provider: ProviderOptions = {
    version,
    sampler: samplerOf(ratio, record),
    spanProcessors: [counter, ...queues, ...(ring === undefined ? [] : [ring])],
    spanLimits: SPAN_LIMITS,
    // The process detector would send the command line, which may hold keys.
    resourceDetectors: [hostDetector, osDetector, identityOf(options)],
    ...(seed === undefined ? {} : { idGenerator: seededIds(seed) }),
  };
  const source = exporting === undefined ? startProvider(provider) : exporting.startSdk(provider);
  routeDiagnostics(log);
  let closed: Promise<void> | undefined;
  return {
    counts,
    recent: ring,
    get queued() {
      return queues.reduce((sum, queue) => sum + queue.size, 0);
    },
    onRequest: (listener) => {
      onRequest = listener;
    },
    start: (name, start) => startSpan(source.tracer, name, start),
    flush: async () => {
      await Promise.all(queues.map((queue) => queue.forceFlush()));
    },
    shutdown: () => {
      closed ??= source.shutdown();
      return closed;
    },
  };
}

/** What the ring sends after all: it counts like other spans that leave the process. */
function sendersOf(queues: readonly ExportQueue[], { counts }: SpanCounter): readonly SpanSender[] {
  if (queues.length === 0) return [];
  const count = (): void => {
    counts.started++;
    counts.ended++;
  };
  return [{ onEnd: count }, ...queues];
}

/** For spans that stay in the process. */
function startProvider({ version, resourceDetectors, ...options }: ProviderOptions): TracerSource {
  const resource = defaultResource().merge(detectResources({ detectors: resourceDetectors }));
  const provider = new TracerProvider({ ...options, resource });
  return { tracer: provider.getTracer("spindex", version), shutdown: () => provider.shutdown() };
}

/** Comes last among the detectors: who we are is not for the environment to say. */
function identityOf(options: TracingOptions): ResourceDetector {
  const attributes = {
    ...options.resourceAttributes,
    "service.name": options.serviceName,
    "service.namespace": "spindex",
    "service.version": options.version,
    "service.instance.id": options.instanceId,
  };
  return { detect: () => ({ attributes }) };
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
