/**
 * The composition root: builds the parts, joins their ports, starts the loops. Read the folders in the order of the flow.
 *
 *   source ──► fetch ──► batch ──► process ──► store ──► write ──► postgres
 *   (RPC)      (a loop   (ordered  (handlers)  (memory:  (the      (one transaction
 *              a chain)  unit of               two       background for a drain run)
 *                        work)                 frontiers) loop)
 *                 ▲                              │
 *                 └──────── reorg ◄──────────────┘
 *   api: health, status, metrics      instrument: spans, metrics, logs      testing: the users' test kit
 */
import { hostname } from "node:os";
import { type RunningServer, startServer } from "./api/server.ts";
import type { IndexerDefinition } from "./config/definition.ts";
import { fingerprintOf } from "./config/fingerprint.ts";
import { SpindexError } from "./errors.ts";
import type { IndexerOptions } from "./indexer/options.ts";
import { logProgress } from "./indexer/progress-log.ts";
import { runSessions } from "./indexer/run-sessions.ts";
import type { Session } from "./indexer/session.ts";
import { type Life, statusOf } from "./indexer/status.ts";
import { SyncPace } from "./indexer/sync-pace.ts";
import type { IndexerTelemetry } from "./instrument/create-telemetry.ts";
import { type Logger, logEvent } from "./instrument/log.ts";
import type { PhaseTelemetry } from "./instrument/phase-telemetry.ts";
import type { Status } from "./instrument/status.ts";
import type { OpenWait } from "./instrument/telemetry.ts";
import { parseDatabaseUrl } from "./postgres/database-url.ts";
import { openBackendWaits, openStorage } from "./postgres/open.ts";
import type { ResumePoint } from "./postgres/resume.ts";
import type { ShardHolder } from "./postgres/shard-holder.ts";
import type { PostgresStorage } from "./postgres/storage.ts";
import { type ChainSource, fallbackSource } from "./source/fallback-source.ts";
import { createJsonRpcSource } from "./source/json-rpc-source.ts";
import { watchSource } from "./source/source-health.ts";
import { WriteFailure } from "./write/storage.ts";
import { writeError } from "./write/write-error.ts";

/**
 * Runs an indexer until every chain has ended, or `signal` aborts and everything processed is durable.
 * @throws SpindexError: what ended it
 */
export async function runIndexer(options: IndexerOptions, signal: AbortSignal): Promise<"ended" | "stopped"> {
  const { telemetry } = options;
  // What is wrong whatever the nodes say is said before they are waited for.
  const { label } = parseDatabaseUrl(options.databaseUrl);
  const life: Life = {
    startedAt: options.clock.now(),
    standby: undefined,
    storage: undefined,
    session: undefined,
    failure: undefined,
    pace: new Map(options.definition.chains.map(({ id }) => [id, new SyncPace(options.clock)])),
  };
  const status = (): Status => statusOf(options, life);
  telemetry.observe(status);
  const server = await serve(options, status);
  const ended = new AbortController();
  const { log, processLoop, writeLoop } = telemetry;
  const progress = logProgress({ log, processLoop, writeLoop, status }, options.clock, ended.signal);
  const backendWaits = openBackendWaits({ url: options.databaseUrl, clock: options.clock });
  telemetry.askBackends(backendWaits);
  const waits = telemetry.watchWaits(ended.signal);
  const startup = telemetry.phase("spindex.startup", {});
  const sources = new Map<number, ChainSource>();
  const shutdown = traceShutdown(telemetry, () => life.session);
  const stopping = (): void => shutdown.begin("stop");
  signal.addEventListener("abort", stopping, { once: true });
  try {
    for (const chain of options.definition.chains) sources.set(chain.id, sourceOf(options, chain));
    await verifyChainIds(options, sources, signal);
    logEvent(telemetry.log, "database.connecting", { database: label });
    const storage = await openOrStandBy(options, signal, life, startup);
    life.storage = storage;
    options.onShard?.(storage);
    startup.done();
    logStart(telemetry.log, options.definition, storage.resume);
    storage.indexes.start(() => life.session?.isLive ?? false);
    const onSession = (session: Session): void => {
      life.session = session;
    };
    const outcome = await runSessions({ ...options, storage, resume: storage.resume, sources, onSession }, signal);
    if (outcome === "ended") await buildIndexes(storage, signal);
    shutdown.begin("end");
    await storage.close("stopped");
    return outcome;
  } catch (error) {
    if (signal.aborted && error === signal.reason) {
      startup.done();
      return "stopped";
    }
    life.failure = asSpindexError(error);
    startup.done(life.failure);
    shutdown.begin("failure");
    await life.storage?.close(life.failure.code);
    // All work has stopped and the lease is free; the failure must still be seen by whoever scrapes.
    const isFatal = life.session !== undefined && life.failure.reaction === "bug";
    if (isFatal && options.lingerMs > 0) await options.clock.sleep(options.lingerMs, signal);
    throw life.failure;
  } finally {
    ended.abort();
    signal.removeEventListener("abort", stopping);
    await waits;
    await Promise.all([
      progress,
      backendWaits.close(),
      server?.close(),
      ...[...sources.values()].map((source) => source.close()),
    ]);
    shutdown.done();
  }
}

/** Takes the shard, and says how it waits for it while another process has it. */
async function openOrStandBy(
  options: IndexerOptions,
  signal: AbortSignal,
  life: Life,
  startup: PhaseTelemetry<"spindex.startup">,
): Promise<PostgresStorage> {
  let standby: OpenWait | undefined;
  try {
    const storage = await open(options, signal, (holder) => {
      // Its start is over: what comes now may take days.
      startup.done();
      life.standby = { holder: holder?.holder, since: holder?.since };
      standby?.end();
      const what = `shard ${options.shard}, held by ${holder?.holder ?? "a process that is starting"}`;
      standby = options.telemetry.waiting({ state: "standby", what });
    });
    life.standby = undefined;
    return storage;
  } finally {
    standby?.end();
  }
}

function logStart(log: Logger, { chains }: IndexerDefinition, resume: ResumePoint): void {
  const checkpoint = resume.committedCheckpoint;
  if (checkpoint > 0) {
    const blocks = resume.chains.map(({ chainId, block }) => [chains.find(({ id }) => id === chainId)?.name, block]);
    logEvent(log, "indexer.resumed", { checkpoint, chains: Object.fromEntries(blocks) });
  }
  logEvent(log, "indexer.started", { checkpoint });
}

/** From the first reason to end until everything is closed. */
function traceShutdown(
  telemetry: IndexerTelemetry,
  session: () => Session | undefined,
): { begin(reason: "stop" | "end" | "failure"): void; done(): void } {
  let phase: PhaseTelemetry<"spindex.shutdown"> | undefined;
  return {
    begin: (reason) => {
      phase ??= telemetry.phase("spindex.shutdown", {
        "spindex.mode": session()?.isLive === true ? "live" : "backfill",
        "spindex.reason": reason,
        "spindex.pending.batches": session()?.store.uncommitted.batches ?? 0,
      });
    },
    done: () => phase?.done(),
  };
}

/** What the backfill did without is there when an indexer ends that has done its work. */
async function buildIndexes({ indexes }: PostgresStorage, signal: AbortSignal): Promise<void> {
  const stop = (): void => void indexes.stop();
  signal.addEventListener("abort", stop, { once: true });
  if (signal.aborted) stop();
  await indexes.finish();
  signal.removeEventListener("abort", stop);
}

async function serve(options: IndexerOptions, status: () => Status): Promise<RunningServer | undefined> {
  const { listen, telemetry } = options;
  if (listen === undefined) return undefined;
  return startServer({ ...listen, status, metrics: (accept) => telemetry.scrape(accept), log: telemetry.log });
}

function sourceOf({ limits, clock }: IndexerOptions, chain: IndexerDefinition["chains"][number]): ChainSource {
  const sources = chain.sources.map(({ rpc, headers, timeoutMs, maxConcurrency }) =>
    watchSource(
      createJsonRpcSource({
        url: rpc,
        headers,
        timeoutMs,
        maxConcurrency,
        retries: { budgetMs: limits.startBudgetMs },
        clock,
      }),
    ),
  );
  return fallbackSource(sources);
}

/** Asked before anything is written: another chain's events in the tables could never be told apart again. */
async function verifyChainIds(
  { definition, telemetry }: IndexerOptions,
  sources: ReadonlyMap<number, ChainSource>,
  signal: AbortSignal,
): Promise<void> {
  await Promise.all(
    definition.chains.map(async (chain) => {
      const source = sources.get(chain.id) as ChainSource;
      const id = await source.chainId(signal, telemetry.source(chain, source.name));
      if (id === chain.id) return;
      throw new SpindexError(
        "CHAIN_ID_MISMATCH",
        `chains.${chain.name}: the node at ${source.name} is of chain ${id}, not ${chain.id}`,
        { fix: `Use an endpoint of chain ${chain.id}, or set id: ${id}.` },
      );
    }),
  );
}

/** Takes the shard; as a standby it waits for it. Chains are known by then: what could never run is not waited with. */
function open(
  options: IndexerOptions,
  signal: AbortSignal,
  onStandby: (holder: ShardHolder | undefined) => void,
): Promise<PostgresStorage> {
  const { definition, registrations, setup, databaseUrl, schema, shard, clock, telemetry, limits } = options;
  return openStorage({
    url: databaseUrl,
    schema,
    shard,
    tables: definition.tables,
    fingerprint: fingerprintOf(definition, registrations, setup).definition,
    chains: definition.chains.map(({ id, name }) => ({ id, name })),
    clock,
    log: telemetry.log,
    holder: `${hostname()} process ${process.pid}`,
    budgetMs: limits.startBudgetMs,
    readBudgetMs: limits.writeRetryBudgetMs,
    signal,
    onReadTurn: (seconds) => telemetry.readWaited(seconds),
    ...(limits.databaseSilenceMs === undefined ? {} : { silenceMs: limits.databaseSilenceMs }),
    ...(options.noWait ? {} : { onStandby }),
  });
}

function asSpindexError(error: unknown): SpindexError {
  if (error instanceof SpindexError) return error;
  if (error instanceof WriteFailure)
    return writeError(error, { place: "between sessions", attempt: 1, traceId: undefined });
  const message = error instanceof Error ? error.message : String(error);
  return new SpindexError("INTERNAL", message, { cause: error, fix: "This should not happen: please report it." });
}
