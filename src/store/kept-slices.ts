import type { BatchSlice } from "../batch/batch.ts";

/** A row of a page's columns. */
const ROW_BYTES = 80;

/** Slices as queued batches keep them for raw events: without what only handlers need. */
export function keptSlices(slices: readonly BatchSlice[]): readonly BatchSlice[] {
  return slices.map((slice) => ({ ...slice, range: { ...slice.range, details: undefined, headers: [] } }));
}

/** Memory that slices hold, about: their share of their pages. */
export function sliceBytesOf(slices: readonly BatchSlice[]): number {
  return slices.reduce((sum, { range: { page }, fromRow, toRow }) => {
    const rows = toRow - fromRow;
    return rows === 0 ? sum : sum + rows * ROW_BYTES + Math.ceil((page.text.length * rows) / page.count);
  }, 0);
}
