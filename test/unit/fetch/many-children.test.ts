import { expect, test } from "vitest";
import type { Address } from "../../../src/chain/hex.ts";
import { ChildRegistry } from "../../../src/fetch/child-registry.ts";
import { LogSelection } from "../../../src/fetch/log-selection.ts";
import { chainSource } from "../../support/chain-source.ts";
import { factoryProject, ROOT, runFactories, seedOf } from "../../support/factory-project.ts";
import { buildChain, fakeAddress, fakeHash } from "../../support/fake-chain.ts";
import { pageOf } from "../../support/log-pages.ts";

const CHILDREN = 100_000;
const TOPIC = fakeHash("ping") as `0x${string}`;
const childAt = (n: number): Address => `0x${fakeHash("child", n).slice(26)}`;

function selectionOf(registry: ChildRegistry): LogSelection {
  const event = { route: 0, label: "Pair.Ping", contract: "Pair", topic: TOPIC, topicCount: 1 };
  const bounds = { startBlock: 0, endBlock: Number.POSITIVE_INFINITY };
  const other = { ...event, route: 1, label: "Token.Transfer", contract: "Token", topic: fakeHash("t") as Address };
  return new LogSelection([
    { ...event, ...bounds, addresses: [], children: registry.of("Pair") },
    { ...other, ...bounds, addresses: [fakeAddress(1) as Address] },
  ]);
}

test("a contract of more than 500 addresses is asked for anywhere, from the block on that has so many, and others are not", () => {
  const registry = new ChildRegistry();
  const selection = selectionOf(registry);
  for (let n = 0; n <= 500; n++) registry.add({ contract: "Pair", address: childAt(n), block: n });
  const asked = (block: number) => selection.queries(0, block).map(({ addresses }) => addresses?.length);
  expect(asked(499)).toEqual([501]);
  expect(asked(500)).toEqual([undefined, 1]);
  expect(selection.queries(0, 500).map(({ topics }) => topics)).toEqual([[TOPIC], [fakeHash("t")]]);
});

test("100,000 addresses take little memory, and a log of one of them no search", () => {
  const known = Array.from({ length: CHILDREN }, (_, n) => ({ contract: "Pair", address: childAt(n), block: n }));
  const before = process.memoryUsage().arrayBuffers;
  const registry = new ChildRegistry(known);
  // Their bits and where to find them, and what growing has left to be collected; beside that a number each, the block.
  expect((process.memoryUsage().arrayBuffers - before) / CHILDREN).toBeLessThan(128);
  const selection = selectionOf(registry);
  const log = (address: Address, blockNumber: number, logIndex: number) => ({
    address,
    topics: [TOPIC],
    blockNumber,
    logIndex,
  });
  const last = CHILDREN - 1;
  const page = pageOf(
    ...Array.from({ length: 1_000 }, (_, n) => log(childAt(n * 100), last, n)),
    ...Array.from({ length: 1_000 }, (_, n) => log(childAt(CHILDREN + n), last, 1_000 + n)),
    log(childAt(last), last - 1, 2_000),
  );
  const { rows } = selection.route(page);
  expect(rows.length).toBe(1_000);
  const used = process.cpuUsage();
  for (let i = 0; i < 50; i++) selection.route(page);
  // 100,000 logs: some ten milliseconds of CPU time; a search through all children for each would take minutes.
  expect(process.cpuUsage(used).user / 1000).toBeLessThan(2_000);
});

test("a chain of 100,000 children is indexed by queries for ranges, not for addresses", {
  timeout: 60_000,
}, async () => {
  const blocks = 200;
  const perBlock = CHILDREN / blocks;
  const factory = fakeAddress(0x2001);
  const chain = buildChain({
    blocks: blocks + 1,
    logs: (block) => {
      if (block === 0) return [seedOf({ kind: "deployed", by: ROOT, child: factory })];
      const first = (block - 1) * perBlock;
      return [
        ...Array.from({ length: perBlock }, (_, n) =>
          seedOf({ kind: "created", by: factory, child: childAt(first + n) }),
        ),
        seedOf({ kind: "ping", by: childAt(first), n: block }),
        seedOf({ kind: "ping", by: childAt(CHILDREN + block), n: block }),
      ];
    },
  });
  const source = chainSource({ chain, finalized: blocks, maxBlocks: 50 });
  const { seen, database } = await runFactories(factoryProject("factories"), source);
  expect(seen).toHaveLength(blocks);
  expect(database.state.children.size).toBe(CHILDREN + 1);
  expect(source.queries.length).toBeLessThan(60);
});
