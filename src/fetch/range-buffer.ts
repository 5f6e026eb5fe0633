import type { BatchSlice, FetchedRange } from "../batch/batch.ts";
import type { SliceSupply } from "../batch/create-batch.ts";
import { assert } from "../errors.ts";
import { Signal } from "../lib/signal.ts";

/** The fetched ranges of one chain, in order, bounded: fetching waits while it is full. */
export class RangeBuffer implements SliceSupply {
  readonly chainId: number;
  /** Notified when a range came in or was taken out. */
  readonly changed: Signal = new Signal();
  readonly #maxItems: number;
  #ranges: FetchedRange[] = [];
  #nextRow = 0;
  #nextBlock: number;
  #items = 0;

  /** @param nextBlock the first block that is expected */
  constructor(chainId: number, nextBlock: number, maxItems: number) {
    this.chainId = chainId;
    this.#nextBlock = nextBlock;
    this.#maxItems = maxItems;
  }

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  get isFull(): boolean {
    return this.#items >= this.#maxItems;
  }

  /** Events that wait. */
  get items(): number {
    return this.#items;
  }

  put(range: FetchedRange): void {
    const expected = (this.#ranges.at(-1)?.toBlock ?? this.#nextBlock - 1) + 1;
    assert(range.fromBlock === expected, `chain ${this.chainId}: block ${expected} is next, not ${range.fromBlock}`);
    this.#ranges.push(range);
    this.#items += range.page.count;
    this.changed.notify();
  }

  take(maxItems: number, atLeastOne: boolean): BatchSlice | undefined {
    const range = this.#ranges[0];
    if (range === undefined) return undefined;
    const fromRow = this.#nextRow;
    const toRow = wholeBlocks(range, fromRow, maxItems, atLeastOne);
    if (toRow === fromRow && fromRow < range.page.count) return undefined;
    const isRest = toRow === range.page.count;
    const throughBlock = isRest ? range.toBlock : (range.page.blockNumber[toRow - 1] as number);
    const slice = { range, fromRow, toRow, fromBlock: this.#nextBlock, throughBlock };
    this.#items -= toRow - fromRow;
    this.#nextBlock = throughBlock + 1;
    this.#nextRow = isRest ? 0 : toRow;
    if (isRest) this.#ranges.shift();
    this.changed.notify();
    return slice;
  }
}

/** The row after the last whole block that fits. */
function wholeBlocks(range: FetchedRange, fromRow: number, maxItems: number, atLeastOne: boolean): number {
  const { count, blockNumber } = range.page;
  if (count - fromRow <= maxItems) return count;
  let end = fromRow + maxItems;
  while (end > fromRow && blockNumber[end - 1] === blockNumber[end]) end--;
  if (end > fromRow || !atLeastOne) return end;
  end = fromRow + 1;
  while (end < count && blockNumber[end] === blockNumber[fromRow]) end++;
  return end;
}
