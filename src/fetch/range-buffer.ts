import type { BatchSlice, FetchedRange } from "../batch/batch.ts";
import type { BatchRoom, SliceSupply } from "../batch/create-batch.ts";
import { pageBytesOf } from "../chain/log-page.ts";
import { assert } from "../errors.ts";
import { Signal } from "../lib/signal.ts";

/** Ranges without events cost little, but not nothing. */
const MAX_RANGES = 256;

/** The fetched ranges of one chain, in order, bounded: fetching waits while it is full. */
export class RangeBuffer implements SliceSupply {
  readonly chainId: number;
  /** Notified when a range was taken out. */
  readonly changed: Signal = new Signal();
  readonly #arrived: Signal;
  readonly #max: BatchRoom;
  #ended = false;
  #atHead = false;
  #ranges: FetchedRange[] = [];
  #nextRow = 0;
  #nextBlock: number;
  #items = 0;

  /**
   * @param nextBlock the first block that is expected
   * @param max how much it takes before it is full
   * @param arrived notified when a range came in, or nothing more will come
   */
  constructor(chainId: number, nextBlock: number, max: BatchRoom, arrived: Signal) {
    this.chainId = chainId;
    this.#nextBlock = nextBlock;
    this.#max = max;
    this.#arrived = arrived;
  }

  /** Nothing will come any more. */
  get isEnded(): boolean {
    return this.#ended;
  }

  /** Everything that the chain has is here. */
  get isAtHead(): boolean {
    return this.#atHead;
  }

  end(): void {
    this.#ended = true;
    this.#arrived.notify();
  }

  atHead(atHead: boolean): void {
    this.#atHead = atHead;
  }

  get isEmpty(): boolean {
    return this.#ranges.length === 0;
  }

  get isFull(): boolean {
    return this.#items >= this.#max.items || this.bytes >= this.#max.bytes || this.#ranges.length >= MAX_RANGES;
  }

  /** Events that wait. */
  get items(): number {
    return this.#items;
  }

  /** Memory of the ranges, about. Looks at all of them. */
  get bytes(): number {
    return this.#ranges.reduce((sum, { page }) => sum + pageBytesOf(page, page.count), 0);
  }

  put(range: FetchedRange): void {
    const expected = (this.#ranges.at(-1)?.toBlock ?? this.#nextBlock - 1) + 1;
    assert(range.fromBlock === expected, `chain ${this.chainId}: block ${expected} is next, not ${range.fromBlock}`);
    this.#ranges.push(range);
    this.#items += range.page.count;
    this.#arrived.notify();
  }

  /** The ranges that were not taken whole, in order. */
  get ranges(): readonly FetchedRange[] {
    return this.#ranges;
  }

  /** The first block that was not taken. */
  get nextBlock(): number {
    return this.#nextBlock;
  }

  /** What was taken last comes first again: slices in the order in which they were taken. */
  giveBack(slices: readonly BatchSlice[]): void {
    for (const { range, fromRow, toRow, fromBlock } of slices.toReversed()) {
      if (this.#ranges[0] !== range) this.#ranges.unshift(range);
      this.#nextRow = fromRow;
      this.#nextBlock = fromBlock;
      this.#items += toRow - fromRow;
    }
  }

  /** A range with further logs, none of them before `nextBlock`, takes the place of the one without. */
  replace(range: FetchedRange, by: FetchedRange): void {
    const at = this.#ranges.indexOf(range);
    assert(at >= 0, `chain ${this.chainId}: a range is replaced that is not there`);
    this.#ranges[at] = by;
    this.#items += by.page.count - range.page.count;
  }

  take(room: BatchRoom, atLeastOne: boolean): BatchSlice | undefined {
    const range = this.#ranges[0];
    if (range === undefined) return undefined;
    const fromRow = this.#nextRow;
    const toRow = wholeBlocks(range, fromRow, rowsIn(room, range), atLeastOne);
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

/** How many rows of a range fit. */
function rowsIn({ items, bytes }: BatchRoom, { page }: FetchedRange): number {
  return page.count === 0 ? items : Math.min(items, Math.floor((bytes * page.count) / pageBytesOf(page, page.count)));
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
