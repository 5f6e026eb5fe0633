import { afterAll, beforeAll, expect, test } from "vitest";
import { defineIndexer, entity, t } from "../../src/index.ts";
import { fakeAddress, forkChain, tokenChain } from "../support/fake-chain.ts";
import { type FakeNode, startFakeNode } from "../support/fake-node.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { startIndexer } from "../support/run-indexer.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

interface Options {
  readonly startBlock?: number;
  readonly runs: string[];
  readonly fail?: boolean;
}

/** Counts transfers, from a number that the set-up of the chain puts there. */
function countingFrom1000(name: string, node: FakeNode, { runs, startBlock = 0, fail = false }: Options) {
  const indexer = defineIndexer({
    name,
    schema: {
      counter: entity({ id: t.text(), count: t.int32() }),
      note: entity({ id: t.int32(), text: t.text() }, { appendOnly: true }),
    },
    chains: { local: { id: 1, sources: [{ rpc: node.url }], maxReorgDepth: 50, pollIntervalMs: 20 } },
    contracts: {
      Token: {
        abi: ["event Transfer(address indexed from, address indexed to, uint256 value)"],
        chains: { local: { address: fakeAddress(0xee20) as `0x${string}`, startBlock } },
      },
    },
  });
  indexer.onSetup(({ store, chain }) => {
    runs.push(chain.name);
    store.counter.set({ id: "transfers", count: 1000 });
    store.note.insert({ id: 1, text: `${chain.name} is set up` });
  });
  indexer.on("Token.Transfer", async ({ store }) => {
    if (fail) throw new Error("not today");
    await store.counter.update("transfers", ({ count }) => ({ count: count + 1 }));
  });
  return indexer;
}

async function stateOf(schema: string): Promise<unknown> {
  const [counter] = await database.query(`select count from ${schema}.counter`);
  const notes = await database.query(`select id, text, _checkpoint::int from ${schema}.note`);
  return { count: counter?.count, notes };
}

const NOTES = [{ id: 1, text: "local is set up", _checkpoint: 1 }];

test("a set-up runs once, with a checkpoint of its own, and no reorg takes it back", async () => {
  const main = tokenChain({ blocks: 40, transfersPerBlock: 2 });
  const node = await startFakeNode({ chain: main, head: 10 });
  const runs: string[] = [];
  try {
    const first = startIndexer(countingFrom1000("set_up", node, { runs }), database.url);
    await first.until(({ chains: [chain] }) => chain?.committed === 10);
    await first.stop();
    expect(await stateOf("set_up")).toEqual({ count: 1025, notes: NOTES });
    // Everything but the first block is replaced: the counter goes back to what it was after it.
    node.setChain(forkChain(main, 0, { blocks: 12, logs: () => [] }));
    const second = startIndexer(countingFrom1000("set_up", node, { runs }), database.url);
    await second.until(({ chains: [chain] }) => chain?.committed === 12);
    await second.stop();
    expect(await stateOf("set_up")).toEqual({ count: 1005, notes: NOTES });
    expect(runs).toEqual(["local"]);
  } finally {
    await node.close();
  }
});

test("a set-up stays when the first event fails, and does not run again", async () => {
  const node = await startFakeNode({ chain: tokenChain({ blocks: 10 }) });
  const runs: string[] = [];
  try {
    const failing = startIndexer(countingFrom1000("kept", node, { runs, startBlock: 5, fail: true }), database.url);
    await expect(failing.ended).rejects.toMatchObject({ code: "HANDLER_FAILED" });
    expect(await stateOf("kept")).toEqual({ count: 1000, notes: NOTES });
    const [chain] = await database.query("select block::int, checkpoint::int from kept_spindex.chains");
    expect(chain).toEqual({ block: 4, checkpoint: 1 });
    const again = startIndexer(countingFrom1000("kept", node, { runs, startBlock: 5 }), database.url, { once: true });
    expect(await again.ended).toBe("ended");
    expect(await stateOf("kept")).toEqual({ count: 1010, notes: NOTES });
    expect(runs).toEqual(["local"]);
  } finally {
    await node.close();
  }
});
