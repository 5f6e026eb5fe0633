/** How a chain is called. */
export interface ChainLabel {
  /** The key in the config. */
  readonly name: string;
  readonly id: number;
}
