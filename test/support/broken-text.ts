import fc from "fast-check";

/** Bytes that mean something to a reader of JSON, or of hexadecimal text. */
const TELLING = ["", '"', "\\", ",", "}", "]", "0", "g", " ", "\\u0030", ":", "{", "x", "1", "\u0000", "ü"];
const QUOTE = 0x22;

export interface Change {
  /** Share of the text before it. */
  readonly where: number;
  /** At one of the quotes: there the structure is. */
  readonly atQuote: boolean;
  /** Bytes that go. */
  readonly remove: number;
  readonly insert: string;
}

/** Changes to a text, few enough that it may still be read; `pieces` are put in besides single bytes. */
export function changesOf(pieces: readonly string[]): fc.Arbitrary<readonly Change[]> {
  const telling = fc.constantFrom(...TELLING);
  const change = fc.record({
    where: fc.nat(9_999).map((place) => place / 10_000),
    atQuote: fc.boolean(),
    remove: fc.nat(2),
    insert: fc.oneof(telling, telling, fc.constantFrom(...pieces)),
  });
  return fc.array(change, { minLength: 1, maxLength: 3 });
}

/** The text with the changes, one after the other. */
export function changed(text: Buffer, changes: readonly Change[]): Buffer {
  return changes.reduce((body, { where, atQuote, remove, insert }) => {
    const quotes = atQuote ? [...body.keys()].filter((at) => body[at] === QUOTE) : [];
    const place = quotes[Math.floor(where * quotes.length)] ?? Math.floor(where * body.length);
    const rest = body.subarray(Math.min(body.length, place + remove));
    return Buffer.concat([body.subarray(0, place), Buffer.from(insert), rest]);
  }, text);
}
