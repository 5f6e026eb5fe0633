/**
 * `npm run simulate -- [--seeds N] [--from S] [--stop]`: runs N seeds from S on (default 2,000 from 1), and prints those
 * that fail; with --stop it ends at the first.
 * `--seed S [--verbose] [--shrink]`: one seed; what happens in it step by step; the smallest scenario near it that fails.
 */
import { inspect, parseArgs } from "node:util";
import fc from "fast-check";
import { scenario } from "../support/world/scenario.ts";
import { Simulation } from "../support/world/simulation.ts";
import { runSeed } from "./run-seed.ts";

const { values: options } = parseArgs({
  options: {
    seeds: { type: "string", default: "2000" },
    from: { type: "string", default: "1" },
    stop: { type: "boolean", default: false },
    seed: { type: "string" },
    verbose: { type: "boolean", default: false },
    shrink: { type: "boolean", default: false },
  },
});
process.exitCode = options.seed === undefined ? await many() : await one(Number(options.seed));

async function many(): Promise<number> {
  const [from, count] = [Number(options.from), Number(options.seeds)];
  const failed: number[] = [];
  const startedAt = performance.now();
  for (let seed = from; seed < from + count && !(options.stop && failed.length > 0); seed++) {
    try {
      await runSeed(seed);
    } catch (error) {
      failed.push(seed);
      console.log(error instanceof Error ? error.message : String(error));
    }
  }
  const cpu = process.cpuUsage();
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(1);
  const cpuMs = ((cpu.user + cpu.system) / 1000 / count).toFixed(1);
  const which = failed.length === 0 ? "" : `: ${failed.join(" ")}`;
  console.log(`${count} seeds in ${seconds} s (${cpuMs} ms of CPU each), ${failed.length} failed${which}`);
  return failed.length === 0 ? 0 : 1;
}

async function one(seed: number): Promise<number> {
  const lines: string[] = [];
  try {
    const digest = await runSeed(seed, (line) => lines.push(line));
    if (options.verbose) console.log(lines.join("\n"));
    console.log(`seed ${seed} passed (${lines.length} lines, digest ${digest})`);
    return 0;
  } catch (error) {
    if (options.verbose) console.log(lines.join("\n"));
    console.log(error instanceof Error ? error.cause : error);
    if (options.shrink) await shrink(seed);
    return 1;
  }
}

async function shrink(seed: number): Promise<void> {
  const property = fc.asyncProperty(scenario, (planned) => new Simulation(planned).run());
  const { counterexample, errorInstance } = await fc.check(property, { seed, numRuns: 1, unbiased: true });
  const [smallest] = counterexample ?? [];
  if (smallest === undefined) return console.log("it does not fail as a property");
  console.log(inspect(smallest, { depth: 10, breakLength: 160 }));
  await new Simulation(smallest, { trace: (line) => console.log(line) }).run().catch(() => {});
  console.log(errorInstance);
}
