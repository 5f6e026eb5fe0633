// `npm run bench`: how fast Spindex indexes a synthetic chain, and what it costs. Every run's tables are compared with a
// plain fold of the same logs; each run is a line of bench-results.jsonl, with --out another file.

import { execFileSync } from "node:child_process";
import { once } from "node:events";
import { appendFileSync } from "node:fs";
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Harness, machine, outputOf } from "./harness.ts";
import { cpuSecondsOf, peakMiBOf } from "./process-cost.ts";
import { median } from "./statistics.ts";
import { TASKS, type TaskName } from "./tasks.ts";

const { values: options } = parseArgs({
  options: {
    tasks: { type: "string", default: "erc20,raw" },
    events: { type: "string", default: "100000,1000000" },
    repeat: { type: "string", default: "3" },
    out: { type: "string", default: "bench-results.jsonl" },
    profile: { type: "string" },
  },
});

interface Run {
  readonly task: TaskName;
  readonly events: number;
  readonly seconds: number;
  readonly indexerCpuSeconds: number | undefined;
  readonly databaseCpuSeconds: number | undefined;
  readonly peakMiB: number | undefined;
  readonly load: number;
}

const tasks = options.tasks.split(",").map(taskOf);
const sizes = options.events.split(",").map(Number);
const runs: Run[] = [];

await using harness = new Harness();
// As PostgreSQL comes, but for memory, and room for the log so that no checkpoint falls into one run and not into another.
await harness.startDatabase({ shared_buffers: "512MB", max_wal_size: "8GB", checkpoint_timeout: "30min" });
console.log(machine());
// What users install, and not the sources.
execFileSync(process.execPath, [join(import.meta.dirname, "../scripts/build.ts")], { stdio: "inherit" });
for (const events of sizes) {
  const rpcUrl = await harness.startServer("chain-server.ts", String(events));
  // The first one fills the caches of the chain's server.
  await runOnce(tasks[0] ?? "erc20", events, rpcUrl);
  for (let repeat = 0; repeat < Number(options.repeat); repeat++) {
    for (const task of tasks) {
      const run = await runOnce(task, events, rpcUrl);
      runs.push(run);
      appendFileSync(options.out, `${JSON.stringify({ at: new Date().toISOString(), machine: machine(), ...run })}\n`);
      console.log(lineOf([run]));
    }
  }
}
console.log("\n| task | events | events/s | CPU an event: indexer + PostgreSQL | peak memory | runs |");
console.log("|---|---|---|---|---|---|");
for (const task of tasks) {
  for (const events of sizes) console.log(lineOf(runs.filter((run) => run.task === task && run.events === events)));
}

async function runOnce(task: TaskName, events: number, rpcUrl: string): Promise<Run> {
  await harness.recreateDatabase();
  const { profile } = options;
  const profiling = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`];
  const program = join(import.meta.dirname, "../dist/cli/bin.js");
  const databaseBefore = cpuSecondsOf(harness.databasePid);
  const startedAt = performance.now();
  const child = harness.startIndexer([...profiling, program, "start", "--config", `bench/${task}`, "--once"], {
    rpcUrl,
    events,
  });
  let peakMiB: number | undefined;
  let indexerCpuSeconds: number | undefined;
  const watch = setInterval(() => {
    peakMiB = peakMiBOf(child.pid as number) ?? peakMiB;
    indexerCpuSeconds = cpuSecondsOf(child.pid as number) ?? indexerCpuSeconds;
  }, 50);
  const ended = once(child, "exit");
  await Promise.all([outputOf(child), ended]).finally(() => clearInterval(watch));
  const seconds = (performance.now() - startedAt) / 1000;
  const databaseAfter = cpuSecondsOf(harness.databasePid);
  await requireTables(task, events);
  return {
    task,
    events,
    seconds,
    indexerCpuSeconds,
    databaseCpuSeconds:
      databaseAfter === undefined || databaseBefore === undefined ? undefined : databaseAfter - databaseBefore,
    peakMiB,
    load: loadavg()[0] as number,
  };
}

/** A run that lost events would be a fast one. */
async function requireTables(task: TaskName, events: number): Promise<void> {
  const stored = await harness.row<Record<string, string>>(TASKS[task].sql);
  const expected = TASKS[task].expected({ events });
  for (const [name, value] of Object.entries(expected)) {
    if (stored[name] !== value) throw new Error(`${task}, ${events} events: ${name} is ${stored[name]}, not ${value}`);
  }
}

function lineOf(some: readonly Run[]): string {
  const [first] = some;
  if (first === undefined) return "";
  const micros = (of: (run: Run) => number | undefined): string => {
    const known = some.flatMap((run) => of(run) ?? []);
    return known.length === 0 ? "?" : ((median(known) / first.events) * 1e6).toFixed(1);
  };
  const rate = Math.round(first.events / median(some.map(({ seconds }) => seconds)));
  const peaks = some.flatMap(({ peakMiB }) => peakMiB ?? []);
  const peak = peaks.length === 0 ? "?" : `${median(peaks).toFixed(0)} MiB`;
  const cost = `${micros((run) => run.indexerCpuSeconds)} + ${micros((run) => run.databaseCpuSeconds)} µs`;
  const counted = [first.events, rate].map((number) => number.toLocaleString("en"));
  return `| ${first.task} | ${counted.join(" | ")} | ${cost} | ${peak} | ${some.length} |`;
}

function taskOf(name: string): TaskName {
  if (name in TASKS) return name as TaskName;
  throw new Error(`no task ${name}: there are ${Object.keys(TASKS).join(" and ")}`);
}
