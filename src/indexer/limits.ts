import type { BatchRoom } from "../batch/create-batch.ts";
import type { StoreLimits } from "../store/store-options.ts";

export interface IndexerLimits {
  readonly store: StoreLimits;
  readonly batch: BatchRoom;
  /** What is fetched and not yet processed, a chain. */
  readonly fetchBuffer: BatchRoom;
  /** How long a write or a read is tried again in an outage. */
  readonly writeRetryBudgetMs: number;
  /** How often to look for history that no rollback can need any more. */
  readonly pruneEveryMs: number;
  /** How long start-up waits for an unreachable database or node. */
  readonly startBudgetMs: number;
  /** A database connection that is silent for so long while an answer is due is given up. Default 60 s. */
  readonly databaseSilenceMs?: number;
  /** How long the end of a session may take: the batch in progress, and the flush. */
  readonly flushDeadlineMs: number;
}

const MIB = 1024 * 1024;

/** What the limits are made from: settings of the environment and of the command. */
export interface LimitSettings {
  readonly capacityChanges: number;
  readonly capacityBytes: number;
  readonly cacheBytes: number;
  readonly writeRetryBudgetMs: number;
  readonly startBudgetMs: number;
}

/** A run of 100,000 events of a token has about so many: rows inserted, and balances changed. */
const MOST_CHANGES = 150_000;

/**
 * Limits that fit each other: a run is never larger than half of the capacity, or processing would wait for a write
 * that waits for more to write; and a batch is a fraction of it, or one alone would exceed it many times.
 */
export function limitsOf(settings: LimitSettings): IndexerLimits {
  const { capacityChanges, capacityBytes, cacheBytes, writeRetryBudgetMs, startBudgetMs } = settings;
  return {
    store: {
      capacityChanges,
      capacityBytes,
      cacheBytes,
      minimumItems: Math.min(10_000, Math.floor(capacityChanges / 4)),
      liveAgeMs: 50,
      maximumChanges: Math.max(1, Math.min(MOST_CHANGES, Math.floor(capacityChanges / 2))),
      maximumBytes: Math.max(1, Math.min(64 * MIB, Math.floor(capacityBytes / 2))),
      maximumBatches: 512,
    },
    batch: {
      items: Math.max(1, Math.min(5_000, Math.floor(capacityChanges / 4))),
      bytes: Math.max(1, Math.min(16 * MIB, Math.floor(capacityBytes / 4))),
    },
    fetchBuffer: { items: 30_000, bytes: 64 * MIB },
    writeRetryBudgetMs,
    startBudgetMs,
    pruneEveryMs: 30_000,
    flushDeadlineMs: 20_000,
  };
}
