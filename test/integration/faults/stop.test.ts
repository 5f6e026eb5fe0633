import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createEffect, defineIndexer, entity, t } from "../../../src/index.ts";
import type { Clock } from "../../../src/lib/clock.ts";
import { fakeAddress } from "../../support/fake-chain.ts";
import { startFakeNode } from "../../support/fake-node.ts";
import { fastClock } from "../../support/fast-clock.ts";
import { startFaultProxy } from "../../support/fault-proxy.ts";
import {
  committedBlock,
  LEDGER_BLOCKS,
  ledgerChain,
  ledgerIndexer,
  requireWhole,
  smallRuns,
  undisturbedLedger,
} from "../../support/ledger.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";
import { type RunningIndexer, startIndexer } from "../../support/run-indexer.ts";

const SPEED = 10;
const LAST = LEDGER_BLOCKS - 1;
/** Whoever waits for a silent connection to be given up waits for ever, as far as these tests go. */
const PATIENT = { databaseSilenceMs: 3_600_000, flushDeadlineMs: 20_000 };
/** The deadline of the flush, that of the storage's end, and what a busy machine adds. */
const BOUND_MS = 60_000;

let database: TestDatabase;
let rows: Record<string, unknown>;

beforeAll(async () => {
  database = await createTestDatabase();
  const node = await startFakeNode({ chain: ledgerChain() });
  rows = await undisturbedLedger(database, database.url, node);
  await node.close();
});

afterAll(() => database.drop());

/** How it ended, and how long that took by its clock. */
async function stopped(running: RunningIndexer, clock: Clock): Promise<{ end: unknown; tookMs: number }> {
  const startedAt = clock.now();
  const end = await running.stop().catch((error: unknown) => error);
  return { end, tookMs: clock.now() - startedAt };
}

describe("an indexer whose database has fallen silent ends all the same, within bounds, when it is stopped", () => {
  test.each([
    ["at the capacity limit, with a write under way", {}, "capacity"],
    ["in a handler that waits for a row", { cacheBytes: 0 }, "reads"],
  ] as const)("%s", async (_, store, state) => {
    const schema = `silent_${state}`;
    const clock = fastClock(SPEED);
    const node = await startFakeNode({ chain: ledgerChain(), head: 40 });
    const proxy = await startFaultProxy(database.url);
    const limits = smallRuns(PATIENT, store);
    const running = startIndexer(ledgerIndexer(schema, node), proxy.url, { limits, clock });
    await running.until(() => committedBlock(running) === 40);
    proxy.freeze();
    node.setHead(LAST);
    await running.until(({ processLoop }) => processLoop === state);
    const { end, tookMs } = await stopped(running, clock);
    expect(tookMs).toBeLessThan(BOUND_MS);
    if (state === "capacity") {
      expect(end).toMatchObject({ code: "WRITE_RETRIES_EXHAUSTED", exitCode: 75 });
      expect((end as Error).message).toMatch(/^\d+ processed events \(\d+ changes\) were not durable within 20000 ms$/);
    }
    await proxy.close();
    // The server ends what the dead connections have left.
    const next = startIndexer(ledgerIndexer(schema, node), database.url, { limits: smallRuns(), clock });
    await next.until(() => committedBlock(next) === LAST);
    expect(await next.stop()).toBe("stopped");
    await requireWhole(database, schema, rows);
    await node.close();
  });

  test("with nothing to be written", async () => {
    const clock = fastClock(SPEED);
    const node = await startFakeNode({ chain: ledgerChain(), head: 20 });
    const proxy = await startFaultProxy(database.url);
    const limits = smallRuns(PATIENT);
    const running = startIndexer(ledgerIndexer("silent_idle", node), proxy.url, { limits, clock });
    await running.until(({ queue }) => committedBlock(running) === 20 && queue.batches === 0);
    proxy.freeze();
    expect(await stopped(running, clock)).toEqual({ end: "stopped", tookMs: expect.any(Number) });
    await proxy.close();
    await node.close();
  });
});

test("a fatal end cancels an effect that runs, and does not wait for it", async () => {
  const node = await startFakeNode({ chain: ledgerChain(), head: 20 });
  const called = Promise.withResolvers<AbortSignal>();
  const answer = createEffect(
    { name: "answer", input: t.int32(), output: t.int32(), rateLimit: false, timeoutMs: 3_600_000 },
    (_, { signal }) => {
      called.resolve(signal);
      return new Promise<number>(() => {});
    },
  );
  const indexer = defineIndexer({
    name: "cancelled",
    schema: { account: entity({ id: t.address() }) },
    chains: { local: { id: 1, sources: [{ rpc: node.url }], pollIntervalMs: 20 } },
    contracts: {
      Token: {
        abi: ["event Transfer(address indexed from, address indexed to, uint256 value)"],
        chains: { local: { address: fakeAddress(0xee20) as `0x${string}` } },
      },
    },
  });
  indexer.on("Token.Transfer", { onError: "skip" }, async ({ effect, event, store }) => {
    await effect(answer, 1);
    store.account.set({ id: event.args.from });
  });
  const running = startIndexer(indexer, database.url, { clock: fastClock(SPEED) });
  const signal = await called.promise;
  // Another process has taken the shard.
  await database.query("update cancelled_spindex.shards set token = 'another', starts = starts + 1");
  await database.query("update cancelled_spindex.leases set token = 'another'");
  await expect(running.ended).rejects.toMatchObject({ code: "WRITER_FENCED" });
  expect(signal.aborted).toBe(true);
  expect(await database.query("select from cancelled.account")).toEqual([]);
  await node.close();
});
