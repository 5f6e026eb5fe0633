import { afterAll, beforeAll, expect, test } from "vitest";
import { defineIndexer, entity, t } from "../../src/index.ts";
import { limitsOf } from "../../src/indexer/limits.ts";
import { fakeAddress, forkChain, tokenChain } from "../support/fake-chain.ts";
import { type FakeNode, startFakeNode } from "../support/fake-node.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { startIndexer } from "../support/run-indexer.ts";

const TOKEN = fakeAddress(0xee20) as `0x${string}`;
const MIB = 1024 * 1024;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

function indexerOf(name: string, node: FakeNode) {
  const schema = {
    account: entity({ id: t.address(), balance: t.int256().default(0n) }, { indexes: [["balance"]] }),
    transfer: entity({ id: t.eventId(), value: t.uint256() }, { appendOnly: true }),
  };
  const indexer = defineIndexer({
    name,
    schema,
    chains: { local: { id: 1, sources: [{ rpc: node.url }], maxReorgDepth: 10, pollIntervalMs: 20 } },
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
    store.account.set({ ...sender, balance: sender.balance - value });
    const receiver = await store.account.getOrCreate({ id: to });
    store.account.set({ ...receiver, balance: receiver.balance + value });
    store.transfer.insert({ id: event.id, value });
  });
  return indexer;
}

/** Limits with which history is pruned as soon as it may be. */
const limits = {
  ...limitsOf({
    capacityChanges: 100_000,
    capacityBytes: 64 * MIB,
    cacheBytes: 64 * MIB,
    writeRetryBudgetMs: 5_000,
    startBudgetMs: 5_000,
  }),
  pruneEveryMs: 20,
};

async function until(condition: () => Promise<boolean>): Promise<void> {
  while (!(await condition())) await new Promise((resolve) => setImmediate(resolve));
}

async function rowsOf(schema: string): Promise<unknown> {
  const rows = async (table: string): Promise<unknown> =>
    (await database.query(`select to_jsonb(t) - '_checkpoint' as row from ${schema}.${table} t order by id`)).map(
      ({ row }) => row,
    );
  return { account: await rows("account"), transfer: await rows("transfer") };
}

const indexesOf = (schema: string): Promise<unknown[]> =>
  database.query("select indexname as name from pg_indexes where schemaname = $1 and indexname like '%idx'", [schema]);

test("an indexer that ends has built its secondary indexes", async () => {
  const node = await startFakeNode({ chain: tokenChain({ blocks: 30, transfersPerBlock: 3 }) });
  try {
    const running = startIndexer(indexerOf("once_indexed", node), database.url, { once: true });
    expect(await running.ended).toBe("ended");
    expect(await indexesOf("once_indexed")).toContainEqual({ name: "account_balance_idx" });
  } finally {
    await node.close();
  }
});

test("an indexer that has reached the head builds its secondary indexes, and goes on", async () => {
  const node = await startFakeNode({ chain: tokenChain({ blocks: 60, transfersPerBlock: 3 }), head: 40 });
  try {
    const running = startIndexer(indexerOf("live_indexed", node), database.url);
    const { indexes } = await running.until((status) => status.indexes.done === 1);
    expect(indexes).toMatchObject({ total: 1 });
    expect(await indexesOf("live_indexed")).toContainEqual({ name: "account_balance_idx" });
    node.setHead(50);
    await running.until(({ chains: [chain] }) => chain?.committed === 50);
    await running.stop();
  } finally {
    await node.close();
  }
});

test("what is known of a chain comes to the database, also while nothing is to be indexed", async () => {
  const node = await startFakeNode({ chain: tokenChain({ blocks: 60, transfersPerBlock: 3 }), head: 40 });
  try {
    const running = startIndexer(indexerOf("metadata", node), database.url);
    await running.until(({ chains: [chain] }) => chain?.committed === 40);
    const known = async (): Promise<unknown> => {
      const [row] = await database.query(
        "select head::int, live, sources->0->>'state' as state, block::int from metadata_spindex.chains",
      );
      return row;
    };
    await until(async () => ((await known()) as { live: boolean }).live);
    expect(await known()).toEqual({ head: 40, live: true, state: "ok", block: 40 });
    node.misbehave({ kind: "http", status: 503, body: "away" });
    await until(async () => ((await known()) as { state: string }).state === "failing");
    expect(await known()).toEqual({ head: 40, live: true, state: "failing", block: 40 });
    await running.stop();
  } finally {
    await node.close();
  }
});

test("history is pruned behind the window while the indexer runs, and a reorg inside it is still answered", async () => {
  const main = tokenChain({ blocks: 90, transfersPerBlock: 3 });
  const node = await startFakeNode({ chain: main, head: 40 });
  try {
    const running = startIndexer(indexerOf("pruned", node), database.url, { limits });
    for (let head = 45; head <= 80; head += 5) {
      node.setHead(head);
      await running.until(({ chains: [chain] }) => chain?.committed === head);
    }
    const oldest = async (): Promise<unknown> => {
      const [row] = await database.query(`
        select (select min(c.block)::int from pruned_spindex.account_history h
                  join pruned_spindex.checkpoints c on c.checkpoint = h._changed_at) as history,
          (select min(block)::int from pruned_spindex.checkpoints) as checkpoint,
          (select min(number)::int from pruned_spindex.blocks) as header`);
      return row;
    };
    await until(async () => ((await oldest()) as { header: number }).header === 70);
    expect(await oldest()).toEqual({ history: 71, checkpoint: 70, header: 70 });
    node.setChain(forkChain(main, 70, { blocks: 15 }));
    await running.until(({ chains: [chain] }) => chain?.committed === 85);
    await running.stop();
    const fresh = startIndexer(indexerOf("pruned_fresh", node), database.url, { once: true });
    expect(await fresh.ended).toBe("ended");
    expect(await rowsOf("pruned")).toEqual(await rowsOf("pruned_fresh"));
  } finally {
    await node.close();
  }
});
