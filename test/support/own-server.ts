import { execFile } from "node:child_process";
import { rm } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import pg from "pg";
import { afterAll } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { type EmbeddedServer, startEmbedded } from "../../src/postgres/embedded.ts";
import { isAlive } from "../../src/postgres/embedded-postmaster.ts";
import { temporaryFolder } from "./database-choice.ts";

const run = promisify(execFile);

/** A PostgreSQL server of a test's own, to be stopped, killed and changed. Its URL stays the same. */
export interface OwnServer extends AsyncDisposable {
  readonly url: string;
  /** Where its data lies while it is stopped: may be copied (with owners) and replaced. */
  readonly dataDir: string;
  start(): Promise<void>;
  /** As `pg_ctl stop -m fast`: sessions are cut off, what is durable is written out. */
  stop(): Promise<void>;
  /** SIGKILL for all of its processes: the next start recovers from the log. */
  kill(): Promise<void>;
  /** Runs SQL on a connection of its own. */
  query<R extends pg.QueryResultRow = Record<string, unknown>>(text: string, values?: unknown[]): Promise<R[]>;
}

const SETTINGS = { fsync: "off", shared_buffers: "16MB", max_connections: "30", autovacuum: "off" };

/** Data as new, to be copied: which is faster than making it again. For one test file. */
let template: Promise<string> | undefined;
afterAll(async () => {
  if (template !== undefined) await rm(dirname(await template), { recursive: true, force: true });
});

/** Starts one on new data. */
export async function startOwnServer(): Promise<OwnServer> {
  template ??= newData();
  const folder = await temporaryFolder();
  const options = { dataDir: join(folder, "data"), clock: systemClock, settings: SETTINGS };
  await copyData(await template, options.dataDir);
  let server: EmbeddedServer = await startEmbedded(options);
  const { url, dataDir } = server;
  return {
    url,
    dataDir,
    start: async () => {
      server = await startEmbedded(options);
    },
    stop: () => server.stop(),
    kill: () => killAll(server.pid),
    query: async <R extends pg.QueryResultRow>(text: string, values: unknown[] = []) => {
      const client = new pg.Client({ connectionString: url });
      client.on("error", () => {});
      await client.connect();
      try {
        return (await client.query<R>(text, values)).rows;
      } finally {
        await client.end();
      }
    },
    [Symbol.asyncDispose]: async () => {
      await server.stop();
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function newData(): Promise<string> {
  const folder = await temporaryFolder();
  const server = await startEmbedded({ dataDir: join(folder, "data"), clock: systemClock, settings: SETTINGS });
  await server.stop();
  return server.dataDir;
}

/** A copy of the data directory of a stopped server, with owners and permissions. */
export async function copyData(from: string, to: string): Promise<void> {
  await run("cp", ["-a", from, to]);
}

async function killAll(postmaster: number): Promise<void> {
  const { stdout } = await run("pgrep", ["-P", String(postmaster)]);
  const pids = [postmaster, ...stdout.trim().split("\n").map(Number)];
  for (const pid of pids) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // It ended by itself when its parent did.
    }
  }
  while (pids.some(isAlive)) await systemClock.sleep(5);
}
