/** Hexadecimal text with its prefix, always lower-case inside Spindex. */
export type Hex = `0x${string}`;
/** A 20-byte address: `0x` and 40 lower-case hexadecimal digits. */
export type Address = Hex;
/** A 32-byte hash: `0x` and 64 lower-case hexadecimal digits. */
export type Hash = Hex;
