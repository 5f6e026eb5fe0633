// `npm run bench:telemetry`: what tracing costs. Runs the same load with and without it, one after the other, again and
// again, and compares the CPU time of the indexer's process.
import { loadavg } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import { Harness, machine, outputOf, SOURCES } from "../harness.ts";
import { median, medianInterval, quantile } from "../statistics.ts";
import type { RunCost } from "./indexer.ts";
import { newestProfile, shareOf, TRACING } from "./profile.ts";

/** Nothing; what is on by default; what is exported on top of that. */
const MODES = ["off", "flight recorder", "1 %", "full"] as const;
type Mode = (typeof MODES)[number];

const { values: options } = parseArgs({
  options: {
    events: { type: "string", default: "1000000" },
    rounds: { type: "string", default: "10" },
    /** Some of the modes, `off` first, for a surer answer about them. */
    modes: { type: "string", default: MODES.join(",") },
    profile: { type: "string" },
  },
});
const [events, rounds] = [Number(options.events), Number(options.rounds)];
const modes = MODES.filter((mode) => options.modes.split(",").includes(mode));

await using harness = new Harness();
await harness.startDatabase({ fsync: "off", shared_buffers: "128MB", max_wal_size: "4GB", autovacuum: "off" });
const [rpcUrl, otlpUrl] = await Promise.all([
  harness.startServer("chain-server.ts", String(events)),
  harness.startServer("telemetry/sink.ts"),
]);

console.log(`${events.toLocaleString("en")} events, ${rounds} rounds, ${machine()}`);
// The first one fills the caches of the disk and of the chain's server.
await runOnce("full");
const profiled = { samples: 0, inside: 0 };
const costs: Record<Mode, RunCost[]> = { off: [], "flight recorder": [], "1 %": [], full: [] };
for (let round = 0; round < rounds && !harness.signal.aborted; round++) {
  // In turn: nothing that grows or wears off with time is added to one of them alone.
  for (let i = 0; i < modes.length; i++) {
    const mode = modes[(round + i) % modes.length] as Mode;
    costs[mode].push(await runOnce(mode));
    if (options.profile !== undefined && mode === "full") {
      const { samples, inside } = shareOf(await newestProfile(options.profile), TRACING);
      profiled.samples += samples;
      profiled.inside += inside;
    }
  }
  const shown = modes.map((mode) => `${mode} ${perEvent(costs[mode].at(-1) as RunCost).toFixed(2)}`).join(" · ");
  console.log(`round ${round + 1}: ${shown} µs an event; load of the machine ${(loadavg()[0] as number).toFixed(1)}`);
}
printTable();
if (profiled.samples > 0) {
  const share = (profiled.inside / profiled.samples) * 100;
  console.log(`Of ${profiled.samples} samples of the CPU in full runs, ${share.toFixed(2)} % were in tracing.`);
}

/** Runs the indexer over the whole chain into an empty database. */
async function runOnce(mode: Mode): Promise<RunCost> {
  await harness.recreateDatabase();
  const { profile } = options;
  const profiling = profile === undefined ? [] : ["--cpu-prof", `--cpu-prof-dir=${profile}`];
  const program = join(import.meta.dirname, "indexer.ts");
  const child = harness.startIndexer([SOURCES, ...profiling, program], { rpcUrl, events }, tracingOf(mode));
  const output = await outputOf(child);
  harness.signal.throwIfAborted();
  await requireAllRows();
  return JSON.parse(output.trimEnd().split("\n").at(-1) ?? "") as RunCost;
}

function tracingOf(mode: Mode): Readonly<Record<string, string>> {
  if (mode === "off") return { SPINDEX_FLIGHT_RECORDER: "off" };
  if (mode === "flight recorder") return {};
  return { OTEL_EXPORTER_OTLP_ENDPOINT: otlpUrl, SPINDEX_TRACE_RATIO: mode === "full" ? "1" : "0.01" };
}

/** A run that lost events would be a cheap one. */
async function requireAllRows(): Promise<void> {
  const { n } = await harness.row<{ n: number }>(
    "select ((select count(*) from bench.transfer) + (select count(*) from bench.approval))::int as n",
  );
  if (n !== events) throw new Error(`${n} of ${events} events are in the tables`);
}

/** Microseconds of CPU time. */
function perEvent({ user, system }: RunCost): number {
  return ((user + system) * 1000) / events;
}

function printTable(): void {
  console.log("\n| tracing | CPU an event, median | quartiles | against off, median of the rounds | 95 % interval |");
  console.log("|---|---|---|---|---|");
  const off = costs.off.map(perEvent);
  for (const mode of modes) {
    const own = costs[mode].map(perEvent);
    const spread = `${quantile(own, 0.25).toFixed(2)}–${quantile(own, 0.75).toFixed(2)} µs`;
    const ratios = own.map((cost, round) => (cost / (off[round] as number) - 1) * 100);
    const [low, high] = medianInterval(ratios);
    const against = mode === "off" ? "" : percent(median(ratios));
    const interval = mode === "off" ? "" : `${percent(low)} to ${percent(high)}`;
    console.log(`| ${mode} | ${median(own).toFixed(2)} µs | ${spread} | ${against} | ${interval} |`);
  }
  const loading = median(modes.flatMap((mode) => costs[mode].map((cost) => cost.loading)));
  console.log(`\nNot in it: loading OpenTelemetry, once a process: ${loading.toFixed(0)} ms of CPU time.`);
}

function percent(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)} %`;
}
