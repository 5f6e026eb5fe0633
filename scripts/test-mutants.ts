/**
 * `npm run test:mutants [-- --only NAME]`: breaks the persistence cycle in small ways, one after the other, and sees that
 * the test that is named for each breakage fails. Works on copies in a temporary folder, never on the working tree.
 * Exit code 1 unless every mutant was killed. test/mutants/mutants.ts is the list.
 */
import { spawn } from "node:child_process";
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { delimiter, join } from "node:path";
import { parseArgs } from "node:util";
import type { Mutant } from "../test/mutants/mutant.ts";
import { mutants } from "../test/mutants/mutants.ts";
import { chooseDatabase } from "../test/support/database-choice.ts";
import { type Verdict, type VitestReport, verdictOf } from "./mutant-verdict.ts";
import { requireNode24, root } from "./run.ts";

type Outcome = Verdict["kind"] | "does not apply" | "stopped";

interface Result {
  readonly mutant: Mutant;
  readonly outcome: Outcome;
  readonly reason: string;
  readonly seconds: number;
}

/** Copies of the repository in which mutants are tried side by side. */
const PARALLEL = 2;
/** What a test needs of the repository. */
const COPIED = ["src", "test", "examples", "package.json", "tsconfig.json", "vitest.config.ts"];
/** A run that takes longer than its test does unbroken, several times over, is an endless loop. */
const DEADLINE = { baseMs: 20_000, times: 4 };
/** Most tests need a tenth of it; one that waits for what a mutant has taken away needs all of it. */
const TEST_TIMEOUT_MS = 8_000;
/** Random tests search the same cases each time, and do not look for the smallest one that fails. */
const ENVIRONMENT = { HEART_SEED: process.env.HEART_SEED ?? "4", HEART_SHRINK: "no", NO_COLOR: "1", CI: "" };

requireNode24();
const { values: options } = parseArgs({ options: { only: { type: "string", multiple: true } } });
const wanted = mutants.filter(({ name }) => options.only?.includes(name) ?? true);
if (wanted.length === 0 || wanted.length < (options.only?.length ?? 0)) {
  console.error(`--only: no such mutant. There are:\n  ${mutants.map(({ name }) => name).join("\n  ")}`);
  process.exit(2);
}

const stop = new AbortController();
for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => stop.abort());
const scratch = mkdtempSync(join(tmpdir(), "spindex-mutants-"));
const needsDatabase = wanted.some(({ killedBy }) => killedBy.file.startsWith("test/integration/"));
const database = needsDatabase ? await chooseDatabase() : undefined;
try {
  const startedAt = performance.now();
  const results = await tryAll();
  results.sort((a, b) => mutants.indexOf(a.mutant) - mutants.indexOf(b.mutant));
  for (const result of results) if (result.outcome !== "killed") console.log(lineOf(result));
  const killed = results.filter(({ outcome }) => outcome === "killed").length;
  const seconds = ((performance.now() - startedAt) / 1000).toFixed(0);
  console.log(`${killed} of ${wanted.length} mutants killed, in ${seconds} s`);
  process.exitCode = killed === wanted.length ? 0 : 1;
} finally {
  rmSync(scratch, { recursive: true, force: true });
  await database?.stop();
}

/** First the tests as they are, then one mutant after the other. */
async function tryAll(): Promise<Result[]> {
  const copies = Array.from({ length: PARALLEL }, (_, at) => copyOf(join(scratch, String(at))));
  const files = [...new Set(wanted.map(({ killedBy }) => killedBy.file))];
  const baseMs = new Map<string, number>();
  await inParallel(copies, files, async (copy, file) => {
    baseMs.set(file, await requirePassing(copy, file));
  });
  const results: Result[] = [];
  const longestFirst = wanted.toSorted((a, b) => duration(b) - duration(a));
  await inParallel(copies, longestFirst, async (copy, mutant) => {
    const result = await tryMutant(copy, mutant, DEADLINE.baseMs + duration(mutant) * DEADLINE.times);
    results.push(result);
    console.log(lineOf(result));
  });
  return results;

  function duration({ killedBy }: Mutant): number {
    return baseMs.get(killedBy.file) ?? 0;
  }
}

/** Each copy takes the next item when it has done with one. */
async function inParallel<T>(
  copies: readonly string[],
  items: readonly T[],
  work: (copy: string, item: T) => Promise<void>,
): Promise<void> {
  const waiting = [...items];
  await Promise.all(
    copies.map(async (copy) => {
      for (let item = waiting.shift(); item !== undefined && !stop.signal.aborted; item = waiting.shift()) {
        await work(copy, item);
      }
    }),
  );
}

/** @returns how long the named tests of a file take */
async function requirePassing(copy: string, file: string): Promise<number> {
  const names = [...new Set(wanted.filter((mutant) => mutant.killedBy.file === file).map((m) => m.killedBy.name))];
  const startedAt = performance.now();
  const { report, output } = await runTests(copy, file, names, 300_000);
  if (stop.signal.aborted) return 0;
  for (const name of names) {
    const { kind, reason } = verdictOf(report, name);
    if (kind === "survived") continue;
    throw new Error(`${file}, "${name}", must pass before anything is broken, but: ${reason}\n${output}`);
  }
  return performance.now() - startedAt;
}

async function tryMutant(copy: string, mutant: Mutant, deadlineMs: number): Promise<Result> {
  const startedAt = performance.now();
  const result = (outcome: Outcome, reason: string): Result => ({
    mutant,
    outcome,
    reason,
    seconds: (performance.now() - startedAt) / 1000,
  });
  const path = join(copy, mutant.file);
  const source = existsSync(path) ? readFileSync(path, "utf8") : "";
  const parts = source.split(mutant.find);
  if (parts.length !== 2) return result("does not apply", `its text is ${parts.length - 1} times in ${mutant.file}`);
  writeFileSync(path, parts.join(mutant.replace));
  try {
    const { file, name } = mutant.killedBy;
    const { report, isOverdue } = await runTests(copy, file, [name], deadlineMs);
    if (stop.signal.aborted) return result("stopped", "");
    if (isOverdue) return result("killed", "did not end: killed by its deadline");
    const { kind, reason } = verdictOf(report, name);
    return result(kind, reason);
  } finally {
    writeFileSync(path, source);
  }
}

interface TestRun {
  readonly report: VitestReport | undefined;
  readonly output: string;
  readonly isOverdue: boolean;
}

/** Runs the tests of a file whose names hold one of these, in a process group that ends with the deadline. */
function runTests(copy: string, file: string, names: readonly string[], deadlineMs: number): Promise<TestRun> {
  const reportFile = join(copy, "report.json");
  rmSync(reportFile, { force: true });
  const pattern = names.map((name) => name.replace(/[.*+?^${}()|[\]\\]/g, "\\$&")).join("|");
  const args = [
    "run",
    file,
    "-t",
    pattern,
    "--testTimeout",
    String(TEST_TIMEOUT_MS),
    "--reporter",
    "json",
    "--outputFile",
    reportFile,
  ];
  return new Promise((resolve, reject) => {
    const child = spawn("vitest", args, {
      cwd: copy,
      detached: true,
      stdio: ["ignore", "pipe", "pipe"],
      env: {
        ...process.env,
        ...ENVIRONMENT,
        PATH: `${join(root, "node_modules/.bin")}${delimiter}${process.env.PATH}`,
        ...(database === undefined ? {} : { TEST_DATABASE_URL: database.url }),
      },
    });
    let output = "";
    let isOverdue = false;
    const collect = (chunk: string): void => {
      output += chunk;
    };
    const killGroup = (): void => {
      try {
        if (child.pid !== undefined) process.kill(-child.pid, "SIGKILL");
      } catch {
        // The group has ended.
      }
    };
    const timer = setTimeout(() => {
      isOverdue = true;
      killGroup();
    }, deadlineMs);
    stop.signal.addEventListener("abort", killGroup, { once: true });
    child.stdout.setEncoding("utf8").on("data", collect);
    child.stderr.setEncoding("utf8").on("data", collect);
    child.on("error", reject);
    child.on("close", () => {
      clearTimeout(timer);
      stop.signal.removeEventListener("abort", killGroup);
      killGroup();
      resolve({ report: reportIn(reportFile), output, isOverdue });
    });
  });
}

function reportIn(file: string): VitestReport | undefined {
  return existsSync(file) ? (JSON.parse(readFileSync(file, "utf8")) as VitestReport) : undefined;
}

/** @returns the folder of a copy of what tests need */
function copyOf(folder: string): string {
  mkdirSync(folder);
  for (const name of COPIED) cpSync(join(root, name), join(folder, name), { recursive: true });
  symlinkSync(join(root, "node_modules"), join(folder, "node_modules"));
  return folder;
}

function lineOf({ mutant, outcome, reason, seconds }: Result): string {
  const word = outcome === "killed" ? "killed" : outcome.toUpperCase();
  const why = outcome === "killed" ? `by "${mutant.killedBy.name}"` : `${mutant.file}: ${mutant.rule}`;
  return `${word.padEnd(8)} ${seconds.toFixed(1).padStart(5)} s  ${mutant.name}, ${why}: ${reason.slice(0, 160)}`;
}
