import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { startTraceReceiver } from "../../src/testing/index.ts";
import { startCli, type TemporaryProject, temporaryProject } from "../support/cli.ts";
import { deadPort, silent, startCollector } from "../support/collector.ts";
import { tokenChain } from "../support/fake-chain.ts";
import { type FakeNode, startFakeNode } from "../support/fake-node.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { TOKEN_PROJECT } from "../support/token-project.ts";

const BLOCKS = 2_000;
/** Longer than a flush at the end waits for a collector that may be well. */
const SILENT_MS = 2_500;

const resources = new AsyncDisposableStack();
let database: TestDatabase;
let node: FakeNode;
let project: TemporaryProject;
let failing: TemporaryProject;

beforeAll(async () => {
  database = await createTestDatabase();
  resources.defer(() => database.drop());
  node = await startFakeNode({ chain: tokenChain({ blocks: BLOCKS, transfersPerBlock: 5 }) });
  resources.defer(() => node.close());
  project = resources.use(await temporaryProject(TOKEN_PROJECT));
  failing = resources.use(
    await temporaryProject({
      ...TOKEN_PROJECT,
      "handlers.ts": TOKEN_PROJECT["handlers.ts"].replace(
        "const { from, to, value } = event.args;",
        `const { from, to, value } = event.args;
  if (event.block.number === 1_222n) throw new RangeError("boom");`,
      ),
    }),
  );
});
afterAll(() => resources.disposeAsync());

/** Below the two seconds for which a library's exporter holds up the end, and wide for a busy machine. */
const EXIT_MARGIN_MS = 1_500;

interface Run {
  readonly exitCode: number | null;
  readonly transfers: number;
  /** From its last word about the work to its end. */
  readonly exitMs: number;
  readonly totalMs: number;
  /** What it says of its telemetry. */
  readonly problems: readonly string[];
}

/**
 * Indexes everything from the beginning, and ends.
 * @param lasts what else it lasts for, before it is stopped; left out: it ends by itself
 */
async function run(
  schema: string,
  endpoint: string | undefined,
  at: TemporaryProject = project,
  lasts?: () => Promise<unknown>,
): Promise<Run> {
  const startedAt = systemClock.now();
  const once = lasts === undefined ? ["--once"] : [];
  const process = startCli(["start", ...once, "--schema", schema], {
    cwd: at.directory,
    env: {
      DATABASE_URL: database.url,
      RPC_URL: node.url,
      SPINDEX_CAPACITY_CHANGES: "2000",
      ...(endpoint === undefined ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: endpoint }),
    },
  });
  if (lasts !== undefined) {
    await process.until(({ chains: [chain] }) => chain?.committed === BLOCKS - 1);
    await lasts();
    process.child.kill("SIGTERM");
  }
  const { exitCode, stdout } = await process.ended;
  const endedAt = systemClock.now();
  const lines = stdout
    .trim()
    .split("\n")
    .map((line) => JSON.parse(line) as { event: string; time: string });
  const last = lines.findLast(({ event }) => event === "indexer.stopped" || event === "indexer.failed");
  const [{ count = 0 } = {}] = await database.query<{ count: number }>(`select count(*)::int from ${schema}.transfer`);
  return {
    exitCode,
    transfers: count,
    exitMs: endedAt - Date.parse(last?.time ?? ""),
    totalMs: endedAt - startedAt,
    problems: lines.map(({ event }) => event).filter((event) => /^telemetry\.(?!started)/.test(event)),
  };
}

test("with a collector that is away, slow or lying everything is indexed, as fast as without, and the end is not held up", async () => {
  const without = await run("without", undefined);
  expect(without).toMatchObject({ exitCode: 0, transfers: 10_000, problems: [] });

  const refused = await run("refused", `http://127.0.0.1:${await deadPort()}`);
  expect(refused).toMatchObject({ exitCode: 0, transfers: 10_000 });
  expect(refused.problems).toEqual(["telemetry.problem", "telemetry.flush_timeout"]);
  // The library's exporter held it up for two seconds.
  expect(refused.exitMs).toBeLessThan(without.exitMs + EXIT_MARGIN_MS);

  await using lying = await startCollector((response) => response.writeHead(500).end("no"));
  const lied = await run("lying", lying.url);
  expect(lied).toMatchObject({ exitCode: 0, transfers: 10_000 });
  expect(lied.exitMs).toBeLessThan(without.exitMs + EXIT_MARGIN_MS);

  await using slow = await startCollector(silent);
  const waited = await run("slow", slow.url, project, async () => {
    while (slow.requests.length === 0) await systemClock.sleep(20);
    await systemClock.sleep(SILENT_MS);
  });
  expect(waited).toMatchObject({ exitCode: 0, transfers: 10_000 });
  // It has been silent for so long by then that nobody waits for it at the end.
  expect(waited.exitMs).toBeLessThan(without.exitMs + EXIT_MARGIN_MS);

  // Against a hold-up of each request, not against a busy machine: then a single run may take many times as long.
  for (const { totalMs, exitMs } of [refused, lied, { ...waited, exitMs: waited.exitMs + SILENT_MS }]) {
    expect(totalMs - exitMs).toBeLessThan(5 * (without.totalMs - without.exitMs) + 20_000);
  }
});

test("a healthy collector gets the spans of a failure before the process ends", async () => {
  const receiver = await startTraceReceiver();
  try {
    const failed = await run("failed", receiver.url, failing);
    expect(failed).toMatchObject({ exitCode: 1, problems: [] });
    const traces = receiver.traces();
    expect(traces.dangling()).toEqual([]);
    const [call] = traces.named("spindex.handler").filter(({ isError }) => isError);
    expect(call?.attributes).toMatchObject({ "spindex.block.number": 1_222, "error.type": "RangeError" });
    expect(receiver.problems).toEqual([]);
  } finally {
    await receiver.close();
  }
});
