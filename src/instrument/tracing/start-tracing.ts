import { systemClock } from "../../lib/clock.ts";
import { hasExporter, noTracing, type Tracing, type TracingOptions } from "./tracing.ts";

/** Starts tracing. With nothing to export to and nothing to record, OpenTelemetry is not even loaded. */
export async function startTracing(options: TracingOptions): Promise<Tracing> {
  if (!hasExporter(options.exporters) && options.record !== true) return noTracing();
  const { startOpenTelemetry } = await import("./open-telemetry.ts");
  return startOpenTelemetry(options, options.clock ?? systemClock);
}
