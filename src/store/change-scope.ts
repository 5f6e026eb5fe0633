/** The change being made: set by the store for each block. */
export interface ChangeScope {
  readonly batch: number;
  readonly checkpoint: number;
  readonly chainId: number;
  /** Number of the event that is handled; 0: none. */
  readonly event: number;
  /** Before-images are made of the chain's own rows: its block can still be orphaned. */
  readonly keepHistory: boolean;
  /** Before-images are made of rows that chains share: the block of any of them can. */
  readonly keepSharedHistory: boolean;
}
