import { createLog } from "../instrument/log.ts";
import type { TraceModel } from "../instrument/recorded/trace-model.ts";
import { SpanCollector } from "../instrument/tracing/span-collector.ts";
import { startTracing } from "../instrument/tracing/start-tracing.ts";
import type { Tracing } from "../instrument/tracing/tracing.ts";
import { type Clock, systemClock } from "../lib/clock.ts";

export interface CollectOptions {
  /** Share of traces that are kept, 0 to 1. Default 1. */
  readonly ratio?: number;
  /** Makes trace and span ids, and so what a ratio keeps, the same each time. Default: random. */
  readonly seed?: number;
  /** Bounds flushes. Default: the system's. */
  readonly clock?: Clock;
}

/** Keeps the spans of indexers in memory; give it to `createTestIndexer`. */
export interface TraceCollector {
  readonly tracing: Tracing;
  /** What the tracing library complained of: a span that was ended twice or changed after its end, lost spans. */
  readonly problems: readonly string[];
  /** Everything that has ended so far. */
  traces(): Promise<TraceModel>;
  /** Forgets what has been kept. */
  clear(): Promise<void>;
  /** Nothing is recorded any more; what was kept stays. */
  close(): Promise<void>;
}

export async function collectTraces(options: CollectOptions = {}): Promise<TraceCollector> {
  const { ratio = 1, seed, clock = systemClock } = options;
  const collector = new SpanCollector();
  const problems: string[] = [];
  const log = createLog({
    level: "warn",
    format: "json",
    destination: { write: (line) => void problems.push(problemOf(line)) },
  });
  const tracing = await startTracing({
    serviceName: "test",
    version: "0.0.0",
    instanceId: "test",
    exporters: { others: [collector] },
    ratio,
    ...(seed === undefined ? {} : { seed }),
    log,
    clock,
  });
  return {
    tracing,
    problems,
    traces: async () => {
      await tracing.flush();
      return collector.model();
    },
    clear: async () => {
      await tracing.flush();
      collector.clear();
    },
    close: () => tracing.shutdown(),
  };
}

function problemOf(line: string): string {
  const { event, problem } = JSON.parse(line) as { event: string; problem?: string };
  return `${event}: ${problem ?? line}`;
}
