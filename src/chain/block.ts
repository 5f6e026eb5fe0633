import type { Hash } from "./hex.ts";

/** What is known of a block without its transactions. */
export interface BlockHeader {
  readonly number: number;
  readonly hash: Hash;
  readonly parentHash: Hash;
  /** Unix seconds. */
  readonly timestamp: number;
}
