import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { type CliProcess, startCli, temporaryProject } from "../support/cli.ts";
import { tokenChain } from "../support/fake-chain.ts";
import { type FakeNode, type Misbehaviour, type MisbehaviourRule, startFakeNode } from "../support/fake-node.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { TOKEN_PROJECT } from "../support/token-project.ts";

/** One for each place that may hold a secret. */
const SECRETS = {
  path: "pathkey-6f1e9d",
  query: "querykey-77ab01",
  user: "rpcuser-90cc3e",
  password: "rpcpass-c4d5e6",
  header: "headerkey-2b3c4d",
  database: "dbpass-8a9b0c",
  otlp: "otlpkey-5e6f70",
};
const LEAK = `denied for ${SECRETS.user}:${SECRETS.password} ${SECRETS.header} at /v3/${SECRETS.path}?key=${SECRETS.query}`;
const BLOCKS = 30;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const CONFIG = TOKEN_PROJECT["spindex.config.ts"].replace(
  'sources: [{ rpc: env("RPC_URL") }]',
  'sources: [{ rpc: env("RPC_URL"), headers: { authorization: env("RPC_KEY") } }]',
);

interface Case {
  readonly name: string;
  /** How it ends: the exit code, and the code of the error. None: it runs until it is stopped. */
  readonly ends?: readonly [exitCode: number, code: string];
  readonly misbehaves?: readonly [Misbehaviour, MisbehaviourRule?];
  readonly env?: (rpc: URL, database: URL) => Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  /** What happens when the first half of the chain is durable. */
  readonly halfway?: (node: FakeNode, schema: string) => Promise<unknown>;
}

/** Runs a project whose every configurable place holds a secret, and looks for them in all that it lets out. */
async function expectNoSecrets(given: Case): Promise<void> {
  const node = await startFakeNode({ chain: tokenChain({ blocks: BLOCKS }), head: BLOCKS / 2 });
  await using project = await temporaryProject({ ...TOKEN_PROJECT, "spindex.config.ts": CONFIG, ...given.files });
  if (given.misbehaves !== undefined) node.misbehave(...given.misbehaves);
  const rpc = new URL(`/v3/${SECRETS.path}?key=${SECRETS.query}`, node.url);
  [rpc.username, rpc.password] = [SECRETS.user, SECRETS.password];
  const url = new URL(database.url);
  url.password = SECRETS.database;
  const schema = given.name.replaceAll(/\W/g, "_").slice(0, 48);
  const traceFile = join(project.directory, "traces.jsonl");
  const args = ["start", "--log-level", "trace", "--trace-file", traceFile, "--schema", schema];
  const cli = startCli(args, {
    cwd: project.directory,
    env: {
      DATABASE_URL: url.href,
      RPC_URL: rpc.href,
      RPC_KEY: `Bearer ${SECRETS.header}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9",
      OTEL_EXPORTER_OTLP_HEADERS: `x-key=${SECRETS.otlp}`,
      // What shall go well has time, also on a busy machine.
      SPINDEX_START_BUDGET: given.ends === undefined ? "1m" : "500ms",
      SPINDEX_FATAL_LINGER: "0",
      ...given.env?.(rpc, url),
    },
  });
  let pages = "";
  try {
    if (given.ends === undefined || given.halfway !== undefined) {
      await cli.until(({ chains: [chain] }) => chain?.committed === BLOCKS / 2);
      await given.halfway?.(node, schema);
    }
    if (given.ends === undefined) {
      node.setHead(BLOCKS - 1);
      await cli.until(({ chains: [chain] }) => chain?.committed === BLOCKS - 1);
      pages = await pagesOf(cli);
      cli.child.kill("SIGTERM");
    }
    const { exitCode } = await cli.ended;
    const traces = await readFile(traceFile, "utf8").catch(() => "");
    const everything = [cli.output(), traces, pages].join("\n");
    expect(Object.entries(SECRETS).filter(([, secret]) => everything.includes(secret))).toEqual([]);
    const [wanted, code] = given.ends ?? [0, "spindex.write_transaction"];
    expect(everything).toContain(code);
    expect(exitCode).toBe(wanted);
  } finally {
    cli.child.kill("SIGKILL");
    await node.close();
  }
}

async function pagesOf(cli: CliProcess): Promise<string> {
  const origin = await cli.url();
  const pages = ["/", "/status", "/metrics", "/livez", "/readyz", "/freshz"].map(async (path) =>
    (await fetch(`${origin}${path}`)).text(),
  );
  return (await Promise.all(pages)).join("\n");
}

describe("no secret is let out", () => {
  test.concurrent.each<Case>([
    { name: "by an indexer that runs well" },
    {
      name: "by one whose password has a percent sign",
      env: ({ href }) => ({ RPC_URL: href.replace("@", "%zz@") }),
    },
    {
      name: "by one whose node fails and whose connections are lost on the way",
      halfway: async (node) => {
        node.misbehave({ kind: "error", status: 500, error: { code: -32000, message: LEAK } }, { times: 2 });
        node.misbehave({ kind: "http", status: 502, body: `<html>${LEAK}</html>` }, { times: 1 });
        await database.query(
          `select pg_terminate_backend(pid) from pg_stat_activity
           where datname = current_database() and application_name like 'spindex%'`,
        );
      },
    },
  ])("$name", expectNoSecrets);
});

describe("no secret is let out when the node", () => {
  test.concurrent.each<Case>([
    {
      name: "refuses access and repeats them",
      misbehaves: [{ kind: "http", status: 403, body: LEAK }],
      ends: [2, "SOURCE_REFUSED"],
    },
    {
      name: "sends elsewhere",
      misbehaves: [{ kind: "http", status: 307, body: "", headers: { location: `/v4/${SECRETS.path}` } }],
      ends: [75, "SOURCE_"],
    },
    {
      name: "answers nonsense",
      misbehaves: [{ kind: "text", change: () => `<a href="/v3/${SECRETS.path}?key=${SECRETS.query}">` }],
      ends: [75, "SOURCE_ANSWER_INVALID"],
    },
    {
      name: "answers with an error that repeats them",
      misbehaves: [{ kind: "error", error: { code: -32000, message: LEAK, data: { url: LEAK } } }],
      ends: [75, "SOURCE_"],
    },
    { name: "cuts connections", misbehaves: [{ kind: "cut" }], ends: [75, "SOURCE_UNREACHABLE"] },
    {
      name: "hangs",
      files: { "spindex.config.ts": CONFIG.replace('env("RPC_KEY") }', 'env("RPC_KEY") }, timeoutMs: 300') },
      misbehaves: [{ kind: "hang" }],
      ends: [75, "SOURCE_UNREACHABLE"],
    },
    {
      name: "is of another chain",
      misbehaves: [{ kind: "result", change: () => "0x5" }, { method: "eth_chainId" }],
      ends: [2, "CHAIN_ID_MISMATCH"],
    },
  ])("$name", expectNoSecrets);
});

describe("no secret is let out when it is configured wrongly:", () => {
  const wrong = (name: string, env: Case["env"] & {}, code = "ENV_INVALID"): Case => ({
    name,
    env,
    ends: [2, code],
  });
  test.concurrent.each<Case>([
    wrong("rpc of another scheme", ({ href }) => ({ RPC_URL: href.replace("http", "htp") })),
    wrong("rpc without a scheme", ({ href }) => ({ RPC_URL: href.replace("http://", "") })),
    wrong("rpc that is no address", ({ href }) => ({ RPC_URL: href.replace("127.0.0.1", "no host") })),
    wrong("header with a line break", () => ({ RPC_KEY: `Bearer ${SECRETS.header}\nx` })),
    wrong(
      "database of another scheme",
      (_, { href }) => ({ DATABASE_URL: href.replace("postgresql", "mysql") }),
      "DATABASE_URL_INVALID",
    ),
    wrong(
      "database password with a hash",
      () => ({ DATABASE_URL: `postgresql://me:${SECRETS.database}#1@127.0.0.1/app` }),
      "DATABASE_URL_INVALID",
    ),
    wrong(
      "database password with a slash",
      () => ({ DATABASE_URL: `postgresql://me:${SECRETS.database}/1@127.0.0.1/app` }),
      "DATABASE_URL_INVALID",
    ),
    wrong(
      "database password with a percent sign",
      () => ({ DATABASE_URL: `postgresql://me:${SECRETS.database}%zz@127.0.0.1/app` }),
      "DATABASE_URL_INVALID",
    ),
    wrong(
      "database that does not exist",
      (_, { href }) => ({ DATABASE_URL: href.replace(/\/spindex_test_\w+/, "/nowhere") }),
      "DATABASE_REFUSED",
    ),
    wrong("collector headers", () => ({ OTEL_EXPORTER_OTLP_HEADERS: `no header ${SECRETS.otlp}` })),
  ])("$name", expectNoSecrets);

  test("database that is away", async () => {
    const port = await closedPort();
    await expectNoSecrets({
      name: "database that is away",
      env: () => ({ DATABASE_URL: `postgresql://me:${SECRETS.database}@127.0.0.1:${port}/app` }),
      ends: [75, "DATABASE_UNREACHABLE"],
    });
  });
});

describe("no secret is let out when it ends with", () => {
  test.concurrent.each<Case>([
    {
      name: "a handler's error that holds them",
      files: {
        "handlers.ts": TOKEN_PROJECT["handlers.ts"].replace(
          "const { from, to, value } = event.args;",
          `const { from, to, value } = event.args;
  if (event.block.number === 20n) throw new Error(\`no answer from \${process.env.RPC_URL} nor \${process.env.DATABASE_URL}\`);`,
        ),
      },
      halfway: async (node) => node.setHead(BLOCKS - 1),
      ends: [1, "HANDLER_FAILED"],
    },
    {
      name: "a write that the database refuses",
      halfway: async (node, schema) => {
        await database.query(`alter table ${schema}.transfer add check (block < 20)`);
        node.setHead(BLOCKS - 1);
      },
      ends: [1, "WRITE_FAILED"],
    },
  ])("$name", expectNoSecrets);
});

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
