import type { Address } from "../chain/hex.ts";
import { int32At, viewOf } from "./hex-words.ts";

const DIGITS = 40;
/** An address as five 32-bit words. */
const WORDS = 5;
const FIRST_SLOTS = 4096;
/** How far a search goes: with half of the slots free, a run of this length is made on purpose. */
const MAX_PROBES = 128;

/**
 * Gives every address one string object, so that a log that mentions a known address makes no string, and maps keyed by
 * addresses compare pointers. An open-addressing table over the addresses' bits; it grows by doubling and starts afresh
 * when it is full, so that its memory is bounded (about 120 bytes an address).
 */
export class AddressTable {
  readonly #maxAddresses: number;
  /** Number of the address plus one; 0 is a free slot. The length is a power of two. */
  #slots = new Int32Array(FIRST_SLOTS);
  #words = new Int32Array((FIRST_SLOTS / 2) * WORDS);
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
    const view = viewOf(text);
    const a = int32At(view, offset);
    const b = int32At(view, offset + 8);
    const c = int32At(view, offset + 16);
    const d = int32At(view, offset + 24);
    const e = int32At(view, offset + 32);
    const slots = this.#slots;
    const words = this.#words;
    const mask = slots.length - 1;
    let slot = hash(a, b, c, d, e) & mask;
    for (let probes = 0; probes < MAX_PROBES; probes++) {
      const number = slots[slot] as number;
      if (number === 0) return this.#add(text, offset, slot, a, b, c, d, e);
      const word = (number - 1) * WORDS;
      if (
        words[word] === a &&
        words[word + 1] === b &&
        words[word + 2] === c &&
        words[word + 3] === d &&
        words[word + 4] === e
      ) {
        return this.#addresses[number - 1] as Address;
      }
      slot = (slot + 1) & mask;
    }
    // Anyone can put chosen addresses into logs: crowding one place costs them a string each, and us no long searches.
    return addressText(text, offset);
  }

  #add(text: Buffer, offset: number, slot: number, a: number, b: number, c: number, d: number, e: number): Address {
    const address = addressText(text, offset);
    if (this.#addresses.length >= this.#maxAddresses) {
      this.#startAfresh();
      slot = hash(a, b, c, d, e) & (this.#slots.length - 1);
    }
    const word = this.#addresses.length * WORDS;
    const words = this.#words;
    words[word] = a;
    words[word + 1] = b;
    words[word + 2] = c;
    words[word + 3] = d;
    words[word + 4] = e;
    this.#slots[slot] = this.#addresses.push(address);
    if (this.#addresses.length * 2 >= this.#slots.length) this.#grow();
    return address;
  }

  #grow(): void {
    const slots = new Int32Array(this.#slots.length * 2);
    const words = new Int32Array((slots.length / 2) * WORDS);
    words.set(this.#words);
    const mask = slots.length - 1;
    for (let index = 0; index < this.#addresses.length; index++) {
      const word = index * WORDS;
      let slot =
        hash(
          words[word] as number,
          words[word + 1] as number,
          words[word + 2] as number,
          words[word + 3] as number,
          words[word + 4] as number,
        ) & mask;
      while (slots[slot] !== 0) slot = (slot + 1) & mask;
      slots[slot] = index + 1;
    }
    this.#slots = slots;
    this.#words = words;
  }

  #startAfresh(): void {
    this.#slots = new Int32Array(FIRST_SLOTS);
    this.#words = new Int32Array((FIRST_SLOTS / 2) * WORDS);
    this.#addresses = [];
  }
}

function addressText(text: Buffer, offset: number): Address {
  return `0x${text.toString("latin1", offset, offset + DIGITS)}`.toLowerCase() as Address;
}

/** Mixes all bits: contract addresses are random, but precompiles, vanity and made-up ones differ in a few only. */
function hash(a: number, b: number, c: number, d: number, e: number): number {
  let h = Math.imul(a ^ 0x9e3779b9, 0x85ebca6b);
  h = Math.imul((h ^ (h >>> 15)) + b, 0xc2b2ae35);
  h = Math.imul((h ^ (h >>> 13)) + c, 0x85ebca6b);
  h = Math.imul((h ^ (h >>> 16)) + d, 0xc2b2ae35);
  h = Math.imul((h ^ (h >>> 15)) + e, 0x27d4eb2f);
  return h ^ (h >>> 15);
}
