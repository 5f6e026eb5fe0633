// One run of the indexer, from the loaded program to its orderly end. The last line says what CPU time it took.
import { runProject } from "../../src/cli/run-project.ts";

/** What a run cost, in milliseconds of CPU time, of all threads, in user and system mode. */
export interface RunCost {
  readonly user: number;
  readonly system: number;
  /** Loading OpenTelemetry: once in the life of a process, so it is not a part of the cost of an event. */
  readonly loading: number;
}

const before = process.cpuUsage();
// In every mode, so that all of them run in processes that are alike but for what is done.
await import("../../src/instrument/tracing/open-telemetry.ts");
await import("../../src/instrument/tracing/exporting.ts");
const loaded = process.cpuUsage(before);
const start = process.cpuUsage();
const exitCode = await runProject({
  flags: { config: "bench/erc20", once: true, wait: true, logFormat: "json" },
  isDevelopment: false,
});
const used = process.cpuUsage(start);
const cost: RunCost = {
  user: used.user / 1000,
  system: used.system / 1000,
  loading: (loaded.user + loaded.system) / 1000,
};
if (exitCode === 0) console.log(JSON.stringify(cost));
process.exit(exitCode);
