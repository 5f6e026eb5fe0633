import { encodeAbiParameters, type Hex, parseAbiParameters } from "viem";
import { describe, expect, test } from "vitest";
import { AddressTable } from "../../../src/abi/address-table.ts";
import { compileDecoder, type EventArgs } from "../../../src/abi/decoder.ts";
import { parseEvents } from "../../../src/abi/parse-abi.ts";
import { UndecodableLog } from "../../../src/abi/undecodable-log.ts";
import { pageOf } from "../../support/log-pages.ts";

const ALICE = `0x${"a1".repeat(20)}`;

function word(value: bigint | number): string {
  return BigInt.asUintN(256, BigInt(value)).toString(16).padStart(64, "0");
}

function padded(address: string): string {
  return `0x${address.slice(2).padStart(64, "0")}`;
}

/** Decodes a log of an event; `topics` are those after the first. */
function decode(signature: string | object, topics: readonly string[], data: string): EventArgs {
  const [event] = parseEvents([signature], "abi");
  if (event === undefined) throw new Error("no event");
  const all = event.anonymous ? topics : [event.topic, ...topics];
  return compileDecoder(event, new AddressTable()).decode(pageOf({ topics: all, data }), 0);
}

function reasonOf(signature: string, topics: readonly string[], data: string): unknown {
  try {
    return decode(signature, topics, data);
  } catch (error) {
    return error instanceof UndecodableLog ? error.reason : error;
  }
}

describe("compileDecoder", () => {
  test("a transfer is an object of its arguments, in the order of the ABI", () => {
    const args = decode(
      "event Transfer(address indexed from, address indexed to, uint256 value)",
      [padded(ALICE), padded(`0x${"B2".repeat(20)}`)],
      `0x${word(12n)}`,
    );
    expect(args).toStrictEqual({ from: ALICE, to: `0x${"b2".repeat(20)}`, value: 12n });
    expect(Object.keys(args)).toEqual(["from", "to", "value"]);
    expect(Object.isFrozen(args)).toBe(true);
  });

  test("rows of one page are told apart", () => {
    const [event] = parseEvents(["event E(uint256 indexed a, uint256 b)"], "abi");
    if (event === undefined) throw new Error("no event");
    const logs = [1, 2, 3].map((n) => ({ topics: [event.topic, `0x${word(n)}`], data: `0x${word(n * 10)}` }));
    const page = pageOf(...logs);
    const decoder = compileDecoder(event, new AddressTable());
    expect([2, 0, 1].map((row) => decoder.decode(page, row))).toEqual([
      { a: 3n, b: 30n },
      { a: 1n, b: 10n },
      { a: 2n, b: 20n },
    ]);
  });

  test("one address is one string, for all events of a table", () => {
    const table = new AddressTable();
    const events = parseEvents(["event A(address x)", "event B(address indexed x, address[] y)"], "abi");
    const [a, b] = events.map((event) => compileDecoder(event, table));
    const data = encodeAbiParameters(parseAbiParameters("address[]"), [[ALICE as Hex]]);
    const first = a?.decode(pageOf({ topics: ["0x"], data: padded(ALICE) }), 0);
    const second = b?.decode(pageOf({ topics: [padded("0x"), padded(ALICE)], data }), 0);
    expect([first, second]).toEqual([{ x: ALICE }, { x: ALICE, y: [ALICE] }]);
    expect(table.size).toBe(1);
  });

  test.each([0n, 1n, 2n ** 63n, 2n ** 64n - 1n, 2n ** 64n, 2n ** 127n, 2n ** 128n, 2n ** 192n + 5n, 2n ** 256n - 1n])(
    "uint256 %d",
    (value) => expect(decode("event E(uint256 v)", [], `0x${word(value)}`)).toEqual({ v: value }),
  );

  test.each([
    0n,
    -1n,
    2n ** 63n,
    -(2n ** 63n),
    -(2n ** 63n) - 1n,
    2n ** 64n - 1n,
    -(2n ** 64n),
    -(2n ** 200n),
    2n ** 255n - 1n,
    -(2n ** 255n),
  ])("int256 %d", (value) => expect(decode("event E(int256 v)", [], `0x${word(value)}`)).toEqual({ v: value }));

  test("integers of up to 48 bits are numbers", () => {
    const data = `0x${word(255)}${word(2 ** 48 - 1)}${word(-128)}${word(-(2 ** 47))}${word(2 ** 47 - 1)}`;
    expect(decode("event E(uint8 a, uint48 b, int8 c, int48 d, int48 e)", [], data)).toEqual({
      a: 255,
      b: 2 ** 48 - 1,
      c: -128,
      d: -(2 ** 47),
      e: 2 ** 47 - 1,
    });
    expect(decode("event E(uint56 a, int56 b)", [], `0x${word(1)}${word(-1)}`)).toEqual({ a: 1n, b: -1n });
  });

  test("tuples are objects, or arrays when a component has no name; all of them frozen", () => {
    const args = decode(
      "event E((uint8 a, bool b)[2] pairs, (uint8 a, bool) mixed)",
      [],
      `0x${[1, 0, 2, 1, 3, 1].map(word).join("")}`,
    );
    expect(args).toStrictEqual({
      pairs: [
        { a: 1, b: false },
        { a: 2, b: true },
      ],
      mixed: [3, true],
    });
    const { pairs, mixed } = args as { pairs: object[]; mixed: object };
    expect([pairs, ...pairs, mixed].every((value) => Object.isFrozen(value))).toBe(true);
  });

  test("indexed strings, bytes, arrays and tuples are their topic", () => {
    const topics = ["AA", "bb", "cc"].map((pair) => `0x${pair.repeat(32)}`);
    expect(decode("event E(string indexed a, uint8[2] indexed b, (bool c) indexed d)", topics, "0x")).toEqual({
      a: `0x${"aa".repeat(32)}`,
      b: topics[1],
      d: topics[2],
    });
  });

  test("an anonymous event has an argument in its first topic", () => {
    const inputs = [1, 2, 3, 4].map((index) => ({ name: `t${index}`, type: "uint8", indexed: true }));
    const topics = [1, 2, 3, 4].map((value) => `0x${word(value)}`);
    const event = { type: "event", name: "E", anonymous: true, inputs };
    expect(decode(event, topics, "0x")).toEqual({ t1: 1, t2: 2, t3: 3, t4: 4 });
  });

  test("an event without parameters has no arguments, whatever its data", () => {
    expect(decode("event E()", [], "0x")).toEqual({});
    expect(decode("event E()", [], "0x1234")).toEqual({});
  });

  test("names of the language are properties like others", () => {
    const data = `0x${word(1)}${word(2)}${word(3)}`;
    const args = decode("event E(uint8 __proto__, uint8 constructor, (uint8 __proto__) toString)", [], data);
    expect(Object.getPrototypeOf(args)).toBe(Object.prototype);
    expect(Object.entries(args)).toEqual([
      ["__proto__", 1],
      ["constructor", 2],
      ["toString", expect.anything()],
    ]);
    expect(Object.entries(args.toString as object)).toEqual([["__proto__", 3]]);
  });

  test("text that is not UTF-8 is replaced as TextDecoder does", () => {
    const bytes = Buffer.from([0xef, 0xbb, 0xbf, 0x61, 0x00, 0xff, 0xe2, 0x82, 0x62, 0xf0, 0x9f, 0x98, 0x80]);
    const data = `0x${word(32)}${word(bytes.length)}${bytes.toString("hex").padEnd(64, "0")}`;
    expect(decode("event E(string s)", [], data)).toEqual({ s: "a\0\ufffd\ufffdb😀" });
  });

  test("a function is its address and selector", () => {
    expect(decode("event E(function f)", [], `0x${"0a".repeat(24)}${"00".repeat(8)}`)).toEqual({
      f: `0x${"0a".repeat(24)}`,
    });
  });

  test("high bytes of an address are ignored, bits above an integer's width count", () => {
    const data = `0x${"ff".repeat(12)}${ALICE.slice(2)}${word(256)}${word(2n ** 200n)}`;
    expect(decode("event E(address a, uint8 b, uint64 c)", [], data)).toEqual({ a: ALICE, b: 256, c: 2n ** 200n });
  });

  test("an error names the event and what is wrong", () => {
    const error = new UndecodableLog("E(uint256)", "data_short", "it has 31 bytes of data, at least 32 are needed");
    expect(() => decode("event E(uint256 v)", [], `0x${"00".repeat(31)}`)).toThrow(error);
    expect(error.message).toBe("the log is no E(uint256): it has 31 bytes of data, at least 32 are needed");
  });

  const HUGE = 2n ** 255n;
  const FOUR_GIB = 2n ** 32n - 1n;
  test.each([
    ["topic_count", "event E(uint256 indexed v)", [], "0x"],
    ["topic_count", "event E(uint256 v)", [`0x${word(1)}`], `0x${word(1)}`],
    ["data_short", "event E(uint256 v)", [], "0x"],
    ["bool", "event E(bool v)", [], `0x${word(2)}`],
    ["bool", "event E(bool indexed v)", [`0x${word(2n ** 200n)}`], "0x"],
    ["integer", "event E(uint8 v)", [], `0x${word(2n ** 53n)}`],
    ["integer", "event E(int8 v)", [], `0x${word(-(2n ** 53n))}`],
    ["integer", "event E(int8 indexed v)", [`0x${word(-(2n ** 64n))}`], "0x"],
    ["offset", "event E(bytes v)", [], `0x${word(HUGE)}${word(0)}`],
    ["offset", "event E(bytes v)", [], `0x${word(64)}${word(0)}`],
    ["data_short", "event E(bytes v)", [], `0x${word(33)}${word(0)}`],
    ["length", "event E(bytes v)", [], `0x${word(32)}${word(HUGE)}`],
    ["length", "event E(string v)", [], `0x${word(32)}${word(FOUR_GIB)}`],
    ["length", "event E(uint256[] v)", [], `0x${word(32)}${word(FOUR_GIB)}${word(1)}`],
    ["length", "event E(string[] v)", [], `0x${word(32)}${word(HUGE)}${word(1)}`],
    ["data_short", "event E(uint256[4294967296] v)", [], `0x${word(1)}`],
    ["data_short", "event E(uint256[9007199254740991][9007199254740991] v)", [], `0x${word(1)}`],
    ["length", "event E(string[9007199254740991] v)", [], `0x${word(32)}${word(0)}`],
    ["data_short", "event E((uint8 a, bytes b) v)", [], `0x${word(32)}${word(1)}`],
  ])("%s: %s", (reason, signature, topics, data) => {
    expect(reasonOf(signature, topics, data)).toBe(reason);
  });

  test.each(["uint8[][][][][][][]", "bytes[][][][][][]", "(bytes[] b)[][][][][]"])(
    "arrays of 32 elements that are all the same array end soon: %s",
    (type) => {
      // Every word is an offset to the next one and a length of 32: each level multiplies the values by 32.
      expect(reasonOf(`event E(${type} v)`, [], `0x${word(32).repeat(100)}`)).toBe("too_large");
    },
  );

  test("bytes that share their data may be 32 times as long as it, no more", () => {
    const bytes = 2000;
    const sharing = (count: number): string =>
      `0x${word(32)}${word(count)}${word(count * 32).repeat(count)}${word(bytes)}${"00".repeat(bytes)}`;
    expect(reasonOf("event E(bytes[] v)", [], sharing(40))).toHaveProperty("v.length", 40);
    expect(reasonOf("event E(bytes[] v)", [], sharing(1000))).toBe("too_large");
  });
});
