import fc from "fast-check";
import { type Scenario, scenario } from "../support/world/scenario.ts";
import { Simulation } from "../support/world/simulation.ts";

/** What a seed stands for. */
function scenarioOf(seed: number): Scenario {
  const [planned] = fc.sample(scenario, { seed, numRuns: 1 });
  return planned as Scenario;
}

/**
 * Runs the simulation of a seed.
 * @returns what stands for everything that happened
 * @throws with the command that repeats it
 */
export async function runSeed(seed: number, trace?: (line: string) => void): Promise<number> {
  // Every timer that is not needed any more makes an error, and its stack costs more than all the rest of it.
  Error.stackTraceLimit = 0;
  const simulation = new Simulation(scenarioOf(seed), trace === undefined ? {} : { trace });
  try {
    await simulation.run();
  } catch (error) {
    const message = error instanceof Error ? error.message : String(error);
    const command = `npm run simulate -- --seed ${seed} --verbose`;
    throw new Error(`${message}\nseed ${seed}: repeat it with  ${command}`, { cause: error });
  }
  return simulation.digest;
}
