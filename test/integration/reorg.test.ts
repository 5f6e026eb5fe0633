import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { defineIndexer, entity, t } from "../../src/index.ts";
import { fakeAddress, forkChain, tokenChain, transferLog } from "../support/fake-chain.ts";
import { type FakeNode, startFakeNode } from "../support/fake-node.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { startIndexer } from "../support/run-indexer.ts";

const TOKEN = fakeAddress(0xee20) as `0x${string}`;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** An ERC-20 indexer in a schema of its own, with a row that is deleted and made again along the way. */
function indexerOf(name: string, node: FakeNode, maxReorgDepth = 20) {
  const schema = {
    account: entity({ id: t.address(), balance: t.int256().default(0n), transfers: t.int32().default(0) }),
    last: entity({ id: t.address(), block: t.int64() }),
    transfer: entity({ id: t.eventId(), from: t.address(), to: t.address(), value: t.uint256() }, { appendOnly: true }),
  };
  const indexer = defineIndexer({
    name,
    schema,
    chains: { local: { id: 1, sources: [{ rpc: node.url }], maxReorgDepth, pollIntervalMs: 20 } },
    contracts: {
      Token: {
        abi: ["event Transfer(address indexed from, address indexed to, uint256 value)"],
        chains: { local: { address: TOKEN } },
      },
    },
  });
  indexer.on("Token.Transfer", async ({ event, store }) => {
    const { from, to, value } = event.args;
    const sender = await store.account.getOrCreate({ id: from });
    store.account.set({ ...sender, balance: sender.balance - value, transfers: sender.transfers + 1 });
    const receiver = await store.account.getOrCreate({ id: to });
    store.account.set({ ...receiver, balance: receiver.balance + value });
    store.transfer.insert({ id: event.id, from, to, value });
    if (event.block.number % 3n === 0n) store.last.delete(from);
    else store.last.set({ id: from, block: event.block.number });
  });
  return indexer;
}

const TABLES = ["account", "last", "transfer"];

async function rowsOf(schema: string): Promise<Record<string, unknown>> {
  const tables: Record<string, unknown> = {};
  for (const table of TABLES) {
    const rows = await database.query(
      `select to_jsonb(t) - '_checkpoint' as row from ${schema}.${table} t order by id`,
    );
    tables[table] = rows.map(({ row }) => row);
  }
  return tables;
}

/** The rows of a run that saw only this chain. */
async function freshRows(name: string, node: FakeNode): Promise<Record<string, unknown>> {
  const fresh = startIndexer(indexerOf(name, node), database.url, { once: true });
  expect(await fresh.ended).toBe("ended");
  return rowsOf(name);
}

describe("a reorg during live indexing", () => {
  test.each([1, 2, 7, 19])("of depth %i leaves the rows of the final chain", async (depth) => {
    const name = `live_${depth}`;
    const main = tokenChain({ blocks: 60, transfersPerBlock: 3 });
    const node = await startFakeNode({ chain: main, head: 40 });
    try {
      const running = startIndexer(indexerOf(name, node), database.url);
      for (const head of [45, 50, 59]) {
        node.setHead(head);
        await running.until(({ chains: [chain] }) => chain?.committed === head);
      }
      const fork = forkChain(main, 59 - depth, {
        blocks: depth + 3,
        logs: (block) => [
          transferLog({ token: TOKEN, from: fakeAddress(1), to: fakeAddress(900 + block), value: BigInt(block) }),
        ],
      });
      node.setChain(fork);
      await running.until(({ chains: [chain] }) => chain?.committed === 62);
      expect(await running.stop()).toBe("stopped");
      expect(await rowsOf(name)).toEqual(await freshRows(`fresh_${depth}`, node));
      const audits = await database.query(
        `select ancestor_block::int, orphaned_to_block::int, cardinality(orphaned_hashes) as hashes from ${name}_spindex.reorgs`,
      );
      expect(audits).toEqual([{ ancestor_block: 59 - depth, orphaned_to_block: 59, hashes: depth }]);
    } finally {
      await node.close();
    }
  });

  test("is answered again and again, back and forth", async () => {
    const main = tokenChain({ blocks: 80, transfersPerBlock: 2 });
    const node = await startFakeNode({ chain: main, head: 50 });
    try {
      const running = startIndexer(indexerOf("flapping", node), database.url);
      await running.until(({ chains: [chain] }) => chain?.committed === 50);
      let head = 50;
      for (const [i, depth] of [3, 1, 8, 2, 5].entries()) {
        const before = i % 2 === 0 ? main : forkChain(main, head - depth, { blocks: depth + 10, seed: `fork ${i}` });
        node.setChain(before, head + 2);
        head += 2;
        await running.until(({ chains: [chain] }) => chain?.committed === head);
        node.setChain(main, head + 1);
        head += 1;
        await running.until(({ chains: [chain] }) => chain?.committed === head && chain.head === head);
      }
      node.setChain(main, 79);
      await running.until(({ chains: [chain] }) => chain?.committed === 79);
      await running.stop();
      expect(await rowsOf("flapping")).toEqual(await freshRows("flapping_fresh", node));
    } finally {
      await node.close();
    }
  });
});

test("a second reorg above the first, among the same heights, takes back its own blocks only", async () => {
  const main = tokenChain({ blocks: 60, transfersPerBlock: 2 });
  const node = await startFakeNode({ chain: main, head: 50 });
  const transfers = (value: number) => (block: number) =>
    [
      transferLog({ token: TOKEN, from: fakeAddress(1), to: fakeAddress(900 + block), value: BigInt(value + block) }),
    ] as const;
  try {
    const running = startIndexer(indexerOf("deep_shallow", node), database.url);
    await running.until(({ chains: [chain] }) => chain?.committed === 50);
    const deep = forkChain(main, 40, { blocks: 14, seed: "deep", logs: transfers(1_000) });
    node.setChain(deep);
    await running.until(({ chains: [chain] }) => chain?.committed === 54);
    const shallow = forkChain(deep, 46, { blocks: 10, seed: "shallow", logs: transfers(2_000) });
    node.setChain(shallow);
    await running.until(({ chains: [chain] }) => chain?.committed === 56);
    await running.stop();
    expect(await rowsOf("deep_shallow")).toEqual(await freshRows("deep_shallow_fresh", node));
  } finally {
    await node.close();
  }
});

test("a reorg while the indexer is down is found at the next start", async () => {
  const main = tokenChain({ blocks: 60, transfersPerBlock: 3 });
  const node = await startFakeNode({ chain: main, head: 59 });
  try {
    const first = startIndexer(indexerOf("down", node), database.url);
    await first.until(({ chains: [chain] }) => chain?.committed === 59);
    await first.stop();
    node.setChain(forkChain(main, 55, { blocks: 4, logs: () => [] }));
    const second = startIndexer(indexerOf("down", node), database.url);
    await second.until(({ chains: [chain] }) => chain?.committed === 59 && chain.head === 59);
    await second.stop();
    expect(await rowsOf("down")).toEqual(await freshRows("down_fresh", node));
  } finally {
    await node.close();
  }
});

test.each(["down", "cut off"])(
  "a reorg is found also when the head is far away by then (%s meanwhile)",
  async (how) => {
    const name = `far_${how.replace(" ", "_")}`;
    const main = tokenChain({ blocks: 60, transfersPerBlock: 3 });
    const node = await startFakeNode({ chain: main, head: 59 });
    // Everything that the first session saw inside its window is final when the next block is asked for.
    const fork = forkChain(main, 50, { blocks: 400, logs: () => [] });
    try {
      const first = startIndexer(indexerOf(name, node), database.url);
      await first.until(({ chains: [chain] }) => chain?.committed === 59);
      if (how === "down") await first.stop();
      node.setChain(fork);
      const second = how === "down" ? startIndexer(indexerOf(name, node), database.url) : first;
      await second.until(({ chains: [chain] }) => chain?.committed === 450);
      await second.stop();
      expect(await rowsOf(name)).toEqual(await freshRows(`${name}_fresh`, node));
    } finally {
      await node.close();
    }
  },
);

test("a window of many hundred blocks is taken back whole", async () => {
  const main = tokenChain({ blocks: 901, transfersPerBlock: 1 });
  const node = await startFakeNode({ chain: main, head: 900 });
  try {
    const running = startIndexer(indexerOf("wide", node, 800), database.url);
    await running.until(({ chains: [chain] }) => chain?.committed === 900);
    node.setChain(forkChain(main, 200, { blocks: 705, logs: () => [] }));
    await running.until(({ chains: [chain] }) => chain?.committed === 905);
    await running.stop();
    expect(await rowsOf("wide")).toEqual(await freshRows("wide_fresh", node));
  } finally {
    await node.close();
  }
});

test("a reorg deeper than the history that is kept stops with the choices", async () => {
  const main = tokenChain({ blocks: 60, transfersPerBlock: 1 });
  const node = await startFakeNode({ chain: main, head: 59 });
  try {
    const running = startIndexer(indexerOf("deep", node, 5), database.url);
    await running.until(({ chains: [chain] }) => chain?.committed === 59);
    const before = await rowsOf("deep");
    node.setChain(forkChain(main, 40, { blocks: 25, logs: () => [] }));
    await expect(running.ended).rejects.toMatchObject({ code: "REORG_TOO_DEEP", exitCode: 2 });
    expect(await rowsOf("deep")).toEqual(before);
  } finally {
    await node.close();
  }
});
