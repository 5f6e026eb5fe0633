import { mkdir, open, readdir, rename, rm } from "node:fs/promises";
import { join } from "node:path";

/** Dumps that are kept, the newest ones. */
const KEPT = 10;
/** Written at once; between two writes the loops get their turn. */
const CHUNK_CHARACTERS = 64 * 1024;

const DUMP_NAME = /^\d{4}-\d\d-\d\dT\d\d-\d\d-\d\d\.\d{3}Z-[a-z_]+\.json$/;
/** What a process leaves that is killed while it writes one. */
const PARTIAL = /\.\d+\.partial$/;

/** `2026-11-25T13-08-11.123Z-write_failure.json`: sorted by name they are in order of time. */
export function dumpName(at: number, reason: string): string {
  return `${new Date(at).toISOString().replaceAll(":", "-")}-${reason}.json`;
}

/** Whether a file of this name was written by the flight recorder. */
export function isDumpName(name: string): boolean {
  return DUMP_NAME.test(name);
}

/**
 * Writes a file that only its owner can read, a piece at a time: the file appears under its name when it is whole.
 * @throws the system's error; `signal`'s reason when it aborts. Then nothing is left of the file
 */
export async function writeDump(
  directory: string,
  name: string,
  pieces: Iterable<string>,
  signal: AbortSignal,
): Promise<{ readonly path: string; readonly bytes: number }> {
  await mkdir(directory, { recursive: true, mode: 0o700 });
  const path = join(directory, name);
  const partial = `${path}.${process.pid}.partial`;
  try {
    const bytes = await writePieces(partial, pieces, signal);
    await rename(partial, path);
    return { path, bytes };
  } catch (error) {
    await rm(partial, { force: true });
    throw error;
  }
}

/** Removes all but the newest dumps of the folder. Other files are left alone. */
export async function removeOldDumps(directory: string): Promise<void> {
  const dumps = (await readdir(directory)).filter((name) => isDumpName(name.replace(PARTIAL, ""))).sort();
  for (const name of dumps.slice(0, -KEPT)) await rm(join(directory, name), { force: true });
}

async function writePieces(path: string, pieces: Iterable<string>, signal: AbortSignal): Promise<number> {
  const file = await open(path, "wx", 0o600);
  try {
    let bytes = 0;
    let chunk = "";
    for (const piece of pieces) {
      chunk += piece;
      if (chunk.length < CHUNK_CHARACTERS) continue;
      signal.throwIfAborted();
      bytes += await append(chunk);
      chunk = "";
    }
    signal.throwIfAborted();
    return bytes + (await append(chunk));
  } finally {
    await file.close();
  }

  async function append(text: string): Promise<number> {
    const buffer = Buffer.from(text);
    await file.appendFile(buffer);
    return buffer.byteLength;
  }
}
