import { describe, expect, test } from "vitest";
import { hexAt, type LogFields, logPageOf, selectRows } from "../../../src/chain/log-page.ts";

function hash(digit: string): string {
  return `0x${digit.repeat(64)}`;
}

const FIRST: LogFields = {
  address: `0x${"Ab".repeat(20)}`,
  topics: [hash("1"), hash("E")],
  data: "0x00fF10",
  blockNumber: 17_000_000_000,
  blockHash: hash("a"),
  blockTimestamp: -1,
  transactionHash: hash("b"),
  transactionIndex: 3,
  logIndex: 7,
};
const SECOND: LogFields = {
  ...FIRST,
  address: `0x${"12".repeat(20)}`,
  topics: [],
  data: "0x",
  blockTimestamp: 1_700_000_000,
  logIndex: 8,
};
const THIRD: LogFields = { ...FIRST, topics: [hash("1"), hash("2"), hash("3"), hash("4")], logIndex: 9 };

describe("logPageOf", () => {
  test("makes a row of each log", () => {
    const page = logPageOf([FIRST, SECOND, THIRD]);
    expect(page.count).toBe(3);
    expect([...page.blockNumber]).toEqual([17_000_000_000, 17_000_000_000, 17_000_000_000]);
    expect([...page.blockTimestamp]).toEqual([-1, 1_700_000_000, -1]);
    expect([...page.logIndex]).toEqual([7, 8, 9]);
    expect([...page.transactionIndex]).toEqual([3, 3, 3]);
    expect([...page.topicCount]).toEqual([2, 0, 4]);
    expect([...page.dataBytes]).toEqual([3, 0, 3]);
  });

  test("texts are found by their offsets, in lower case", () => {
    const page = logPageOf([SECOND, THIRD]);
    const at = (column: Uint32Array, index: number, digits: number): string =>
      hexAt(page, column[index] as number, digits);
    expect(at(page.address, 1, 40)).toBe(`0x${"ab".repeat(20)}`);
    expect(at(page.blockHash, 1, 64)).toBe(hash("a"));
    expect(at(page.transactionHash, 1, 64)).toBe(hash("b"));
    expect([4, 5, 6, 7].map((index) => at(page.topics, index, 64))).toEqual(THIRD.topics);
    expect(at(page.data, 1, 6)).toBe("0x00ff10");
    expect(at(page.data, 0, 0)).toBe("0x");
  });

  test("no logs are a page of no rows", () => {
    expect(logPageOf([]).count).toBe(0);
  });
});

describe("selectRows", () => {
  test("the selected rows are those of a page made of these logs, over the same text", () => {
    const page = logPageOf([FIRST, SECOND, THIRD]);
    const selected = selectRows(page, Uint32Array.of(0, 2));
    expect(selected.text).toBe(page.text);
    expect(selected.count).toBe(2);
    expect([...selected.logIndex]).toEqual([7, 9]);
    expect([...selected.topicCount]).toEqual([2, 4]);
    expect(hexAt(selected, selected.topics[7] as number, 64)).toBe(hash("4"));
    expect(hexAt(selected, selected.data[1] as number, 6)).toBe("0x00ff10");
    expect(hexAt(selected, selected.address[1] as number, 40)).toBe(THIRD.address.toLowerCase());
  });
});
