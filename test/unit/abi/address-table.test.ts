import { describe, expect, test } from "vitest";
import { AddressTable } from "../../../src/abi/address-table.ts";

/** Addresses that differ in their last digits only, as digits. */
function digits(count: number): string[] {
  return Array.from({ length: count }, (_, index) => index.toString(16).padStart(40, "0"));
}

function textOf(parts: readonly string[]): Buffer {
  return Buffer.from(parts.join(""), "latin1");
}

describe("AddressTable", () => {
  test("digits of either case, in any text, are one address in lower case", () => {
    const table = new AddressTable();
    const lower = "0123456789abcdefabcdef0123456789abcdef01";
    const text = textOf(["x", lower, "yz", lower.toUpperCase()]);
    expect(table.at(text, 1)).toBe(`0x${lower}`);
    expect(table.at(text, 43)).toBe(`0x${lower}`);
    expect(table.at(textOf([lower.toUpperCase()]), 0)).toBe(`0x${lower}`);
    expect(table.size).toBe(1);
  });

  test("addresses stay apart, each with each digit in each place", () => {
    const table = new AddressTable();
    const all = [...Array(40).keys()].flatMap((place) =>
      [..."123456789abcdef"].map((digit) => `${"0".repeat(place)}${digit}${"0".repeat(39 - place)}`),
    );
    const text = textOf(all);
    for (const round of [1, 2]) {
      expect(
        all.map((_, index) => table.at(text, index * 40)),
        `round ${round}`,
      ).toEqual(all.map((hex) => `0x${hex}`));
    }
    expect(table.size).toBe(600);
  });

  test("it keeps all addresses while it grows", () => {
    const table = new AddressTable();
    const all = digits(20_000);
    const text = textOf(all);
    const first = all.map((_, index) => table.at(text, index * 40));
    expect(table.size).toBe(20_000);
    expect(all.map((_, index) => table.at(text, index * 40))).toEqual(first);
    expect(table.size).toBe(20_000);
  });

  test("a full table starts afresh and goes on giving the right addresses", () => {
    const table = new AddressTable(100);
    const all = digits(250);
    const text = textOf(all);
    expect(all.map((_, index) => table.at(text, index * 40))).toEqual(all.map((hex) => `0x${hex}`));
    expect(table.size).toBe(50);
  });
});
