import { totalmem } from "node:os";
import { performance } from "node:perf_hooks";
import { getHeapStatistics } from "node:v8";
import type { Metrics } from "./metrics.ts";

/** What the process uses and may use; done at each scrape. */
export function setProcessGauges(metrics: Metrics): void {
  const { rss, heapUsed, external } = process.memoryUsage();
  metrics.set("memory_bytes", { part: "resident" }, rss);
  metrics.set("memory_bytes", { part: "heap" }, heapUsed);
  metrics.set("memory_bytes", { part: "external" }, external);
  metrics.set("memory_limit_bytes", {}, memoryLimitBytes(process.constrainedMemory(), totalmem()));
  metrics.set("heap_limit_bytes", {}, getHeapStatistics().heap_size_limit);
  metrics.raiseTo("event_loop_active_seconds_total", {}, performance.eventLoopUtilization().active / 1000);
}

/** @param constrained what the cgroup allows (version 1 or 2): 0, or more than there is, without a limit */
export function memoryLimitBytes(constrained: number, total: number): number {
  return constrained > 0 ? Math.min(constrained, total) : total;
}
