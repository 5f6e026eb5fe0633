import fc from "fast-check";
import { expect, test } from "vitest";
import { scenario } from "../support/world/scenario.ts";
import { Simulation } from "../support/world/simulation.ts";

const RUNS = Number(process.env.HEART_RUNS ?? 300);

/**
 * The whole pipeline over simulated chains and a simulated database: whatever the events do, however chains change, writes
 * fail and processes end, in whatever order things happen. As test/simulation, which runs more of it; here what fails is
 * made as small as it can be. A failure prints its seed; HEART_RUNS=5000 searches longer, HEART_SEED repeats a search,
 * HEART_SHRINK=no leaves the first failure as it is.
 */
test("rows, progress, history and runs are those of a plain fold of the events", { timeout: 60_000 }, async () => {
  let passed = 0;
  await fc.assert(
    fc.asyncProperty(scenario, async (planned) => {
      await new Simulation(planned).run();
      passed++;
    }),
    {
      numRuns: RUNS,
      interruptAfterTimeLimit: 50_000,
      endOnFailure: process.env.HEART_SHRINK === "no",
      ...(process.env.HEART_SEED === undefined ? {} : { seed: Number(process.env.HEART_SEED) }),
    },
  );
  expect(passed).toBeGreaterThan(0);
});
