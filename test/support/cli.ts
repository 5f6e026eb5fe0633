import { type ChildProcess, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdir, mkdtemp, rm, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import { afterAll } from "vitest";
import type { Status } from "../../src/instrument/status.ts";
import { systemClock } from "../../src/lib/clock.ts";

const ROOT = join(import.meta.dirname, "../..");
const BIN = join(ROOT, "src/cli/bin.ts");
/** Where Node.js keeps what it has compiled: a process starts in less than half the time. */
const COMPILED = join(ROOT, ".spindex/compiled");

/** Those that run. A test that failed, or took too long, leaves none behind. */
const running = new Set<ChildProcess>();
let isOver = false;
afterAll(() => {
  isOver = true;
  for (const child of running) child.kill("SIGKILL");
});

export interface CliOptions {
  readonly cwd: string;
  readonly env?: Readonly<Record<string, string>>;
}

export interface CliResult {
  readonly exitCode: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The real command as a process of its own. */
export interface CliProcess {
  readonly child: ChildProcess;
  readonly ended: Promise<CliResult>;
  /** Everything that it has printed so far. */
  output(): string;
  /** The address of its endpoints, once it serves them. */
  url(): Promise<string>;
  status(): Promise<Status>;
  /** Resolves when the status shows it; rejects when the process has ended first. */
  until(condition: (status: Status) => boolean): Promise<Status>;
}

/** Starts `spindex …` with JSON log lines on a free port. Nothing of this process's environment but PATH reaches it. */
export function startCli(args: readonly string[], options: CliOptions): CliProcess {
  if (isOver) throw new Error("the tests of this file are over");
  const child = spawn(process.execPath, ["--conditions=spindex-source", BIN, ...args], {
    cwd: options.cwd,
    env: {
      PATH: process.env.PATH ?? "",
      NODE_COMPILE_CACHE: COMPILED,
      SPINDEX_PORT: "0",
      SPINDEX_LOG_FORMAT: "json",
      ...options.env,
    },
    stdio: ["ignore", "pipe", "pipe"],
  });
  running.add(child);
  let stdout = "";
  let stderr = "";
  let hasEnded = false;
  child.stdout.on("data", (data: Buffer) => {
    stdout += data.toString();
  });
  child.stderr.on("data", (data: Buffer) => {
    stderr += data.toString();
  });
  const ended = once(child, "close").then(([exitCode, signal]): CliResult => {
    hasEnded = true;
    running.delete(child);
    return { exitCode: exitCode as number | null, signal: signal as NodeJS.Signals | null, stdout, stderr };
  });
  const requireAlive = (): void => {
    if (hasEnded) throw new Error(`the process has ended:\n${stdout}\n${stderr}`);
  };
  const url = async (): Promise<string> => {
    for (;;) {
      const found = /"event":"server.listening","url":"([^"]+)"/.exec(stdout)?.[1];
      if (found !== undefined) return found;
      requireAlive();
      await systemClock.sleep(10);
    }
  };
  const status = async (): Promise<Status> => (await (await fetch(`${await url()}/status`)).json()) as Status;
  return {
    child,
    ended,
    output: () => stdout + stderr,
    url,
    status,
    until: async (condition) => {
      for (;;) {
        requireAlive();
        const now = await status().catch(() => undefined);
        if (now !== undefined && condition(now)) return now;
        await systemClock.sleep(20);
      }
    },
  };
}

/** Runs `spindex …` to its end. */
export function runCli(args: readonly string[], options: CliOptions): Promise<CliResult> {
  return startCli(args, options).ended;
}

export interface TemporaryProject extends AsyncDisposable {
  readonly directory: string;
  write(files: Readonly<Record<string, string>>): Promise<void>;
}

/** A project folder as a user has it. It lies in this package, so that `import "spindex"` means the sources. */
export async function temporaryProject(files: Readonly<Record<string, string>>): Promise<TemporaryProject> {
  const parent = join(ROOT, ".spindex", "test");
  await mkdir(parent, { recursive: true });
  const directory = await mkdtemp(join(parent, "project-"));
  const write = async (more: Readonly<Record<string, string>>): Promise<void> => {
    for (const [name, text] of Object.entries(more)) {
      await mkdir(dirname(join(directory, name)), { recursive: true });
      await writeFile(join(directory, name), text);
    }
  };
  await write(files);
  return { directory, write, [Symbol.asyncDispose]: () => rm(directory, { recursive: true, force: true }) };
}
