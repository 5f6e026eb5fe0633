import { createServer } from "node:net";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ENVIRONMENT } from "../../src/config/environment.ts";
import { startCli, temporaryProject } from "../support/cli.ts";
import { tokenChain } from "../support/fake-chain.ts";
import { type FakeNode, type Misbehaviour, type MisbehaviourRule, startFakeNode } from "../support/fake-node.ts";
import {
  configWithSecrets,
  filesOf,
  LEAK,
  pagesOf,
  SECRETS,
  SETTINGS,
  startCollector,
  tablesOf,
  VARIABLES,
} from "../support/planted-secrets.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { TOKEN_PROJECT } from "../support/token-project.ts";

const BLOCKS = 30;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

interface Case {
  readonly name: string;
  /** How it ends: the exit code, and the code of the error. None: it runs until it is stopped. */
  readonly ends?: readonly [exitCode: number, code: string];
  readonly misbehaves?: readonly [Misbehaviour, MisbehaviourRule?];
  readonly env?: (rpc: URL, database: URL) => Readonly<Record<string, string>>;
  /** Settings of the sources. */
  readonly source?: string;
  readonly files?: Readonly<Record<string, string>> | ((rpc: URL, database: URL) => Readonly<Record<string, string>>);
  /** What happens when the first half of the chain is durable. */
  readonly halfway?: (node: FakeNode, schema: string) => Promise<unknown>;
  /** It stays up after the error, until its pages have been read. */
  readonly lingers?: boolean;
}

/** Runs a project whose every configurable place holds a secret, and looks for them in all that it lets out. */
async function expectNoSecrets(given: Case): Promise<void> {
  const node = await startFakeNode({ chain: tokenChain({ blocks: BLOCKS }), head: BLOCKS / 2 });
  await using collector = await startCollector();
  const rpc = new URL(`/v3/${SECRETS.path}?key=${SECRETS.query}`, node.url);
  [rpc.username, rpc.password] = [SECRETS.user, SECRETS.password];
  const url = new URL(database.url);
  url.password = SECRETS.database;
  await using project = await temporaryProject({
    ...TOKEN_PROJECT,
    "spindex.config.ts": configWithSecrets(node.port, given.source),
    ...(typeof given.files === "function" ? given.files(rpc, url) : given.files),
  });
  if (given.misbehaves !== undefined) node.misbehave(...given.misbehaves);
  const schema = given.name.replaceAll(/\W/g, "_").slice(0, 48);
  const args = ["start", "--log-level", "trace", "--trace-file", "traces.jsonl", "--schema", schema];
  const cli = startCli(args, {
    cwd: project.directory,
    env: {
      DATABASE_URL: url.href,
      RPC_URL: rpc.href,
      RPC_KEY: `Bearer ${SECRETS.header}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: collector.url,
      OTEL_EXPORTER_OTLP_HEADERS: `x-key=${SECRETS.otlp}`,
      // What shall go well has time, also on a busy machine.
      SPINDEX_START_BUDGET: given.ends === undefined ? "1m" : "500ms",
      SPINDEX_FATAL_LINGER: given.lingers ? "1m" : "0",
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
    } else if (given.lingers) await cli.until(({ failure }) => failure !== undefined);
    if (given.ends === undefined || given.lingers) {
      pages = await pagesOf(cli);
      cli.child.kill("SIGTERM");
    }
    const { exitCode } = await cli.ended;
    const files = await filesOf(project.directory, "{traces.jsonl,.spindex/dumps/*}");
    const tables = await tablesOf(database, schema);
    const everything = [cli.output(), files, pages, tables, collector.received()].join("\n");
    expect(Object.entries(SECRETS).filter(([, secret]) => everything.includes(secret))).toEqual([]);
    const [wanted, code] = given.ends ?? [0, "spindex.write_transaction"];
    expect(everything).toContain(code);
    expect(exitCode).toBe(wanted);
  } finally {
    cli.child.kill("SIGKILL");
    await node.close();
  }
}

describe("what is planted", () => {
  test("is in every variable that may hold a secret", () => {
    const expected = Object.entries(ENVIRONMENT).map(([name, { secret, type }]) => [
      name,
      secret || type === "url" ? expect.any(Array) : "plain",
    ]);
    expect(Object.entries(VARIABLES)).toEqual(expect.arrayContaining(expected));
  });

  test("is in every place", () => {
    const planted = [...Object.values(VARIABLES), ...Object.values(SETTINGS)].filter((place) => place !== "plain");
    expect(planted.flat().toSorted()).toEqual(Object.keys(SECRETS).toSorted());
  });
});

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
      source: ", timeoutMs: 300",
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
    wrong("collector of another scheme", () => ({
      OTEL_EXPORTER_OTLP_ENDPOINT: `me:${SECRETS.collectorPassword}@collector/${SECRETS.collectorPath}`,
    })),
    wrong("collector headers", () => ({ OTEL_EXPORTER_OTLP_HEADERS: `no header ${SECRETS.otlp}` })),
  ])("$name", expectNoSecrets);

  test("database that refuses the password and repeats it", async () => {
    using refusing = await refusingDatabase();
    await expectNoSecrets({
      name: "database that refuses",
      env: () => ({ DATABASE_URL: `postgresql://me:${SECRETS.database}@127.0.0.1:${refusing.port}/app` }),
      ends: [2, "DATABASE_REFUSED"],
    });
  });

  test("database that is away", async () => {
    const port = await closedPort();
    await expectNoSecrets({
      name: "database that is away",
      env: () => ({ DATABASE_URL: `postgresql://me:${SECRETS.database}@127.0.0.1:${port}/app` }),
      ends: [75, "DATABASE_UNREACHABLE"],
    });
  });
});

/** A handler that does this with the event in block 20; `keys` are secrets that are known only by their value. */
const handlersThat = (does: string): Readonly<Record<string, string>> => ({
  "handlers.ts": TOKEN_PROJECT["handlers.ts"]
    .replace("async ({ event, store })", "async ({ event, store, log, span, metrics, effect })")
    .replace(
      "const { from, to, value } = event.args;",
      `const { from, to, value } = event.args;
  if (event.block.number === 20n) {
    ${does}
  }`,
    )
    .replace(
      "indexer.on(",
      `import { createEffect, t } from "spindex";
const { RPC_URL = "", RPC_KEY = "", DATABASE_URL = "", OTEL_EXPORTER_OTLP_ENDPOINT = "" } = process.env;
const keys = [RPC_URL, RPC_KEY, DATABASE_URL, OTEL_EXPORTER_OTLP_ENDPOINT].flatMap((text) => text.split(/[/:@?= ]+/)).slice(1).join(" ");
const ask = createEffect({ name: "ask", input: t.text(), output: t.text(), rateLimit: false }, async (of) => {
  throw new Error(\`no answer to \${keys} of \${of}\`, { cause: new Error(RPC_URL, { cause: { headers: { authorization: RPC_KEY } } }) });
});
indexer.on(`,
    ),
});
const THROW = 'throw new Error(["no answer to", keys, "from", RPC_URL, "nor", DATABASE_URL].join(" "));';

describe("no secret is let out when it ends with", () => {
  test.concurrent.each<Case>([
    {
      name: "a handler's error that holds them",
      files: handlersThat(THROW),
      halfway: async (node) => node.setHead(BLOCKS - 1),
      ends: [1, "HANDLER_FAILED"],
    },
    {
      name: "a handler's error that stays to be scraped",
      files: handlersThat(THROW),
      halfway: async (node) => node.setHead(BLOCKS - 1),
      ends: [1, "HANDLER_FAILED"],
      lingers: true,
    },
    {
      name: "an effect's error with causes",
      files: handlersThat('await effect(ask, "the " + keys);'),
      halfway: async (node) => node.setHead(BLOCKS - 1),
      ends: [1, "HANDLER_FAILED"],
    },
    {
      name: "a promise that nobody awaited",
      files: handlersThat(
        "void Promise.reject(Object.assign(new Error(keys, { cause: new Error(RPC_URL) }), { headers: { authorization: RPC_KEY }, url: RPC_URL, keys }));",
      ),
      halfway: async (node) => node.setHead(BLOCKS - 1),
      ends: [1, "nobody caught"],
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

describe("no secret is let out by a handler that", () => {
  const skipping = (files: Readonly<Record<string, string>>): Readonly<Record<string, string>> => ({
    "handlers.ts": (files["handlers.ts"] ?? "").replace('"Token.Transfer",', '"Token.Transfer", { onError: "skip" },'),
  });
  test.concurrent.each<Case>([
    { name: "throws them and is skipped", files: skipping(handlersThat(THROW)) },
    {
      name: "tells them",
      files: skipping(
        handlersThat(
          `log.warn(\`asking \${keys}\`, { keys, RPC_URL, nested: { headers: [RPC_KEY] } });
    metrics.counter("asked", { help: "Asked.", labels: ["of", "at"] }).add(1, { of: keys, at: RPC_URL });
    span(\`ask \${keys}\`, (span) => {
      span.set({ keys, RPC_URL, RPC_KEY });
      span.span(RPC_KEY, () => {
        throw new Error(keys);
      });
    });`,
        ),
      ),
    },
  ])("$name", expectNoSecrets);
});

describe("no secret is let out when they are read from files", () => {
  const files = (rpc: URL, { href }: URL): Readonly<Record<string, string>> => ({
    "secrets/rpc": `${rpc.href}\n`,
    "secrets/key": `Bearer ${SECRETS.header}\n`,
    "secrets/database": `${href}\n`,
    "secrets/collector": `x-key=${SECRETS.otlp}\n`,
  });
  const env = {
    ...{ RPC_URL: "", RPC_URL_FILE: "secrets/rpc", RPC_KEY: "", RPC_KEY_FILE: "secrets/key" },
    ...{ DATABASE_URL: "", DATABASE_URL_FILE: "secrets/database" },
    ...{ OTEL_EXPORTER_OTLP_HEADERS: "", OTEL_EXPORTER_OTLP_HEADERS_FILE: "secrets/collector" },
  };
  test.concurrent.each<Case>([
    { name: "and are right", files, env: () => env },
    {
      name: "and are wrong",
      files: (rpc, url) => ({
        ...files(rpc, url),
        "secrets/rpc": rpc.href.replace("://", ":"),
        "secrets/key": `${SECRETS.header}\nand more`,
        "secrets/collector": `none ${SECRETS.otlp}`,
      }),
      env: () => env,
      ends: [2, "ENV_INVALID"],
    },
  ])("$name", expectNoSecrets);
});

/** A server that asks for the password, and says that it is wrong and which it was. */
async function refusingDatabase(): Promise<{ readonly port: number } & Disposable> {
  const server = createServer((socket) => {
    let isAsked = false;
    socket.on("error", () => {});
    socket.on("data", (data: Buffer) => {
      if (!isAsked && data.readInt32BE(4) === 80_877_103) return void socket.write("N");
      if (!isAsked) {
        isAsked = true;
        // AuthenticationCleartextPassword
        socket.write(Buffer.from([0x52, 0, 0, 0, 8, 0, 0, 0, 3]));
        return;
      }
      const password = data.subarray(5, -1).toString();
      const fields = ["SFATAL", "C28P01", `Mpassword authentication failed: ${password} is wrong`, ""].join("\0");
      const head = Buffer.from([0x45, 0, 0, 0, 0]);
      head.writeInt32BE(fields.length + 5, 1);
      socket.end(Buffer.concat([head, Buffer.from(`${fields}\0`)]));
    });
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { port: (server.address() as { port: number }).port, [Symbol.dispose]: () => server.close() };
}

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as { port: number };
  await new Promise((resolve) => server.close(resolve));
  return port;
}
