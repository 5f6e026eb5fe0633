import { type ChildProcess, execFile, spawn } from "node:child_process";
import { chmod, rm, stat, writeFile } from "node:fs/promises";
import { join } from "node:path";
import pg from "pg";
import { systemClock } from "../../src/lib/clock.ts";
import { temporaryFolder } from "./database-choice.ts";

/** Whether the machine has a pgbouncer. */
export function hasPgbouncer(): Promise<boolean> {
  return new Promise((done) => execFile("pgbouncer", ["--version"], (error) => done(error === null)));
}

export interface Pgbouncer {
  /** The database's URL through the pooler. */
  readonly url: string;
  stop(): Promise<void>;
}

/** A real pgbouncer before a database. */
export async function startPgbouncer(databaseUrl: string, poolMode: "session" | "transaction"): Promise<Pgbouncer> {
  const target = new URL(databaseUrl);
  const folder = await temporaryFolder();
  await chmod(folder, 0o777);
  const [host, port] = [target.searchParams.get("host") ?? target.hostname, target.port || "5432"];
  const config = `[databases]
* = host=${host} port=${port} user=${decodeURIComponent(target.username) || "postgres"} ${target.password === "" ? "" : `password=${decodeURIComponent(target.password)}`}
[pgbouncer]
listen_addr =
unix_socket_dir = ${folder}
listen_port = 6432
auth_type = any
pool_mode = ${poolMode}
ignore_startup_parameters = extra_float_digits
`;
  const file = join(folder, "pgbouncer.ini");
  await writeFile(file, config, { mode: 0o644 });
  // It refuses to run as root: whoever owns the server's socket folder can also enter it.
  const owner = host.startsWith("/") ? await stat(host) : { uid: 65_534, gid: 65_534 };
  const user = process.getuid?.() === 0 ? { uid: owner.uid, gid: owner.gid } : {};
  const child = spawn("pgbouncer", [file], { stdio: ["ignore", "ignore", "pipe"], ...user });
  const url = new URL(databaseUrl);
  url.searchParams.set("host", folder);
  url.port = "6432";
  await ready(url.href, child);
  return {
    url: url.href,
    async stop() {
      const ended = new Promise((done) => child.once("exit", done));
      child.kill("SIGKILL");
      await ended;
      await rm(folder, { recursive: true, force: true });
    },
  };
}

async function ready(url: string, child: ChildProcess): Promise<void> {
  let output = "";
  child.stderr?.on("data", (data: Buffer) => {
    output += data.toString();
  });
  for (let tries = 0; tries < 100; tries++) {
    const client = new pg.Client({ connectionString: url, connectionTimeoutMillis: 1_000 });
    client.on("error", () => {});
    try {
      await client.connect();
      await client.end();
      return;
    } catch {
      if (child.exitCode !== null) break;
      await client.end().catch(() => {});
      await systemClock.sleep(25);
    }
  }
  child.kill("SIGKILL");
  throw new Error(`pgbouncer cannot be used: ${output}`);
}
