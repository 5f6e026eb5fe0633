import { describe, expect, it } from "vitest";
import { compareRows, readCsv, type TextRow } from "../../../examples/demo/compare.ts";
import { totalsOf } from "../../../examples/demo/erc20-check.ts";
import { fillMinutes, pick } from "../../../examples/demo/uniswap-v3-check.ts";

const data = (name: string): string => new URL(`../../../examples/data/${name}`, import.meta.url).pathname;
const idOf = (row: TextRow): string => `row ${row.id}`;

describe("comparing rows", () => {
  it("counts the expected rows that are there, also when the table has more columns", () => {
    const expected = [
      { id: "1", value: "5" },
      { id: "2", value: "6" },
    ];
    const actual = [
      { id: "2", value: "6", block: "9" },
      { id: "1", value: "5", block: "8" },
    ];
    expect(compareRows(expected, actual, idOf)).toEqual({ expected: 2, equal: 2, differences: [] });
  });

  it("names every kind of difference", () => {
    const expected = [
      { id: "1", value: "5" },
      { id: "2", value: "6" },
      { id: "3", value: "7" },
      { id: "4", value: "8" },
    ];
    const actual = [
      { id: "1", value: "50" },
      { id: "2" },
      { id: "4", value: "8" },
      { id: "4", value: "8" },
      { id: "5", value: "9" },
    ];
    expect(compareRows(expected, actual, idOf)).toEqual({
      expected: 4,
      equal: 1,
      differences: [
        "row 4: twice in the table",
        "row 1: value is 50, expected 5",
        "row 2: value is absent, expected 6",
        "row 3: missing in the table",
        "row 5: not expected",
      ],
    });
  });

  it("shows the first differences only", () => {
    const rows = Array.from({ length: 20 }, (_, i) => ({ id: String(i) }));
    expect(compareRows(rows, [], idOf).differences).toHaveLength(5);
  });
});

describe("the expected values", () => {
  it("are all read", async () => {
    const pool = "expected-univ3-0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640-2024-01-05";
    const files = ["expected-etl-token-transfers", `${pool}.pool.tick`, `${pool}.minute`];
    const rows = await Promise.all(files.map((name) => readCsv(data(`${name}.csv.gz`))));
    expect(rows.map((file) => file.length)).toEqual([292, 6234, 1440]);
  });

  it("are brought into the form of the tables", () => {
    const row = { block_timestamp: "2024-01-05 00:00:23", current_tick: "-199045.0", amount0: "-5", sender: "0xab" };
    expect(pick(row, ["block_timestamp", "current_tick", "amount0", "receipt"])).toEqual({
      block_timestamp: "1704412823",
      current_tick: "-199045",
      amount0: "-5",
      receipt: "",
    });
  });

  it("make balances and totals: none of the zero address, one a token that is not fungible", () => {
    const zero = `0x${"0".repeat(40)}`;
    const row = (token: string, from: string, to: string, value: string): TextRow => ({
      token_address: token,
      from_address: from,
      to_address: to,
      value,
    });
    const transfers = [
      row("coin", zero, "anna", "100"),
      row("coin", "anna", "ben", "30"),
      row("coin", "ben", "ben", "7"),
      row("art", "anna", "ben", "4711"),
    ];
    expect(totalsOf(transfers, (token) => token === "art")).toEqual({
      accounts: [
        { token: "coin", owner: "anna", balance: "70" },
        { token: "coin", owner: "ben", balance: "30" },
        { token: "art", owner: "anna", balance: "-1" },
        { token: "art", owner: "ben", balance: "1" },
      ],
      tokens: [
        { id: "coin", transfers: "3", volume: "137" },
        { id: "art", transfers: "1", volume: "1" },
      ],
    });
  });

  it("have minutes without a swap, which the table leaves out", () => {
    const minute = (timestamp: string, tick: string, amount: string): TextRow => ({
      timestamp,
      netAmount0: amount,
      netAmount1: amount,
      inAmount0: amount,
      inAmount1: amount,
      openTick: tick,
      closeTick: tick,
      lowestTick: tick,
      highestTick: tick,
      currentLiquidity: "9",
    });
    const [first, last] = [minute("60", "5", "1"), minute("240", "6", "2")];
    expect(fillMinutes([first, last])).toEqual([first, minute("120", "5", "0"), minute("180", "5", "0"), last]);
  });
});
