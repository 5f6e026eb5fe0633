import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { chmod, mkdtemp, rm } from "node:fs/promises";
import { availableParallelism, cpus, tmpdir } from "node:os";
import { join } from "node:path";
import pg from "pg";
import { systemClock } from "../src/lib/clock.ts";
import { startEmbedded } from "../src/postgres/embedded.ts";
import { lastEventBlock, TOKEN } from "./chain.ts";

const bench = import.meta.dirname;
const root = join(bench, "..");
const DATABASE = "bench";
/** For Node.js: `spindex` is the sources, not what is built. */
export const SOURCES = "--conditions=spindex-source";

/**
 * What benchmarks start, and end with them: a PostgreSQL of their own, servers, and one indexer after the other. An
 * interrupt ends all of it.
 */
export class Harness implements AsyncDisposable {
  readonly #children = new Set<ChildProcess>();
  readonly #resources = new AsyncDisposableStack();
  readonly #stop = new AbortController();
  #url = "";
  #serverPid = 0;

  constructor() {
    this.#resources.defer(() => this.#endAll());
    const stop = (): void => this.#stop.abort();
    process.once("SIGINT", stop);
    process.once("SIGTERM", stop);
    this.signal.addEventListener("abort", () => this.#endAll());
  }

  /** Aborts when the benchmark shall end. */
  get signal(): AbortSignal {
    return this.#stop.signal;
  }

  async startDatabase(settings: Readonly<Record<string, string>>): Promise<void> {
    const data = await mkdtemp(join(tmpdir(), "spindex-bench-"));
    this.#resources.defer(() => rm(data, { recursive: true, force: true }));
    await chmod(data, 0o755);
    const server = await startEmbedded({ dataDir: join(data, "postgres"), clock: systemClock, settings });
    this.#resources.defer(() => server.stop());
    this.#url = server.url;
    this.#serverPid = server.pid;
  }

  /** The database's process: others of PostgreSQL are its children. */
  get databasePid(): number {
    return this.#serverPid;
  }

  /** Starts a script of this folder that prints its address when it listens. */
  async startServer(script: string, ...args: readonly string[]): Promise<string> {
    const child = this.#start([SOURCES, join(bench, script), ...args], {});
    const [line] = (await once(child.stdout as NodeJS.ReadableStream, "data")) as [Buffer];
    return line.toString().trim();
  }

  /** Starts a Node.js program with the settings of the projects in this folder. */
  startIndexer(
    args: readonly string[],
    chain: { readonly rpcUrl: string; readonly events: number },
    env: Readonly<Record<string, string>> = {},
  ): ChildProcess {
    return this.#start(args, {
      DATABASE_URL: this.#urlOf(DATABASE),
      BENCH_RPC: chain.rpcUrl,
      BENCH_TOKEN: TOKEN,
      BENCH_END: String(lastEventBlock(chain)),
      SPINDEX_PORT: "0",
      ...env,
    });
  }

  async recreateDatabase(): Promise<void> {
    await this.#onDatabase("postgres", async (client) => {
      await client.query(`drop database if exists ${DATABASE} with (force)`);
      await client.query(`create database ${DATABASE}`);
      // What one run has left to be written is not charged to the next.
      await client.query("checkpoint");
    });
  }

  /** The first row of an answer. */
  async row<T extends object>(sql: string): Promise<T> {
    return this.#onDatabase(DATABASE, async (client) => (await client.query(sql)).rows[0] as T);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#resources.disposeAsync();
  }

  #start(args: readonly string[], env: Readonly<Record<string, string>>): ChildProcess {
    const child = spawn(process.execPath, ["--max-semi-space-size=16", ...args], {
      cwd: root,
      env: { PATH: process.env.PATH, ...env },
      stdio: ["ignore", "pipe", "inherit"],
    });
    this.#children.add(child);
    child.once("close", () => this.#children.delete(child));
    return child;
  }

  #endAll(): void {
    for (const child of this.#children) child.kill("SIGTERM");
  }

  #urlOf(database: string): string {
    const url = new URL(this.#url);
    url.pathname = `/${database}`;
    return url.href;
  }

  async #onDatabase<T>(name: string, use: (client: pg.Client) => Promise<T>): Promise<T> {
    const client = new pg.Client({ connectionString: this.#urlOf(name) });
    await client.connect();
    try {
      return await use(client);
    } finally {
      await client.end();
    }
  }
}

/** What a child printed, once it has ended well. @throws Error with its output when it has not */
export async function outputOf(child: ChildProcess): Promise<string> {
  let output = "";
  child.stdout?.setEncoding("utf8").on("data", (text: string) => {
    output += text;
  });
  const [exitCode] = (await once(child, "close")) as [number | null];
  if (exitCode !== 0) throw new Error(`the indexer ended with ${exitCode}:\n${output}`);
  return output;
}

export function machine(): string {
  return `${availableParallelism()} × ${cpus()[0]?.model.trim() ?? "unknown CPU"}, Node.js ${process.version}`;
}
