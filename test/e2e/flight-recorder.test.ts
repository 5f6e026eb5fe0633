import { readdir, readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { Dump } from "../../src/instrument/recorder/dump.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { type CliProcess, startCli, type TemporaryProject, temporaryProject } from "../support/cli.ts";
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
});
