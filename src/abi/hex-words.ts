/**
 * Numbers out of hexadecimal text, without making strings. All positions count digits (bytes of text).
 *
 * Four digits are read as one 32-bit word and turned into their value together: a digit's low four bits are its value
 * (`0`–`9`) or its value less nine (`a`–`f`, `A`–`F`), and bit 6 tells the two apart.
 */

const FOUR_ZEROS = 0x30303030;
const FOUR_FS = 0x66666666;
const LOWER_CASE = 0x20202020;

let lastText: Buffer | undefined;
let lastView: DataView = new DataView(new ArrayBuffer(0));

/** A view of the text. The last one is kept: whoever reads rows of one page in turn gets it for a comparison. */
export function viewOf(text: Buffer): DataView {
  if (text !== lastText) {
    lastView = new DataView(text.buffer, text.byteOffset, text.length);
    lastText = text;
  }
  return lastView;
}

/** The value of 4 digits. */
function uint16At(view: DataView, at: number): number {
  const digits = view.getInt32(at);
  const values = (digits & 0x0f0f0f0f) + ((digits >>> 6) & 0x01010101) * 9;
  const pairs = values | (values >>> 4);
  return ((pairs >>> 8) & 0xff00) | (pairs & 0xff);
}

/** The value of 8 digits as a signed 32-bit number. */
export function int32At(view: DataView, at: number): number {
  return (uint16At(view, at) << 16) | uint16At(view, at + 4);
}

/** Whether `digits` digits (a multiple of 4) are all `0`. */
export function isZeroAt(view: DataView, at: number, digits: number): boolean {
  for (let end = at + digits; at < end; at += 4) if (view.getInt32(at) !== FOUR_ZEROS) return false;
  return true;
}

/** Whether `digits` digits (a multiple of 4) are all `f`. */
export function isOnesAt(view: DataView, at: number, digits: number): boolean {
  for (let end = at + digits; at < end; at += 4) if ((view.getInt32(at) | LOWER_CASE) !== FOUR_FS) return false;
  return true;
}
