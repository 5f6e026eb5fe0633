import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLog } from "../../src/instrument/log.ts";
import { tokenChain } from "../support/fake-chain.ts";
import { startFakeNode } from "../support/fake-node.ts";
import { fastClock } from "../support/fast-clock.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { startIndexer } from "../support/run-indexer.ts";
import { upgradeProject } from "../support/upgrade-project.ts";

const chain = tokenChain({ blocks: 60, transfersPerBlock: 3 });

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const isAt = (block: number) => (status: { chains: readonly { committed: number | undefined }[] }) =>
  status.chains[0]?.committed === block;

describe("a second indexer of the same shard", () => {
  test("waits without fetching, shows whom it waits for, and goes on where the first one ended", async () => {
    const [node, other] = [await startFakeNode({ chain, head: 30 }), await startFakeNode({ chain, head: 59 })];
    const lines: { event: string }[] = [];
    const log = createLog({
      level: "info",
      format: "json",
      destination: { write: (line) => void lines.push(JSON.parse(line)) },
    });
    const first = startIndexer(upgradeProject(node.url, "handover"), database.url);
    await first.until(isAt(30));
    expect(first.status()).toMatchObject({ leaseHeld: true, standby: undefined, starts: { count: 1 } });
    const second = startIndexer(upgradeProject(other.url, "handover"), database.url, { clock: fastClock(10), log });
    await second.until(({ standby }) => standby !== undefined);
    const [{ since } = { since: 0 }] = await database.query<{ since: number }>(
      "select floor(extract(epoch from acquired_at) * 1000)::float8 as since from handover_spindex.shards",
    );
    expect(second.status()).toMatchObject({
      ready: false,
      leaseHeld: false,
      failure: undefined,
      starts: undefined,
      standby: { holder: expect.stringMatching(/ process \d+$/), since },
      chains: [],
    });
    node.setHead(40);
    await first.until(isAt(40));
    // Its node was asked who it is, and for nothing else.
    expect(new Set(other.log.map(({ method }) => method))).toEqual(new Set(["eth_chainId"]));
    expect(await first.stop()).toBe("stopped");
    await second.until(isAt(59));
    expect(second.status()).toMatchObject({
      leaseHeld: true,
      standby: undefined,
      starts: { count: 2, lastExit: { code: "stopped", class: "ok" } },
    });
    expect(lines.filter(({ event }) => event === "lease.standby")).toHaveLength(1);
    // It went on after block 40 and asked for nothing before.
    const asked = other.log.filter(({ method }) => method === "eth_getLogs").map(({ params }) => params[0]);
    expect(asked.length).toBeGreaterThan(0);
    for (const filter of asked) expect(Number((filter as { fromBlock: string }).fromBlock)).toBeGreaterThan(40);
    expect(await second.stop()).toBe("stopped");
    await Promise.all([node.close(), other.close()]);
  });

  test("that is stopped while it waits ends as stopped, and has changed nothing", async () => {
    const node = await startFakeNode({ chain, head: 30 });
    const first = startIndexer(upgradeProject(node.url, "waiting"), database.url);
    await first.until(isAt(30));
    const second = startIndexer(upgradeProject(node.url, "waiting"), database.url);
    await second.until(({ standby }) => standby !== undefined);
    expect(await second.stop()).toBe("stopped");
    expect(await database.query("select count(*)::int as n from waiting_spindex.starts")).toEqual([{ n: 1 }]);
    await first.stop();
    await node.close();
  });
});

test("an indexer whose shard is taken over stops at once with WRITER_FENCED, also when it has nothing to write", async () => {
  const node = await startFakeNode({ chain, head: 30 });
  const clock = fastClock(10);
  const first = startIndexer(upgradeProject(node.url, "fenced"), database.url, { clock });
  await first.until(isAt(30));
  // Another process has taken it: both tokens are that one's.
  await database.query(
    "update fenced_spindex.shards set token = 'another', holder = 'host-b process 1', starts = starts + 1",
  );
  await database.query("update fenced_spindex.leases set token = 'another'");
  await expect(first.ended).rejects.toMatchObject({
    code: "WRITER_FENCED",
    exitCode: 75,
    // Found by a renewal, or by a write of chain metadata.
    message: expect.stringMatching(/shard default .*is now (held|written) by host-b process 1$/),
  });
  expect(first.status()).toMatchObject({ leaseHeld: false, failure: { code: "WRITER_FENCED" } });
  const [row] = await database.query("select outcome, exit_class from fenced_spindex.starts");
  expect(row).toEqual({ outcome: "WRITER_FENCED", exit_class: "retry" });
  await node.close();
});
