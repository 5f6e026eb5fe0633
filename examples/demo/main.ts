// `npm run demo`: indexes real chain data into an embedded PostgreSQL and compares every row with independent values.
// `npm run demo -- --keep` leaves the last example running; `--output <folder>` takes the logs and traces.
import { chmod, mkdir, mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join, relative, resolve } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { parseArgs } from "node:util";
import { messageOf } from "../../src/errors.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { startEmbedded } from "../../src/postgres/embedded.ts";
import { createReplayServer } from "../replay/replay-server.ts";
import { EXAMPLES } from "./examples.ts";
import { createProgressView } from "./progress.ts";
import { isAllWell, nextStepLines, reportLines } from "./report.ts";
import { dataFolder, type ExampleResult, logFileOf, runExample, type Stage, startExample } from "./run-example.ts";

const BLOCK_MS = 2000;

const root = join(import.meta.dirname, "../..");
const { values } = parseArgs({
  options: {
    keep: { type: "boolean", default: false },
    output: { type: "string", default: join(root, ".spindex/demo") },
  },
});
const interrupt = new AbortController();
// Once: a second Ctrl-C ends the demo at once.
process.once("SIGINT", () => interrupt.abort());
process.once("SIGTERM", () => interrupt.abort());

try {
  process.exitCode = (await runDemo({ ...values, signal: interrupt.signal })) ? 0 : 1;
} catch (error) {
  process.stderr.write(
    interrupt.signal.aborted ? "\nInterrupted; everything was stopped.\n" : `\n${messageOf(error)}\n`,
  );
  process.exitCode = interrupt.signal.aborted ? 130 : 1;
}

/** Says whether everything was as expected. */
async function runDemo(options: {
  readonly keep: boolean;
  readonly output: string;
  readonly signal: AbortSignal;
}): Promise<boolean> {
  await using resources = new AsyncDisposableStack();
  const output = resolve(options.output);
  await rm(output, { recursive: true, force: true });
  await mkdir(output, { recursive: true });

  print("Spindex indexes real blocks of Ethereum mainnet, replayed by a local node, into PostgreSQL.", "");
  const databaseUrl = await startDatabase(resources);
  const view = createProgressView(process.stdout);
  const stage: Stage = { root, databaseUrl, output, view, signal: options.signal };
  const results: ExampleResult[] = [];
  for (const example of EXAMPLES) {
    print(`${example.folder}: ${example.about}`);
    results.push(await runExample(stage, example));
  }
  print(...reportLines(results));
  if (options.keep) await keepRunning(stage, results);
  else print(...nextStepLines(results, undefined));
  return isAllWell(results);
}

async function startDatabase(resources: AsyncDisposableStack): Promise<string> {
  const startedAt = performance.now();
  const folder = await mkdtemp(join(tmpdir(), "spindex-demo-"));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  // Where we are root, the server is not, and has to get in.
  await chmod(folder, 0o755);
  const server = await startEmbedded({ dataDir: join(folder, "postgres"), clock: systemClock });
  // The data lies elsewhere when the server cannot get in even so.
  resources.defer(() => rm(server.dataDir, { recursive: true, force: true }));
  resources.defer(() => server.stop());
  const seconds = (performance.now() - startedAt) / 1000;
  print(`PostgreSQL: an embedded server with an empty database, started in ${seconds.toFixed(1)} s`);
  return server.url;
}

/** Runs the last example on, over a chain that grows by an empty block now and then, until Ctrl-C. */
async function keepRunning(stage: Stage, results: readonly ExampleResult[]): Promise<void> {
  const example = EXAMPLES.at(-1);
  if (example === undefined) return;
  await using resources = new AsyncDisposableStack();
  const node = await createReplayServer({ file: join(dataFolder(stage.root), example.blockFile), chainId: 1 });
  resources.defer(() => node.close());
  const indexer = await startExample(stage, example, { rpcUrl: node.url, once: false });
  resources.defer(() => indexer.stop());
  print(...nextStepLines(results, indexer.url), "", `${example.folder} runs on until Ctrl-C.`);
  const ended = indexer.ended.then((how) => {
    if (!stage.signal.aborted) print(`It ended with ${how}: ${relative(process.cwd(), logFileOf(stage, example))}`);
    return "ended";
  });
  while (!stage.signal.aborted) {
    const tick = sleep(BLOCK_MS, "tick", { signal: stage.signal }).catch(() => "interrupted");
    if ((await Promise.race([tick, ended])) !== "tick") break;
    node.advance();
  }
}

function print(...lines: readonly string[]): void {
  for (const line of lines) process.stdout.write(`${line}\n`);
}
