import { hostname } from "node:os";
import { join, resolve } from "node:path";
import { type Command, InvalidArgumentError, Option } from "commander";
import { type Environment, readEnvironment } from "../config/environment.ts";
import { schemaNameOf } from "../config/schema-name.ts";
import { SpindexError } from "../errors.ts";
import { startDevelopmentDatabase } from "../indexer/development-database.ts";
import { limitsOf } from "../indexer/limits.ts";
import type { HeldShard, IndexerOptions } from "../indexer/options.ts";
import { runIndexer } from "../indexer.ts";
import { createTelemetry, type IndexerTelemetry } from "../instrument/create-telemetry.ts";
import { createLog, type Logger, logEvent } from "../instrument/log.ts";
import { RecentLines } from "../instrument/recorder/recent-lines.ts";
import { startTracing } from "../instrument/tracing/start-tracing.ts";
import { systemClock } from "../lib/clock.ts";
import { reportCrashesBy } from "./crash.ts";
import { loadProject, type Project } from "./load-project.ts";
import { errorText, reportError } from "./report-error.ts";
import { dumpSignal, stopSignal } from "./signals.ts";
import { versionOf } from "./version.ts";

/** Options of `start` and `dev`. */
export interface RunFlags {
  readonly config: string;
  readonly once?: boolean;
  /** False with `--no-wait`. */
  readonly wait: boolean;
  readonly schema?: string;
  readonly host?: string;
  readonly port?: number;
  readonly logLevel?: Environment["logLevel"];
  readonly logFormat?: "json" | "pretty";
  readonly traceFile?: string;
}

const LOG_LEVELS = ["trace", "debug", "info", "warn", "error", "fatal", "silent"];
const MINUTE = 60_000;
const LINGER_MS = 45_000;

/** The same options for both commands; each overrides an environment variable. */
export function runFlags(command: Command): Command {
  return command
    .option("--config <path>", "config file, or the folder that holds it", ".")
    .option("--once", "stop at the head, or at the end blocks; make everything durable; exit 0")
    .option("--no-wait", "exit 75 at once when another process has the shard, and do not wait to take over")
    .option(
      "--schema <name>",
      "PostgreSQL schema of the tables (DATABASE_SCHEMA; default: the indexer's name)",
      schemaOf,
    )
    .option("--host <address>", "address of metrics, probes and status (SPINDEX_HOST; default 127.0.0.1)")
    .option("--port <number>", "their port (SPINDEX_PORT; default 42080)", portOf)
    .addOption(new Option("--log-level <level>", "lowest level of log lines (SPINDEX_LOG_LEVEL)").choices(LOG_LEVELS))
    .addOption(
      new Option("--log-format <format>", "form of log lines (SPINDEX_LOG_FORMAT)").choices(["json", "pretty"]),
    )
    .option("--trace-file <path>", "write every ended span there, as OTLP/JSON lines (SPINDEX_TRACE_FILE)");
}

/** Loads the project, runs its indexer until it ends or a signal comes, and says with which code to exit. */
export async function runProject(run: { readonly flags: RunFlags; readonly isDevelopment: boolean }): Promise<number> {
  const project = await loadProject(run.flags.config);
  const environment = readEnvironment(project.env);
  const format = run.flags.logFormat ?? environment.logFormat ?? (process.stdout.isTTY ? "pretty" : "json");
  const lines = environment.flightRecorder === "on" ? new RecentLines() : undefined;
  const log = createLog({ level: run.flags.logLevel ?? environment.logLevel, format, recent: lines });
  const stop = stopSignal((signal) => logEvent(log, "indexer.stopping", { signal }));
  const database = await databaseOf(run.isDevelopment, project, environment, log);
  const telemetry = await telemetryOf(run.flags, project, environment, { log, lines });
  const dumps = dumpSignal(() => telemetry.dump("signal"));
  let shard: HeldShard | undefined;
  const crashes = reportCrashesBy(async (error) => {
    const exitCode = reportFailure(error, log, format);
    // Nothing is written any more but how this start has ended: without that word it would count as killed.
    shard?.breakOff();
    await Promise.all([telemetry.shutdown(), shard?.close(error.code)]);
    return exitCode;
  });
  try {
    logEvent(log, "indexer.starting", {
      version: versionOf(),
      indexer: project.definition.name,
      chains: project.definition.chains.map(({ name }) => name),
    });
    const options = optionsOf(run, project, environment, telemetry, database.url);
    const onShard = (held: HeldShard): void => {
      shard = held;
    };
    await runIndexer({ ...options, onShard }, stop.signal);
    logEvent(log, "indexer.stopped");
    return 0;
  } catch (error) {
    return reportFailure(error, log, format);
  } finally {
    await telemetry.shutdown();
    // The database last: everything before may still have something to write.
    await database.stop();
    stop.dispose();
    dumps.dispose();
    crashes.dispose();
  }
}

function optionsOf(
  { flags, isDevelopment }: Parameters<typeof runProject>[0],
  { definition, registrations, setup }: Project,
  environment: Environment,
  telemetry: IndexerTelemetry,
  databaseUrl: string,
): IndexerOptions {
  const once = flags.once ?? false;
  return {
    definition,
    registrations,
    setup,
    databaseUrl,
    schema: flags.schema ?? environment.databaseSchema ?? definition.name,
    shard: "default",
    version: versionOf(),
    once,
    noWait: !flags.wait,
    limits: limitsOf({
      capacityChanges: environment.capacityChanges,
      capacityBytes: environment.capacityBytes,
      cacheBytes: environment.cacheBytes,
      writeRetryBudgetMs: environment.writeRetryBudgetMs,
      startBudgetMs: environment.startBudgetMs ?? (isDevelopment ? MINUTE / 6 : 10 * MINUTE),
    }),
    telemetry,
    listen: {
      host: flags.host ?? environment.host,
      port: flags.port ?? environment.port,
      nextFreePort: isDevelopment,
    },
    lingerMs: environment.fatalLingerMs ?? (once || isDevelopment ? 0 : LINGER_MS),
    clock: systemClock,
  };
}

async function databaseOf(
  isDevelopment: boolean,
  project: Project,
  { databaseUrl }: Environment,
  log: Logger,
): Promise<{ readonly url: string; stop(): Promise<void> }> {
  if (databaseUrl !== undefined) return { url: databaseUrl, stop: async () => {} };
  if (isDevelopment) {
    const database = await startDevelopmentDatabase(join(project.directory, ".spindex", "postgres"), systemClock);
    const { dataDir: data, socketDir: host, user, origin } = database;
    logEvent(log, "database.embedded", { data, host, user, database: user, origin });
    return database;
  }
  throw new SpindexError("ENV_INVALID", "DATABASE_URL is not set", {
    fix: "Set it to postgresql://user:password@host:5432/database, or use spindex dev, which brings a database.",
  });
}

async function telemetryOf(
  flags: RunFlags,
  { definition, registrations, directory }: Project,
  environment: Environment,
  { log, lines }: { readonly log: Logger; readonly lines: RecentLines | undefined },
): Promise<IndexerTelemetry> {
  const instance = `${hostname()}-${process.pid}`;
  const file = flags.traceFile ?? environment.traceFile;
  const tracing = await startTracing({
    serviceName: definition.name,
    version: versionOf(),
    instanceId: instance,
    resourceAttributes: environment.resourceAttributes,
    exporters: {
      otlpEndpoint: environment.otlpEndpoint,
      headers: environment.otlpHeaders,
      file,
    },
    ratio: environment.traceRatio,
    record: lines !== undefined,
    log,
  });
  const { otlpEndpoint: to, traceRatio: ratio } = environment;
  if (to !== undefined || file !== undefined) logEvent(log, "telemetry.started", { to, file, ratio });
  return createTelemetry({
    name: definition.name,
    shard: "default",
    version: versionOf(),
    log,
    tracing,
    clock: systemClock,
    recorder: lines && { directory: resolve(directory, environment.dumpDirectory), lines, instance },
    chains: definition.chains,
    tables: definition.tables.map(({ sqlName }) => sqlName),
    handlers: registrations.map(({ key }) => key),
  });
}

/** For machines one log line, for people a text that shows the fix. */
function reportFailure(error: unknown, log: Logger, format: "json" | "pretty"): number {
  if (format === "pretty") return reportError(error);
  const fix = error instanceof SpindexError ? error.fix : undefined;
  const code = error instanceof SpindexError ? error.code : "INTERNAL";
  logEvent(log, "indexer.failed", { code, err: error, fix, text: errorText(error) });
  return error instanceof SpindexError ? error.exitCode : 1;
}

function schemaOf(text: string): string {
  return schemaNameOf(text, "--schema");
}

function portOf(text: string): number {
  const port = Number(text);
  if (Number.isInteger(port) && port >= 0 && port <= 65_535) return port;
  throw new InvalidArgumentError("a port is an integer from 0 to 65535.");
}
