import type { ErrorCode, Reaction } from "../errors.ts";
import type { LabelsOf } from "./names.ts";
import type { ProcessState, WriteState } from "./telemetry.ts";

/**
 * What an indexer is doing at this moment, as plain data: `/status` shows it, probes decide by it, gauges are computed
 * from it at every scrape. Making one must be cheap and must never ask the database. Times are milliseconds since the
 * epoch, durations seconds.
 */
export interface Status {
  readonly name: string;
  readonly version: string;
  readonly shard: string;
  /** The moment it describes. */
  readonly at: number;
  readonly startedAt: number;
  /** Start-up is over: tables exist, the lease is held, the loops run. */
  readonly ready: boolean;
  /** The first fatal error; nothing goes on after it. */
  readonly failure: { readonly code: ErrorCode; readonly message: string } | undefined;
  /** This process may write: it has renewed its lease in time, and nobody else has taken the shard. */
  readonly leaseHeld: boolean;
  /** Another process has the shard, and this one waits to take over. */
  readonly standby: StandbyStatus | undefined;
  /** The shard's starts over all processes; undefined before this process has the shard. */
  readonly starts: StartsStatus | undefined;
  readonly processLoop: ProcessState;
  readonly writeLoop: WriteState;
  readonly checkpoints: { readonly processed: number; readonly committed: number };
  readonly queue: QueueStatus;
  /** Rows in memory: their bytes, about, and how many were evicted since the start. */
  readonly cache: {
    readonly bytes: number;
    readonly budget: number;
    readonly evicted: { readonly effects: number; readonly changed: number; readonly loaded: number };
  };
  /** Bytes in memory, about, by what holds them. */
  readonly memory: MemoryStatus;
  /** Connections on which rows are read. */
  readonly readConnections: { readonly busy: number; readonly idle: number };
  /** Rows beside the entities, about; undefined before this process has the shard. */
  readonly kept: KeptStatus | undefined;
  /** When the oldest batch that is not durable was processed. */
  readonly oldestUncommittedAt: number | undefined;
  readonly lastCommitAt: number | undefined;
  readonly chains: readonly ChainStatus[];
  readonly indexes: IndexStatus;
  /** Those that were called since the start. */
  readonly effects: readonly EffectStatus[];
  /** Events given to handlers since the start. */
  readonly eventsProcessed: number;
  readonly undecodableLogs: readonly UndecodableCount[];
  /** By handler, `Contract.Event`. */
  readonly skippedEvents: readonly { readonly handler: string; readonly count: number }[];
}

export interface UndecodableCount {
  readonly chain: string;
  readonly reason: LabelsOf<"undecodable_logs_total">["reason"];
  readonly count: number;
}

/** Who has the shard, and since when; both are undefined while that process is just starting. */
export interface StandbyStatus {
  /** Host and process. */
  readonly holder: string | undefined;
  readonly since: number | undefined;
}

/** What an end asks for: nothing, another try, a person who mends the input, a developer; or it left no word. */
export type ExitClass = "ok" | Reaction | "killed";

export interface StartsStatus {
  /** This one included. */
  readonly count: number;
  /** How the one before ended: `stopped`, the code of an error, or `killed`. */
  readonly lastExit: { readonly code: string; readonly class: ExitClass } | undefined;
}

/** What is processed and not durable. */
export interface QueueStatus {
  readonly batches: number;
  readonly items: number;
  readonly changes: number;
  readonly bytes: number;
  readonly limits: { readonly changes: number; readonly bytes: number };
}

export interface MemoryStatus {
  readonly rows: number;
  /** Outputs of effects. */
  readonly effects: number;
  readonly uncommitted: number;
  /** Logs that are fetched and not processed. */
  readonly fetched: number;
}

export interface KeptStatus {
  /** Before-images, by the entity's table in SQL. */
  readonly history: readonly { readonly table: string; readonly rows: number }[];
  /** Outputs of effects. */
  readonly effects: number;
}

export interface ChainStatus {
  readonly name: string;
  readonly id: number;
  /** Newest block that the sources know; undefined before the first answer. */
  readonly head: number | undefined;
  /** When the head last moved. */
  readonly headSeenAt: number | undefined;
  readonly finalized: number | undefined;
  /** Blocks up to which everything is fetched, processed, durable; undefined before the first. */
  readonly fetched: number | undefined;
  readonly processed: number | undefined;
  readonly committed: number | undefined;
  /** Unix seconds of the newest durable block. */
  readonly committedTimestamp: number | undefined;
  /** Where the chain's work ends; undefined: never. */
  readonly endBlock: number | undefined;
  /** The head was once reached in this deployment. */
  readonly live: boolean;
  /**
   * Age, since it was first seen here, of the oldest block due that is not durable; 0 if none, undefined before the first
   * head.
   */
  readonly commitLagSeconds: number | undefined;
  /** Durable share of what is due, 0 to 1; undefined before the first head. */
  readonly syncProgress: number | undefined;
  /** Seconds until the chain has caught up; +Inf (in JSON null) without progress, undefined while it is too early to say. */
  readonly syncEtaSeconds: number | undefined;
  /** Oldest that data may be when live. */
  readonly objectiveSeconds: number;
  readonly sources: readonly SourceStatus[];
  /** Events fetched and not yet processed. */
  readonly bufferItems: number;
  /** Blocks asked for in one query. */
  readonly rangeBlocks: number;
}

/** The secondary indexes: built once every chain has reached its head. */
export interface IndexStatus {
  /** The one that is being built. */
  readonly building: string | undefined;
  readonly done: number;
  readonly total: number;
  /** Of the one that is being built, 0 to 1; undefined while that is not known. */
  readonly progress: number | undefined;
}

export interface EffectStatus {
  readonly effect: string;
  /** Calls that wait for its limits. */
  readonly waiting: number;
}

export interface SourceStatus {
  /** The endpoint's host. */
  readonly name: string;
  readonly state: "ok" | "failing";
  /** The last error while failing, without secrets. */
  readonly error: string | undefined;
}

/** Everything up to the chain's end block is durable. */
export function isComplete(chain: ChainStatus): boolean {
  return chain.endBlock !== undefined && chain.committed !== undefined && chain.committed >= chain.endBlock;
}

/** Seconds since the newest durable block of the chain; undefined before the first. */
export function dataAgeSeconds(chain: ChainStatus, at: number): number | undefined {
  return chain.committedTimestamp === undefined ? undefined : Math.max(0, at / 1000 - chain.committedTimestamp);
}
