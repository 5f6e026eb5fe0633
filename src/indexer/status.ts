import { SpindexError } from "../errors.ts";
import type { ChainStatus, StandbyStatus, Status } from "../instrument/status.ts";
import type { PostgresStorage } from "../postgres/storage.ts";
import type { ChainLane } from "./chain-lane.ts";
import type { IndexerOptions } from "./options.ts";
import type { Session } from "./session.ts";

/** Oldest that live data may be, in seconds, unless the chain is slower. */
const OBJECTIVE_SECONDS = 30;

/** What changes in the life of an indexer; the status is made from it. */
export interface Life {
  readonly startedAt: number;
  /** Who has the shard while this process waits for it. */
  standby: StandbyStatus | undefined;
  storage: PostgresStorage | undefined;
  session: Session | undefined;
  failure: SpindexError | undefined;
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
    failure: error === undefined ? undefined : { code: codeOf(error), message: error.message },
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
      evicted: store?.cache.evicted ?? { effects: 0, changed: 0, loaded: 0 },
    },
    oldestUncommittedAt: uncommitted?.oldestAt,
    lastCommitAt: store?.lastCommitAt,
    chains: session === undefined ? [] : session.lanes.map((lane) => chainStatusOf(lane, session)),
    indexes: life.storage?.indexes.status ?? { building: undefined, done: 0, total: 0, progress: undefined },
    effects: session?.effects.status ?? [],
    eventsProcessed: store?.itemsProcessed ?? 0,
    undecodableLogs: [...(session?.counts.undecodable.values() ?? [])],
    skippedEvents: [],
  };
}

function chainStatusOf(lane: ChainLane, { store }: Session): ChainStatus {
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
    commitLagSeconds: head.commitLagSeconds(Math.max(durableBlock, 0), selection.endBlock),
    objectiveSeconds: OBJECTIVE_SECONDS,
    sources: lane.source.health.map(({ name, error }) => ({
      name,
      state: error === undefined ? "ok" : "failing",
      error,
    })),
    bufferItems: lane.buffer.items,
    rangeBlocks: lane.sizer.blocks,
  };
}

function codeOf(error: Error): NonNullable<Status["failure"]>["code"] {
  return error instanceof SpindexError ? error.code : "INTERNAL";
}
