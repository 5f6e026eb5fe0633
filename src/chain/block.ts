import type { BlockFields, TransactionFields } from "./fields.ts";
import type { Hash } from "./hex.ts";

/** What is known of a block without its transactions. */
export interface BlockHeader {
  readonly number: number;
  readonly hash: Hash;
  readonly parentHash: Hash;
  /** Unix seconds. */
  readonly timestamp: number;
}

/** A block with what handlers select of it. */
export interface BlockDetails {
  readonly header: BlockHeader;
  readonly fields: Partial<BlockFields>;
  /** By position in the block: those that were asked for and are there. */
  readonly transactions: ReadonlyMap<number, TransactionDetails>;
}

/** A transaction with what handlers select of it. */
export interface TransactionDetails {
  readonly hash: Hash;
  readonly fields: Partial<TransactionFields>;
}
