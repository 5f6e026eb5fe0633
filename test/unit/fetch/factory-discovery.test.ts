import { expect, test } from "vitest";
import { chainSource } from "../../support/chain-source.ts";
import { type FactoryLog, factoryProject, ROOT, runFactories, seedOf } from "../../support/factory-project.ts";
import { buildChain, type FakeChain, fakeAddress, forkChain } from "../../support/fake-chain.ts";

const [FACTORY, PAIR] = [fakeAddress(0x2001), fakeAddress(0x3001)];
const deployed: FactoryLog = { kind: "deployed", by: ROOT, child: FACTORY };
const created: FactoryLog = { kind: "created", by: FACTORY, child: PAIR };
const ping = (n: number): FactoryLog => ({ kind: "ping", by: PAIR, n });

function chainOf(...plan: readonly (readonly FactoryLog[])[]): FakeChain {
  return buildChain({ blocks: plan.length, logs: (block) => (plan[block] ?? []).map(seedOf) });
}

test("what a factory brought in a block that was replaced before its children's logs came is forgotten", async () => {
  const chain = chainOf([deployed], [created], [ping(1)]);
  // The same pings, and nothing that brings their address.
  const fork = forkChain(chain, 0, { blocks: 2, logs: (block) => (block === 2 ? [seedOf(ping(2))] : []) });
  const options = { chain, finalized: 0 };
  const source = chainSource(options);
  const { logs } = source;
  let isReplaced = false;
  source.logs = async (query, ...rest) => {
    const page = await logs(query, ...rest);
    // The last pass over the factories has been read, and the logs of the pair come next.
    if (query.addresses?.includes(FACTORY as `0x${string}`) && query.toBlock === 2) {
      isReplaced = true;
      options.chain = fork;
    }
    return page;
  };
  const { seen, database } = await runFactories(factoryProject("factories"), source);
  expect(isReplaced).toBe(true);
  expect(seen).toEqual([]);
  expect([...database.state.children.values()].map(({ contract }) => contract)).toEqual(["Factory"]);
});

test("events of factories are read ahead once, in ranges that are wider than those of logs", async () => {
  const blocks = 300;
  const chain = buildChain({
    blocks,
    logs: (block) =>
      block === 0
        ? [deployed, created].map(seedOf)
        : Array.from({ length: 150 }, (_, n) => seedOf(ping(block * 1_000 + n))),
  });
  const source = chainSource({ chain, finalized: blocks });
  const { seen } = await runFactories(factoryProject("factories", 0, { maxRangeBlocks: 50 }), source);
  expect(seen).toHaveLength((blocks - 1) * 150);
  const ofPair = source.queries.filter(({ addresses }) => addresses?.includes(PAIR as `0x${string}`));
  const ofRoot = source.queries.filter(({ addresses }) => addresses?.includes(ROOT as `0x${string}`));
  expect(ofRoot.map(({ fromBlock, toBlock }) => [fromBlock, toBlock])).toEqual(
    [0, 50, 100, 150, 200, 250].map((from) => [from, from + 49]),
  );
  expect(ofPair.length).toBeGreaterThan(ofRoot.length);
});

test("where blocks may be replaced they are read with the logs, once as well", async () => {
  const chain = buildChain({
    blocks: 60,
    logs: (block) => (block === 0 ? [deployed, created] : [ping(block)]).map(seedOf),
  });
  const source = chainSource({ chain, finalized: 9 });
  const { seen } = await runFactories(factoryProject("factories", 0, { maxRangeBlocks: 10 }), source);
  expect(seen).toHaveLength(59);
  const ofRoot = source.queries.filter(({ addresses }) => addresses?.includes(ROOT as `0x${string}`));
  expect(ofRoot.map(({ fromBlock, toBlock }) => [fromBlock, toBlock])).toEqual(
    [0, 10, 20, 30, 40, 50].map((from) => [from, from + 9]),
  );
});

test("a factory counts from its first block on also where there are too many to ask for each", async () => {
  const many = Array.from({ length: 600 }, (_, n): FactoryLog => ({ ...deployed, child: fakeAddress(0x9000 + n) }));
  const source = chainSource({ chain: chainOf(many, [ping(1), created, deployed], [ping(2)]), finalized: 2 });
  const { seen } = await runFactories(factoryProject("factories", 0, { maxRangeBlocks: 1 }), source);
  expect(seen).toEqual([`${PAIR} 1`, `${PAIR} 2`]);
});

test("an event that does not decode is counted, unless a handler gets it", async () => {
  const short = { ...seedOf(created), data: "0x" };
  const chain = buildChain({ blocks: 2, logs: (block) => (block === 0 ? [seedOf(deployed)] : [short]) });
  const source = () => chainSource({ chain, finalized: 1 });
  const { session } = await runFactories(factoryProject("factories"), source());
  expect(session?.totals.undecodable).toEqual([{ chain: "mainnet", reason: "data_short", count: 1 }]);
  const handled = factoryProject("factories") as ReturnType<typeof factoryProject> & {
    on(event: string, handler: () => void): void;
  };
  handled.on("Factory.Created", () => {});
  const again = await runFactories(handled, source());
  expect(again.session?.totals.undecodable.map(({ count }) => count)).toEqual([1]);
});
