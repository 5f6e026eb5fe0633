import { mkdtemp, readdir, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { onTestFinished } from "vitest";
import type { BatchStart, BatchTelemetry } from "../../src/instrument/batch-telemetry.ts";
import { createTelemetry, type IndexerTelemetry } from "../../src/instrument/create-telemetry.ts";
import type { DrainTelemetry, StatementStart } from "../../src/instrument/drain-telemetry.ts";
import { createLog } from "../../src/instrument/log.ts";
import type { TraceModel } from "../../src/instrument/recorded/trace-model.ts";
import type { Dump } from "../../src/instrument/recorder/dump.ts";
import { RecentLines } from "../../src/instrument/recorder/recent-lines.ts";
import { SpanCollector } from "../../src/instrument/tracing/span-collector.ts";
import { startTracing } from "../../src/instrument/tracing/start-tracing.ts";
import { ManualClock } from "./manual-clock.ts";
import { batchStart, committed, drainStart, mainnet, processed } from "./traced.ts";

export interface Recorded {
  readonly telemetry: IndexerTelemetry;
  readonly clock: ManualClock;
  /** Everything that has left by the exporter. */
  exported(): Promise<TraceModel>;
  /** The texts of the dumps so far, in order of time. */
  dumps(): Promise<readonly string[]>;
}

/** A telemetry with a flight recorder and an exporter, on a clock that the test moves; its ids are always the same. */
export async function recorded(options: { readonly ratio: number; readonly seed?: number }): Promise<Recorded> {
  const directory = await mkdtemp(join(tmpdir(), "spindex-recorder-"));
  const clock = new ManualClock();
  const lines = new RecentLines();
  const log = createLog({ level: "debug", format: "json", destination: { write: () => true }, recent: lines });
  const collector = new SpanCollector();
  const tracing = await startTracing({
    ...{ serviceName: "erc20", version: "1.2.3", instanceId: "instance-1" },
    exporters: { others: [collector] },
    ratio: options.ratio,
    seed: options.seed ?? 1,
    record: true,
    log,
    clock,
  });
  const telemetry = createTelemetry({
    ...{ name: "erc20", shard: "0", version: "1.2.3" },
    log,
    tracing,
    clock,
    recorder: { directory, lines, instance: "instance-1" },
    chains: [mainnet],
    tables: ["account", "transfer"],
    handlers: ["Token.Transfer"],
    processMetrics: false,
  });
  onTestFinished(async () => {
    await telemetry.shutdown();
    await rm(directory, { recursive: true });
  });
  return {
    telemetry,
    clock,
    exported: async () => {
      await telemetry.flush();
      return collector.model();
    },
    dumps: async () => {
      const names = (await readdir(directory)).sort();
      return Promise.all(names.map((name) => readFile(join(directory, name), "utf8")));
    },
  };
}

export function dumpOf(text: string | undefined): Dump {
  return JSON.parse(text ?? "") as Dump;
}

type Kit = Pick<Recorded, "telemetry" | "clock">;

/** A batch up to the queue: 10 ms in its handlers, 2 ms in its commit. */
export function queuedBatch({ telemetry, clock }: Kit, id: number, more: Partial<BatchStart> = {}): BatchTelemetry {
  const batch = telemetry.batchStarted(batchStart(id, clock, more));
  batch.processing();
  clock.advance(10);
  batch.processed(processed);
  clock.advance(2);
  batch.committed(committed);
  return batch;
}

/** A drain run that is durable after 25 ms. */
export async function durableRun(kit: Kit, id: number, batches: readonly BatchTelemetry[]): Promise<DrainTelemetry> {
  const drain = kit.telemetry.drainStarted(drainStart(id, kit.clock, batches));
  const transaction = drain.transaction(1);
  transaction.began({ backendPid: 77, database: "db" });
  await transaction.statement(COPY_TRANSFER, async () => kit.clock.advance(20));
  await transaction.commit(async () => kit.clock.advance(5));
  transaction.succeeded(false);
  drain.durable();
  return drain;
}

/** A drain run that PostgreSQL refuses for good, after 8 ms. */
export async function failedRun(kit: Kit, id: number, batches: readonly BatchTelemetry[]): Promise<void> {
  const refused = Object.assign(new Error('duplicate key value violates "transfer_pkey"'), { code: "23505" });
  const drain = kit.telemetry.drainStarted(drainStart(id, kit.clock, batches));
  const transaction = drain.transaction(1);
  transaction.began({ backendPid: 77, database: "db" });
  const statement = transaction.statement(COPY_TRANSFER, async () => {
    kit.clock.advance(8);
    throw refused;
  });
  await statement.catch(() => {});
  transaction.failed(refused, { kind: "fatal", willRetry: false });
  drain.failed(new Error(`writing checkpoints 10 to 12 failed: ${refused.message}; it came from Token.Transfer`));
}

const COPY_TRANSFER: StatementStart = {
  summary: "COPY transfer",
  operation: "COPY",
  purpose: "entity",
  table: "transfer",
  rows: 5,
  bytes: 500,
};
