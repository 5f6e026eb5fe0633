import { execFile } from "node:child_process";
import { access, mkdir, mkdtemp, rename, rm, writeFile } from "node:fs/promises";
import { homedir } from "node:os";
import { join } from "node:path";
import { promisify } from "node:util";
import { messageOf } from "../../src/errors.ts";
import { inPath } from "./program.ts";

/** Jaeger 2 is a package of the module whose tags still count from 1: v1.76.0 is what is released as 2.13.0. */
const MODULE_VERSION = "v1.76.0";
const PACKAGE = "github.com/jaegertracing/jaeger/cmd/jaeger";
const BUILD_MS = 20 * 60_000;

/**
 * A Jaeger built from its Go module: made once, which takes minutes, and kept in the user's cache folder.
 * @throws Error that says what is missing
 */
export async function buildJaeger(): Promise<string> {
  const cache = join(process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache"), "spindex");
  const built = join(cache, `jaeger-${MODULE_VERSION}`);
  if (await exists(built)) return built;
  const go = await inPath("go");
  if (go === undefined) throw new Error("there is no Go in PATH to build it");
  await mkdir(cache, { recursive: true });
  const folder = await mkdtemp(join(cache, "build-"));
  console.log(`Building Jaeger ${MODULE_VERSION} with ${go}: minutes, once; it is kept as ${built}`);
  const startedAt = performance.now();
  try {
    // Its go.mod replaces a module, so that `go install` refuses it. A module of our own that uses it as a tool does not.
    await writeFile(join(folder, "go.mod"), "module spindex.local/jaeger\n");
    const run = (args: readonly string[]): Promise<unknown> =>
      promisify(execFile)(go, args, { cwd: folder, timeout: BUILD_MS, maxBuffer: 64 * 1024 * 1024 });
    await run(["get", "-tool", `${PACKAGE}@${MODULE_VERSION}`]);
    await run(["build", "-ldflags=-s -w", "-o", "jaeger", PACKAGE]);
    // Whole, or not there: another run may be building it too.
    await rename(join(folder, "jaeger"), built);
  } catch (error) {
    const said = (error as { stderr?: string }).stderr?.trim().split("\n").slice(-3).join(" ");
    throw new Error(`it cannot be built: ${said || messageOf(error)}`, { cause: error });
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
  console.log(`Jaeger was built in ${Math.round((performance.now() - startedAt) / 1000)} s`);
  return built;
}

function exists(path: string): Promise<boolean> {
  return access(path).then(
    () => true,
    () => false,
  );
}
