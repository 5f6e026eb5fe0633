import { once } from "node:events";
import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { createServer, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import type { ENVIRONMENT } from "../../src/config/environment.ts";
import type { ChainConfig, IndexerConfig, SourceConfig } from "../../src/index.ts";
import type { CliProcess } from "./cli.ts";
import type { TestDatabase } from "./postgres.ts";
import { TOKEN_PROJECT } from "./token-project.ts";

/** One for each place that may hold a secret. */
export const SECRETS = {
  path: "pathkey-6f1e9d",
  query: "querykey-77ab01",
  user: "rpcuser-90cc3e",
  password: "rpcpass-c4d5e6",
  header: "headerkey-2b3c4d",
  literalPath: "literalpath-1a2b3c",
  literalHeader: "literalheader-4d5e6f",
  database: "dbpass-8a9b0c",
  otlp: "otlpkey-5e6f70",
  collectorUser: "colluser-3c4d5e",
  collectorPassword: "collpass-6f7081",
  collectorPath: "collpath-92a3b4",
};

/** Everything that an answer of a provider could give back. */
export const LEAK = `denied for ${SECRETS.user}:${SECRETS.password} ${SECRETS.header} ${SECRETS.literalHeader} at /v3/${SECRETS.path}?key=${SECRETS.query} or /${SECRETS.literalPath}`;

/** What a variable may hold: nothing that is secret, or the secrets planted in it. A new variable has to be told here. */
export const VARIABLES = {
  databaseUrl: ["database"],
  databaseSchema: "plain",
  host: "plain",
  port: "plain",
  logLevel: "plain",
  logFormat: "plain",
  fatalLingerMs: "plain",
  startBudgetMs: "plain",
  writeRetryBudgetMs: "plain",
  capacityChanges: "plain",
  capacityBytes: "plain",
  cacheBytes: "plain",
  traceFile: "plain",
  traceRatio: "plain",
  flightRecorder: "plain",
  dumpDirectory: "plain",
  otlpEndpoint: ["collectorUser", "collectorPassword", "collectorPath"],
  otlpHeaders: ["otlp"],
  resourceAttributes: "plain",
} as const satisfies Record<keyof typeof ENVIRONMENT, "plain" | readonly (keyof typeof SECRETS)[]>;

type ConfigField = keyof IndexerConfig<object, string, Record<string, never>> | keyof ChainConfig | keyof SourceConfig;

/** The same for each setting of the configuration, of its chains and of their sources. */
export const SETTINGS = {
  name: "plain",
  schema: "plain",
  handlers: "plain",
  chains: "plain",
  contracts: "plain",
  rawEvents: "plain",
  id: "plain",
  sources: "plain",
  maxReorgDepth: "plain",
  blockLag: "plain",
  pollIntervalMs: "plain",
  freshnessObjectiveSeconds: "plain",
  rpc: ["path", "query", "user", "password", "literalPath"],
  maxConcurrency: "plain",
  maxRangeBlocks: "plain",
  timeoutMs: "plain",
  headers: ["header", "literalHeader"],
} as const satisfies Record<ConfigField, "plain" | readonly (keyof typeof SECRETS)[]>;

/**
 * A configuration with secrets in its environment, and such as were written into it, with a second source.
 * @param more settings of either source
 */
export function configWithSecrets(port: number, more = ""): string {
  const literal = `{ rpc: "http://127.0.0.1:${port}/${SECRETS.literalPath}", headers: { "x-key": "${SECRETS.literalHeader}" }${more} }`;
  return TOKEN_PROJECT["spindex.config.ts"].replace(
    'sources: [{ rpc: env("RPC_URL") }]',
    `sources: [{ rpc: env("RPC_URL"), headers: { authorization: env("RPC_KEY") }${more} }, ${literal}]`,
  );
}

/** A collector that takes what it is sent, and keeps it. */
export interface Collector extends AsyncDisposable {
  readonly url: string;
  /** All that was sent, as text. Protobuf leaves texts as they are. */
  received(): string;
}

export async function startCollector(): Promise<Collector> {
  const bodies: Buffer[] = [];
  const server: Server = createServer((request, response) => {
    request.on("data", (chunk: Buffer) => bodies.push(chunk));
    request.on("end", () => response.end());
  }).listen(0, "127.0.0.1");
  await once(server, "listening");
  const url = new URL(`http://127.0.0.1:${(server.address() as AddressInfo).port}/${SECRETS.collectorPath}`);
  [url.username, url.password] = [SECRETS.collectorUser, SECRETS.collectorPassword];
  return {
    url: url.href,
    received: () => Buffer.concat(bodies).toString("latin1"),
    [Symbol.asyncDispose]: async () => {
      server.closeAllConnections();
      server.close();
    },
  };
}

/** Everything that the endpoints answer. */
export async function pagesOf(cli: CliProcess): Promise<string> {
  const origin = await cli.url();
  const pages = ["/", "/status", "/metrics", "/livez", "/readyz", "/freshz", "/nothing"].map(async (path) =>
    (await fetch(`${origin}${path}`)).text(),
  );
  return (await Promise.all(pages)).join("\n");
}

/** Every row of every table of an indexer, as text. */
export async function tablesOf(database: TestDatabase, schema: string): Promise<string> {
  const tables = await database.query<{ name: string }>(
    "select format('%I.%I', schemaname, tablename) as name from pg_tables where schemaname in ($1, $2)",
    [schema, `${schema}_spindex`],
  );
  const texts = tables.map(async ({ name }) => {
    const rows = await database.query<{ row: string }>(`select t::text as row from ${name} t`);
    return rows.map(({ row }) => row).join("\n");
  });
  return (await Promise.all(texts)).join("\n");
}

/** The files that an indexer has written into its project, named by a glob. */
export async function filesOf(directory: string, pattern: string): Promise<string> {
  const paths = globSync(pattern, { cwd: directory });
  return (await Promise.all(paths.map((path) => readFile(join(directory, path), "utf8")))).join("\n");
}
