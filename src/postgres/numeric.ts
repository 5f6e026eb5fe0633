import type { ByteWriter } from "../lib/byte-writer.ts";
import { putInt16, putInt32 } from "./wire.ts";

// The wire format of `numeric`: four int16 (count of digits, weight of the first one, sign, decimals to show), then
// digits of base 10,000, most significant first. Weight w means that the first digit counts 10,000^w.

const POSITIVE = 0x0000;
const NEGATIVE = 0x4000;
const HEADER_BYTES = 8;
const BASE = 10_000;

const MAX_SAFE = BigInt(Number.MAX_SAFE_INTEGER);
const MIN_SAFE = -MAX_SAFE;

/** Writes a whole number of any size as a field: its length, then the value. */
export function writeNumericBigint(out: ByteWriter, value: bigint): void {
  if (value <= MAX_SAFE && value >= MIN_SAFE) writeNumericInteger(out, Number(value));
  // Beyond 2^53 the decimal text is the cheapest way to exact digits: one division loop in native code, instead of a
  // bigint division for each chunk here (and a chunk of 10^16 would no longer be exact as a number).
  else writeNumericText(out, value.toString(), 0);
}

/** A safe integer as a field. */
function writeNumericInteger(out: ByteWriter, value: number): void {
  out.reserve(4 + HEADER_BYTES + 2 * 4);
  const { buffer } = out;
  let rest = Math.abs(value);
  let weight = -1;
  let trailingZeros = 0;
  // Digits come least significant first: put them behind each other from the end of the widest case.
  const end = out.at + 4 + HEADER_BYTES + 2 * 4;
  let at = end;
  while (rest > 0) {
    const quotient = Math.floor(rest / BASE);
    const digit = rest - quotient * BASE;
    rest = quotient;
    weight++;
    if (digit === 0 && at === end) {
      trailingZeros++;
      continue;
    }
    at -= 2;
    buffer[at] = digit >> 8;
    buffer[at + 1] = digit;
  }
  const count = weight + 1 - trailingZeros;
  const start = out.at + 4 + HEADER_BYTES;
  if (at !== start) buffer.copyWithin(start, at, end);
  writeHeader(out, count, Math.max(weight, 0), value < 0, 0);
  out.at = start + 2 * count;
}

/**
 * A decimal text (`-12.50`, no exponent) as a field. `scale` is the number of decimals to show, at least those in
 * the text.
 */
export function writeNumericText(out: ByteWriter, text: string, scale: number): void {
  const negative = text.charCodeAt(0) === 45; // "-"
  let first = negative ? 1 : 0;
  const point = text.indexOf(".");
  const wholeEnd = point < 0 ? text.length : point;
  const decimals = point < 0 ? 0 : text.length - point - 1;
  while (first < wholeEnd && text.charCodeAt(first) === 48) first++; // "0"
  const wholeDigits = wholeEnd - first;
  const groupsBefore = Math.ceil(wholeDigits / 4);
  const groupsAfter = Math.ceil(decimals / 4);
  out.reserve(4 + HEADER_BYTES + 2 * (groupsBefore + groupsAfter));
  const { buffer } = out;
  const start = out.at + 4 + HEADER_BYTES;
  let at = start;
  let weight = groupsBefore - 1;
  // The first group holds what is left over from groups of four.
  let from = first - (groupsBefore * 4 - wholeDigits);
  for (let group = 0; group < groupsBefore + groupsAfter; group++) {
    if (group === groupsBefore) from = point + 1;
    const limit = group < groupsBefore ? wholeEnd : text.length;
    let digit = 0;
    for (let index = from; index < from + 4; index++) {
      digit *= 10;
      if (index >= first && index < limit) digit += text.charCodeAt(index) - 48;
    }
    from += 4;
    if (digit === 0 && at === start) {
      weight--;
      continue;
    }
    buffer[at++] = digit >> 8;
    buffer[at++] = digit;
  }
  while (at > start && buffer[at - 1] === 0 && buffer[at - 2] === 0) at -= 2;
  const count = (at - start) / 2;
  writeHeader(out, count, count === 0 ? 0 : weight, negative && count > 0, Math.max(scale, decimals));
  out.at = at;
}

/** Length, count, weight, sign and scale at `out.at`, without moving it. */
function writeHeader(out: ByteWriter, count: number, weight: number, negative: boolean, scale: number): void {
  const { buffer, at } = out;
  putInt32(buffer, at, HEADER_BYTES + 2 * count);
  putInt16(buffer, at + 4, count);
  putInt16(buffer, at + 6, weight);
  putInt16(buffer, at + 8, negative ? NEGATIVE : POSITIVE);
  putInt16(buffer, at + 10, scale);
}
