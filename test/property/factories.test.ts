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
} from "../support/factory-project.ts";
import { buildChain, fakeAddress } from "../support/fake-chain.ts";

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
  batchItems: fc.integer({ min: 1, max: 10 }),
  startBlock: fc.integer({ min: 0, max: 8 }),
});

describe("what is handled is what a run handles that knows every address beforehand", () => {
  test("with factories of factories", async () => {
    await fc.assert(
      fc.asyncProperty(world, async ({ plan, finalized, maxBlocks, batchItems, startBlock }) => {
        const chain = buildChain({ blocks: plan.length, logs: (block) => (plan[block] ?? []).map(seedOf) });
        const source = chainSource({ chain, finalized, maxBlocks });
        const { seen } = await runFactories(factoryProject("factories", startBlock), source, { batchItems });
        expect(seen).toEqual(expectedSeen(plannedLogs(plan), startBlock));
      }),
      { numRuns: 300 },
    );
  });
});
