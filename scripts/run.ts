import { spawn } from "node:child_process";
import { delimiter, join } from "node:path";
import { fileURLToPath } from "node:url";

/** The repository's root folder, without a slash at its end. */
export const root: string = fileURLToPath(new URL("..", import.meta.url)).replace(/[\\/]$/, "");

export interface RunResult {
  readonly code: number;
  /** Standard output and errors, in the order they came. */
  readonly output: string;
  readonly seconds: number;
}

/** Runs a tool of the repository to its end; tools and Node.js are those of node_modules/.bin. */
export function run(command: string, args: readonly string[]): Promise<RunResult> {
  const started = performance.now();
  const env = {
    ...process.env,
    NO_COLOR: "1",
    PATH: `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}`,
  };
  return new Promise((resolve, reject) => {
    const child = spawn(command, args, { cwd: root, env, stdio: ["ignore", "pipe", "pipe"] });
    let output = "";
    const collect = (chunk: string): void => {
      output += chunk;
    };
    child.stdout.setEncoding("utf8").on("data", collect);
    child.stderr.setEncoding("utf8").on("data", collect);
    child.on("error", reject);
    child.on("close", (code) => resolve({ code: code ?? 1, output, seconds: (performance.now() - started) / 1000 }));
  });
}

/** Ends with a clear message on a Node.js that is too old for the sources. */
export function requireNode24(): void {
  if (Number(process.versions.node.split(".")[0]) >= 24) return;
  process.stderr.write(`Node.js 24 or newer is needed; this is ${process.version}. Start it with \`npm run …\`.\n`);
  process.exit(2);
}
