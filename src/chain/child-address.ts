import type { Address } from "./hex.ts";

/** An address that is not in the configuration: an event of a factory, or a handler, made it one of a contract's. */
export interface ChildAddress {
  /** Name of the contract. */
  readonly contract: string;
  readonly address: Address;
  /** All of its logs from this block on count. */
  readonly block: number;
}
