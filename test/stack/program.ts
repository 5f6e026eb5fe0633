import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { access, constants } from "node:fs/promises";
import { createServer } from "node:net";
import { delimiter, join } from "node:path";
import { systemClock } from "../../src/lib/clock.ts";

/** There is no such program on this machine. One that is there and does not start is an error of another kind. */
export class NotToBeHad extends Error {
  override readonly name = "NotToBeHad";
}

/** A program of others that runs beside the tests. */
export interface RunningProgram {
  /** What it has printed. */
  output(): string;
  stop(): Promise<void>;
}

const READY_MS = 30_000;
const STOP_MS = 10_000;
const POLL_MS = 100;

/**
 * Starts a program and waits until `isReady` says so.
 * @throws Error with what it has printed when it ends first, or is not ready in half a minute
 */
export async function startProgram(
  command: string,
  args: readonly string[],
  isReady: () => Promise<boolean>,
): Promise<RunningProgram> {
  const child = spawn(command, args, { stdio: ["ignore", "pipe", "pipe"] });
  const kill = (): void => void child.kill("SIGKILL");
  // The runner may end without asking anyone to stop.
  process.once("exit", kill);
  let printed = "";
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding("utf8").on("data", (text: string) => {
      printed += text;
    });
  }
  const ended = endOf(child).then((how) => {
    process.removeListener("exit", kill);
    return how;
  });
  const stop = async (): Promise<void> => {
    child.kill("SIGTERM");
    const patience = new AbortController();
    await Promise.race([ended, systemClock.sleep(STOP_MS, patience.signal).then(kill)]);
    patience.abort();
    await ended;
  };
  let end: string | undefined;
  const noted = ended.then((how) => {
    end = how;
  });
  const deadline = systemClock.now() + READY_MS;
  while (!(await isReady().catch(() => false))) {
    if (end !== undefined) throw new Error(`${command} ended with ${end}:\n${printed}`);
    if (systemClock.now() > deadline) {
      await stop();
      throw new Error(`${command} was not ready in ${READY_MS} ms:\n${printed}`);
    }
    await Promise.race([noted, systemClock.sleep(POLL_MS)]);
  }
  return { output: () => printed, stop };
}

async function endOf(child: ChildProcess): Promise<string> {
  try {
    const [code, signal] = (await once(child, "close")) as [number | null, string | null];
    return code === null ? `signal ${signal}` : `exit code ${code}`;
  } catch (error) {
    return String(error);
  }
}

/** Whether an address answers with a success. */
export async function answers(url: string): Promise<boolean> {
  return (await fetch(url)).ok;
}

/** Where `PATH` has a program; undefined: nowhere. */
export async function inPath(program: string): Promise<string | undefined> {
  for (const folder of (process.env.PATH ?? "").split(delimiter)) {
    const path = join(folder, program);
    const isThere = await access(path, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (isThere) return path;
  }
  return undefined;
}

/** Ports on 127.0.0.1 that nobody has: all at once, so that no two of them are the same. */
export async function freePorts(count: number): Promise<number[]> {
  const servers = Array.from({ length: count }, () => createServer().listen(0, "127.0.0.1"));
  await Promise.all(servers.map((server) => once(server, "listening")));
  const ports = servers.map((server) => (server.address() as { port: number }).port);
  await Promise.all(servers.map((server) => new Promise((done) => server.close(done))));
  return ports;
}
