/**
 * `npm run check`: everything that can be said about the sources in under a minute. Prints a line for each step, and
 * the output of those that failed. `--without-tests` leaves the tests out, for those who have run them.
 */
import { globSync } from "node:fs";
import { parseArgs } from "node:util";
import { type RunResult, requireNode24, root, run } from "./run.ts";

interface Step {
  readonly name: string;
  readonly command: string;
  readonly args: readonly string[];
}

/** Steps under way at once; the tests use two workers of their own. */
const PARALLEL = 2;

requireNode24();

const { values: options } = parseArgs({ options: { "without-tests": { type: "boolean", default: false } } });
const generators = globSync("scripts/generate-*.ts", { cwd: root }).sort();
const quickTests: Step = {
  name: "quick tests",
  command: "vitest",
  args: ["run", "--project", "quick", "--reporter", "agent"],
};
const steps: readonly Step[] = [
  ...(options["without-tests"] ? [] : [quickTests]),
  { name: "types", command: "tsc", args: ["--project", "."] },
  { name: "types of the package", command: "tsc", args: ["--project", "tsconfig.build.json", "--noEmit"] },
  // Stricter for the package alone: what it exports has explicit types; users' schemas live by inference.
  { name: "format and lint", command: "biome", args: ["check", "--error-on-warnings"] },
  { name: "promises", command: "oxlint", args: ["--type-aware", "--deny-warnings"] },
  { name: "dead code", command: "knip", args: ["--no-progress"] },
  ...generators.map((file) => ({
    name: `generated: ${file.replace(/^.*generate-|\.ts$/g, "")}`,
    command: "node",
    args: ["--conditions=spindex-source", file, "--check"],
  })),
];

const failed: string[] = [];
const waiting = [...steps];
await Promise.all(
  Array.from({ length: PARALLEL }, async () => {
    for (let step = waiting.shift(); step !== undefined; step = waiting.shift()) {
      report(step, await run(step.command, step.args));
    }
  }),
);

console.log(failed.length === 0 ? `${steps.length} steps passed` : `failed: ${failed.join(", ")}`);
process.exitCode = failed.length === 0 ? 0 : 1;

function report(step: Step, result: RunResult): void {
  const passed = result.code === 0;
  console.log(`${passed ? "ok    " : "FAILED"} ${result.seconds.toFixed(1).padStart(5)} s  ${step.name}`);
  if (passed) return;
  failed.push(step.name);
  console.log(result.output.trimEnd());
}
