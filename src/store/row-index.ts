import { assert } from "../errors.ts";
import type { Row } from "./table.ts";

/** Where a row lies to what is looked for: before it (< 0), in it (0) or after it (> 0). */
export type Place = (row: Row) => number;

/** A chunk is split when it has grown to twice this size. */
const CHUNK_ROWS = 256;

/** Rows in an order, in short sorted chunks: adding, removing and looking up cost a few comparisons each. */
export class RowIndex {
  readonly #compare: (a: Row, b: Row) => number;
  #chunks: Row[][] = [];

  /**
   * @param compare a total order: no two rows are equal
   * @param rows in any order
   */
  constructor(compare: (a: Row, b: Row) => number, rows: Row[]) {
    this.#compare = compare;
    rows.sort(compare);
    for (let at = 0; at < rows.length; at += CHUNK_ROWS) this.#chunks.push(rows.slice(at, at + CHUNK_ROWS));
  }

  add(row: Row): void {
    const number = Math.min(this.#chunkOf(this.#placeOf(row)), this.#chunks.length - 1);
    const chunk = this.#chunks[number];
    if (chunk === undefined) {
      this.#chunks.push([row]);
      return;
    }
    chunk.splice(lowerBound(chunk, this.#placeOf(row)), 0, row);
    if (chunk.length >= 2 * CHUNK_ROWS) this.#chunks.splice(number + 1, 0, chunk.splice(CHUNK_ROWS));
  }

  remove(row: Row): void {
    const { number, chunk, at } = this.#find(row);
    chunk.splice(at, 1);
    if (chunk.length === 0) this.#chunks.splice(number, 1);
  }

  replace(before: Row, after: Row): void {
    if (this.#compare(before, after) === 0) {
      const { chunk, at } = this.#find(before);
      chunk[at] = after;
      return;
    }
    this.remove(before);
    this.add(after);
  }

  /** Rows at the place, in order, or the other way round. Nothing may be changed meanwhile. */
  *at(place: Place, backward: boolean): Generator<Row, void> {
    const step = backward ? -1 : 1;
    // Backward from the first row after the place.
    const start: Place = backward ? (row) => (place(row) > 0 ? 0 : -1) : place;
    let number = this.#chunkOf(start);
    let at = lowerBound(this.#chunks[number] ?? [], start);
    if (backward) at--;
    for (;;) {
      let row = this.#chunks[number]?.[at];
      if (row === undefined) {
        number += step;
        const chunk = this.#chunks[number];
        if (chunk === undefined) return;
        at = backward ? chunk.length - 1 : 0;
        row = chunk[at] as Row;
      }
      if (place(row) !== 0) return;
      yield row;
      at += step;
    }
  }

  #find(row: Row): { readonly number: number; readonly chunk: Row[]; readonly at: number } {
    const place = this.#placeOf(row);
    const number = this.#chunkOf(place);
    const chunk = this.#chunks[number] ?? [];
    const at = lowerBound(chunk, place);
    assert(chunk[at] === row, "a row is not where its index has it");
    return { number, chunk, at };
  }

  #placeOf(row: Row): Place {
    return (other) => this.#compare(other, row);
  }

  /** The first chunk that ends at or after the place; one beyond the last: none does. */
  #chunkOf(place: Place): number {
    let [low, high] = [0, this.#chunks.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (place(this.#chunks[middle]?.at(-1) as Row) < 0) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}

/** The first row that is not before the place. */
function lowerBound(rows: readonly Row[], place: Place): number {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (place(rows[middle] as Row) < 0) low = middle + 1;
    else high = middle;
  }
  return low;
}
