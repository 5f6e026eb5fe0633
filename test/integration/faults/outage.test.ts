import { chown, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { SpindexError } from "../../../src/errors.ts";
import type { IndexerLimits } from "../../../src/indexer/limits.ts";
import type { IndexerOptions } from "../../../src/indexer/options.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { type FakeNode, startFakeNode } from "../../support/fake-node.ts";
import { fastClock } from "../../support/fast-clock.ts";
import {
  committedBlock,
  LEDGER_BLOCKS,
  ledgerChain,
  ledgerIndexer,
  requireWhole,
  smallRuns,
  undisturbedLedger,
} from "../../support/ledger.ts";
import { type OwnServer, startOwnServer } from "../../support/own-server.ts";
import { type RunningIndexer, startIndexer } from "../../support/run-indexer.ts";

/** The indexer's clock runs ten times as fast as the real one, so that an outage of half a minute takes three seconds. */
const SPEED = 10;
const OUTAGE_MS = 30_000;

let node: FakeNode;
let rows: Record<string, unknown>;

beforeAll(async () => {
  node = await startFakeNode({ chain: ledgerChain() });
  node.limitRange({ maxBlocks: 20 });
  await using server = await startOwnServer();
  rows = await undisturbedLedger(server, server.url, node);
});

afterAll(() => node.close());

function start(server: OwnServer, options: Partial<IndexerOptions> = {}): RunningIndexer {
  return startIndexer(ledgerIndexer("ledger", node), server.url, {
    once: true,
    limits: smallRuns(),
    clock: fastClock(SPEED),
    ...options,
  });
}

/** Started, and some way into the run. */
async function inMidRun(server: OwnServer, options: Partial<IndexerOptions> = {}): Promise<RunningIndexer> {
  const running = start(server, options);
  await running.until(() => committedBlock(running) >= 40);
  return running;
}

async function requireEnded(running: RunningIndexer, server: OwnServer): Promise<void> {
  expect(await running.ended).toBe("ended");
  // The same process all along.
  expect(running.status().starts?.count).toBe(1);
  await requireWhole(server, "ledger", rows);
}

const outageOver = (): Promise<void> => systemClock.sleep(OUTAGE_MS / SPEED);

async function failureOf(running: RunningIndexer): Promise<SpindexError> {
  return running.ended.then(
    () => expect.fail("it did not fail"),
    (error: unknown) => error as SpindexError,
  );
}

/** Everything that the node shows is durable, and none of it is in memory: the next event has to be read for. */
async function beforeReads(
  server: OwnServer,
  limits: Partial<IndexerLimits> = {},
): Promise<{ running: RunningIndexer; tail: FakeNode }> {
  const tail = await startFakeNode({ chain: ledgerChain(), head: 100 });
  const running = startIndexer(ledgerIndexer("ledger", tail), server.url, {
    limits: smallRuns(limits, { cacheBytes: 0 }),
    clock: fastClock(SPEED),
  });
  await running.until(() => committedBlock(running) === 100);
  return { running, tail };
}

describe.concurrent("an outage of half a minute in mid-run", () => {
  test.each([
    ["stopped", (server: OwnServer) => server.stop()],
    ["killed", (server: OwnServer) => server.kill()],
  ])(
    "by a server that is %s: processing goes on until capacity, lag and retries are seen, nothing is lost",
    async (_, down) => {
      await using server = await startOwnServer();
      const running = await inMidRun(server);
      await down(server);
      const before = running.status();
      const atCapacity = await running.until(({ processLoop }) => processLoop === "capacity");
      expect(atCapacity.checkpoints.processed).toBeGreaterThan(before.checkpoints.committed);
      expect(atCapacity.queue.items + atCapacity.queue.changes).toBeGreaterThanOrEqual(300);
      await outageOver();
      const after = running.status();
      expect(after.checkpoints).toEqual(atCapacity.checkpoints);
      expect(after.failure).toBeUndefined();
      const grown = (after.chains[0]?.commitLagSeconds ?? 0) - (atCapacity.chains[0]?.commitLagSeconds ?? 0);
      expect(grown).toBeGreaterThanOrEqual(OUTAGE_MS / 1000 - 1);
      expect(await running.metric("spindex_write_retries_total")).toBeGreaterThanOrEqual(4);
      await server.start();
      await requireEnded(running, server);
    },
  );

  test("is waited out by reads: no handler sees an error", async () => {
    await using server = await startOwnServer();
    const { running, tail } = await beforeReads(server);
    await server.stop();
    tail.setHead(LEDGER_BLOCKS - 1);
    await running.until(({ processLoop }) => processLoop === "reads");
    await outageOver();
    expect(running.status()).toMatchObject({ processLoop: "reads", failure: undefined });
    await server.start();
    await running.until(() => committedBlock(running) === LEDGER_BLOCKS - 1);
    expect(await running.stop()).toBe("stopped");
    await requireWhole(server, "ledger", rows);
    await tail.close();
  });

  test("whose end is a standby is not over before that is promoted", async () => {
    await using server = await startOwnServer();
    const running = await inMidRun(server);
    await server.stop();
    const signal = join(server.dataDir, "standby.signal");
    await writeFile(signal, "");
    const { uid, gid } = await stat(server.dataDir);
    await chown(signal, uid, gid);
    // It counts as started when it can be written to.
    const promoted = server.start();
    await reachable(server);
    const before = running.status();
    await running.until(({ processLoop }) => processLoop === "capacity");
    await outageOver();
    expect(running.status()).toMatchObject({
      failure: undefined,
      checkpoints: { committed: before.checkpoints.committed },
    });
    await server.query("select pg_promote()");
    await promoted;
    await requireEnded(running, server);
  });
});

async function reachable(server: OwnServer): Promise<void> {
  for (;;) {
    try {
      await server.query("select 1");
      return;
    } catch {
      await systemClock.sleep(20);
    }
  }
}

describe.concurrent("an outage beyond the budget", () => {
  test("ends with 75 and names the statement, the checkpoints and the attempts; the next start goes on", async () => {
    await using server = await startOwnServer();
    const running = await inMidRun(server, { limits: smallRuns({ writeRetryBudgetMs: 5_000 }) });
    await server.stop();
    const error = await failureOf(running);
    const { committed } = running.status().checkpoints;
    expect(error).toMatchObject({
      code: "WRITE_RETRIES_EXHAUSTED",
      exitCode: 75,
      details: { statement: "CONNECT", attempt: expect.any(Number) },
    });
    expect(error.message).toMatch(
      new RegExp(
        `^writing checkpoints ${committed + 1} to \\d+ \\(chain 1 blocks \\d+ to \\d+\\) failed \\d+ times: CONNECT failed`,
      ),
    );
    expect(error.details?.attempt).toBeGreaterThan(2);
    await server.start();
    expect(await start(server).ended).toBe("ended");
    await requireWhole(server, "ledger", rows);
  });

  test("ends with 75 also where handlers read, and is no fault of theirs", async () => {
    await using server = await startOwnServer();
    const { running, tail } = await beforeReads(server, { writeRetryBudgetMs: 5_000 });
    await server.stop();
    tail.setHead(LEDGER_BLOCKS - 1);
    expect(await failureOf(running)).toMatchObject({ code: "DATABASE_UNREACHABLE", exitCode: 75 });
    await server.start();
    expect(await start(server).ended).toBe("ended");
    await requireWhole(server, "ledger", rows);
    await tail.close();
  });
});

test("the server's own restart after one of its processes was killed is waited out, again and again", async () => {
  await using server = await startOwnServer();
  const running = start(server);
  for (const block of [30, 90, 150]) {
    await running.until(() => committedBlock(running) >= block);
    const [writer] = await server.query<{ pid: number }>(
      "select pid from pg_stat_activity where application_name like 'spindex %' order by backend_start desc limit 1",
    );
    process.kill(writer?.pid ?? 0, "SIGKILL");
    await reachable(server);
  }
  await requireEnded(running, server);
});
