import type { BatchSlice } from "../batch/batch.ts";
import { pageBytesOf } from "../chain/log-page.ts";

/** Slices as queued batches keep them for raw events: without what only handlers need. */
export function keptSlices(slices: readonly BatchSlice[]): readonly BatchSlice[] {
  return slices.map((slice) => ({ ...slice, range: { ...slice.range, details: undefined, headers: [] } }));
}

/** Memory that slices hold, about: their share of their pages. */
export function sliceBytesOf(slices: readonly BatchSlice[]): number {
  return slices.reduce((sum, { range, fromRow, toRow }) => sum + pageBytesOf(range.page, toRow - fromRow), 0);
}
