/**
 * Big-endian integers at a place in a buffer. Plain stores: Buffer's own methods check types and ranges on every
 * call, which is most of their cost for values that are known to fit.
 */
export function putInt32(buffer: Buffer, at: number, value: number): void {
  buffer[at] = value >>> 24;
  buffer[at + 1] = value >>> 16;
  buffer[at + 2] = value >>> 8;
  buffer[at + 3] = value;
}

export function putInt16(buffer: Buffer, at: number, value: number): void {
  buffer[at] = value >>> 8;
  buffer[at + 1] = value;
}
