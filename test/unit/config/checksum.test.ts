import { describe, expect, it } from "vitest";
import { checkAddress, checksumOf } from "../../../src/config/checksum.ts";

/** The examples of EIP-55. */
const EXAMPLES = [
  "0x52908400098527886E0F7030069857D2E4169EE7",
  "0x8617E340B3D01FA5F11F306F4090FD50E238070D",
  "0xde709f2102306220921060314715629080e2fb77",
  "0x27b1fdb04752bbc536007a920d24acb045561c26",
  "0x5aAeb6053F3E94C9b9A09f33669435E7Ef1BeAed",
  "0xfB6916095ca1df60bB79Ce92cE3Ea74c37c5d359",
  "0xdbF03B407c01E7cD3CBea99509d93f8DDDC8C6FB",
  "0xD1220A0cf47c7B9Be7A2E6BA89F429762e7b9aDb",
] as const;

const lower = (address: string) => address.toLowerCase() as `0x${string}`;

describe("an address", () => {
  it.each(EXAMPLES)("%s has the checksum of EIP-55", (address) => {
    expect(checksumOf(lower(address))).toBe(address);
    expect(checkAddress(address)).toEqual({ ok: true, address: lower(address) });
  });

  it("needs no checksum in one case", () => {
    const [, , , , address] = EXAMPLES;
    expect(checkAddress(lower(address)).ok).toBe(true);
    expect(checkAddress(`0x${address.slice(2).toUpperCase()}`).ok).toBe(true);
  });

  it("of mixed case is refused with any letter of the other case", () => {
    const [, , , , address] = EXAMPLES;
    const flipped = [...address].flatMap((letter, index) => {
      const other = letter === letter.toLowerCase() ? letter.toUpperCase() : letter.toLowerCase();
      return index < 2 || other === letter ? [] : [address.slice(0, index) + other + address.slice(index + 1)];
    });
    expect(flipped.filter((text) => checkAddress(text).ok)).toEqual([]);
  });

  it.each([
    "",
    "0x",
    "0x123",
    `0x${"0".repeat(41)}`,
    `0x${"g".repeat(40)}`,
    `1x${"0".repeat(40)}`,
    12,
    null,
    undefined,
  ])("is not %j", (value) => {
    expect(checkAddress(value)).toMatchObject({ ok: false, fix: "An address is 0x and 40 hex digits." });
  });
});
