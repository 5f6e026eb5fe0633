import { SpindexError } from "../errors.ts";
import { redact } from "../instrument/redact.ts";
import type { ChainStatus, KeptStatus, StandbyStatus, Status } from "../instrument/status.ts";
import type { PostgresStorage } from "../postgres/storage.ts";
import type { ChainLane } from "./chain-lane.ts";
import type { IndexerOptions } from "./options.ts";
import type { Session } from "./session.ts";
import type { SyncPace } from "./sync-pace.ts";

/** What changes in the life of an indexer; the status is made from it. */
export interface Life {
  readonly startedAt: number;
  /** Who has the shard while this process waits for it. */
  standby: StandbyStatus | undefined;
  storage: PostgresStorage | undefined;
  session: Session | undefined;
  failure: SpindexError | undefined;
  /** By the chain's id. */
  readonly pace: ReadonlyMap<number, SyncPace>;
}

/** What the indexer is doing at this moment. Before the loops run there are no figures yet. */
export function statusOf(options: IndexerOptions, life: Life): Status {
  const { definition, telemetry, clock, limits } = options;
  const { session, failure } = life;
  const store = session?.store;
  const uncommitted = store?.uncommitted;
  const error = failure ?? store?.failure;
  return {
    name: definition.name,
    version: options.version,
    shard: options.shard,
    at: clock.now(),
    startedAt: life.startedAt,
    ready: session !== undefined && error === undefined,
    failure: error === undefined ? undefined : { code: codeOf(error), message: redact(error.message) },
    leaseHeld: life.storage?.isHeld ?? false,
    standby: life.standby,
    starts: life.storage?.starts,
    processLoop: telemetry.processLoop.state,
    writeLoop: telemetry.writeLoop.state,
    checkpoints: { processed: store?.processedCheckpoint ?? 0, committed: store?.committedCheckpoint ?? 0 },
    queue: {
      batches: uncommitted?.batches ?? 0,
      items: uncommitted?.items ?? 0,
      changes: uncommitted?.changes ?? 0,
      bytes: uncommitted?.bytes ?? 0,
      limits: { changes: limits.store.capacityChanges, bytes: limits.store.capacityBytes },
    },
    cache: {
      bytes: store?.cache.bytes ?? 0,
      budget: limits.store.cacheBytes,
      evicted: session?.totals.evicted ?? { effects: 0, changed: 0, loaded: 0 },
    },
    memory: {
      rows: (store?.cache.bytes ?? 0) - (store?.effects.keptBytes ?? 0),
      effects: (store?.effects.keptBytes ?? 0) + (store?.effects.bytes ?? 0),
      uncommitted: uncommitted?.bytes ?? 0,
      fetched: session?.lanes.reduce((sum, { buffer }) => sum + buffer.bytes, 0) ?? 0,
    },
    readConnections: life.storage?.readConnections ?? { busy: 0, idle: 0 },
    kept: life.storage && keptOf(life.storage.kept),
    oldestUncommittedAt: uncommitted?.oldestAt,
    lastCommitAt: store?.lastCommitAt,
    chains: session === undefined ? [] : session.lanes.map((lane) => chainStatusOf(lane, session, life)),
    indexes: life.storage?.indexes.status ?? { building: undefined, done: 0, total: 0, progress: undefined },
    effects: session?.effects.status ?? [],
    eventsProcessed: session?.totals.events ?? 0,
    undecodableLogs: session?.totals.undecodable ?? [],
    skippedEvents: [],
  };
}

function keptOf({ history, effects }: PostgresStorage["kept"]): KeptStatus {
  return { history: [...history].map(([table, rows]) => ({ table, rows })), effects };
}

function chainStatusOf(lane: ChainLane, { store }: Session, life: Life): ChainStatus {
  const { definition, head, fetcher, selection } = lane;
  const processed = store.processed(definition.id);
  const committed = store.committed(definition.id);
  const durableBlock = committed?.block ?? selection.startBlock - 1;
  return {
    name: definition.name,
    id: definition.id,
    head: head.head < 0 ? undefined : head.head,
    headSeenAt: head.advancedAt,
    finalized: head.finalized < 0 ? undefined : head.finalized,
    fetched: fetcher.fetched >= selection.startBlock ? fetcher.fetched : undefined,
    processed: processed?.block,
    committed: committed?.block,
    committedTimestamp: committed?.timestamp,
    endBlock: Number.isFinite(selection.endBlock) ? selection.endBlock : undefined,
    live: head.live,
    ...syncOf(lane, durableBlock, life),
    commitLagSeconds: head.head < 0 ? undefined : head.commitLagSeconds(Math.max(durableBlock, 0), selection.endBlock),
    objectiveSeconds: definition.freshnessObjectiveSeconds,
    sources: lane.source.health.map(({ name, error }) => ({
      name,
      state: error === undefined ? "ok" : "failing",
      error: error === undefined ? undefined : redact(error),
    })),
    bufferItems: lane.buffer.items,
    rangeBlocks: lane.sizer.blocks,
  };
}

type SyncStatus = Pick<ChainStatus, "syncProgress" | "syncEtaSeconds">;

function syncOf({ definition, head, selection }: ChainLane, durableBlock: number, { pace }: Life): SyncStatus {
  if (head.head < 0) return { syncProgress: undefined, syncEtaSeconds: undefined };
  const due = Math.min(head.target, selection.endBlock);
  const left = Math.max(0, due - durableBlock);
  const wanted = Math.max(0, due - selection.startBlock + 1);
  const syncProgress = wanted === 0 ? 1 : Math.max(0, wanted - left) / wanted;
  // A live chain is always a block or two behind.
  const isCaughtUp =
    head.live && head.commitLagSeconds(durableBlock, selection.endBlock) <= definition.freshnessObjectiveSeconds;
  return { syncProgress, syncEtaSeconds: pace.get(definition.id)?.etaSeconds(isCaughtUp ? 0 : left) };
}

function codeOf(error: Error): NonNullable<Status["failure"]>["code"] {
  return error instanceof SpindexError ? error.code : "INTERNAL";
}
