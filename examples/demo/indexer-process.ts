import { spawn } from "node:child_process";
import { once } from "node:events";
import { open } from "node:fs/promises";
import { createServer } from "node:net";
import { join } from "node:path";

export interface IndexerOptions {
  /** The root of this repository. */
  readonly root: string;
  /** The folder with `spindex.config.ts`. */
  readonly directory: string;
  readonly schema: string;
  /** Stop at the head. */
  readonly once: boolean;
  readonly traceFile: string;
  readonly logFile: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** An indexer that runs as its users run it: as a process of the command `spindex`. */
export interface IndexerProcess {
  /** Where it serves `/status` and `/metrics`. */
  readonly url: string;
  /** How it ended: `exit code 0`, `signal SIGKILL`. */
  readonly ended: Promise<string>;
  /** Lets it flush and end; kills it when that takes too long. */
  stop(): Promise<void>;
}

export const ENDED_WELL = "exit code 0";
const STOP_PATIENCE_MS = 20_000;

export async function startIndexer(options: IndexerOptions): Promise<IndexerProcess> {
  const port = await freePort();
  const log = await open(options.logFile, "w");
  const child = spawn(
    process.execPath,
    [
      "--conditions=spindex-source",
      join(options.root, "src/cli/bin.ts"),
      "start",
      ...(options.once ? ["--once"] : []),
      ...["--schema", options.schema],
      ...["--port", String(port)],
      ...["--trace-file", options.traceFile],
      ...["--log-format", "json"],
    ],
    {
      cwd: options.directory,
      env: { ...process.env, ...options.environment },
      stdio: ["ignore", log.fd, log.fd],
      // A group of its own: Ctrl-C in the terminal reaches the demo alone, which then ends its children in order.
      detached: true,
    },
  );
  const ended = once(child, "exit").then(async ([code, signal]: unknown[]) => {
    await log.close();
    return code === null ? `signal ${String(signal)}` : `exit code ${String(code)}`;
  });
  return {
    url: `http://127.0.0.1:${port}`,
    ended,
    stop: async () => {
      child.kill("SIGTERM");
      const timer = setTimeout(() => child.kill("SIGKILL"), STOP_PATIENCE_MS);
      await ended;
      clearTimeout(timer);
    },
  };
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, "127.0.0.1");
  await once(server, "listening");
  const address = server.address();
  await new Promise((resolve) => server.close(resolve));
  if (address === null || typeof address === "string") throw new Error("no free port");
  return address.port;
}
