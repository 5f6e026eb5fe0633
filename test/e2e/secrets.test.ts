import { readFile } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { type CliProcess, startCli, temporaryProject } from "../support/cli.ts";
import { tokenChain } from "../support/fake-chain.ts";
import { type FakeNode, type Misbehaviour, startFakeNode } from "../support/fake-node.ts";
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

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const config = TOKEN_PROJECT["spindex.config.ts"].replace(
  'sources: [{ rpc: env("RPC_URL") }]',
  'sources: [{ rpc: env("RPC_URL"), headers: { authorization: env("RPC_KEY") } }]',
);

interface Run {
  readonly everything: string;
  readonly exitCode: number | null;
}

/** Runs a project whose every configurable place holds a secret, and gathers all that it lets out. */
async function run(
  node: FakeNode,
  env: Record<string, string>,
  look: (cli: CliProcess) => Promise<unknown>,
): Promise<Run> {
  await using project = await temporaryProject({ ...TOKEN_PROJECT, "spindex.config.ts": config });
  const rpc = new URL(`/v3/${SECRETS.path}?key=${SECRETS.query}`, node.url);
  [rpc.username, rpc.password] = [SECRETS.user, SECRETS.password];
  const url = new URL(database.url);
  url.password = SECRETS.database;
  const traceFile = join(project.directory, "traces.jsonl");
  const cli = startCli(["start", "--log-level", "trace", "--trace-file", traceFile], {
    cwd: project.directory,
    env: {
      DATABASE_URL: url.href,
      RPC_URL: rpc.href,
      RPC_KEY: `Bearer ${SECRETS.header}`,
      OTEL_EXPORTER_OTLP_ENDPOINT: "http://127.0.0.1:9",
      OTEL_EXPORTER_OTLP_HEADERS: `x-key=${SECRETS.otlp}`,
      SPINDEX_START_BUDGET: "1s",
      SPINDEX_FATAL_LINGER: "0s",
      ...env,
    },
  });
  const pages: string[] = [];
  try {
    await look(cli).catch((error: unknown) => pages.push(String(error)));
    for (const path of ["/status", "/metrics", "/readyz", "/freshz", "/"]) {
      const page = await fetch(`${await cli.url().catch(() => "http://127.0.0.1:9")}${path}`).catch(() => undefined);
      pages.push((await page?.text()) ?? "");
    }
  } finally {
    cli.child.kill("SIGTERM");
  }
  const { exitCode } = await cli.ended;
  const traces = await readFile(traceFile, "utf8").catch(() => "");
  return { everything: [cli.output(), traces, ...pages].join("\n"), exitCode };
}

function expectNoSecrets({ everything }: Run): void {
  // It has said something at all.
  expect(everything.length).toBeGreaterThan(100);
  expect(Object.entries(SECRETS).filter(([, secret]) => everything.includes(secret))).toEqual([]);
}

test("no secret is let out by an indexer that runs well", async () => {
  const node = await startFakeNode({ chain: tokenChain({ blocks: 30 }) });
  try {
    const ran = await run(node, {}, (cli) => cli.until(({ chains: [chain] }) => chain?.committed === 29));
    expect(ran.exitCode).toBe(0);
    expect(ran.everything).toContain("spindex.write_transaction");
    expectNoSecrets(ran);
  } finally {
    await node.close();
  }
});

const echo: Misbehaviour = {
  kind: "http",
  status: 403,
  body: `denied for ${[SECRETS.user, SECRETS.password, SECRETS.header].join(" ")} at /v3/${SECRETS.path}?key=${SECRETS.query}`,
};

test.each<[string, Misbehaviour, number]>([
  ["refuses and repeats them", echo, 2],
  ["answers nonsense", { kind: "text", change: () => `<a href="/v3/${SECRETS.path}?key=${SECRETS.query}">` }, 75],
  ["cuts connections", { kind: "cut" }, 75],
])("no secret is let out when the node %s", async (_name, misbehaviour, exitCode) => {
  const node = await startFakeNode({ chain: tokenChain({ blocks: 30 }) });
  node.misbehave(misbehaviour);
  try {
    const ran = await run(node, {}, (cli) => cli.ended);
    expect(ran.exitCode).toBe(exitCode);
    expectNoSecrets(ran);
  } finally {
    await node.close();
  }
});

test("no secret is let out when the database is away", async () => {
  const node = await startFakeNode({ chain: tokenChain({ blocks: 30 }) });
  const closed = createServer();
  await new Promise<void>((resolve) => closed.listen(0, "127.0.0.1", resolve));
  const { port } = closed.address() as { port: number };
  await new Promise((resolve) => closed.close(resolve));
  try {
    const ran = await run(
      node,
      { DATABASE_URL: `postgresql://me:${SECRETS.database}@127.0.0.1:${port}/app` },
      (cli) => cli.ended,
    );
    expect(ran.exitCode).toBe(75);
    expect(ran.everything).toContain("DATABASE_UNREACHABLE");
    expectNoSecrets(ran);
  } finally {
    await node.close();
  }
});
