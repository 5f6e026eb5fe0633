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

export type MutableScope = { -readonly [Name in keyof ChangeScope]: ChangeScope[Name] };

export const NO_SCOPE: ChangeScope = {
  batch: 0,
  checkpoint: 0,
  chainId: 0,
  event: 0,
  keepHistory: false,
  keepSharedHistory: false,
};
