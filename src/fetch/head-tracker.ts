import type { ChainHead } from "../batch/batch.ts";
import type { Clock } from "../lib/clock.ts";

/** What is known of the end of a chain, and since when: lag is the age of what we have seen and do not have yet. */
export class HeadTracker {
  readonly #clock: Clock;
  readonly #maxReorgDepth: number;
  readonly #blockLag: number;
  /** Heads in the order in which they were seen; those that are durable are forgotten. */
  #seen: { readonly number: number; readonly at: number; readonly live: boolean }[] = [];
  #head = -1;
  #finalized: number;
  #live: boolean;
  #advancedAt: number | undefined;

  constructor(options: { maxReorgDepth: number; blockLag: number; live: boolean; finalized: number; clock: Clock }) {
    this.#clock = options.clock;
    this.#maxReorgDepth = options.maxReorgDepth;
    this.#blockLag = options.blockLag;
    this.#live = options.live;
    this.#finalized = options.finalized;
  }

  /** Notes a validated head, and the node's finalized block where it has one. Neither ever falls here. */
  observe(head: number, finalized: number | undefined): void {
    if (head > this.#head) {
      this.#head = head;
      this.#advancedAt = this.#clock.now();
      this.#seen.push({ number: head, at: this.#advancedAt, live: this.#live });
    }
    this.#finalized = Math.max(this.#finalized, Math.min(head, finalized ?? head - this.#maxReorgDepth));
  }

  /** The chain has been processed up to its head once. */
  reachedHead(): void {
    this.#live = true;
  }

  /** Highest block seen; -1 before the first. */
  get head(): number {
    return this.#head;
  }

  /** The highest block to fetch. */
  get target(): number {
    return this.#head - this.#blockLag;
  }

  get finalized(): number {
    return this.#finalized;
  }

  get live(): boolean {
    return this.#live;
  }

  /** When the head last moved; milliseconds since the epoch. */
  get advancedAt(): number | undefined {
    return this.#advancedAt;
  }

  get chainHead(): ChainHead {
    return { number: this.#head, finalized: this.#finalized, live: this.#live };
  }

  /**
   * Seconds since the oldest block that is due and not durable was first seen; 0 when none is.
   * @param endBlock the last block that is wanted at all
   */
  commitLagSeconds(committedBlock: number, endBlock: number): number {
    if (committedBlock >= endBlock) return 0;
    const oldest = this.#seen.find(({ number }) => number - this.#blockLag > committedBlock);
    return oldest === undefined ? 0 : (this.#clock.now() - oldest.at) / 1000;
  }

  /**
   * Everything up to a block is durable.
   * @returns for each head that became due while the chain was live, the seconds since then
   */
  durable(block: number): readonly number[] {
    const first = this.#seen.findIndex(({ number }) => number - this.#blockLag > block);
    const now = this.#clock.now();
    const past = this.#seen.splice(0, first < 0 ? this.#seen.length : first);
    return past.filter(({ live }) => live).map(({ at }) => (now - at) / 1000);
  }
}
