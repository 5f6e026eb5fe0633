import type { Address } from "../chain/hex.ts";
import { AddressIndex, NO_ADDRESS } from "./address-index.ts";

const DIGITS = 40;
const FIRST_SLOTS = 4096;
/** With half of the slots free, a run of this length is made on purpose. */
const MAX_PROBES = 128;

/**
 * Gives every address one string object, so that a log that mentions a known address makes no string, and maps keyed by
 * addresses compare pointers. It starts afresh when it is full, so that its memory is bounded (about 120 bytes an
 * address).
 */
export class AddressTable {
  readonly #maxAddresses: number;
  #index = new AddressIndex(MAX_PROBES, FIRST_SLOTS);
  #addresses: Address[] = [];

  constructor(maxAddresses = 1_000_000) {
    this.#maxAddresses = maxAddresses;
  }

  /** Addresses in the table. */
  get size(): number {
    return this.#addresses.length;
  }

  /** The address whose 40 digits, of either case, stand at `offset`, in lower case. */
  at(text: Buffer, offset: number): Address {
    const number = this.#index.find(text, offset);
    return number === NO_ADDRESS ? this.#add(text, offset) : (this.#addresses[number] as Address);
  }

  #add(text: Buffer, offset: number): Address {
    const address = `0x${text.toString("latin1", offset, offset + DIGITS)}`.toLowerCase() as Address;
    if (this.#addresses.length >= this.#maxAddresses) {
      this.#index = new AddressIndex(MAX_PROBES, FIRST_SLOTS);
      this.#addresses = [];
    }
    // Where its place is crowded it is not kept: that costs a string each time, and us no long searches.
    if (this.#index.add(text, offset) !== NO_ADDRESS) this.#addresses.push(address);
    return address;
  }
}
