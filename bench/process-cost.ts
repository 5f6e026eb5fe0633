import { readdirSync, readFileSync } from "node:fs";

/** Linux counts CPU time in hundredths of a second. */
const TICKS_A_SECOND = 100;

/**
 * CPU seconds of a process and of what it has started, ended children included, as Linux counts them; undefined where
 * there is no /proc.
 */
export function cpuSecondsOf(pid: number): number | undefined {
  const own = ticksOf(pid);
  if (own === undefined) return undefined;
  const live = readdirSync("/proc")
    .filter((name) => /^\d+$/.test(name))
    .map((name) => ticksOf(Number(name)))
    .filter((child) => child?.parent === pid);
  return live.reduce((sum, child) => sum + (child?.ticks ?? 0), own.ticks + own.endedChildren) / TICKS_A_SECOND;
}

/** The most memory that a live process has had, in MiB; undefined where Linux does not say. */
export function peakMiBOf(pid: number): number | undefined {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(textOf(`/proc/${pid}/status`)) ?? [];
  return kib === undefined ? undefined : Number(kib) / 1024;
}

function ticksOf(pid: number): { parent: number; ticks: number; endedChildren: number } | undefined {
  // The name of the program comes second, in parentheses, and may hold anything.
  const fields = textOf(`/proc/${pid}/stat`).split(") ").at(-1)?.split(" ").map(Number) ?? [];
  const [, parent, , , , , , , , , , user, system, childrenUser, childrenSystem] = fields;
  if (parent === undefined || user === undefined) return undefined;
  return { parent, ticks: user + (system ?? 0), endedChildren: (childrenUser ?? 0) + (childrenSystem ?? 0) };
}

function textOf(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
