import type { SpanRef } from "../tracing/tracing.ts";

/** More than any reorg window needs at the head, where a batch is a block. */
const MOST = 1_024;

interface RollableBatch {
  readonly ref: SpanRef;
  /** The newest block of each of its chains, by the chain's id. */
  readonly blocks: ReadonlyMap<number, number>;
}

/** Exported batches of this process that are durable and that a rollback could still take back; the newest ones. */
export class RollableBatches {
  #batches: RollableBatch[] = [];

  add(ref: SpanRef, blocks: ReadonlyMap<number, number>): void {
    this.#batches.push({ ref, blocks });
    if (this.#batches.length > MOST) this.#batches.shift();
  }

  /** Those of a chain, oldest first. */
  of(chainId: number): SpanRef[] {
    return this.#batches.filter(({ blocks }) => blocks.has(chainId)).map(({ ref }) => ref);
  }

  /** Those with blocks of the chain above this one, oldest first; they are forgotten. */
  takeAbove(chainId: number, block: number): SpanRef[] {
    const isAbove = ({ blocks }: RollableBatch): boolean => (blocks.get(chainId) ?? Number.NEGATIVE_INFINITY) > block;
    const taken = this.#batches.filter(isAbove);
    this.#batches = this.#batches.filter((batch) => !isAbove(batch));
    return taken.map(({ ref }) => ref);
  }
}
