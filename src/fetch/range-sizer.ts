/** Events that one query should bring: enough to be worth a round trip, few enough for every node. */
const WANTED_LOGS = 5_000;
const FIRST_BLOCKS = 1_000;

/** How many blocks to ask for at once: grows while answers are small, shrinks when a node refuses. */
export class RangeSizer {
  readonly #maxBlocks: number;
  #blocks: number;
  /** What a node has refused; the size stays below it, and comes near it again slowly. */
  #refused = Number.POSITIVE_INFINITY;

  constructor(maxBlocks: number) {
    this.#maxBlocks = maxBlocks;
    this.#blocks = Math.min(FIRST_BLOCKS, maxBlocks);
  }

  get blocks(): number {
    return this.#blocks;
  }

  /** A range of `blocks` brought `logs`. */
  answered(blocks: number, logs: number): void {
    const fitting = logs === 0 ? Number.POSITIVE_INFINITY : (blocks / logs) * WANTED_LOGS;
    const grown = Math.min(fitting, Math.max(this.#blocks, blocks * 2), this.#refused * 0.75, this.#maxBlocks);
    this.#blocks = Math.max(1, Math.floor(grown));
    this.#refused *= 1.02;
  }

  /** A range of `blocks` was refused; the node may suggest a size. Returns the size to ask for instead. */
  refused(blocks: number, suggested: number | undefined): number {
    this.#refused = Math.min(this.#refused, blocks);
    const smaller = suggested !== undefined && suggested < blocks ? suggested : Math.floor(blocks / 2);
    this.#blocks = Math.max(1, smaller);
    return this.#blocks;
  }
}
