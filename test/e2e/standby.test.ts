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

const isAt = (block: number) => (status: { chains: readonly { committed: number | undefined }[] }) =>
  status.chains[0]?.committed === block;

test("a standby is ready, replaces a killed process at once, and nothing is lost", async () => {
  const node = await startFakeNode({ chain: tokenChain({ blocks: 400, transfersPerBlock: 3 }), head: 300 });
  await using project = await temporaryProject(TOKEN_PROJECT);
  const options = { cwd: project.directory, env: { DATABASE_URL: database.url, RPC_URL: node.url } };
  const started: CliProcess[] = [];
  const start = (): CliProcess => {
    const run = startCli(["start"], options);
    started.push(run);
    return run;
  };
  const probe = async (run: CliProcess, path: string): Promise<unknown> => {
    const response = await fetch(`${await run.url()}${path}`);
    return [response.status, await response.json()];
  };
  try {
    const first = start();
    await first.until(isAt(300));
    const second = start();
    const { standby } = await second.until((status) => status.standby !== undefined);
    expect(standby?.holder).toMatch(new RegExp(` process ${first.child.pid}$`));
    expect(await probe(second, "/livez")).toEqual([200, { ok: true, reasons: [] }]);
    expect(await probe(second, "/readyz")).toEqual([
      200,
      {
        ok: true,
        reasons: [{ code: "standby", message: expect.stringContaining(`process ${first.child.pid} since 20`) }],
      },
    ]);
    expect(await (await fetch(`${await second.url()}/metrics`)).text()).not.toContain("spindex_starts_total{");

    const refused = await runCli(["start", "--no-wait"], options);
    expect(refused.exitCode).toBe(75);
    expect(refused.stdout).toMatch(
      new RegExp(
        `"code":"SHARD_TAKEN".*shard default of schema token is taken by .* process ${first.child.pid} since 20`,
      ),
    );

    first.child.kill("SIGKILL");
    node.setHead(350);
    await second.until(isAt(350));
    const metrics = await (await fetch(`${await second.url()}/metrics`)).text();
    expect(metrics).toMatch(/^spindex_starts_total\{[^}]*\} 2$/m);
    expect(metrics).toMatch(/^spindex_last_exit_info\{[^}]*code="killed",class="killed"[^}]*\} 1$/m);
    expect(metrics).toMatch(/^spindex_lease_held\{[^}]*\} 1$/m);
    expect(await database.query("select count(*)::int as n from token.transfer")).toEqual([{ n: 5 + 350 * 3 }]);

    // A standby that is not needed any more goes in order.
    const third = start();
    await third.until((status) => status.standby !== undefined);
    third.child.kill("SIGTERM");
    expect(await third.ended).toMatchObject({ exitCode: 0 });
    second.child.kill("SIGTERM");
    expect(await second.ended).toMatchObject({ exitCode: 0 });
    expect(await database.query("select outcome, exit_class from token_spindex.starts order by id")).toEqual([
      { outcome: "killed", exit_class: "killed" },
      { outcome: "stopped", exit_class: "ok" },
    ]);
  } finally {
    for (const { child } of started) child.kill("SIGKILL");
    await node.close();
  }
});

test("a process that stands still is replaced when its lease has expired, and ends with 75 when it wakes up", async () => {
  const node = await startFakeNode({ chain: tokenChain({ blocks: 400, transfersPerBlock: 3 }), head: 300 });
  await using project = await temporaryProject(TOKEN_PROJECT);
  const options = { cwd: project.directory, env: { DATABASE_URL: database.url, RPC_URL: node.url } };
  const start = (): CliProcess => startCli(["start", "--schema", "asleep"], options);
  const first = start();
  await first.until(isAt(300));
  const second = start();
  try {
    await second.until((status) => status.standby !== undefined);
    first.child.kill("SIGSTOP");
    // What 15 s would do.
    await database.query("update asleep_spindex.leases set expires_at = clock_timestamp()");
    node.setHead(350);
    await second.until(isAt(350));
    node.setHead(360);
    first.child.kill("SIGCONT");
    const woken = await first.ended;
    expect(woken.exitCode).toBe(75);
    expect(woken.stdout).toContain('"code":"WRITER_FENCED"');
    await second.until(isAt(360));
    expect(await database.query("select count(*)::int as n from asleep.transfer")).toEqual([{ n: 5 + 360 * 3 }]);
  } finally {
    for (const { child } of [first, second]) child.kill("SIGKILL");
    await node.close();
  }
});
