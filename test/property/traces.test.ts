import fc from "fast-check";
import { expect, test } from "vitest";
import { type Scenario, scenario } from "../support/world/scenario.ts";
import { checkCheckpoints, traceWorld } from "../support/world/traced.ts";

/** As many as take about 15 s of one core. */
const SEEDS = 160;
const RATIOS = [1, 0.5, 1, 0.01, 1, 0];

/** The whole pipeline, traced, over the chains and faults of the simulation. */
test("every sampled batch leads to its write transaction and back, whatever fails and ends in between", async () => {
  const seen = new Map<string, number>();
  for (let seed = 1; seed <= SEEDS; seed++) {
    const ratio = RATIOS[seed % RATIOS.length] as number;
    const [planned] = fc.sample(scenario, { seed, numRuns: 1 }) as [Scenario];
    try {
      const world = await traceWorld(planned, ratio);
      if (ratio === 1) checkCheckpoints(world);
      if (ratio === 0) expect(world.traces.spans).toEqual([]);
      for (const { name, attributes } of world.traces.spans) {
        const what = `${name} ${attributes["spindex.outcome"] ?? ""}`.trim();
        seen.set(what, (seen.get(what) ?? 0) + 1);
      }
    } catch (error) {
      throw new Error(`seed ${seed} at ratio ${ratio}: ${(error as Error).message}`, { cause: error });
    }
  }
  // What would pass without a look, because it never happens here.
  for (const what of [
    "spindex.batch durable",
    "spindex.batch aborted",
    "spindex.batch failed",
    "spindex.reorg durable",
  ]) {
    expect(seen.get(what), what).toBeGreaterThan(10);
  }
  expect(seen.get("spindex.write_transaction already_durable")).toBeGreaterThan(5);
}, 300_000);
