import type { AnyIndexer } from "../../src/config/indexer.ts";
import { registrationsOf, setupOf } from "../../src/config/registration.ts";
import { resolveDefinition } from "../../src/config/resolve-definition.ts";
import { resolveRegistrations } from "../../src/config/resolve-registrations.ts";
import { limitsOf } from "../../src/indexer/limits.ts";
import { type IndexerOptions, runIndexer } from "../../src/indexer.ts";
import { createTelemetry } from "../../src/instrument/create-telemetry.ts";
import { createLog } from "../../src/instrument/log.ts";
import type { Status } from "../../src/instrument/status.ts";
import { systemClock } from "../../src/lib/clock.ts";

export interface RunningIndexer {
  status(): Status;
  /** Rejects when the indexer fails before `condition` holds. */
  until(condition: (status: Status) => boolean): Promise<Status>;
  /** Stops it as a signal would; resolves when everything processed is durable, rejects with what failed. */
  stop(): Promise<"ended" | "stopped">;
  /** Resolves when it ends by itself. */
  readonly ended: Promise<"ended" | "stopped">;
}

/** Runs an indexer in this process, with no HTTP server and a silent log. */
export function startIndexer(
  indexer: AnyIndexer,
  databaseUrl: string,
  overrides: Partial<IndexerOptions> = {},
): RunningIndexer {
  const definition = resolveDefinition(indexer, { env: {} });
  const registrations = resolveRegistrations(definition, registrationsOf(indexer));
  const log = createLog({ level: "silent", format: "json" });
  const telemetry = createTelemetry({
    name: definition.name,
    shard: "default",
    version: "0.0.0",
    log,
    chains: definition.chains,
    tables: definition.tables.map(({ name }) => name),
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
        },
      },
      handlerLog: log,
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
