import type { ChainLabel } from "../chain/chain-label.ts";
import type { WriteTransactionTelemetry } from "./drain-telemetry.ts";
import type { SourceTelemetry } from "./fetch-telemetry.ts";

export interface ReorgStart {
  readonly chain: ChainLabel;
  /** What showed it, in words. */
  readonly evidence: string;
  /** Hash of the source's block that showed it. */
  readonly foundHash: string;
  /** The database's sessions that may be at work for it. */
  readonly backendPids?: () => readonly number[];
}

/** Where a chain goes back to, and from where. */
export interface RollbackStart {
  /** The newest block that is kept. */
  readonly toBlock: number;
  /** The newest durable block. */
  readonly fromBlock: number;
  readonly orphanedHashes: readonly string[];
}

/** What a rollback took back. */
export interface RollbackSummary {
  /** The first and the last checkpoint that went; undefined: none. */
  readonly checkpoints: { readonly from: number; readonly to: number } | undefined;
  readonly rowsRestored: number;
  readonly rowsDeleted: number;
}

/** The answer to one reorg, from the end of its session to the rollback's COMMIT. */
export interface ReorgTelemetry {
  /** Requests that look for the common ancestor. */
  source(sourceName: string): SourceTelemetry;
  rollbackStarted(start: RollbackStart): RollbackTelemetry;
  /**
   * Ends it. Without a rollback before, nothing durable had been orphaned.
   * @param block the newest durable block now
   */
  done(block: number): void;
  failed(error: unknown): void;
}

/** One rollback, with all attempts to write it. */
export interface RollbackTelemetry {
  /** A new attempt, linked to the failed one before it. */
  transaction(attempt: number): WriteTransactionTelemetry;
  /** It is durable: ends it. */
  done(summary: RollbackSummary): void;
  failed(error: unknown): void;
}
