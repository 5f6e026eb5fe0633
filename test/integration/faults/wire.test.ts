import { afterAll, beforeAll, expect, test } from "vitest";
import type { IndexerLimits } from "../../../src/indexer/limits.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { type FakeNode, startFakeNode } from "../../support/fake-node.ts";
import { fastClock } from "../../support/fast-clock.ts";
import { type Direction, type FaultProxy, startFaultProxy } from "../../support/fault-proxy.ts";
import {
  committedBlock,
  ledgerChain,
  ledgerIndexer,
  requireWhole,
  smallRuns,
  undisturbedLedger,
} from "../../support/ledger.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";
import { type RunningIndexer, startIndexer } from "../../support/run-indexer.ts";
import { printedSeed } from "../../support/seed.ts";

const CUTS = 25;

let database: TestDatabase;
let node: FakeNode;
let rows: Record<string, unknown>;

beforeAll(async () => {
  database = await createTestDatabase();
  node = await startFakeNode({ chain: ledgerChain() });
  rows = await undisturbedLedger(database, database.url, node);
});

afterAll(async () => {
  await node.close();
  await database.drop();
});

/** A whole run; without a cache, so that rows are read as well. */
function start(schema: string, proxy: FaultProxy, limits: Partial<IndexerLimits> = {}): RunningIndexer {
  return startIndexer(ledgerIndexer(schema, node), proxy.url, {
    once: true,
    limits: smallRuns(limits, { cacheBytes: 0 }),
    clock: fastClock(10),
  });
}

test(`a connection cut at ${2 * CUTS} random bytes, in both directions, costs nothing`, async () => {
  const { pick } = printedSeed("cut connections");
  const proxy = await startFaultProxy(database.url);
  expect(await start("measured", proxy).ended).toBe("ended");
  const measured = { ...proxy.bytes };
  for (const direction of ["toServer", "toClient"] as const) {
    proxy.cutAt(direction, positions(proxy, direction, measured[direction], pick));
  }
  const running = start("cut", proxy);
  expect(await running.ended).toBe("ended");
  expect(proxy.faults).toBeGreaterThanOrEqual(CUTS);
  await requireWhole(database, "cut", rows);
  await proxy.close();
});

test("a network that refuses, falls silent and is slow, one after the other, costs nothing but time", async () => {
  const proxy = await startFaultProxy(database.url);
  const running = start("network", proxy, { databaseSilenceMs: 2_000 });
  await running.until(() => committedBlock(running) >= 30);
  proxy.refuse();
  await untilRetried(running, 4);
  proxy.accept();
  await running.until(() => committedBlock(running) >= 90);
  proxy.freeze();
  // Nobody says that the connection is lost: its silence does.
  await untilRetried(running, 1);
  proxy.thaw();
  await running.until(() => committedBlock(running) >= 150);
  proxy.delay(3);
  expect(await running.ended).toBe("ended");
  expect(running.status().starts?.count).toBe(1);
  await requireWhole(database, "network", rows);
  await proxy.close();
});

/** Until so many more attempts to write have failed. */
async function untilRetried(running: RunningIndexer, times: number): Promise<void> {
  const retries = (): Promise<number> => running.metric("spindex_write_retries_total");
  const before = await retries();
  while ((await retries()) < before + times) await systemClock.sleep(5);
}

/** Places in the next run, which sends about as much as the last one. */
function positions(proxy: FaultProxy, direction: Direction, span: number, pick: (bound: number) => number): number[] {
  return Array.from({ length: CUTS }, () => proxy.bytes[direction] + pick(span));
}
