import type { ChainStatus, Status } from "../../src/instrument/status.ts";

/** A healthy indexer of one live chain; give what differs. */
export function statusOf(more: Partial<Status> = {}): Status {
  return {
    name: "erc20",
    version: "1.2.3",
    shard: "0",
    at: 1_000_000,
    startedAt: 400_000,
    ready: true,
    failure: undefined,
    leaseHeld: true,
    standby: undefined,
    starts: { count: 3, lastExit: { code: "stopped", class: "ok" } },
    processLoop: "capacity",
    writeLoop: "write",
    checkpoints: { processed: 120, committed: 100 },
    cache: { bytes: 5000, budget: 8000, evicted: { effects: 2, changed: 3, loaded: 4 } },
    queue: { batches: 2, items: 20, changes: 35, bytes: 4000, limits: { changes: 100, bytes: 9000 } },
    memory: { rows: 4_000, effects: 1_000, uncommitted: 4_000, fetched: 700 },
    readConnections: { busy: 1, idle: 2 },
    kept: { history: [{ table: "account", rows: 60 }], effects: 9 },
    oldestUncommittedAt: 998_000,
    lastCommitAt: 997_000,
    chains: [chainStatus()],
    indexes: { building: undefined, done: 2, total: 2, progress: undefined },
    effects: [{ effect: "getPrice", waiting: 5 }],
    eventsProcessed: 500,
    undecodableLogs: [{ chain: "mainnet", reason: "data_short", count: 3 }],
    skippedEvents: [],
    ...more,
  };
}

export function chainStatus(more: Partial<ChainStatus> = {}): ChainStatus {
  return {
    name: "mainnet",
    id: 1,
    head: 1_000,
    headSeenAt: 995_000,
    finalized: 936,
    fetched: 999,
    processed: 998,
    committed: 990,
    committedTimestamp: 980,
    endBlock: undefined,
    live: true,
    syncProgress: 0.99,
    syncEtaSeconds: 8,
    commitLagSeconds: 12,
    objectiveSeconds: 60,
    sources: [{ name: "node.example", state: "ok", error: undefined }],
    bufferItems: 7,
    rangeBlocks: 2_000,
    ...more,
  };
}
