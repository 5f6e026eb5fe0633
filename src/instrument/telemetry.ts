import type { Logger } from "pino";
import type { ChainLabel } from "../chain/chain-label.ts";
import type { BatchStart, BatchTelemetry } from "./batch-telemetry.ts";
import type { DrainStart, DrainTelemetry, WriteTransactionTelemetry } from "./drain-telemetry.ts";
import type { FetchStart, FetchTelemetry, SourceTelemetry } from "./fetch-telemetry.ts";
import type { FlushStart, FlushTelemetry } from "./flush-telemetry.ts";
import type { LoopAccount } from "./loop-account.ts";
import type { SpanAttributes, WaitState } from "./names.ts";
import type { Phase, PhaseTelemetry } from "./phase-telemetry.ts";
import type { PruneTelemetry } from "./prune-telemetry.ts";
import type { ReorgStart, ReorgTelemetry } from "./reorg-telemetry.ts";

/**
 * What the loops say about themselves. Each verb serves traces, metrics and logs at once, so that the code of a loop
 * has one line where something happens. Built by `createTelemetry`.
 */
export interface Telemetry {
  readonly log: Logger;
  readonly processLoop: LoopAccount<ProcessState>;
  readonly writeLoop: LoopAccount<WriteState>;
  fetchStarted(start: FetchStart): FetchTelemetry;
  /** For requests outside a fetch: head polling, start-up. */
  source(chain: ChainLabel, sourceName: string): SourceTelemetry;
  batchStarted(start: BatchStart): BatchTelemetry;
  /** Links the drain run and its batches both ways and marks each batch as picked up. */
  drainStarted(start: DrainStart): DrainTelemetry;
  /** Chain metadata is written alone. */
  metadataWriteStarted(): WriteTransactionTelemetry;
  /** A step of pruning in `table`. */
  pruneStarted(table: string): PruneTelemetry;
  flushStarted(start: FlushStart): FlushTelemetry;
  reorgStarted(start: ReorgStart): ReorgTelemetry;
  phase<N extends Phase>(name: N, attributes: SpanAttributes<N>): PhaseTelemetry<N>;
  /** Something begins for which no span is open, and which is to be told of if it lasts. */
  waiting(wait: WaitStart): OpenWait;
  /** A read of rows waited so long for a connection. */
  readWaited(seconds: number): void;
}

export interface WaitStart {
  readonly state: WaitState;
  /** What is waited for, in few words: a table, an effect. */
  readonly what: string;
  /** The database's sessions that work for it. */
  readonly backendPids?: (() => readonly number[]) | undefined;
}

export interface OpenWait {
  /** It has ended, however. */
  end(): void;
}

/** States of the processing loop; it is in exactly one at any time. */
export type ProcessState =
  | "fetch"
  | "capacity"
  | "handlers"
  | "reads"
  | "effects"
  | "flush"
  | "rollback"
  | "blocked"
  | "other"
  | "idle_at_head";

/** States of the write loop; it is in exactly one at any time. */
export type WriteState = "idle" | "snapshot" | "write" | "sql_commit" | "retry_backoff" | "metadata" | "prune";
