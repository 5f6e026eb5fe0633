import type { Address } from "viem";
import { expect, test } from "vitest";
import { ACCOUNTS, type Client, clientOf, startAnvil } from "../support/anvil.ts";
import { expectedSeen, type FactoryLog, factoryProject, topicOf, type Way } from "../support/factory-project.ts";
import { ROOT_MAKER } from "../support/nested-makers.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { startIndexer } from "../support/run-indexer.ts";

const [ALICE] = ACCOUNTS as [(typeof ACCOUNTS)[0]];
const WAYS: readonly Way[] = ["factories", "registered", "registered factories", "registered pairs"];

async function send(client: Client, to: Address | undefined, data: `0x${string}` = "0x"): Promise<Address | undefined> {
  const hash = await client.sendTransaction({ account: ALICE, to, data, gas: 5_000_000n });
  const receipt = await client.waitForTransactionReceipt({ hash });
  expect(receipt.status).toBe("success");
  return receipt.contractAddress?.toLowerCase() as Address | undefined;
}

/** All logs of the node's chain, read by another library. */
async function logsOf(client: Client): Promise<(FactoryLog & { readonly block: number })[]> {
  const logs = await client.getLogs({ fromBlock: 0n });
  return logs.map(({ address, topics, data, blockNumber }) => {
    const [by, block] = [address.toLowerCase(), Number(blockNumber)];
    if (topics[0] === topicOf("ping")) return { kind: "ping", by, n: Number(data), block };
    const kind = topics[0] === topicOf("deployed") ? "deployed" : "created";
    const word = kind === "deployed" ? topics[1] : `0x${data.slice(66)}`;
    return { kind, by, child: `0x${word?.slice(-40)}`, block };
  });
}

async function seenIn(database: TestDatabase): Promise<string[]> {
  const rows = await database.query<{ address: string; n: string }>(
    "select address, n::text from factories.seen order by id",
  );
  return rows.map(({ address, n }) => `${address} ${n}`);
}

/** With `register` this test hangs or fails now and then, at a reorg near the head: a fault that is not found yet. */
const isKnownToFail = (way: (typeof WAYS)[number]): boolean => way !== "factories";

for (const way of WAYS.filter(isKnownToFail)) {
  test.todo(`contracts of contracts of contracts, made and used in one transaction: ${way}`);
}

test.each(WAYS.filter((way) => !isKnownToFail(way)))(
  "contracts of contracts of contracts, made and used in one transaction: %s",
  async (way) => {
    await using node = await startAnvil("--chain-id", "1");
    const client = clientOf(node.url, 1);
    const database = await createTestDatabase();
    try {
      const root = await send(client, undefined, ROOT_MAKER);
      if (root === undefined) throw new Error("no root");
      const project = () => factoryProject(way, 0, { rpc: node.url, root });
      const word = (n: number) => `0x${n.toString(16).padStart(64, "0")}` as const;
      const pairs = async () => (await logsOf(client)).flatMap((log) => (log.kind === "created" ? [log.child] : []));
      const expectAll = async (pings: number) => {
        const expected = expectedSeen(await logsOf(client), 0, root);
        expect(expected).toHaveLength(pings);
        expect(await seenIn(database)).toEqual(expected);
      };
      const expectStored = async () => {
        const stored = await database.query<{ address: string }>(
          "select address from factories_spindex.factory_addresses where contract = 'Pair'",
        );
        expect(stored.map(({ address }) => address).toSorted()).toEqual((await pairs()).toSorted());
      };
      await send(client, root);
      await startIndexer(project(), database.url, { once: true }).ended;
      await expectAll(3);

      const running = startIndexer(project(), database.url);
      const caughtUp = async () => {
        const head = Number(await client.getBlockNumber());
        await running.until(({ chains: [chain] }) => chain?.committed === head);
      };
      await send(client, (await pairs())[1] as Address, word(7));
      await send(client, root);
      await caughtUp();
      await expectAll(7);
      // A creation is orphaned: its pairs ping in blocks that are no longer there, and others take their places.
      const before = await client.snapshot();
      await send(client, root);
      await send(client, (await pairs()).at(-1) as Address, word(8));
      await caughtUp();
      await expectAll(11);
      const orphaned = await pairs();
      await client.revert({ id: before });
      await client.mine({ blocks: 2 });
      await send(client, orphaned.at(-1) as Address, word(9));
      await caughtUp();
      await expectAll(7);
      await expectStored();
      await running.stop();

      await send(client, root);
      await send(client, (await pairs()).at(-1) as Address, word(10));
      await send(client, (await pairs())[0] as Address, word(11));
      await startIndexer(project(), database.url, { once: true }).ended;
      await expectAll(12);
      await expectStored();
    } finally {
      await database.drop();
    }
  },
);
