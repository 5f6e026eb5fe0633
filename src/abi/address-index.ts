import type { Address } from "../chain/hex.ts";
import { int32At, viewOf } from "./hex-words.ts";

/** An address as five 32-bit words. */
const WORDS = 5;
const FIRST_SLOTS = 16;

/** There is no such address. */
export const NO_ADDRESS = -1;

/**
 * Numbers addresses from 0 on, in the order in which they were added, and finds them by their digits in a text without
 * making a string: an open-addressing table over the addresses' bits, half of it free, that grows by doubling.
 */
export class AddressIndex {
  readonly #maxProbes: number;
  /** Number of the address plus one; 0 is a free slot. The length is a power of two. */
  #slots: Int32Array;
  #words: Int32Array;
  #size = 0;

  /**
   * @param maxProbes how far a search goes; what has no place within it is not added. Anyone can put chosen addresses
   *   into logs: a limit makes a crowd at one place cheap for us. Default: none, every address has its place
   * @param slots to begin with: a power of two
   */
  constructor(maxProbes: number = Number.POSITIVE_INFINITY, slots: number = FIRST_SLOTS) {
    this.#maxProbes = maxProbes;
    this.#slots = new Int32Array(slots);
    this.#words = new Int32Array((slots / 2) * WORDS);
  }

  get size(): number {
    return this.#size;
  }

  /** The number of the address whose 40 digits, of either case, stand at `offset`; NO_ADDRESS: it is not here. */
  find(text: Buffer, offset: number): number {
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
    for (let probes = 0; probes < this.#maxProbes; probes++) {
      const number = slots[slot] as number;
      if (number === 0) return NO_ADDRESS;
      const word = (number - 1) * WORDS;
      if (
        words[word] === a &&
        words[word + 1] === b &&
        words[word + 2] === c &&
        words[word + 3] === d &&
        words[word + 4] === e
      ) {
        return number - 1;
      }
      slot = (slot + 1) & mask;
    }
    return NO_ADDRESS;
  }

  /** Adds the address at `offset`, which is not here. @returns its number; NO_ADDRESS: its place is crowded */
  add(text: Buffer, offset: number): number {
    if ((this.#size + 1) * 2 > this.#slots.length) this.#grow();
    const number = this.#size;
    const words = this.#words;
    const view = viewOf(text);
    for (let i = 0; i < WORDS; i++) words[number * WORDS + i] = int32At(view, offset + 8 * i);
    const slot = this.#freeSlot(number, this.#maxProbes);
    if (slot < 0) return NO_ADDRESS;
    this.#slots[slot] = ++this.#size;
    return number;
  }

  /** Takes the last one out again: nothing was placed around it since. */
  removeLast(): void {
    const mask = this.#slots.length - 1;
    let slot = this.#hashOf(this.#size - 1) & mask;
    while (this.#slots[slot] !== this.#size) slot = (slot + 1) & mask;
    this.#slots[slot] = 0;
    this.#size--;
  }

  /** In lower case. */
  at(number: number): Address {
    let digits = "";
    for (let i = 0; i < WORDS; i++) {
      digits += ((this.#words[number * WORDS + i] as number) >>> 0).toString(16).padStart(8, "0");
    }
    return `0x${digits}`;
  }

  #grow(): void {
    const slots = this.#slots.length * 2;
    const words = new Int32Array((slots / 2) * WORDS);
    words.set(this.#words);
    this.#slots = new Int32Array(slots);
    this.#words = words;
    for (let number = 0; number < this.#size; number++) {
      this.#slots[this.#freeSlot(number, Number.POSITIVE_INFINITY)] = number + 1;
    }
  }

  /** Where the address may be put whose words are those of `number`; -1: nowhere. */
  #freeSlot(number: number, maxProbes: number): number {
    const mask = this.#slots.length - 1;
    let slot = this.#hashOf(number) & mask;
    for (let probes = 0; probes < maxProbes; probes++) {
      if (this.#slots[slot] === 0) return slot;
      slot = (slot + 1) & mask;
    }
    return -1;
  }

  #hashOf(number: number): number {
    const words = this.#words;
    const word = number * WORDS;
    return hash(
      words[word] as number,
      words[word + 1] as number,
      words[word + 2] as number,
      words[word + 3] as number,
      words[word + 4] as number,
    );
  }
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
