// `npm run bench:telemetry`: what tracing costs. Runs the same load with and without it, one after the other, again and
// again, and compares the CPU time of the indexer's process.
import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, cpus, loadavg, tmpdir } from "node:os";
import { join } from "node:path";
import { parseArgs } from "node:util";
import pg from "pg";
import { systemClock } from "../../src/lib/clock.ts";
import { startEmbedded } from "../../src/postgres/embedded.ts";
import { lastEventBlock, TOKEN } from "./chain.ts";
import type { RunCost } from "./indexer.ts";
import { median, medianInterval, quantile } from "./statistics.ts";

/** Nothing; what is on by default; what is exported on top of that. */
const MODES = ["off", "flight recorder", "1 %", "full"] as const;
type Mode = (typeof MODES)[number];

const folder = import.meta.dirname;
const root = join(folder, "../..");
const { values: options } = parseArgs({
  options: {
    events: { type: "string", default: "400000" },
    rounds: { type: "string", default: "10" },
    profile: { type: "string" },
  },
});
const [events, rounds] = [Number(options.events), Number(options.rounds)];

const children = new Set<ChildProcess>();
const stop = new AbortController();
process.once("SIGINT", () => stop.abort());
process.once("SIGTERM", () => stop.abort());

await using resources = new AsyncDisposableStack();
resources.defer(() => endAll());
stop.signal.addEventListener("abort", endAll);
const databaseUrl = await startDatabase();
const [rpcUrl, otlpUrl] = await Promise.all([startServer("chain-server.ts", String(events)), startServer("sink.ts")]);

console.log(`${events.toLocaleString("en")} events, ${rounds} rounds, ${cpuName()}, Node.js ${process.version}`);
// The first one fills the caches of the disk and of the chain's server.
await runOnce("full");
const costs: Record<Mode, RunCost[]> = { off: [], "flight recorder": [], "1 %": [], full: [] };
for (let round = 0; round < rounds && !stop.signal.aborted; round++) {
  // In turn: nothing that grows or wears off with time is added to one of them alone.
  for (let i = 0; i < MODES.length; i++) {
    const mode = MODES[(round + i) % MODES.length] as Mode;
    costs[mode].push(await runOnce(mode));
  }
  const shown = MODES.map((mode) => `${mode} ${perEvent(costs[mode].at(-1) as RunCost).toFixed(2)}`).join(" · ");
  console.log(`round ${round + 1}: ${shown} µs an event; load of the machine ${(loadavg()[0] as number).toFixed(1)}`);
}
printTable();

/** Runs the indexer over the whole chain into an empty database. */
async function runOnce(mode: Mode): Promise<RunCost> {
  await recreateDatabase();
  const child = start("indexer.ts", [], {
    DATABASE_URL: databaseUrl,
    BENCH_RPC: rpcUrl,
    BENCH_TOKEN: TOKEN,
    BENCH_END: String(lastEventBlock({ events })),
    SPINDEX_PORT: "0",
    ...tracingOf(mode),
  });
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const [exitCode] = (await once(child, "close")) as [number | null];
  stop.signal.throwIfAborted();
  if (exitCode !== 0) throw new Error(`the indexer ended with ${exitCode}:\n${output}`);
  await requireAllRows();
  return JSON.parse(output.trimEnd().split("\n").at(-1) ?? "") as RunCost;
}

function tracingOf(mode: Mode): Readonly<Record<string, string>> {
  if (mode === "off") return { SPINDEX_FLIGHT_RECORDER: "off" };
  if (mode === "flight recorder") return {};
  return { OTEL_EXPORTER_OTLP_ENDPOINT: otlpUrl, SPINDEX_TRACE_RATIO: mode === "full" ? "1" : "0.01" };
}

function start(script: string, args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
  const profile =
    options.profile !== undefined && script === "indexer.ts" ? ["--cpu-prof", `--cpu-prof-dir=${options.profile}`] : [];
  const child = spawn(
    process.execPath,
    ["--max-semi-space-size=16", "--conditions=spindex-source", ...profile, join(folder, script), ...args],
    { cwd: root, env: { PATH: process.env.PATH, ...env }, stdio: ["ignore", "pipe", "inherit"] },
  );
  children.add(child);
  child.once("close", () => children.delete(child));
  return child;
}

/** Starts a server that prints its address when it listens. */
async function startServer(script: string, ...args: readonly string[]): Promise<string> {
  const child = start(script, args, {});
  const [line] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
  return line.toString().trim();
}

async function startDatabase(): Promise<string> {
  const data = await mkdtemp(join(tmpdir(), "spindex-bench-"));
  resources.defer(() => rm(data, { recursive: true, force: true }));
  await chmod(data, 0o755);
  const server = await startEmbedded({
    dataDir: join(data, "postgres"),
    clock: systemClock,
    settings: { fsync: "off", shared_buffers: "128MB", max_wal_size: "4GB", autovacuum: "off" },
  });
  resources.defer(() => server.stop());
  return withDatabase(server.url, "bench");
}

function withDatabase(url: string, name: string): string {
  const changed = new URL(url);
  changed.pathname = `/${name}`;
  return changed.href;
}

async function recreateDatabase(): Promise<void> {
  await onDatabase("postgres", async (client) => {
    await client.query("drop database if exists bench with (force)");
    await client.query("create database bench");
  });
}

/** A run that lost events would be a cheap one. */
async function requireAllRows(): Promise<void> {
  await onDatabase("bench", async (client) => {
    const { rows } = await client.query<{ n: number }>(
      "select ((select count(*) from bench.transfer) + (select count(*) from bench.approval))::int as n",
    );
    if (rows[0]?.n !== events) throw new Error(`${rows[0]?.n} of ${events} events are in the tables`);
  });
}

async function onDatabase(name: string, use: (client: pg.Client) => Promise<void>): Promise<void> {
  const client = new pg.Client({ connectionString: withDatabase(databaseUrl, name) });
  await client.connect();
  try {
    await use(client);
  } finally {
    await client.end();
  }
}

function endAll(): void {
  for (const child of children) child.kill("SIGTERM");
}

/** Microseconds of CPU time. */
function perEvent({ user, system }: RunCost): number {
  return ((user + system) * 1000) / events;
}

function printTable(): void {
  console.log("\n| tracing | CPU an event, median | quartiles | against off, median of the rounds | 95 % interval |");
  console.log("|---|---|---|---|---|");
  const off = costs.off.map(perEvent);
  for (const mode of MODES) {
    const own = costs[mode].map(perEvent);
    if (own.length === 0) continue;
    const spread = `${quantile(own, 0.25).toFixed(2)}–${quantile(own, 0.75).toFixed(2)} µs`;
    const ratios = own.map((cost, round) => (cost / (off[round] as number) - 1) * 100);
    const [low, high] = medianInterval(ratios);
    const against = mode === "off" ? "" : percent(median(ratios));
    const interval = mode === "off" ? "" : `${percent(low)} to ${percent(high)}`;
    console.log(`| ${mode} | ${median(own).toFixed(2)} µs | ${spread} | ${against} | ${interval} |`);
  }
  const loading = median(MODES.flatMap((mode) => costs[mode].map((cost) => cost.loading)));
  console.log(`\nNot in it: loading OpenTelemetry, once a process: ${loading.toFixed(0)} ms of CPU time.`);
}

function percent(value: number): string {
  return `${value < 0 ? "−" : "+"}${Math.abs(value).toFixed(2)} %`;
}

function cpuName(): string {
  return `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? "unknown CPU"}`;
}
