import { chmod, rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { startEmbedded } from "../../src/postgres/embedded.ts";
import { type CliResult, runCli, temporaryProject } from "../support/cli.ts";
import { temporaryFolder } from "../support/database-choice.ts";
import { tokenChain } from "../support/fake-chain.ts";
import { type FakeNode, type Misbehaviour, startFakeNode } from "../support/fake-node.ts";
import { createDatabaseAt, createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { TOKEN_PROJECT } from "../support/token-project.ts";

type Files = Partial<Record<keyof typeof TOKEN_PROJECT, string | undefined>>;

const CHAIN = tokenChain({ blocks: 50, transfersPerBlock: 2 });

let database: TestDatabase;
let node: FakeNode;
beforeAll(async () => {
  database = await createTestDatabase();
  node = await startFakeNode({ chain: CHAIN });
});
afterAll(async () => {
  await node.close();
  await database.drop();
});

/** One of the token project's files, with a piece of it replaced. */
function edited(file: keyof typeof TOKEN_PROJECT, from: string, to: string): Files {
  const text = TOKEN_PROJECT[file];
  if (!text.includes(from)) throw new Error(`${file} has no ${from}`);
  return { [file]: text.replace(from, to) };
}

async function start(files: Files, env: Record<string, string> = {}, args: readonly string[] = []): Promise<CliResult> {
  const given = Object.entries({ ...TOKEN_PROJECT, ...files }).filter(([, text]) => text !== undefined);
  await using project = await temporaryProject(Object.fromEntries(given) as Record<string, string>);
  return await runCli(["start", "--once", "--log-format", "pretty", ...args], {
    cwd: project.directory,
    env: { DATABASE_URL: database.url, RPC_URL: node.url, SPINDEX_START_BUDGET: "1s", ...env },
  });
}

async function schemas(): Promise<string[]> {
  const rows = await database.query<{ nspname: string }>(
    "select nspname from pg_namespace where nspname like 'token%' order by 1",
  );
  return rows.map(({ nspname }) => nspname);
}

/** The input is refused: the exit code, the code and texts that name place, value and fix, no stack, nothing written. */
async function expectRefusal(
  result: CliResult,
  exitCode: number,
  code: string,
  ...texts: readonly string[]
): Promise<void> {
  expect(result.stderr).toContain(`error ${code}: `);
  for (const text of texts) expect(result.stderr).toContain(text);
  expect(result.stderr).toMatch(/\n {2}fix: .+/);
  expect(result.stderr).not.toMatch(/^\s+at /m);
  expect(result.exitCode).toBe(exitCode);
  expect(await schemas()).toEqual([]);
}

const LOCAL = 'chains: { local: { id: 1, sources: [{ rpc: env("RPC_URL") }], maxReorgDepth: 10, pollIntervalMs: 50 } }';
const TRANSFER = '"event Transfer(address indexed from, address indexed to, uint256 value)"';

describe("a project that is wrong is refused before anything is written", () => {
  test.concurrent.each<[string, Files, string, string[]]>([
    ["no config", { "spindex.config.ts": undefined }, "CONFIG_NOT_FOUND", ["spindex.config.ts", "--config"]],
    [
      "an unknown key",
      edited("spindex.config.ts", 'name: "token",', 'name: "token", hanlders: "./x.ts",'),
      "CONFIG_INVALID",
      ["hanlders", "handlers"],
    ],
    [
      "a malformed signature",
      edited("spindex.config.ts", TRANSFER, '"event Transfer(address indexed from, adress to)"'),
      "ABI_INVALID",
      ["contracts.Token.abi", "adress"],
    ],
    [
      "an address with a wrong checksum",
      edited(
        "spindex.config.ts",
        "0x000000000000000000000000000000000000ee20",
        "0x6B175474E89094C44Da98b954EedeAC495271d0f",
      ),
      "ADDRESS_INVALID",
      ["0x6B175474E89094C44Da98b954EedeAC495271d0f", "checksum", "0x6B175474E89094C44Da98b954EedeAC495271d0F"],
    ],
    [
      "a chain without sources",
      edited("spindex.config.ts", LOCAL, "chains: { local: { id: 1, sources: [] } }"),
      "CONFIG_INVALID",
      ["chains.local.sources"],
    ],
    [
      "a handler for an unknown event",
      edited("handlers.ts", "Token.Approval", "Token.Aproval"),
      "HANDLER_UNKNOWN_EVENT",
      ["Token.Aproval", 'Did you mean "Approval"?', "handlers.ts:10"],
    ],
    [
      "two entities with one name",
      edited(
        "schema.ts",
        "export const allowance",
        "export const Account = entity({ id: t.address() });\nexport const allowance",
      ),
      "SCHEMA_INVALID",
      ["account", "Account"],
    ],
    [
      "an entity without a key",
      edited(
        "schema.ts",
        '{ owner: t.address(), spender: t.address(), amount: t.uint256() }, { key: ["owner", "spender"] }',
        "{ owner: t.address() }",
      ),
      "SCHEMA_INVALID",
      ["allowance", "id"],
    ],
  ])("%s", async (_name, files, code, texts) => {
    await expectRefusal(await start(files), 2, code, ...texts);
  });

  test("a variable that is not set", async () => {
    await expectRefusal(await start({}, { RPC_URL: "" }), 2, "ENV_INVALID", "RPC_URL", "chains.local.sources[0].rpc");
  });
});

describe("a database that cannot be used is refused", () => {
  const secret = "s3cr3t-pa55";
  test.concurrent.each<[string, (url: URL) => string, number, string, string[]]>([
    ["a malformed URL", () => "postgres//localhost", 2, "DATABASE_URL_INVALID", ["postgresql://"]],
    [
      "a URL that names no database",
      () => `postgresql://me:${secret}@127.0.0.1:5432`,
      2,
      "DATABASE_URL_INVALID",
      ["database"],
    ],
    [
      "a database that does not exist",
      (url) => {
        url.pathname = "/no_such_database";
        return url.href;
      },
      2,
      "DATABASE_REFUSED",
      ["no_such_database"],
    ],
    [
      "a server that is not there",
      () => `postgresql://me:${secret}@127.0.0.1:1/app`,
      75,
      "DATABASE_UNREACHABLE",
      ["127.0.0.1:1"],
    ],
  ])("%s", async (_name, urlOf, exitCode, code, texts) => {
    const result = await start({}, { DATABASE_URL: urlOf(new URL(database.url)) });
    await expectRefusal(result, exitCode, code, ...texts);
    expect(result.stdout + result.stderr).not.toContain(secret);
  });
});

test("a database URL and a schema that can never do are refused before a node is waited for", async () => {
  const away = { RPC_URL: "http://127.0.0.1:1", SPINDEX_START_BUDGET: "1h" };
  const [url, schema] = await Promise.all([
    start({}, { ...away, DATABASE_URL: "mysql://localhost/app" }),
    start({}, away, ["--schema", "s".repeat(60)]),
  ]);
  await expectRefusal(url, 2, "DATABASE_URL_INVALID", '"mysql:"');
  await expectRefusal(schema, 2, "SCHEMA_INVALID", "--schema");
});

test("a refused password is no reason to wait", async () => {
  const folder = await temporaryFolder();
  // The tests' own server may trust everybody.
  const hba = join(folder, "pg_hba.conf");
  await writeFile(hba, "local all postgres trust\nlocal all all scram-sha-256\n");
  await chmod(hba, 0o644);
  const server = await startEmbedded({
    dataDir: join(folder, "data"),
    clock: systemClock,
    settings: { fsync: "off", hba_file: hba },
  });
  try {
    const guarded = await createDatabaseAt(server.url);
    await guarded.query("create role app login password 'the-right-0ne'");
    const url = new URL(guarded.url);
    [url.username, url.password] = ["app", "the-wrong-0ne"];
    const result = await start({}, { DATABASE_URL: url.href });
    await expectRefusal(result, 2, "DATABASE_REFUSED", "password", '"app"');
    expect(result.stdout + result.stderr).not.toContain("the-wrong-0ne");
    expect(result.stdout).not.toContain("retry");
    expect(await guarded.query("select from pg_namespace where nspname like 'token%'")).toEqual([]);
    await guarded.drop();
  } finally {
    await server.stop();
    await rm(folder, { recursive: true, force: true });
  }
});

describe("a node that cannot be trusted", () => {
  type Log = Record<string, unknown>;
  const logs = (change: (all: Log[]) => Log[]): Misbehaviour => ({
    kind: "result",
    change: (result) => change(result as Log[]),
  });
  const onFirst = (change: (log: Log) => Log) => (all: Log[]) => all.map((log, i) => (i === 0 ? change(log) : log));

  test.concurrent.each<[string, string | undefined, Misbehaviour, number, string, string[]]>([
    [
      "is of another chain",
      "eth_chainId",
      { kind: "result", change: () => "0x5" },
      2,
      "CHAIN_ID_MISMATCH",
      ["chains.local", "chain 5"],
    ],
    [
      "answers HTML",
      undefined,
      { kind: "text", change: () => "<html>nope</html>" },
      75,
      "SOURCE_ANSWER_INVALID",
      ["<html>"],
    ],
    [
      "answers truncated JSON",
      undefined,
      { kind: "text", change: (text) => text.slice(0, -9) },
      75,
      "SOURCE_ANSWER_INVALID",
      [],
    ],
    [
      "answers wrong types",
      "eth_chainId",
      { kind: "result", change: () => [1, 2] },
      75,
      "SOURCE_ANSWER_INVALID",
      ["eth_chainId"],
    ],
  ])("%s", async (_name, method, misbehaviour, exitCode, code, texts) => {
    const own = await startFakeNode({ chain: tokenChain({ blocks: 5 }) });
    own.misbehave(misbehaviour, method === undefined ? {} : { method });
    try {
      await expectRefusal(await start({}, { RPC_URL: own.url }), exitCode, code, ...texts);
    } finally {
      await own.close();
    }
  });

  test.concurrent.each<[string, Misbehaviour, string]>([
    ["gives logs outside the range", logs(onFirst((log) => ({ ...log, blockNumber: "0xffff" }))), "65535"],
    ["gives logs twice", logs((all) => [...all, all[0] as Log]), "twice"],
    ["gives logs of another contract", logs(onFirst((log) => ({ ...log, address: `0x${"7".repeat(40)}` }))), "0x7777"],
    [
      "gives logs whose block has another hash",
      logs((all) => all.map((log) => (log.blockNumber === "0x4" ? { ...log, blockHash: `0x${"8".repeat(64)}` } : log))),
      "0x8888",
    ],
  ])("%s", async (name, misbehaviour, evidence) => {
    const own = await startFakeNode({ chain: tokenChain({ blocks: 5 }) });
    own.misbehave(misbehaviour, { method: "eth_getLogs" });
    const schema = `lies_${name.replaceAll(/\W/g, "_")}`;
    try {
      const result = await start({}, { RPC_URL: own.url }, ["--schema", schema]);
      expect(result.stderr).toContain("error SOURCE_ANSWER_INVALID: ");
      expect(result.stderr).toContain(evidence);
      expect(result.exitCode).toBe(75);
      expect(await database.query(`select count(*)::int as n from ${schema}.transfer`)).toEqual([{ n: 0 }]);
    } finally {
      await own.close();
    }
  });

  test("gives logs out of order, which is mended", async () => {
    const own = await startFakeNode({ chain: tokenChain({ blocks: 5 }) });
    own.misbehave(
      logs((all) => all.toReversed()),
      { method: "eth_getLogs" },
    );
    try {
      expect(await start({}, { RPC_URL: own.url }, ["--schema", "unordered"])).toMatchObject({ exitCode: 0 });
      expect(await database.query("select count(*)::int as n from unordered.transfer")).toEqual([{ n: 5 + 4 * 2 }]);
    } finally {
      await own.close();
    }
  });

  test("is not there", async () => {
    await expectRefusal(await start({}, { RPC_URL: "http://127.0.0.1:1" }), 75, "SOURCE_UNREACHABLE", "127.0.0.1:1");
  });
});

/** What the transfers up to a block come to, added up apart from the indexer. */
function rowsThrough(last: number): unknown {
  const balances = new Map<string, bigint>();
  const add = (account: string, value: bigint) => balances.set(account, (balances.get(account) ?? 0n) + value);
  const transfers = CHAIN.blocks.slice(0, last + 1).flatMap(({ logs }) =>
    logs.map(({ topics, data, blockNumber }) => {
      const [from, to] = topics.slice(1).map((topic) => `0x${topic.slice(26)}`) as [string, string];
      add(from, -BigInt(data));
      add(to, BigInt(data));
      return { from, to, value: String(BigInt(data)), block: blockNumber };
    }),
  );
  const accounts = [...balances].toSorted().map(([id, balance]) => ({ id, balance: String(balance) }));
  return { accounts, transfers, allowances: [] };
}

async function rowsOf(schema: string): Promise<unknown> {
  return {
    accounts: await database.query(`select id, balance::text from ${schema}.account order by id`),
    transfers: await database.query(`select "from", "to", value::text, block::int from ${schema}.transfer order by id`),
    allowances: await database.query(`select owner from ${schema}.allowance`),
  };
}

describe("a handler that goes wrong stops at its event, and everything before it is durable", () => {
  const SET = "store.account.set({ ...sender, balance: sender.balance - value });";
  const at = "if (event.block.number === 30n && event.log.index === 1) ";
  test.concurrent.each<[string, string, string]>([
    ["throws", `${at}throw new Error("boom");`, "boom"],
    ["leaves the id out", `${at}store.account.set({ balance: 0n } as never);`, "account"],
    [
      "sets a value out of range",
      `${at}store.allowance.set({ owner: from, spender: to, amount: -1n });`,
      "allowance.amount = -1n",
    ],
    [
      "sets bytes that are too long",
      `${at}store.account.set({ id: \`0x\${"1".repeat(66)}\`, balance: 0n });`,
      "account.id",
    ],
    [
      "demands a row that is not there",
      `${at}await store.account.getOrThrow("0x${"9".repeat(40)}");`,
      "there is no account",
    ],
  ])("%s", async (name, code, text) => {
    const schema = `bad_${name.replaceAll(/\W/g, "_")}`;
    // Many batches: some are durable, some are not, when it happens.
    const small = { SPINDEX_CAPACITY_CHANGES: "40" };
    const broken = await start(edited("handlers.ts", SET, `${code}\n  ${SET}`), small, ["--schema", schema]);
    expect(broken.exitCode).toBe(1);
    expect(broken.stderr).toContain(
      "error HANDLER_FAILED: the handler of Token.Transfer threw at block 30, log 1, transaction 0x",
    );
    expect(broken.stderr).toContain(text);
    // Of the event and its block nothing is there, of the blocks before it everything.
    expect(await rowsOf(schema)).toEqual(rowsThrough(29));
    expect(await start({}, {}, ["--schema", schema])).toMatchObject({ exitCode: 0 });
    expect(await rowsOf(schema)).toEqual(rowsThrough(49));
  });

  test("and with onError: skip leaves nothing of the event but a row that says so", async () => {
    const files = edited(
      "handlers.ts",
      '"Token.Transfer", async ({ event, store }) => {',
      '"Token.Transfer", { onError: "skip" }, async ({ event, store }) => {',
    );
    const text = (files["handlers.ts"] ?? "").replace(
      "memo: null });\n",
      `memo: null });\n  ${at}throw new Error("boom");\n`,
    );
    expect(await start({ "handlers.ts": text }, {}, ["--schema", "skips"])).toMatchObject({ exitCode: 0 });
    expect(await database.query("select count(*)::int as n from skips.transfer")).toEqual([{ n: 5 + 49 * 2 - 1 }]);
    expect(
      await database.query("select block::int, log_index, handler, message from skips_spindex.skipped_events"),
    ).toEqual([{ block: 30, log_index: 1, handler: "Token.Transfer", message: "boom" }]);
    expect(
      await database.query(
        "select sum(balance)::int as sum from skips.account where id <> '0x0000000000000000000000000000000000000000'",
      ),
    ).toEqual([{ sum: 5_000_000 }]);
  });
});
