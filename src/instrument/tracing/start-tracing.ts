import { systemClock } from "../../lib/clock.ts";
import { noTracing, type Tracing, type TracingOptions } from "./tracing.ts";

/** Starts tracing. Without an exporter nothing is traced, and OpenTelemetry is not even loaded. */
export async function startTracing(options: TracingOptions): Promise<Tracing> {
  const { otlpEndpoint, file, others = [] } = options.exporters;
  if (otlpEndpoint === undefined && file === undefined && others.length === 0) return noTracing();
  const { startOpenTelemetry } = await import("./open-telemetry.ts");
  return startOpenTelemetry(options, options.clock ?? systemClock);
}
