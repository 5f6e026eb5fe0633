import { readFileSync } from "node:fs";
import { describe, expect, test } from "vitest";
import { abiModuleText } from "../../../src/abi/abi-module.ts";
import { parseEvents } from "../../../src/abi/parse-abi.ts";

const ABI_FOLDER = new URL("../../data/abi/", import.meta.url);

function evaluated(module: string, name: string): unknown[] {
  const literal = module.slice(module.indexOf(`export const ${name} = `) + `export const ${name} = `.length);
  return new Function(`return ${literal.replace(/ as const;\s*$/, "")}`)();
}

describe("abiModuleText", () => {
  test("writes one constant, with the words of today's compilers", () => {
    const abi = [
      {
        constant: true,
        inputs: [],
        name: "symbol",
        outputs: [{ name: "", type: "string" }],
        payable: false,
        type: "function",
      },
      { payable: true, stateMutability: "payable", type: "fallback" },
      {
        anonymous: false,
        inputs: [
          { indexed: true, internalType: "address", name: "from", type: "address" },
          { indexed: false, name: "", type: "tuple[]", components: [{ name: "amount", type: "uint" }] },
        ],
        name: "Paid",
        type: "event",
      },
    ];
    const text = `// Made by \`spindex abi add\`: add the contract's new ABI again instead of editing this file.
export const Token = [
  {
    type: "function",
    name: "symbol",
    stateMutability: "view",
    inputs: [],
    outputs: [
      { type: "string" },
    ],
  },
  {
    type: "fallback",
    stateMutability: "payable",
  },
  {
    type: "event",
    name: "Paid",
    inputs: [
      { name: "from", type: "address", indexed: true },
      { type: "tuple[]", indexed: false, components: [
        { name: "amount", type: "uint256" },
      ] },
    ],
  },
] as const;
`;
    expect(abiModuleText(abi, "Token")).toBe(text);
    expect(abiModuleText({ contractName: "Token", abi, bytecode: "0x" }, "Token")).toBe(text);
  });

  test("names overloaded events in a comment", () => {
    const text = abiModuleText(["event A(uint256 a)", "event A(int256 a)", "event B()"], "Token");
    expect(text).toContain("// Overloaded events are named by signature: A(uint256), A(int256).\n");
  });

  test.each(["ERC20", "WETH9", "CryptoPunksMarket", "BalancerV1BPool", "NonfungiblePositionManager"])(
    "the module of %s has the events of the file",
    (name) => {
      const json: unknown = JSON.parse(readFileSync(new URL(`${name}.json`, ABI_FOLDER), "utf8"));
      const again = evaluated(abiModuleText(json, name), name);
      expect(parseEvents(again, name)).toEqual(parseEvents(json as unknown[], name));
    },
  );

  test.each([
    [{ abi: {} }, "Token", "the ABI of Token is neither an array nor an object with an array `abi`"],
    [null, "Token", "the ABI of Token is neither an array nor an object with an array `abi`"],
    [[{ type: "event" }], "Token", "the ABI of Token[0]: the event's name is missing"],
    [[], "my-token", '"my-token" cannot name a constant'],
    [[], "class", '"class" cannot name a constant'],
  ])("refuses %j as %s", (json, name, message) => {
    expect(() => abiModuleText(json, name)).toThrow(expect.objectContaining({ code: "ABI_INVALID", message }));
  });
});
