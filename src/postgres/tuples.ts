import type { EncodedRows } from "../lib/byte-writer.ts";

/** Rows `from` to, not including, `to` of encoded ones, found by walking the tuples of COPY's binary format. */
export function sliceTuples(rows: EncodedRows, from: number, to: number): EncodedRows {
  const bytes = Buffer.concat(rows.chunks);
  let at = 0;
  let start = 0;
  for (let row = 0; row < to; row++) {
    if (row === from) start = at;
    at = tupleEnd(bytes, at);
  }
  const slice = bytes.subarray(start, at);
  return { rows: to - from, bytes: slice.length, chunks: [slice] };
}

/** A tuple is a count of fields, and for each its length, or -1 for null, and its bytes. */
function tupleEnd(bytes: Buffer, start: number): number {
  let at = start + 2;
  for (let field = bytes.readInt16BE(start); field > 0; field--) {
    const length = bytes.readInt32BE(at);
    at += 4 + Math.max(length, 0);
  }
  return at;
}
