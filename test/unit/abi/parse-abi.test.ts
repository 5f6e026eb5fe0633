import { toEventSelector } from "viem";
import { describe, expect, test } from "vitest";
import type { EventAbi } from "../../../src/abi/event-abi.ts";
import { parseEvents } from "../../../src/abi/parse-abi.ts";
import { SpindexError } from "../../../src/errors.ts";

const TRANSFER: EventAbi = {
  name: "Transfer",
  signature: "Transfer(address,address,uint256)",
  key: "Transfer",
  topic: "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef",
  anonymous: false,
  inputs: [
    { name: "from", type: "address", indexed: true, components: [] },
    { name: "to", type: "address", indexed: true, components: [] },
    { name: "value", type: "uint256", indexed: false, components: [] },
  ],
};

function errorOf(abi: unknown): SpindexError {
  try {
    parseEvents(abi as unknown[], "contracts.Token.abi");
  } catch (error) {
    if (error instanceof SpindexError) return error;
    throw error;
  }
  throw new Error("it was accepted");
}

/** An ABI of one event with these parameters. */
function eventWith(...inputs: unknown[]): unknown[] {
  return [{ type: "event", name: "E", inputs }];
}

describe("parseEvents", () => {
  test("a signature and its JSON item are the same event", () => {
    const json = {
      type: "event",
      name: "Transfer",
      inputs: [
        { name: "from", type: "address", indexed: true, internalType: "address" },
        { name: "to", type: "address", indexed: true },
        { name: "value", type: "uint", indexed: false },
      ],
    };
    expect(parseEvents(["event Transfer(address indexed from, address indexed to, uint value)"], "abi")).toEqual([
      TRANSFER,
    ]);
    expect(parseEvents([json], "abi")).toEqual([TRANSFER]);
  });

  test("what is not an event is left out, structs are put in", () => {
    const events = parseEvents(
      [
        "function transfer(address to, uint256 amount) returns (bool)",
        "struct Price { uint amount; Pair pair; }",
        "event Sold(Price[2] indexed price, (bytes32, int[] deltas)[] steps)",
        "struct Pair { address a; address b; }",
        "error Nope()",
        { type: "constructor", inputs: [{ type: "no type" }] },
        { inputs: [], name: "old style", outputs: [] },
      ],
      "abi",
    );
    const pair = [
      { name: "a", type: "address", indexed: false, components: [] },
      { name: "b", type: "address", indexed: false, components: [] },
    ];
    expect(events).toEqual([
      {
        name: "Sold",
        signature: "Sold((uint256,(address,address))[2],(bytes32,int256[])[])",
        key: "Sold",
        topic: toEventSelector("Sold((uint256,(address,address))[2],(bytes32,int256[])[])"),
        anonymous: false,
        inputs: [
          {
            name: "price",
            type: "tuple[2]",
            indexed: true,
            components: [
              { name: "amount", type: "uint256", indexed: false, components: [] },
              { name: "pair", type: "tuple", indexed: false, components: pair },
            ],
          },
          {
            name: "steps",
            type: "tuple[]",
            indexed: false,
            components: [
              { name: "", type: "bytes32", indexed: false, components: [] },
              { name: "deltas", type: "int256[]", indexed: false, components: [] },
            ],
          },
        ],
      },
    ]);
  });

  test("unnamed parameters are named by their position", () => {
    const [event] = parseEvents(["event E(uint256, address owner, bool)"], "abi");
    expect(event?.inputs.map((input) => input.name)).toEqual(["arg0", "owner", "arg2"]);
  });

  test("overloaded events are named by signature, others by name", () => {
    const events = parseEvents(["event A(uint256 a)", "event B()", "event A(uint256 a, bool b)"], "abi");
    expect(events.map((event) => event.key)).toEqual(["A(uint256)", "B", "A(uint256,bool)"]);
  });

  test("names of the language are names like others", () => {
    const events = parseEvents(
      [
        { type: "event", name: "__proto__", inputs: [{ name: "__proto__", type: "bool" }] },
        "event constructor()",
        "event toString()",
      ],
      "abi",
    );
    expect(events.map((event) => event.key)).toEqual(["__proto__", "constructor", "toString"]);
    expect(events[0]?.inputs[0]?.name).toBe("__proto__");
  });

  test("an anonymous event may have four indexed parameters", () => {
    const inputs = Array.from({ length: 4 }, () => ({ type: "bytes32", indexed: true }));
    expect(parseEvents([{ type: "event", name: "E", anonymous: true, inputs }], "abi")[0]?.anonymous).toBe(true);
    expect(errorOf([{ type: "event", name: "E", inputs }]).message).toBe(
      "contracts.Token.abi[0] (event E) has more than 3 indexed parameters",
    );
  });

  test.each([
    [
      "event E(addres from)",
      '"event E(addres from)" is not a valid signature: Unknown type: Type "addres" is not a valid ABI type.',
    ],
    [
      "event E(address from indexed)",
      '"event E(address from indexed)" is not a valid signature: Invalid ABI parameter: address from indexed',
    ],
    ["event E(", '"event E(" is not a valid signature: Unknown signature'],
    ["", '"" is not a valid signature: Unknown signature'],
    [
      `event E(${"uint256 a, ".repeat(5000)}uint256 b)`,
      /^contracts\.Token\.abi\[1\]: "event E\(uint256 a, [^…]*… is not a valid signature: .{1,60}$/,
    ],
  ])("a malformed signature is refused (%#)", (signature, message) => {
    const error = errorOf(["event Fine()", signature]);
    expect(error.code).toBe("ABI_INVALID");
    if (typeof message === "string") expect(error.message).toBe(`contracts.Token.abi[1]: ${message}`);
    else expect(error.message).toMatch(message);
  });

  test.each([
    ["event E(uint256 a);", "Remove the semicolon at its end."],
    ["event E(uint256 a) anonymous", "Give an anonymous event as a JSON item with `anonymous: true`."],
    ["event  E(uint256 a)", "Put single spaces between words, and none around the signature."],
    [
      "E(uint256)",
      'Begin it with "event ", as in "event Transfer(address indexed from, address indexed to, uint256 value)".',
    ],
    [
      "event E(uint257 a)",
      'Write it as in Solidity: "event Transfer(address indexed from, address indexed to, uint256 value)".',
    ],
  ])("the fix of %s is named", (signature, fix) => {
    expect(errorOf([signature]).fix).toBe(fix);
  });

  test("the struct at fault is named", () => {
    const abi = ["struct A { B b; }", "struct B { C c; uint256 x; }", "event E(A a)"];
    expect(errorOf(abi).message).toMatch(
      /^contracts\.Token\.abi: "struct B \{ C c; uint256 x; \}" is not a valid struct: Unknown type/,
    );
    expect(errorOf(["struct A { A a; }"]).message).toMatch(
      /"struct A \{ A a; \}" is not a valid struct: Circular reference/,
    );
  });

  test.each([
    [["event E(toString x)"], "[0] (event E), parameter 0: its `components` are a function"],
    [
      ["struct __proto__ { uint256 a; }", "event E(__proto__ x)"],
      "[1] (event E), parameter 0: its `components` are an object",
    ],
    [
      ["event E(uint256[02] x)"],
      '[0] (event E), parameter 0 (x): "uint256[02]" has an array length that is not a positive integer',
    ],
    [
      ["event E(uint256[0][] x)"],
      '[0] (event E), parameter 0 (x): "uint256[0][]" has an array length that is not a positive integer',
    ],
    [["event E(uint256, uint256 arg0)"], '[0] (event E): two parameters are named "arg0"'],
    [[42], "[0] is 42, which is no item of an ABI"],
    [[null], "[0] is null, which is no item of an ABI"],
    [[["event E()"]], "[0] is an array, which is no item of an ABI"],
    [[{ type: "event", name: "a b", inputs: [] }], '[0]: the event\'s name is "a b"'],
    [[{ type: "event", name: "E" }], "[0] (event E): `inputs` is missing instead of an array"],
    [[{ type: "event", name: "E", inputs: [], anonymous: "no" }], '[0] (event E): `anonymous` is "no"'],
    [eventWith("uint256"), '[0] (event E), parameter 0 is "uint256"'],
    [eventWith({ name: "a" }), "[0] (event E), parameter 0: its type is missing"],
    [eventWith({ name: 1, type: "bool" }), "[0] (event E), parameter 0: its name is 1"],
    [eventWith({ name: "a", type: "bool", indexed: 1 }), "[0] (event E), parameter 0: `indexed` is 1"],
    [eventWith({ name: "a", type: "tuple" }), "[0] (event E), parameter 0 (a): a tuple without components"],
    ...[
      "uint7",
      "uint08",
      "uint264",
      "bytes0",
      "bytes33",
      "address1",
      "fixed128x18",
      "Uint256",
      "uint256[",
      "uint256[-1]",
      "uint256 []",
    ].map((type): [unknown[], string] => [
      eventWith({ type: "bool" }, { name: "a", type }),
      `[0] (event E), parameter 1 (a): unknown type ${JSON.stringify(type)}`,
    ]),
  ])("a malformed item is refused: %j", (abi, message) => {
    const error = errorOf(abi);
    expect(error.code).toBe("ABI_INVALID");
    expect(error.message).toBe(`contracts.Token.abi${message}`);
    expect(error.fix).toBeTypeOf("string");
  });

  test("a structure that contains itself is refused", () => {
    const parameter: Record<string, unknown> = { name: "a", type: "tuple" };
    parameter.components = [parameter];
    expect(errorOf(eventWith(parameter)).message).toMatch(/nested more than 64 deep$/);
  });

  test.each([
    [["event A(uint256 a)", "event B()", "event A(uint256 b)"]],
    [["event A(uint256 a)", "event B()", "event A(uint256 indexed a)"]],
  ])("an event that is there already is refused: %j", (abi) => {
    const error = errorOf(abi);
    expect(error.message).toBe(
      "contracts.Token.abi: contracts.Token.abi[2] is A(uint256), which contracts.Token.abi[0] is already",
    );
    expect(error.fix).toBe(
      "Remove one of them; events of one signature with other indexed parameters belong to separate contracts.",
    );
  });

  test("something else than an array is refused", () => {
    expect(errorOf({ abi: [] }).message).toBe("contracts.Token.abi is not an array");
  });
});
