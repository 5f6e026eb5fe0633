import { once } from "node:events";
import { createServer } from "node:net";
import { hostname } from "node:os";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { Status } from "../../src/instrument/status.ts";
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

const isAt =
  (block: number) =>
  ({ chains: [chain] }: Status): boolean =>
    chain?.committed === block;

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

describe("a second process for the same schema", () => {
  test("is refused, says who has it, and can start when that one has ended", async () => {
    const node = await startFakeNode({ chain: tokenChain({ blocks: 50 }) });
    await using project = await temporaryProject(TOKEN_PROJECT);
    const options = { cwd: project.directory, env: { DATABASE_URL: database.url, RPC_URL: node.url } };
    const first = startCli(["start", "--schema", "owned"], options);
    try {
      await first.until(isAt(49));
      const args = ["start", "--schema", "owned", "--once", "--no-wait", "--log-format", "pretty"];
      const refused = await runCli(args, options);
      expect(refused.exitCode).toBe(75);
      expect(refused.stderr).toMatch(
        `error SHARD_TAKEN: shard default of schema owned is taken by ${hostname()} process ${first.child.pid} since `,
      );
      expect(refused.stderr).toMatch(/\n {2}fix: .*--schema/);
      expect(refused.stderr).not.toMatch(/^\s+at /m);
      // The one that has it never noticed.
      expect(await first.status()).toMatchObject({ ready: true, leaseHeld: true });
      first.child.kill("SIGTERM");
      expect(await first.ended).toMatchObject({ exitCode: 0, stderr: "" });
      expect(await runCli(args, options)).toMatchObject({ exitCode: 0 });
    } finally {
      first.child.kill("SIGKILL");
      await node.close();
    }
  });

  test("waits as a standby otherwise, and goes on where one that was killed stood", async () => {
    const node = await startFakeNode({ chain: tokenChain({ blocks: 50, transfersPerBlock: 2 }), head: 30 });
    await using project = await temporaryProject(TOKEN_PROJECT);
    const options = { cwd: project.directory, env: { DATABASE_URL: database.url, RPC_URL: node.url } };
    const first = startCli(["start", "--schema", "shared"], options);
    let second: CliProcess | undefined;
    try {
      await first.until(isAt(30));
      second = startCli(["start", "--schema", "shared"], options);
      const { standby } = await second.until((status) => status.standby !== undefined);
      expect(standby?.holder).toBe(`${hostname()} process ${first.child.pid}`);
      first.child.kill("SIGKILL");
      node.setHead(49);
      await second.until(isAt(49));
      second.child.kill("SIGTERM");
      expect(await second.ended).toMatchObject({ exitCode: 0, stderr: "" });
      expect(await database.query("select count(*)::int as n from shared.transfer")).toEqual([{ n: 5 + 49 * 2 }]);
      expect(await database.query("select outcome from shared_spindex.starts order by id")).toEqual([
        { outcome: "killed" },
        { outcome: "stopped" },
      ]);
    } finally {
      first.child.kill("SIGKILL");
      second?.child.kill("SIGKILL");
      await node.close();
    }
  });
});

test("a port that is taken is refused by start, and passed over by dev", async () => {
  const node = await startFakeNode({ chain: tokenChain({ blocks: 5 }) });
  const taken = createServer().listen(0, "127.0.0.1");
  await once(taken, "listening");
  const { port } = taken.address() as { port: number };
  await using project = await temporaryProject(TOKEN_PROJECT);
  const options = { cwd: project.directory, env: { DATABASE_URL: database.url, RPC_URL: node.url } };
  const run = (command: string, ...more: string[]) =>
    runCli([command, "--once", "--port", String(port), "--schema", `port_of_${command}`, ...more], options);
  try {
    const [start, dev] = await Promise.all([run("start", "--log-format", "pretty"), run("dev")]);
    expect(start.exitCode).toBe(2);
    expect(start.stderr).toContain(`error PORT_IN_USE: port ${port} on 127.0.0.1 `);
    expect(start.stderr).toMatch(/\n {2}fix: .*--port/);
    expect(await database.query("select from pg_namespace where nspname = 'port_of_start'")).toEqual([]);
    expect(dev).toMatchObject({ exitCode: 0, stderr: "" });
    const url = /"event":"server.listening","url":"([^"]+)"/.exec(dev.stdout)?.[1] ?? "";
    expect(Number(new URL(url).port)).toBeGreaterThan(port);
  } finally {
    taken.close();
    await node.close();
  }
});
