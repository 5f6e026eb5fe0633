/** For two bytes of text as one number: whether both are hexadecimal digits. */
const PAIRS = new Uint8Array(65_536);
for (const high of "0123456789abcdefABCDEF") {
  for (const low of "0123456789abcdefABCDEF") PAIRS[(high.charCodeAt(0) << 8) | low.charCodeAt(0)] = 1;
}

/** Whether `digits` bytes (an even number) are all hexadecimal digits; false beyond the end. */
export function isHex(view: DataView, at: number, digits: number): boolean {
  const end = at + digits;
  if (end > view.byteLength) return false;
  let all = 1;
  for (let i = at; i < end; i += 2) all &= PAIRS[view.getUint16(i)] as number;
  return all === 1;
}

/** Where a run of pairs of hexadecimal digits ends. */
export function hexRun(view: DataView, at: number): number {
  const last = view.byteLength - 2;
  let end = at;
  while (end <= last && PAIRS[view.getUint16(end)] === 1) end += 2;
  return end;
}

/** Whether the `length` bytes (a multiple of 4) at two places are the same. */
export function sameBytes(view: DataView, a: number, b: number, length: number): boolean {
  for (let i = 0; i < length; i += 4) if (view.getInt32(a + i) !== view.getInt32(b + i)) return false;
  return true;
}
