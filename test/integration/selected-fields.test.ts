import { afterAll, beforeAll, expect, test } from "vitest";
import { defineIndexer, entity, t } from "../../src/index.ts";
import { type FakeChain, fakeAddress, forkChain, tokenChain, transferLog } from "../support/fake-chain.ts";
import { blockFieldsOf, transactionFieldsOf } from "../support/fake-fields.ts";
import { type FakeNode, startFakeNode } from "../support/fake-node.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { startIndexer } from "../support/run-indexer.ts";

const TOKEN = fakeAddress(0xee20) as `0x${string}`;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** Stores what each transfer cost. */
function feesOf(name: string, node: FakeNode, fields: "all" | "no price" = "all") {
  const indexer = defineIndexer({
    name,
    schema: {
      fee: entity(
        {
          id: t.eventId(),
          price: t.uint256(),
          base: t.uint256().nullable(),
          sender: t.address(),
          receiver: t.address().nullable(),
        },
        { appendOnly: true },
      ),
    },
    chains: { local: { id: 1, sources: [{ rpc: node.url }], maxReorgDepth: 20, pollIntervalMs: 20 } },
    contracts: {
      Token: {
        abi: ["event Transfer(address indexed from, address indexed to, uint256 value)"],
        chains: { local: { address: TOKEN } },
      },
    },
  });
  if (fields === "all") {
    indexer.on(
      "Token.Transfer",
      { fields: { block: ["baseFeePerGas"], transaction: ["gasPrice", "from", "to"] } },
      ({ event, store }) => {
        const { gasPrice: price, from: sender, to: receiver } = event.transaction;
        store.fee.insert({ id: event.id, price, base: event.block.baseFeePerGas, sender, receiver });
      },
    );
  } else {
    indexer.on("Token.Transfer", { fields: { transaction: ["from", "to"] } }, () => {});
  }
  return indexer;
}

async function feesIn(schema: string): Promise<readonly unknown[]> {
  return database.query(`select price::text, base::text, sender, receiver from ${schema}.fee order by id`);
}

function expectedFees(chain: FakeChain): readonly unknown[] {
  return chain.blocks.flatMap((block) =>
    block.logs.map((log) => {
      const { gasPrice, from, to } = transactionFieldsOf(log);
      const base = blockFieldsOf(block).baseFeePerGas;
      return { price: String(gasPrice), base: base === null ? null : String(base), sender: from, receiver: to };
    }),
  );
}

test("selected fields of blocks and transactions are stored, from the backfill to the head and over a reorg", async () => {
  const main = tokenChain({ blocks: 60, transfersPerBlock: 2 });
  const node = await startFakeNode({ chain: main, head: 40 });
  try {
    const running = startIndexer(feesOf("fees", node), database.url);
    await running.until(({ chains: [chain] }) => chain?.committed === 40);
    node.setHead(59);
    await running.until(({ chains: [chain] }) => chain?.committed === 59);
    expect(await feesIn("fees")).toEqual(expectedFees(main));
    const fork = forkChain(main, 55, {
      blocks: 8,
      logs: (block) => [
        transferLog({ token: TOKEN, from: fakeAddress(1), to: fakeAddress(2), value: BigInt(block) }),
        transferLog({ token: TOKEN, from: fakeAddress(2), to: fakeAddress(3), value: BigInt(block) }),
        transferLog({ token: TOKEN, from: fakeAddress(3), to: fakeAddress(1), value: BigInt(block) }),
      ],
    });
    node.setChain(fork);
    await running.until(({ chains: [chain] }) => chain?.committed === 63);
    expect(await running.stop()).toBe("stopped");
    expect(await feesIn("fees")).toEqual(expectedFees(fork));
  } finally {
    await node.close();
  }
});

test("other fields than those of the rows that are there are refused", async () => {
  const node = await startFakeNode({ chain: tokenChain({ blocks: 5 }) });
  try {
    expect(await startIndexer(feesOf("refused", node), database.url, { once: true }).ended).toBe("ended");
    await expect(
      startIndexer(feesOf("refused", node, "no price"), database.url, { once: true }).ended,
    ).rejects.toMatchObject({
      code: "DATABASE_INCOMPATIBLE",
      message: expect.stringContaining("fields"),
    });
  } finally {
    await node.close();
  }
});
