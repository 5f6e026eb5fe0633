import type { Batch, BatchSlice, ChainProgress, HistoryMode } from "../batch/batch.ts";
import type { CheckpointRange } from "../chain/checkpoint.ts";
import type { ChildAddress } from "../chain/child-address.ts";
import type { EncodedRows } from "../lib/byte-writer.ts";
import type { RunOrigins } from "./event-log.ts";
import type { TableModel } from "./table.ts";

/** How rows of a table are changed. */
export type ChangeKind = "inserts" | "updates" | "upserts" | "deletes";

/** What a drain run does to one table: encoded rows that nothing can change any more. */
export interface TableChanges {
  readonly table: TableModel;
  /** Rows that are not in the storage. */
  readonly inserts: EncodedRows;
  /** Rows that are in the storage: each must change exactly one row. */
  readonly updates: EncodedRows;
  /** Rows of which it is not known whether they are in the storage. */
  readonly upserts: EncodedRows;
  /** Keys of rows that may be in the storage. */
  readonly deletes: EncodedRows;
  /** Before-images, in mode `keep` only. */
  readonly history: EncodedRows;
  /**
   * Keys, and the checkpoint that changed them first: the before-image is what the storage holds for the key at the start
   * of the write, or that there is no such row. In mode `keep` only; a key is in it once, and its later before-images are
   * in `history`.
   */
  readonly unknownHistory: EncodedRows;
  /** For each row of each kind, in order, the number of the event that it came from: see `DrainRun.origins`. */
  readonly origins: Readonly<Record<ChangeKind, readonly number[]>>;
}

/** Why a run ended where it did. */
export type SplitReason = "drained" | "history_mode" | "changes" | "bytes" | "batches";

/** An event that was skipped by the policy of its handler. */
export interface SkippedEvent {
  readonly chainId: number;
  readonly block: number;
  readonly logIndex: number;
  readonly checkpoint: number;
  readonly transactionHash: string;
  /** `Contract.Event`. */
  readonly handler: string;
  readonly message: string;
}

/** An address of a contract that is not in the configuration. */
export interface StoredChild extends ChildAddress {
  readonly chainId: number;
  /** The position that made it durable. */
  readonly checkpoint: number;
}

/** Where a checkpoint lies: stored inside the reorg window only. */
export interface CheckpointPosition {
  readonly checkpoint: number;
  readonly chainId: number;
  readonly block: number;
}

/** A batch in the queue: its events have been handled and are gone, unless raw events are kept. */
export interface QueuedBatch extends Omit<Batch, "slices"> {
  /** When it was committed; milliseconds since the epoch. */
  readonly queuedAt: number;
  /** Undefined: raw events are not kept. */
  readonly slices?: readonly BatchSlice[];
}

/** Blocks of one chain, both included. */
export interface BlockRange {
  readonly chainId: number;
  readonly from: number;
  readonly to: number;
}

/** The leading run of queued batches with one history mode, merged into one write. Immutable. */
export interface DrainRun {
  /** Counts up from 1 in this process. */
  readonly id: number;
  readonly mode: HistoryMode;
  readonly batches: readonly QueuedBatch[];
  readonly checkpoints: CheckpointRange;
  /** Events in it. */
  readonly items: number;
  /** Changed rows, inserted ones, and outputs of effects. */
  readonly changes: number;
  readonly bytes: number;
  /** Memory of what it holds beside its rows, about: batches, events, and slices for raw events. */
  readonly heldBytes: number;
  /** The last progress of each chain in it, with the headers of all its batches. */
  readonly progress: readonly ChainProgress[];
  /** First and last block of each chain in it. */
  readonly blocks: readonly BlockRange[];
  /** The position of each of its checkpoints, in mode `keep` only. */
  readonly positions: readonly CheckpointPosition[];
  readonly tables: readonly TableChanges[];
  /** Outputs of effects: rows of `effects`, to be inserted or to replace those with the same effect and input. */
  readonly effects: EncodedRows;
  /**
   * Rows of `raw_events`, to be inserted. Encoded before the first attempt to write the run, and none before that: see
   * `write/raw-events.ts`.
   */
  readonly rawEvents: EncodedRows;
  /** The events that its rows came from, by their numbers. */
  readonly origins: RunOrigins;
  readonly skipped: readonly SkippedEvent[];
  /** Addresses of contracts that begin in its blocks, each once with its first block. */
  readonly children: readonly StoredChild[];
  /** Texts that the storage could not hold as they were given, by table (its name in SQL); only where there are some. */
  readonly escapes: ReadonlyMap<string, number>;
  readonly splitReason: SplitReason;
}
