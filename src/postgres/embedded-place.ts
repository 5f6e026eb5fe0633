import { createHash } from "node:crypto";
import { chown, lstat, mkdir, readFile, stat } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { messageOf, SpindexError } from "../errors.ts";

/** A user of this machine. */
export interface MachineUser {
  readonly name: string;
  readonly uid: number;
  readonly gid: number;
}

/** Where a server lies and who runs it. */
export interface Place {
  readonly dataDir: string;
  /** Short enough for a socket's address, and private. */
  readonly socketDir: string;
  /** Whom to run it as: PostgreSQL refuses to run as root. Undefined: as ourselves. */
  readonly user: MachineUser | undefined;
}

/** Where things lie that root keeps for the server when the project's own folder is closed to its user. */
const SHARED_ROOT = "/var/lib/spindex";
/** Bytes of a socket's address on the strictest system, less `/.s.PGSQL.5432` and its end. */
const MAX_SOCKET_DIR_BYTES = 104 - "/.s.PGSQL.5432".length - 1;

/** Decides where the server for a data directory lies, and makes what it needs above it. */
export async function placeFor(wanted: string): Promise<Place> {
  const user = await serverUser();
  const dataDir = await reachable(wanted, user);
  await makeParent(dataDir, user);
  return { dataDir, socketDir: await socketDirFor(dataDir, user), user };
}

/** The user that runs the server when we are root. */
async function serverUser(): Promise<MachineUser | undefined> {
  if (process.getuid?.() !== 0) return undefined;
  const users = (await readFile("/etc/passwd", "utf8")).split("\n").map((line) => line.split(":"));
  for (const name of ["postgres", "nobody"]) {
    const found = users.find((fields) => fields[0] === name);
    if (found !== undefined) return { name, uid: Number(found[2]), gid: Number(found[3]) };
  }
  throw new SpindexError("EMBEDDED_DATABASE", "PostgreSQL refuses to run as root, and there is no other user for it", {
    fix: "Add a user named postgres, run Spindex as an ordinary user, or set DATABASE_URL.",
  });
}

/** The wanted directory, or one that stands for it when the server's user cannot enter the folders above it. */
async function reachable(wanted: string, user: MachineUser | undefined): Promise<string> {
  if (user === undefined || (await canEnter(dirname(wanted), user))) return wanted;
  return join(SHARED_ROOT, `${digestOf(wanted)}-data`);
}

/** Whether the user may pass through this folder and all above it. Those that do not exist yet will be open. */
export async function canEnter(folder: string, user: MachineUser): Promise<boolean> {
  for (let path = folder; ; path = dirname(path)) {
    const found = await stat(path).catch(() => undefined);
    if (found !== undefined) {
      const bit = found.uid === user.uid ? 0o100 : found.gid === user.gid ? 0o010 : 0o001;
      if ((found.mode & bit) === 0) return false;
    }
    if (path === dirname(path)) return true;
  }
}

async function makeParent(dataDir: string, user: MachineUser | undefined): Promise<void> {
  try {
    await mkdir(dirname(dataDir), { recursive: true, mode: 0o755 });
  } catch (error) {
    throw new SpindexError("EMBEDDED_DATABASE", `${dirname(dataDir)} cannot be made: ${messageOf(error)}`, {
      fix:
        user === undefined
          ? "Choose a folder that can be written to, or set DATABASE_URL."
          : `Move the project to a folder that the user ${user.name} can enter, or set DATABASE_URL.`,
      cause: error,
    });
  }
}

/** A folder that is surely ours: in a shared temporary folder anyone might have made it first. */
async function socketDirFor(dataDir: string, user: MachineUser | undefined): Promise<string> {
  const uid = user?.uid ?? process.getuid?.() ?? 0;
  const name = `spindex-${uid}-${digestOf(dataDir)}`;
  const preferred = join(tmpdir(), name);
  const isUsable =
    Buffer.byteLength(preferred) <= MAX_SOCKET_DIR_BYTES && (user === undefined || (await canEnter(tmpdir(), user)));
  const folder = isUsable ? preferred : join("/tmp", name);
  await mkdir(folder, { mode: 0o700 }).catch(() => {});
  const found = await lstat(folder).catch(() => undefined);
  if (found?.isDirectory() && found.uid === 0 && uid !== 0 && process.getuid?.() === 0) {
    await chown(folder, uid, user?.gid ?? 0);
    return folder;
  }
  if (found?.isDirectory() && found.uid === uid && (found.mode & 0o077) === 0) return folder;
  throw new SpindexError(
    "EMBEDDED_DATABASE",
    `${folder} cannot be used for PostgreSQL's socket: it is not ours alone`,
    {
      fix: "Remove it, or set DATABASE_URL.",
    },
  );
}

/** Where a copy of the binaries lies that the server's user can run. */
export function sharedBinariesDir(version: string): string {
  return join(SHARED_ROOT, `postgresql-${version}`);
}

function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex").slice(0, 12);
}
