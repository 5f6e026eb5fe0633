import { existsSync, statSync } from "node:fs";
import { glob } from "node:fs/promises";
import { basename, dirname, join, relative, resolve, sep } from "node:path";
import { pathToFileURL } from "node:url";
import { siteOfError } from "../config/call-site.ts";
import type { IndexerDefinition } from "../config/definition.ts";
import { type EnvSource, environmentOf } from "../config/env.ts";
import type { AnyIndexer } from "../config/indexer.ts";
import {
  isIndexer,
  type Registration,
  registrationsOf,
  type SetupRegistration,
  sealRegistrations,
  setupOf,
} from "../config/registration.ts";
import { DEFAULT_HANDLERS, resolveDefinition } from "../config/resolve-definition.ts";
import { resolveRegistrations } from "../config/resolve-registrations.ts";
import { messageOf, SpindexError } from "../errors.ts";

const CONFIG_FILES = ["spindex.config.ts", "spindex.config.mts", "spindex.config.js", "spindex.config.mjs"];
const HANDLER_FILE = /(?<!\.d|\.test|\.spec)\.(?:ts|mts|js|mjs)$/;

/** A user's project, loaded and checked. */
export interface Project {
  readonly indexer: AnyIndexer;
  readonly definition: IndexerDefinition;
  readonly registrations: readonly Registration[];
  readonly setup: SetupRegistration | undefined;
  /** Where its config file lies: handlers, `.env` and data are relative to it. */
  readonly directory: string;
  /** The process's variables, and below them those of the project's `.env`. */
  readonly env: EnvSource;
}

/**
 * Loads a project: its config, then its handler files in path order; then registration ends. Its modules run in this
 * process, and Node.js keeps them: a changed project needs a new process.
 *
 * @param path the config file, or the folder that holds it
 * @throws SpindexError CONFIG_NOT_FOUND, CONFIG_NOT_LOADABLE, HANDLERS_MISSING, and those of `resolveDefinition` and
 *   `resolveRegistrations`
 */
export async function loadProject(path: string): Promise<Project> {
  const file = findConfig(resolve(path));
  const directory = dirname(file);
  const env = environmentOf(directory);
  const indexer = await importConfig(file);
  const definition = resolveDefinition(indexer, { env, place: shown(file) });
  const handlers = await findHandlers(directory, definition.handlers);
  for (const handler of handlers) await load(handler);
  sealRegistrations(indexer);
  const registrations = registrationsOf(indexer);
  if (registrations.length === 0) {
    const files = handlers.map((handler) => relative(directory, handler)).join(", ");
    throw new SpindexError(
      "HANDLERS_MISSING",
      `${files}: no handler was registered with the indexer of ${shown(file)}`,
      {
        fix: `Import the indexer from ${basename(file)} and call indexer.on("Contract.Event", …) at the top level.`,
      },
    );
  }
  return {
    indexer,
    definition,
    registrations: resolveRegistrations(definition, registrations),
    setup: setupOf(indexer),
    directory,
    env,
  };
}

/** @throws SpindexError CONFIG_NOT_FOUND */
export function findConfig(path: string): string {
  const found = isDirectory(path)
    ? CONFIG_FILES.map((name) => join(path, name)).find((file) => existsSync(file))
    : path;
  if (found !== undefined && existsSync(found)) return found;
  const message = found === undefined ? `there is no ${CONFIG_FILES[0]} in ${path}` : `there is no file ${path}`;
  throw new SpindexError("CONFIG_NOT_FOUND", message, {
    fix: "Run the command in the project's folder, or name the config file with --config.",
  });
}

function isDirectory(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false })?.isDirectory() ?? false;
}

async function importConfig(file: string): Promise<AnyIndexer> {
  const module = await load(file);
  const exported = "default" in module ? module.default : undefined;
  if (isIndexer(exported)) return exported;
  const message = "default" in module ? "its default export was not made by defineIndexer" : "it has no default export";
  throw new SpindexError("CONFIG_NOT_LOADABLE", `${shown(file)}: ${message}`, {
    fix: "Write export default defineIndexer({ … }).",
  });
}

async function load(file: string): Promise<object> {
  try {
    return (await import(pathToFileURL(file).href)) as object;
  } catch (error) {
    // Ours name place and fix already.
    if (error instanceof SpindexError) throw error;
    const site = siteOfError(error);
    const at = site === undefined ? "" : ` (at ${site})`;
    throw new SpindexError("CONFIG_NOT_LOADABLE", `${shown(file)} cannot be loaded: ${messageOf(error)}${at}`, {
      fix: loadFix(error),
      cause: error,
    });
  }
}

function loadFix(error: unknown): string {
  const code = error instanceof Error && "code" in error ? error.code : undefined;
  switch (code) {
    case "ERR_MODULE_NOT_FOUND":
      return "Install the missing package, or mend the path; paths of TypeScript files end in .ts.";
    case "ERR_UNSUPPORTED_TYPESCRIPT_SYNTAX":
      return "Node.js runs TypeScript by removing its types: use no enum, namespace or parameter property (erasableSyntaxOnly).";
    default:
      return "Mend the file; `npx tsc --noEmit` shows most mistakes.";
  }
}

/** Absolute paths, each once, in the order of their paths relative to the project. */
async function findHandlers(directory: string, patterns: readonly string[]): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const pattern of patterns) {
    for await (const match of glob(pattern, { cwd: directory, exclude: (name) => name === "node_modules" })) {
      const file = resolve(directory, match);
      if (HANDLER_FILE.test(file) && !isDirectory(file)) found.add(file);
    }
  }
  if (found.size === 0) {
    const isDefault = patterns === DEFAULT_HANDLERS;
    throw new SpindexError("HANDLERS_MISSING", `no file in ${directory} matches ${patterns.join(" or ")}`, {
      fix: isDefault
        ? 'Create handlers.ts, or say where handlers are: handlers: "./src/handlers/**/*.ts".'
        : "Mend `handlers` in the config.",
    });
  }
  return [...found].sort((a, b) => (sortKey(directory, a) < sortKey(directory, b) ? -1 : 1));
}

/** The same order on every system. */
function sortKey(directory: string, file: string): string {
  return relative(directory, file).split(sep).join("/");
}

function shown(file: string): string {
  const short = relative(process.cwd(), file);
  return short.startsWith("..") ? file : short;
}
