import { describe, expect, test } from "vitest";
import { columnCheck, show } from "../../../src/store/column-check.ts";
import type { ColumnModel } from "../../../src/store/table.ts";
import { columnOf } from "../../support/tables.ts";

const check = (input: Partial<ColumnModel> & Pick<ColumnModel, "kind">, value: unknown): unknown =>
  columnCheck("account", columnOf({ name: "c", ...input }))(value);

const address = `0x${"ab".repeat(20)}`;
const hash = `0x${"cd".repeat(32)}`;

describe("a value is kept as it is", () => {
  test.each([
    ["int32", -(2 ** 31)],
    ["int32", 2 ** 31 - 1],
    ["int64", -(2n ** 63n)],
    ["int64", 2n ** 63n - 1n],
    ["uint256", 0n],
    ["uint256", 2n ** 256n - 1n],
    ["int256", -(2n ** 255n)],
    ["int256", 2n ** 255n - 1n],
    ["eventId", 5n],
    ["float64", Number.NaN],
    ["timestamp", 1_700_000_000.5],
    ["bool", false],
    ["timestamp", -210_866_803_200],
    ["timestamp", 9_224_318_015_999],
    ["text", "a\u0001\ufffdb 😀"],
    ["bytes", "0x"],
    ["bytes", "0x00ff"],
    ["hash", hash],
    ["address", address],
    ["json", null],
    ["numeric", "-12"],
  ] as const)("%s %o", (kind, value) => {
    const nullable = value === null;
    expect(check({ kind, nullable }, value)).toBe(value);
  });
});

describe("a value is refused", () => {
  test.each([
    ["int32", 2 ** 31, "an integer number from -2^31 to 2^31 - 1 is expected"],
    ["int32", 1.5, "an integer number from -2^31 to 2^31 - 1 is expected"],
    ["int32", 1n, "an integer number from -2^31 to 2^31 - 1 is expected"],
    ["int64", 2n ** 63n, "a bigint from -2^63 to 2^63 - 1 is expected"],
    ["int64", 5, "a bigint from -2^63 to 2^63 - 1 is expected"],
    ["uint256", -1n, "a bigint from 0 to 2^256 - 1 is expected"],
    ["uint256", 2n ** 256n, "a bigint from 0 to 2^256 - 1 is expected"],
    ["int256", 2n ** 255n, "a bigint from -2^255 to 2^255 - 1 is expected"],
    ["eventId", -1n, "a bigint made by event.id or event.idOf(n) is expected"],
    ["float64", "1", "a number is expected"],
    ["timestamp", Number.POSITIVE_INFINITY, "unix seconds, a number, are expected"],
    ["timestamp", 1n, "unix seconds, a number, are expected"],
    ["timestamp", -210_866_803_201, "unix seconds from -4713 to 294276 are expected"],
    ["timestamp", 9_224_318_016_000, "unix seconds from -4713 to 294276 are expected"],
    ["bool", 0, "true or false is expected"],
    ["text", 5, "a string is expected"],
    ["bytes", "0x123", "0x and pairs of hex digits are expected"],
    ["bytes", "1234", "0x and pairs of hex digits are expected"],
    ["hash", `${hash}00`, "0x and 64 hex digits are expected"],
    ["address", "0x12", "0x and 40 hex digits are expected"],
    ["json", 1n, "a JSON value is expected"],
    ["json", Number.NaN, "JSON has no such number"],
    ["json", { at: new Date(0) }, "a plain JSON value is expected"],
    ["text", null, "null is not allowed here"],
    ["text", undefined, "a string is expected"],
  ] as const)("%s %o", (kind, value, expected) => {
    expect(() => check({ kind }, value)).toThrow(
      expect.objectContaining({ code: "ROW_INVALID", message: expect.stringContaining(expected) }),
    );
  });

  test("with the place, the value and a fix", () => {
    expect(() => check({ kind: "uint256" }, 5)).toThrow(
      expect.objectContaining({
        message: "account.c = 5: a bigint from 0 to 2^256 - 1 is expected",
        fix: "Use a bigint: BigInt(value), or a literal with n.",
      }),
    );
  });

  test("when it is not of the enumeration", () => {
    const column = { kind: "enum", values: ["buy", "sell"] } as const;
    expect(check(column, "buy")).toBe("buy");
    expect(() => check(column, "hold")).toThrow('account.c = "hold": one of buy, sell is expected');
  });
});

describe("hex", () => {
  test.each(["address", "hash", "bytes"] as const)("of any case becomes lower-case: %s", (kind) => {
    const lower = kind === "hash" ? hash : address;
    expect(check({ kind }, `0X${lower.slice(2).toUpperCase()}`)).toBe(lower);
  });
});

describe("numeric", () => {
  test.each([
    ["12.50", "12.50"],
    ["-0.01", "-0.01"],
    ["0099.9", "99.90"],
    [12n, "12.00"],
    ["999.99", "999.99"],
    ["1.5000000", "1.50"],
    ["-0", "0.00"],
    ["-000.5", "-0.50"],
  ])("of 5 digits, 2 of them after the point, takes %o as %o, as it is read back", (given, kept) => {
    expect(check({ kind: "numeric", precision: 5, scale: 2 }, given)).toBe(kept);
  });

  test.each(["1000", "1.234", "1e3", "+1", "", ".5", "1.", 1.5, "Infinity"])("refuses %o", (given) => {
    expect(() => check({ kind: "numeric", precision: 5, scale: 2 }, given)).toThrow("ccount.c = ");
  });
});

describe("what the storage would give back otherwise is given that form at once", () => {
  test.each([
    ["int32", -0, 0],
    ["timestamp", -0, 0],
    ["timestamp", 1_700_000_000.123_456_7, 1_700_000_000.123_457],
    ["text", "a\0b\ud800c", "a\ufffdb\ufffdc"],
  ] as const)("%s %o", (kind, value, kept) => {
    expect(check({ kind }, value)).toBe(kept);
  });

  test("NUL and lone surrogates are escaped however deep, names of properties included, and counted", () => {
    let escapes = 0;
    const column = columnOf({ name: "c", kind: "json" });
    const junk = "a\0\udc00";
    const kept = columnCheck("account", column, () => {
      escapes++;
    })({ fine: "\\u0000", [junk]: [{ deep: [junk, "\0"] }] });
    expect(kept).toEqual({ fine: "\\u0000", "a\ufffd\ufffd": [{ deep: ["a\ufffd\ufffd", "\ufffd"] }] });
    expect(escapes).toBe(3);
  });
});

describe("null and arrays", () => {
  test("null where it is allowed", () => {
    expect(check({ kind: "int32", nullable: true }, null)).toBeNull();
    expect(check({ kind: "int32", nullable: true, array: true }, null)).toBeNull();
  });

  test("elements are checked, and the array is a frozen copy", () => {
    const given = ["0xAB"];
    const kept = check({ kind: "bytes", array: true }, given);
    expect(kept).toEqual(["0xab"]);
    expect(Object.isFrozen(kept)).toBe(true);
    expect(Object.isFrozen(given)).toBe(false);
    expect(() => check({ kind: "bytes", array: true }, ["0xab", "0x1"])).toThrow('account.c = "0x1"');
    expect(() => check({ kind: "bytes", array: true }, [null])).toThrow("null inside an array is not allowed");
    expect(() => check({ kind: "bytes", array: true }, "0xab")).toThrow("an array is expected");
  });

  test("json is frozen to its depth", () => {
    const value = { a: [{ b: 1 }] };
    expect(check({ kind: "json" }, value)).toBe(value);
    expect([value, value.a, value.a[0]].map(Object.isFrozen)).toEqual([true, true, true]);
  });

  test("json that the storage would give back otherwise becomes a frozen copy", () => {
    const given = { a: [{ b: -0, c: undefined }, "x"], same: { d: 1 } };
    const kept = check({ kind: "json" }, given) as typeof given;
    expect(kept).toStrictEqual({ a: [{ b: 0 }, "x"], same: { d: 1 } });
    expect([kept, kept.a, kept.a[0], given].map(Object.isFrozen)).toEqual([true, true, true, false]);
    expect(kept.same).toBe(given.same);
    let deep: unknown = [];
    for (let level = 1; level < 1_000; level++) deep = [deep];
    expect(check({ kind: "json" }, deep)).toBe(deep);
    expect(() => check({ kind: "json" }, { deep })).toThrow("at most 1000 levels are allowed in JSON");
    const holed = Array.from({ length: 2 }) as unknown[];
    expect(() => check({ kind: "json" }, { holed })).toThrow("a JSON value is expected");
  });
});

test("any value can be shown, shortly", () => {
  expect([5n, undefined, { a: 1n }, () => 1, "x".repeat(100)].map(show)).toEqual([
    "5n",
    "undefined",
    '{"a":"1n"}',
    "() => 1",
    `"${"x".repeat(76)}...`,
  ]);
  const circular: Record<string, unknown> = {};
  circular.self = circular;
  expect(show(circular)).toBe("[object Object]");
});
