import fc from "fast-check";
import { expect, test } from "vitest";
import { plan } from "../support/world/plan.ts";
import { World } from "../support/world/world.ts";

/**
 * The store, both loops and the handlers' view of it, over a storage in memory: whatever the events do, however writes
 * fail and processes end, in whatever order things happen. A failure prints its seed; HEART_RUNS=5000 searches longer,
 * HEART_SEED repeats a search, HEART_SHRINK=no leaves the first failure as it is.
 */
test("rows, progress, history and runs are those of a plain fold of the events", { timeout: 60_000 }, async () => {
  await fc.assert(
    fc.asyncProperty(plan, async (planned) => {
      await new World(planned).run();
    }),
    {
      numRuns: Number(process.env.HEART_RUNS ?? 400),
      interruptAfterTimeLimit: 50_000,
      endOnFailure: process.env.HEART_SHRINK === "no",
      ...(process.env.HEART_SEED === undefined ? {} : { seed: Number(process.env.HEART_SEED) }),
    },
  );
  expect.hasAssertions();
});
