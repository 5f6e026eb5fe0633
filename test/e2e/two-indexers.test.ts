import { afterAll, beforeAll, expect, test } from "vitest";
import { type CliProcess, runCli, startCli, temporaryProject } from "../support/cli.ts";
import { tokenChain } from "../support/fake-chain.ts";
import { startFakeNode } from "../support/fake-node.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { TOKEN_PROJECT } from "../support/token-project.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

test("two indexers run in one database and on one host without touching each other", async () => {
  const first = await startFakeNode({ chain: tokenChain({ blocks: 400, transfersPerBlock: 3 }), head: 300 });
  const second = await startFakeNode({
    chain: tokenChain({ blocks: 400, transfersPerBlock: 2, seed: "other" }),
    head: 300,
  });
  await using project = await temporaryProject(TOKEN_PROJECT);
  const start = (schema: string, rpc: string): CliProcess =>
    startCli(["start", "--schema", schema], {
      cwd: project.directory,
      env: { DATABASE_URL: database.url, RPC_URL: rpc },
    });
  const [one, two] = [start("one", first.url), start("two", second.url)];
  try {
    const isAt = (block: number) => (status: { chains: readonly { committed: number | undefined }[] }) =>
      status.chains[0]?.committed === block;
    await Promise.all([one.until(isAt(300)), two.until(isAt(300))]);
    expect(await one.url()).not.toBe(await two.url());
    // One goes on while the other is gone: its schema is its own.
    two.child.kill("SIGTERM");
    expect(await two.ended).toMatchObject({ exitCode: 0 });
    await database.query("drop schema two, two_spindex cascade");
    first.setHead(399);
    await one.until(isAt(399));
    one.child.kill("SIGTERM");
    expect(await one.ended).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await database.query("select count(*)::int as n from one.transfer")).toEqual([{ n: 5 + 399 * 3 }]);
    expect(await database.query("select count(*)::int as n from one_spindex.starts where outcome = 'stopped'")).toEqual(
      [{ n: 1 }],
    );
    const again = await runCli(["start", "--once", "--schema", "two"], {
      cwd: project.directory,
      env: { DATABASE_URL: database.url, RPC_URL: second.url },
    });
    expect(again).toMatchObject({ exitCode: 0 });
    expect(await database.query("select count(*)::int as n from two.transfer")).toEqual([{ n: 5 + 300 * 2 }]);
  } finally {
    one.child.kill("SIGKILL");
    two.child.kill("SIGKILL");
    await Promise.all([first.close(), second.close()]);
  }
});
