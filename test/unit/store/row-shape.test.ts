import { describe, expect, test } from "vitest";
import { createRowShape } from "../../../src/store/row-shape.ts";
import type { Row } from "../../../src/store/table.ts";
import { tableOf } from "../../support/tables.ts";

const address = `0x${"ab".repeat(20)}`;
const upper = `0x${"AB".repeat(20)}`;

const account = createRowShape(
  tableOf("account", [
    { name: "id", kind: "address" },
    { name: "balance", kind: "int256", defaultValue: 0n },
    { name: "memo", kind: "text", nullable: true },
  ]),
);
const allowance = createRowShape(
  tableOf(
    "allowance",
    [
      { name: "owner", kind: "address" },
      { name: "name", kind: "text" },
      { name: "amount", kind: "uint256" },
    ],
    { key: ["owner", "name"] },
  ),
);

describe("a row", () => {
  test("that is complete and right is taken as it is, frozen", () => {
    const row = { id: address, balance: 5n, memo: null };
    expect(account.row(row)).toBe(row);
    expect(Object.isFrozen(row)).toBe(true);
  });

  test("gets defaults, and hex in lower case, as a new object in the order of the columns", () => {
    const given = { memo: "x", id: upper };
    const row = account.row(given);
    expect(Object.entries(row)).toEqual([
      ["id", address],
      ["balance", 0n],
      ["memo", "x"],
    ]);
    expect([Object.isFrozen(row), Object.isFrozen(given)]).toEqual([true, false]);
  });

  test("may leave a column with a default out by undefined, too", () => {
    expect(account.row({ id: address, balance: undefined, memo: null })).toEqual({
      id: address,
      balance: 0n,
      memo: null,
    });
  });

  test("may come from a row of the past with some values changed", () => {
    const before = account.row({ id: address, memo: null });
    expect(account.row({ ...before, balance: 7n }, before)).toEqual({ id: address, balance: 7n, memo: null });
    expect(() => account.row({ ...before, balance: 7 }, before)).toThrow("account.balance = 7");
  });

  test.each<[string, unknown, string]>([
    ["without a needed column", { id: address }, "account.memo is missing"],
    ["without its key", { memo: null }, "account.id is missing"],
    ["with a column too many", { id: address, memo: null, extra: 1 }, "account has no column extra"],
    ["that is complete but for one", { id: address, balance: 1n, memo: null, extra: 1 }, "account has no column extra"],
    ["that is none", "row", 'a row of account must be an object, not "row"'],
    ["that is null", null, "a row of account must be an object, not null"],
  ])("%s is refused", (_, input, message) => {
    expect(() => account.row(input as Row)).toThrow(
      expect.objectContaining({ code: "ROW_INVALID", message: expect.stringContaining(message) }),
    );
  });
});

describe("a key", () => {
  test("of one column is the bare value, or in an object", () => {
    expect(account.key(upper)).toBe(address);
    expect(account.key({ id: upper, balance: 3n })).toBe(address);
    expect(account.keyRow(upper)).toEqual({ id: address });
  });

  test("of several columns is an object; no two keys are alike", () => {
    const keys = ["1:", "", "x1:", "x", ":1"].map((name) => allowance.key({ owner: address, name }));
    expect(new Set(keys).size).toBe(keys.length);
    expect(allowance.keyRow({ amount: 5n, name: "a", owner: upper })).toEqual({ owner: address, name: "a" });
  });

  test("of values that are not the column's is refused", () => {
    expect(() => account.key("0x1")).toThrow('account.id = "0x1"');
    expect(() => account.key(undefined)).toThrow("the key of account needs id: id is missing");
    expect(() => account.key({ balance: 1n })).toThrow("the key of account needs id: id is missing");
    expect(() => allowance.key({ owner: address })).toThrow("the key of allowance needs owner, name: name is missing");
    expect(() => allowance.key(address)).toThrow(`the key of allowance is an object of owner, name, not "${address}"`);
    expect(() => allowance.key(null)).toThrow("the key of allowance is an object of owner, name, not null");
  });
});

test("a key of a column that does not exist is a mistake of the schema", () => {
  expect(() => createRowShape(tableOf("a", [{ name: "id", kind: "text" }], { key: ["no"] }))).toThrow(
    "entity a: no column no for its key",
  );
});

describe("texts that the storage cannot hold", () => {
  const note = () =>
    createRowShape(
      tableOf(
        "note",
        [
          { name: "id", kind: "text" },
          { name: "price", kind: "numeric", precision: 10, scale: 2, defaultValue: "1" },
          { name: "body", kind: "text", defaultValue: "\0" },
        ],
        {},
      ),
    );

  test("are escaped in rows and keys alike, so that a row is found by what was handed in", () => {
    const shape = note();
    const row = shape.row({ id: "a\0" });
    expect(row).toEqual({ id: "a\ufffd", price: "1.00", body: "\ufffd" });
    expect([shape.key(row), shape.key({ id: "a\0" }), shape.key("a\ud800")]).toEqual(["a\ufffd", "a\ufffd", "a\ufffd"]);
    expect(shape.keyRow("a\0")).toEqual({ id: "a\ufffd" });
  });

  test("are counted in rows, once for each text that is handed in", () => {
    const shape = note();
    const row = shape.row({ id: "a\0", price: "2", body: "b\0" });
    shape.row({ ...row, price: "3" }, row);
    shape.key("a\0");
    expect([shape.takeEscapes(), shape.takeEscapes()]).toEqual([2, 0]);
  });
});
