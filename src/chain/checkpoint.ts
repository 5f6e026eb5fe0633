/**
 * The ordered number, within a shard, of one processed position of one chain: a block with work, or the end of a
 * scanned range without. Numbers start at 1 and are never reused.
 */
export type Checkpoint = number;

/** First and last checkpoint, both included. */
export interface CheckpointRange {
  readonly from: Checkpoint;
  readonly to: Checkpoint;
}
