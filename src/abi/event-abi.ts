import type { Hash } from "../chain/hex.ts";

/** A parameter of an event, as the ABI gives it. */
export interface ParameterAbi {
  /**
   * Never empty for a parameter: unnamed ones are `arg0`, `arg1`, … by position. Empty for a component of a tuple that
   * has no name: its tuple is then an array.
   */
  readonly name: string;
  /** Canonical type, e.g. `uint256`, `tuple[2]`. */
  readonly type: string;
  readonly indexed: boolean;
  /** For tuples. */
  readonly components: readonly ParameterAbi[];
}

/** One event of a contract. */
export interface EventAbi {
  readonly name: string;
  /** Canonical signature, e.g. `Transfer(address,address,uint256)`. */
  readonly signature: string;
  /** How handlers name it: the bare name, or the signature when the contract overloads the name. */
  readonly key: string;
  /** keccak256 of the signature. */
  readonly topic: Hash;
  readonly anonymous: boolean;
  readonly inputs: readonly ParameterAbi[];
}
