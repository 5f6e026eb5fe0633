import type { ChainLabel } from "../chain/chain-label.ts";

/** What a rollback took back. */
export interface RollbackSummary {
  /** The newest block that was kept. */
  readonly toBlock: number;
  /** Durable blocks that were orphaned; 0 when none had become durable. */
  readonly depth: number;
}

/** The answer to one reorg, from its detection to the rollback's COMMIT. */
export interface ReorgTelemetry {
  done(summary: RollbackSummary): void;
  failed(error: unknown): void;
}

export interface ReorgStart {
  readonly chain: ChainLabel;
  /** What showed it, in words. */
  readonly evidence: string;
  /** The database's sessions that may be at work for it. */
  readonly backendPids?: () => readonly number[];
}
