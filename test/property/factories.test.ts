import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { chainSource } from "../support/chain-source.ts";
import {
  expectedSeen,
  type FactoryLog,
  factoryProject,
  plannedLogs,
  ROOT,
  runFactories,
  seedOf,
  type Way,
} from "../support/factory-project.ts";
import { buildChain, fakeAddress, forkChain } from "../support/fake-chain.ts";

const FACTORIES = [1, 2, 3].map((n) => fakeAddress(0x2000 + n));
const PAIRS = [1, 2, 3, 4, 5].map((n) => fakeAddress(0x3000 + n));

/** Factories and pairs are used before they are made, in the same block and later; some are made by strangers. */
const log: fc.Arbitrary<FactoryLog> = fc.oneof(
  fc.record({
    kind: fc.constant("deployed" as const),
    by: fc.constantFrom(ROOT, ROOT, fakeAddress(7)),
    child: fc.constantFrom(...FACTORIES),
  }),
  fc.record({
    kind: fc.constant("created" as const),
    by: fc.constantFrom(...FACTORIES),
    child: fc.constantFrom(...PAIRS),
  }),
  fc.record({ kind: fc.constant("ping" as const), by: fc.constantFrom(...PAIRS, ...FACTORIES), n: fc.nat(1_000_000) }),
);

const world = fc.record({
  plan: fc.array(fc.array(log, { maxLength: 4 }), { minLength: 1, maxLength: 25 }),
  finalized: fc.integer({ min: -1, max: 25 }),
  maxBlocks: fc.integer({ min: 1, max: 30 }),
  maxRangeBlocks: fc.integer({ min: 1, max: 30 }),
  batchItems: fc.integer({ min: 1, max: 10 }),
  startBlock: fc.integer({ min: 0, max: 8 }),
});

const WAYS: readonly Way[] = ["factories", "registered", "registered factories", "registered pairs"];
type Plan = readonly (readonly FactoryLog[])[];
const logsOf = (plan: Plan) => (block: number) => (plan[block] ?? []).map(seedOf);

describe("what is handled", () => {
  test.each(WAYS)("%s: it is what a run handles that knows every address beforehand", async (way) => {
    await fc.assert(
      fc.asyncProperty(world, async ({ plan, finalized, maxBlocks, maxRangeBlocks, batchItems, startBlock }) => {
        const chain = buildChain({ blocks: plan.length, logs: logsOf(plan) });
        const source = chainSource({ chain, finalized, maxBlocks });
        const { seen, database } = await runFactories(factoryProject(way, startBlock, { maxRangeBlocks }), source, {
          batchItems,
        });
        expect(seen).toEqual(expectedSeen(plannedLogs(plan), startBlock));
        if (startBlock < plan.length) expect(database.progress[0]?.block).toBe(plan.length - 1);
      }),
      { numRuns: 200 },
    );
  });

  test.each(WAYS)(
    "%s, over restarts and a reorg: it is what a run handles that knows every address beforehand",
    async (way) => {
      const input = fc.record({ world, cut: fc.nat(), ancestor: fc.nat(), orphaned: world });
      await fc.assert(
        fc.asyncProperty(input, async ({ world: { plan, maxBlocks, batchItems, ...config }, ...other }) => {
          const { maxRangeBlocks, startBlock } = config;
          const ancestor = other.ancestor % plan.length;
          const cut = other.cut % (ancestor + 1);
          const orphaned = other.orphaned.plan.slice(0, plan.length - ancestor - 1);
          const settings = { finalized: Math.min(other.orphaned.finalized, ancestor), maxBlocks };
          const first = buildChain({ blocks: ancestor + 1, logs: logsOf(plan) });
          const dead = forkChain(first, ancestor, {
            seed: "dead",
            blocks: orphaned.length,
            logs: (block) => logsOf(orphaned)(block - ancestor - 1),
          });
          const best = forkChain(first, ancestor, { blocks: plan.length - ancestor, logs: logsOf(plan) });
          const start = { id: first.id, blocks: first.blocks.slice(0, cut + 1) };
          const project = () => factoryProject(way, startBlock, { maxRangeBlocks });
          let { database } = await runFactories(project(), chainSource({ chain: start, ...settings }), { batchItems });
          ({ database } = await runFactories(project(), chainSource({ chain: dead, ...settings }), {
            database,
            batchItems,
          }));
          const end = chainSource({ chain: best, ...settings });
          const { seen } = await runFactories(project(), end, { database, batchItems });
          expect(seen).toEqual(expectedSeen(plannedLogs(plan), startBlock));
        }),
        { numRuns: 100 },
      );
    },
  );
});
