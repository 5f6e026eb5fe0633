/**
 * The beginning of a text, at most `length` characters: a copy. A plain slice is a view into the original, and would
 * keep all of it in memory for as long as the piece lives.
 */
export function cutText(text: string, length: number): string {
  return text.length <= length ? text : Buffer.from(text.slice(0, length), "utf16le").toString("utf16le");
}
