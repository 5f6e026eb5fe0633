import { parseEvents } from "../../src/abi/parse-abi.ts";
import { defineIndexer } from "../../src/config/define-indexer.ts";
import { entity } from "../../src/config/entity.ts";
import { factory } from "../../src/config/factory.ts";
import type { AnyIndexer } from "../../src/config/indexer.ts";
import { registrationsOf } from "../../src/config/registration.ts";
import { resolveDefinition } from "../../src/config/resolve-definition.ts";
import { resolveRegistrations } from "../../src/config/resolve-registrations.ts";
import { t } from "../../src/config/t.ts";
import { limitsOf } from "../../src/indexer/limits.ts";
import { runSessions } from "../../src/indexer/run-sessions.ts";
import type { Session } from "../../src/indexer/session.ts";
import { systemClock } from "../../src/lib/clock.ts";
import type { ChainSource } from "../../src/source/fallback-source.ts";
import { encodeEvent } from "../../src/testing/encode-event.ts";
import { MemoryDatabase } from "../../src/testing/memory-database.ts";
import { MemoryStorage } from "../../src/testing/memory-storage.ts";
import { fakeAddress, type LogSeed } from "./fake-chain.ts";
import { silentTelemetry } from "./silent-telemetry.ts";

/** A root makes factories, a factory makes pairs, and pairs ping. */
export const ROOT = fakeAddress(0x1000);
const ROOT_ABI = ["event Deployed(address indexed factory)"] as const;
const FACTORY_ABI = ["event Created(uint256 kind, address child)"] as const;
const PAIR_ABI = ["event Ping(uint256 n)"] as const;
const [DEPLOYED, CREATED, PING] = parseEvents([...ROOT_ABI, ...FACTORY_ABI, ...PAIR_ABI], "test");

export function topicOf(kind: FactoryLog["kind"]): string {
  const event = { deployed: DEPLOYED, created: CREATED, ping: PING }[kind];
  if (event === undefined) throw new Error("an event is missing");
  return event.topic;
}

export type FactoryLog =
  | { readonly kind: "deployed" | "created"; readonly by: string; readonly child: string }
  | { readonly kind: "ping"; readonly by: string; readonly n: number };

export function seedOf(log: FactoryLog): LogSeed {
  const [event, args] =
    log.kind === "ping"
      ? [PING, { n: BigInt(log.n) }]
      : log.kind === "deployed"
        ? [DEPLOYED, { factory: log.child }]
        : [CREATED, { kind: 1n, child: log.child }];
  if (event === undefined) throw new Error("an event is missing");
  return { address: log.by, ...encodeEvent(event, args) };
}

/** How the addresses of factories and pairs become known. */
export type Way = "factories" | "registered" | "registered factories" | "registered pairs";

export function factoryProject(
  way: Way,
  startBlock = 0,
  {
    rpc = "http://memory",
    root = ROOT,
    maxRangeBlocks = 10_000,
  }: { readonly rpc?: string; readonly root?: string; readonly maxRangeBlocks?: number } = {},
): AnyIndexer {
  const isRegistered = {
    factories: way === "registered" || way === "registered factories",
    pairs: way === "registered" || way === "registered pairs",
  };
  const indexer = defineIndexer({
    name: "factories",
    schema: { seen: entity({ id: t.eventId(), address: t.address(), n: t.uint256() }, { appendOnly: true }) },
    chains: { mainnet: { id: 1, sources: [{ rpc, maxRangeBlocks }], pollIntervalMs: 50, maxReorgDepth: 1000 } },
    contracts: {
      Root: { abi: ROOT_ABI, chains: { mainnet: { address: root as `0x${string}` } } },
      Factory: {
        abi: FACTORY_ABI,
        chains: {
          mainnet: {
            address: isRegistered.factories
              ? "registered"
              : factory({ contract: "Root", event: "Deployed", parameter: "factory" }),
          },
        },
      },
      Pair: {
        abi: PAIR_ABI,
        chains: {
          mainnet: {
            address: isRegistered.pairs
              ? "registered"
              : factory({ contract: "Factory", event: "Created", parameter: "child" }),
            startBlock,
          },
        },
      },
    },
  });
  indexer.on("Pair.Ping", ({ event, store }) => {
    store.seen.insert({ id: event.id, address: event.log.address, n: event.args.n });
  });
  if (isRegistered.factories) {
    indexer.on("Root.Deployed", ({ event, register }) => register("Factory", event.args.factory));
  }
  if (isRegistered.pairs) {
    indexer.on("Factory.Created", ({ event, register }) => register("Pair", event.args.child));
  }
  return indexer;
}

export interface FactoryRun {
  readonly database: MemoryDatabase;
  readonly session: Session | undefined;
  /** `address n` of each ping that was handled, in the order of the chain. */
  readonly seen: readonly string[];
}

/** Indexes what the source has, over storage in memory; goes on where `database` stands. */
export async function runFactories(
  indexer: AnyIndexer,
  source: ChainSource,
  options: {
    readonly database?: MemoryDatabase;
    readonly batchItems?: number;
    readonly until?: (session: Session) => boolean;
  } = {},
): Promise<FactoryRun> {
  const definition = resolveDefinition(indexer, { env: {} });
  const registrations = resolveRegistrations(definition, registrationsOf(indexer));
  const database = options.database ?? new MemoryDatabase(definition.tables);
  const storage = new MemoryStorage(database, `writer ${database.state.starts}`);
  const limits = limitsOf({
    capacityChanges: 100_000,
    capacityBytes: 64 * 1024 * 1024,
    cacheBytes: 64 * 1024 * 1024,
    writeRetryBudgetMs: 1_000,
    startBudgetMs: 1_000,
  });
  const stop = new AbortController();
  let session: Session | undefined;
  const running = runSessions(
    {
      definition,
      registrations,
      once: options.until === undefined,
      limits: { ...limits, batch: { ...limits.batch, items: options.batchItems ?? limits.batch.items } },
      telemetry: silentTelemetry(systemClock),
      clock: systemClock,
      storage,
      resume: database.resume,
      sources: new Map([[1, source]]),
      onSession: (next) => {
        session = next;
      },
    },
    stop.signal,
  );
  running.catch(() => stop.abort());
  while (options.until !== undefined && !stop.signal.aborted) {
    if (session !== undefined && options.until(session)) stop.abort();
    await systemClock.turn();
  }
  await running;
  return { database, session, seen: seenIn(database) };
}

function seenIn(database: MemoryDatabase): readonly string[] {
  return database
    .rows("seen")
    .map(({ row }) => row as { id: bigint; address: string; n: bigint })
    .toSorted((a, b) => (a.id < b.id ? -1 : 1))
    .map(({ address, n }) => `${address} ${n}`);
}

/** What is to be seen: worked out over the whole chain at once. */
export function expectedSeen(
  logs: readonly (FactoryLog & { readonly block: number })[],
  startBlock = 0,
  root = ROOT,
): string[] {
  const factories = new Map<string, number>();
  const pairs = new Map<string, number>();
  const note = (known: Map<string, number>, address: string, block: number): void => {
    known.set(address, Math.min(block, known.get(address) ?? block));
  };
  for (const log of logs) if (log.kind === "deployed" && log.by === root) note(factories, log.child, log.block);
  for (const log of logs) {
    if (log.kind === "created" && (factories.get(log.by) ?? Number.POSITIVE_INFINITY) <= log.block) {
      note(pairs, log.child, log.block);
    }
  }
  return logs.flatMap((log) => {
    if (log.kind !== "ping" || log.block < startBlock) return [];
    return (pairs.get(log.by) ?? Number.POSITIVE_INFINITY) <= log.block ? [`${log.by} ${log.n}`] : [];
  });
}

export function plannedLogs(plan: readonly (readonly FactoryLog[])[]): (FactoryLog & { readonly block: number })[] {
  return plan.flatMap((logs, block) => logs.map((log) => ({ ...log, block })));
}
