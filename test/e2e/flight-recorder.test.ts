import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Dump } from "../../src/instrument/recorder/dump.ts";
import { systemClock } from "../../src/lib/clock.ts";
import {
  type CliProcess,
  type CliResult,
  runCli,
  startCli,
  type TemporaryProject,
  temporaryProject,
} from "../support/cli.ts";
import { tokenChain } from "../support/fake-chain.ts";
import { type FakeNode, startFakeNode } from "../support/fake-node.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { TOKEN_PROJECT } from "../support/token-project.ts";

const BLOCKS = 40;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

/** An indexer that samples nothing and exports nothing: what it knows of itself is what its recorder keeps. */
function startUnsampled(project: TemporaryProject, node: FakeNode, schema: string): CliProcess {
  return startCli(["start", "--schema", schema], {
    cwd: project.directory,
    env: {
      DATABASE_URL: database.url,
      RPC_URL: node.url,
      SPINDEX_TRACE_RATIO: "0",
      SPINDEX_FATAL_LINGER: "0",
    },
  });
}

/** The dumps of a project, by reason. */
async function dumpsOf(project: TemporaryProject): Promise<ReadonlyMap<string, { dump: Dump; file: string }>> {
  const folder = join(project.directory, ".spindex", "dumps");
  const files = await readdir(folder);
  const dumps = await Promise.all(
    files.map(async (name) => {
      const file = join(folder, name);
      const dump = JSON.parse(await readFile(file, "utf8")) as Dump;
      return [dump.reason, { dump, file }] as const;
    }),
  );
  expect(new Set(dumps.map(([reason]) => reason)).size).toBe(files.length);
  return new Map(dumps);
}

async function logged(cli: CliProcess, event: string): Promise<void> {
  while (!cli.output().includes(`"event":"${event}"`)) await systemClock.sleep(10);
}

const fileMode = async (path: string): Promise<string> => ((await stat(path)).mode & 0o777).toString(8);

test("at SIGUSR1 a process writes a dump that only its owner can read, and goes on", async () => {
  const node = await startFakeNode({ chain: tokenChain({ blocks: BLOCKS }), head: BLOCKS / 2 });
  await using project = await temporaryProject(TOKEN_PROJECT);
  const cli = startUnsampled(project, node, "signalled");
  try {
    await cli.until(({ chains: [chain] }) => chain?.committed === BLOCKS / 2);
    cli.child.kill("SIGUSR1");
    await logged(cli, "recorder.dumped");
    node.setHead(BLOCKS - 1);
    await cli.until(({ chains: [chain] }) => chain?.committed === BLOCKS - 1);
    cli.child.kill("SIGTERM");
    expect(await cli.ended).toMatchObject({ exitCode: 0, stderr: "" });
  } finally {
    cli.child.kill("SIGKILL");
    await node.close();
  }
  const dumps = await dumpsOf(project);
  expect([...dumps.keys()]).toEqual(["signal"]);
  const { dump, file } = dumps.get("signal") as { dump: Dump; file: string };
  expect(cli.output()).toContain(file);
  expect(await fileMode(file)).toBe("600");
  expect(dump).toMatchObject({ spindexDump: 1, name: "token", status: { ready: true } });
});

test("a write that fails for good leaves a dump of its trace before the exit", async () => {
  const node = await startFakeNode({ chain: tokenChain({ blocks: BLOCKS }), head: BLOCKS / 2 });
  await using project = await temporaryProject(TOKEN_PROJECT);
  const cli = startUnsampled(project, node, "failing");
  try {
    await cli.until(({ chains: [chain] }) => chain?.committed === BLOCKS / 2);
    await database.query(`alter table failing.transfer add constraint low check (block < ${BLOCKS / 2 + 5})`);
    node.setHead(BLOCKS - 1);
    expect(await cli.ended).toMatchObject({ exitCode: 1 });
  } finally {
    cli.child.kill("SIGKILL");
    await node.close();
  }
  const dump = (await dumpsOf(project)).get("write_failure")?.dump;
  expect(dump?.status?.failure?.code).toBe("WRITE_FAILED");
  expect(dump?.logs).toContainEqual(expect.objectContaining({ event: "write.failed", class: "fatal" }));
  // The folder stands for its newest dump.
  const shown = await runCli(["trace", "show", ".spindex/dumps"], { cwd: project.directory });
  expect(shown).toMatchObject({ exitCode: 0, stderr: "" });
  expect(shown.stdout).toMatch(/^dump: write_failure · .* · token /);
  expect(shown.stdout).toMatch(/^batch \d+ · failed · .*\n(?:.*\n)*? {2}▸ spindex\.drain_run .* WRITE_FAILED/m);
  expect(shown.stdout).toContain('✗ new row for relation "transfer" violates check constraint "low"');
  expect(shown.stdout).toMatch(/error write\.failed .* class=fatal/);
  expect(shown.stdout).not.toContain("\u001b");
});

test("a handler's failure leaves a dump; with the recorder off nothing does", async () => {
  const node = await startFakeNode({ chain: tokenChain({ blocks: BLOCKS }) });
  const handlers = TOKEN_PROJECT["handlers.ts"].replace(
    "const { from, to, value } = event.args;",
    `const { from, to, value } = event.args;
  if (event.block.number === 30n) throw new RangeError("boom");`,
  );
  await using project = await temporaryProject({ ...TOKEN_PROJECT, "handlers.ts": handlers });
  const folder = join(project.directory, "elsewhere");
  const run = (schema: string, env: Readonly<Record<string, string>>): Promise<CliResult> =>
    runCli(["start", "--once", "--schema", schema], {
      cwd: project.directory,
      env: { DATABASE_URL: database.url, RPC_URL: node.url, SPINDEX_DUMP_DIR: "elsewhere", ...env },
    });
  try {
    expect(await run("unrecorded", { SPINDEX_FLIGHT_RECORDER: "off" })).toMatchObject({ exitCode: 1 });
    expect(await readdir(project.directory)).not.toContain("elsewhere");
    expect(await run("thrown", {})).toMatchObject({ exitCode: 1 });
  } finally {
    await node.close();
  }
  const [name = ""] = await readdir(folder);
  expect(name).toMatch(/-handler_failure\.json$/);
  const shown = await runCli(["trace", "show", join(folder, name)], { cwd: project.directory });
  expect(shown.stdout).toMatch(/spindex\.handler .* RangeError · Token\.Transfer · local · block 30 · log 0\n.*✗ boom/);
});

test.each([
  [["no-such-file"], "error TRACE_FILE_INVALID: there is no file no-such-file"],
  [["."], "error TRACE_FILE_INVALID: there is no dump in the folder ."],
  [["schema.ts"], "error TRACE_FILE_INVALID: schema.ts: it holds neither OTLP/JSON lines nor a dump"],
  [["schema.ts", "--trace", "xyz"], "a trace id has up to 32 hexadecimal digits"],
  [[], "missing required argument 'file'"],
])("trace show %j says what is wrong", async (args, message) => {
  await using project = await temporaryProject(TOKEN_PROJECT);
  const { exitCode, stderr } = await runCli(["trace", "show", ...args], { cwd: project.directory });
  expect(stderr).toContain(message);
  expect(exitCode).toBe(2);
});
