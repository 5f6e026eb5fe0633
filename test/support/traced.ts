import type { BatchStart } from "../../src/instrument/batch-telemetry.ts";
import { createTelemetry, type IndexerTelemetry } from "../../src/instrument/create-telemetry.ts";
import type { DrainStart } from "../../src/instrument/drain-telemetry.ts";
import { createLog } from "../../src/instrument/log.ts";
import type { TraceModel } from "../../src/instrument/recorded/trace-model.ts";
import { collectTraces } from "../../src/testing/collect-traces.ts";
import { ManualClock } from "./manual-clock.ts";

export interface Traced {
  readonly telemetry: IndexerTelemetry;
  readonly clock: ManualClock;
  /** Lines of the log, as objects. */
  readonly lines: Record<string, unknown>[];
  /** What the tracing library complained of. */
  readonly problems: readonly string[];
  /** Flushes, and gives everything exported so far. */
  traces(): Promise<TraceModel>;
  /** How many spans have been exported by themselves. */
  exported(): number;
}

/** A telemetry whose spans stay in memory, on a clock that the test moves. */
export async function traced(
  options: { readonly ratio?: number; readonly seed?: number; readonly clock?: ManualClock } = {},
): Promise<Traced> {
  const clock = options.clock ?? new ManualClock();
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const log = createLog({ level: "debug", format: "json", destination });
  const { tracing, traces, problems } = await collectTraces({ ...options, clock });
  const telemetry = createTelemetry({
    name: "erc20",
    shard: "0",
    version: "1.2.3",
    log,
    tracing,
    clock,
    chains: [mainnet],
    tables: ["account", "transfer"],
    handlers: ["Token.Transfer"],
    processMetrics: false,
  });
  return { telemetry, clock, lines, problems, traces, exported: () => tracing.counts.exported };
}

export const mainnet = { name: "mainnet", id: 1 };

export function batchStart(id: number, clock: ManualClock, more: Partial<BatchStart> = {}): BatchStart {
  return {
    id,
    mode: "keep",
    items: 3,
    checkpoints: { from: id * 10, to: id * 10 + 2 },
    chains: [mainnet],
    blocks: [{ chainId: mainnet.id, from: id, to: id }],
    live: true,
    askedAt: clock.now(),
    createdFrom: clock.now(),
    boundBy: "end",
    capacityWait: undefined,
    fetchOrigins: [],
    ...more,
  };
}

export function drainStart(id: number, clock: ManualClock, batchOrigins: readonly unknown[]): DrainStart {
  const startedAt = clock.now();
  return {
    id,
    mode: "keep",
    checkpoints: { from: 10, to: 12 },
    items: 3,
    queuedBatchesBefore: batchOrigins.length,
    queuedBatchesAfter: 0,
    escapes: new Map(),
    splitReason: "drained",
    batchOrigins,
    snapshot: { startedAt, endedAt: startedAt, tables: 2, changes: 5, bytes: 500 },
  };
}

export const processed = {
  handlerCalls: 3,
  skippedEvents: 0,
  readsFromStorage: 1,
  reads: [{ table: "account", memory: 4, storage: 1 }],
  effects: [],
  handlers: [{ handler: "Token.Transfer", chain: "mainnet", calls: 3, totalMs: 8, maxMs: 4 }],
  slowest: [],
};

export const committed = { changes: 5, queuedBatches: 1, frontierGap: 3 };
