import type { BlockDetails, BlockHeader } from "../chain/block.ts";
import type { CheckpointRange } from "../chain/checkpoint.ts";
import type { ChildAddress } from "../chain/child-address.ts";
import type { LogPage } from "../chain/log-page.ts";

/** `keep`: blocks inside the reorg window, before-images are written. `final`: they can no longer be orphaned. */
export type HistoryMode = "keep" | "final";

/** What one fetch query brought: everything of one chain that handlers want, from one block to another. */
export interface FetchedRange {
  readonly chainId: number;
  /** First and last block, both included. */
  readonly fromBlock: number;
  readonly toBlock: number;
  /** Rows in chain order; only those that have a route. Block timestamps are known. */
  readonly page: LogPage;
  /** For each row of the page, the index of the event route that takes it. */
  readonly routes: Uint16Array;
  /** Headers that must be stored with the progress: those inside the reorg window, and the range's edge. */
  readonly headers: readonly BlockHeader[];
  /** By block number: those with events whose handlers select fields. Undefined: no handler of the chain does. */
  readonly details?: ReadonlyMap<number, BlockDetails> | undefined;
  /** Addresses to store with the progress that passes their block. Undefined: none. */
  readonly children?: readonly ChildAddress[] | undefined;
  /** What the chain looked like when the range was fetched. */
  readonly head: ChainHead;
  /** The trace of the fetch, opaque to everyone but `instrument/`. */
  readonly origin: unknown;
}

export interface ChainHead {
  /** Highest validated block of the chain. */
  readonly number: number;
  /** Highest block that can no longer be orphaned. */
  readonly finalized: number;
  /** True once the chain has reached its head in this deployment. */
  readonly live: boolean;
}

/** A piece of a fetched range that is processed in one batch: whole blocks. */
export interface BatchSlice {
  readonly range: FetchedRange;
  /** Rows of the range's page: from, up to but not including to. */
  readonly fromRow: number;
  readonly toRow: number;
  /** Its first block. */
  readonly fromBlock: number;
  /** The block up to which the chain is complete once this slice is processed. */
  readonly throughBlock: number;
}

/** How far a chain has come with a batch. */
export interface ChainProgress {
  readonly chainId: number;
  /** Everything up to this block is included. */
  readonly block: number;
  /** Unix seconds of the newest block whose time is known here; undefined when none is. */
  readonly timestamp: number | undefined;
  readonly checkpoint: number;
  readonly head: ChainHead;
  /** Headers to store: those inside the reorg window and the edge of the range. */
  readonly headers: readonly BlockHeader[];
  /** Addresses to store: those that begin in its blocks. Undefined: none. */
  readonly children?: readonly ChildAddress[] | undefined;
}

/** Ordered items given to handlers in one go. */
export interface Batch {
  /** Counts up from 1 in this process. */
  readonly id: number;
  readonly mode: HistoryMode;
  readonly slices: readonly BatchSlice[];
  /** Events in it. */
  readonly items: number;
  readonly checkpoints: CheckpointRange;
  readonly progress: readonly ChainProgress[];
  /** The batch's trace, opaque to everyone but `instrument/`. */
  origin: unknown;
}
