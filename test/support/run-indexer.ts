import type { AnyIndexer } from "../../src/config/indexer.ts";
import { registrationsOf, setupOf } from "../../src/config/registration.ts";
import { resolveDefinition } from "../../src/config/resolve-definition.ts";
import { resolveRegistrations } from "../../src/config/resolve-registrations.ts";
import { limitsOf } from "../../src/indexer/limits.ts";
import type { IndexerOptions } from "../../src/indexer/options.ts";
import { runIndexer } from "../../src/indexer.ts";
import { createTelemetry } from "../../src/instrument/create-telemetry.ts";
import { createLog, type Logger } from "../../src/instrument/log.ts";
import type { Status } from "../../src/instrument/status.ts";
import { noTracing, type Tracing } from "../../src/instrument/tracing/tracing.ts";
import { systemClock } from "../../src/lib/clock.ts";

export interface RunningIndexer {
  status(): Status;
  /** The sum of all series of a counter or gauge whose labels include these. */
  metric(name: string, labels?: Readonly<Record<string, string>>): Promise<number>;
  /** Rejects when the indexer fails before `condition` holds. */
  until(condition: (status: Status) => boolean): Promise<Status>;
  /** Stops it as a signal would; resolves when everything processed is durable, rejects with what failed. */
  stop(): Promise<"ended" | "stopped">;
  /** Resolves when it ends by itself. */
  readonly ended: Promise<"ended" | "stopped">;
}

/** Runs an indexer in this process, with no HTTP server and, unless one is given, a silent log. */
export function startIndexer(
  indexer: AnyIndexer,
  databaseUrl: string,
  {
    log = createLog({ level: "silent", format: "json" }),
    tracing = noTracing(),
    ...overrides
  }: Partial<IndexerOptions> & { log?: Logger; tracing?: Tracing } = {},
): RunningIndexer {
  const definition = resolveDefinition(indexer, { env: {} });
  const registrations = resolveRegistrations(definition, registrationsOf(indexer));
  const telemetry = createTelemetry({
    name: definition.name,
    shard: "default",
    version: "0.0.0",
    log,
    tracing,
    clock: overrides.clock ?? systemClock,
    chains: definition.chains,
    tables: definition.tables.map(({ sqlName }) => sqlName),
    handlers: registrations.map(({ key }) => key),
    processMetrics: false,
  });
  let status: (() => Status) | undefined;
  const stop = new AbortController();
  const ended = runIndexer(
    {
      definition,
      registrations,
      setup: setupOf(indexer),
      databaseUrl,
      schema: definition.name,
      shard: "default",
      version: "0.0.0",
      once: false,
      limits: limitsOf({
        capacityChanges: 100_000,
        capacityBytes: 64 * 1024 * 1024,
        cacheBytes: 64 * 1024 * 1024,
        writeRetryBudgetMs: 5_000,
        startBudgetMs: 5_000,
      }),
      telemetry: {
        ...telemetry,
        observe: (port) => {
          status = port;
          telemetry.observe(port);
        },
      },
      listen: undefined,
      lingerMs: 0,
      clock: systemClock,
      ...overrides,
    },
    stop.signal,
  );
  ended.catch(() => {});
  const current = (): Status => {
    if (status === undefined) throw new Error("the indexer has no status yet");
    return status();
  };
  return {
    status: current,
    metric: async (name, labels = {}) => sumOf((await telemetry.scrape("text/plain")).body, name, labels),
    ended,
    until: async (condition) => {
      let over = false;
      const end = ended.finally(() => {
        over = true;
      });
      end.catch(() => {});
      for (;;) {
        if (condition(current())) return current();
        if (over) {
          await end;
          throw new Error("the indexer ended before the condition held");
        }
        await systemClock.sleep(5);
      }
    },
    stop: () => {
      stop.abort();
      return ended;
    },
  };
}

function sumOf(page: string, name: string, labels: Readonly<Record<string, string>>): number {
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  return page
    .split("\n")
    .filter((line) => line.startsWith(`${name}{`) && wanted.every((label) => line.includes(label)))
    .reduce((sum, line) => sum + Number(line.split(" ").at(-1)), 0);
}
