import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, expect, it, onTestFinished } from "vitest";
import { entity } from "../../../src/config/entity.ts";
import { env } from "../../../src/config/env.ts";
import { createIndexer } from "../../../src/config/registration.ts";
import { resolveDefinition } from "../../../src/config/resolve-definition.ts";
import { t } from "../../../src/config/t.ts";
import { SpindexError } from "../../../src/errors.ts";

const USDC = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48";
const TRANSFER = "event Transfer(address indexed from, address indexed to, uint256 value)";

const valid = {
  name: "erc20",
  schema: { account: entity({ id: t.address() }) },
  chains: { mainnet: { id: 1, sources: [{ rpc: "http://localhost:8545" }] } },
  contracts: { Token: { abi: [TRANSFER], chains: { mainnet: { address: USDC, startBlock: 12_000_000 } } } },
};

function resolve(config: unknown, variables: Record<string, string> = {}) {
  return resolveDefinition(createIndexer(config), { env: variables, place: "spindex.config.ts" });
}

function errorOf(config: unknown, variables: Record<string, string> = {}): string {
  try {
    resolve(config, variables);
  } catch (error) {
    if (error instanceof SpindexError) return `${error.code} ${error.message} → ${error.fix}`;
    throw error;
  }
  throw new Error("no error");
}

describe("a valid configuration", () => {
  it("is resolved with its defaults, and addresses in lower case", () => {
    const { tables, contracts, ...rest } = resolve(valid);
    expect(tables.map((table) => table.name)).toEqual(["account"]);
    expect(
      contracts.map(({ name, events, deployments }) => [name, events.map((event) => event.key), deployments]),
    ).toEqual([
      [
        "Token",
        ["Transfer"],
        [{ chain: "mainnet", addresses: [USDC.toLowerCase()], startBlock: 12_000_000, endBlock: undefined }],
      ],
    ]);
    expect(rest).toEqual({
      name: "erc20",
      relations: [],
      handlers: ["./handlers.ts", "./src/handlers/**/*.ts"],
      rawEvents: false,
      chains: [
        {
          name: "mainnet",
          id: 1,
          sources: [
            { rpc: "http://localhost:8545", maxConcurrency: 4, maxRangeBlocks: 10_000, timeoutMs: 30_000, headers: {} },
          ],
          maxReorgDepth: 64,
          blockLag: 0,
          pollIntervalMs: 3_000,
          freshnessObjectiveSeconds: 60,
        },
      ],
    });
  });

  it("knows how deep reorganisations of a chain go", () => {
    const depthOf = (id: number) =>
      resolve({ ...valid, chains: { mainnet: { ...valid.chains.mainnet, id } } }).chains[0]?.maxReorgDepth;
    expect([1, 137, 56, 10, 42_161, 123_456].map(depthOf)).toEqual([64, 200, 50, 128, 256, 128]);
  });

  it("knows how old live data may be: by block time and lag, unless it is told", () => {
    const objectiveOf = (more: object) =>
      resolve({ ...valid, chains: { mainnet: { ...valid.chains.mainnet, ...more } } }).chains[0]
        ?.freshnessObjectiveSeconds;
    expect(objectiveOf({})).toBe(60);
    expect(objectiveOf({ id: 137 })).toBe(30);
    expect(objectiveOf({ id: 1, blockLag: 10 })).toBe(180);
    expect(objectiveOf({ id: 137, blockLag: 10 })).toBe(50);
    expect(objectiveOf({ blockLag: 10, freshnessObjectiveSeconds: 7.5 })).toBe(7.5);
  });

  it("takes addresses in one case, in a list once each, or any", () => {
    const addressesOf = (address: unknown) =>
      resolve({ ...valid, contracts: { Token: { abi: [TRANSFER], chains: { mainnet: { address } } } } }).contracts[0]
        ?.deployments[0]?.addresses;
    const lower = USDC.toLowerCase();
    expect(addressesOf(`0x${USDC.slice(2).toUpperCase()}`)).toEqual([lower]);
    expect(addressesOf([USDC, lower])).toEqual([lower]);
    expect(addressesOf("any")).toBe("any");
  });
});

describe("values from the environment", () => {
  const config = {
    ...valid,
    chains: {
      mainnet: { id: 1, sources: [{ rpc: env("RPC"), headers: { authorization: env("KEY", { default: "none" }) } }] },
    },
  };

  it("are read when the definition is resolved, from a file too", () => {
    const directory = mkdtempSync(join(tmpdir(), "spindex-"));
    onTestFinished(() => rmSync(directory, { recursive: true }));
    writeFileSync(join(directory, "rpc"), "http://secret\n");
    const rpcOf = (variables: Record<string, string>) => resolve(config, variables).chains[0]?.sources[0];
    expect(rpcOf({ RPC: "http://a", KEY: "k" })).toMatchObject({ rpc: "http://a", headers: { authorization: "k" } });
    expect(rpcOf({ RPC_FILE: join(directory, "rpc") })).toMatchObject({
      rpc: "http://secret",
      headers: { authorization: "none" },
    });
    expect(errorOf(config, { RPC: "http://a", RPC_FILE: join(directory, "rpc") })).toBe(
      "ENV_INVALID spindex.config.ts: chains.mainnet.sources[0].rpc: RPC and RPC_FILE are both set → Keep one of them.",
    );
  });

  it("are reported together when they are missing, once each", () => {
    const sources = [{ rpc: env("RPC") }, { rpc: env("RPC") }, { rpc: env("OTHER_RPC") }];
    expect(errorOf({ ...valid, chains: { mainnet: { id: 1, sources } } }, { OTHER_RPC: "" })).toBe(
      [
        "ENV_INVALID spindex.config.ts: 2 problems",
        "  1. chains.mainnet.sources[0].rpc, chains.mainnet.sources[1].rpc: the environment variable RPC is not set",
        "     Set RPC, or RPC_FILE, or write it into .env.",
        "  2. chains.mainnet.sources[2].rpc: the environment variable OTHER_RPC is not set",
        "     Set OTHER_RPC, or OTHER_RPC_FILE, or write it into .env. → Mend each of them as said above.",
      ].join("\n"),
    );
  });

  it("never show what may be a secret", () => {
    expect(errorOf(config, { RPC: "key-123" })).toBe(
      "ENV_INVALID spindex.config.ts: chains.mainnet.sources[0].rpc: RPC is not a URL → Give an http:// or https:// URL.",
    );
    expect(errorOf({ ...valid, chains: { mainnet: { id: 1, sources: [{ rpc: "ws://key-123" }] } } })).toBe(
      "CONFIG_INVALID spindex.config.ts: chains.mainnet.sources[0].rpc: is a ws:// URL → Give an http:// or https:// URL.",
    );
    // What looks like a scheme may be a user's name.
    expect(errorOf(config, { RPC: "user-123:key-123@node.example.com/" })).toBe(
      "ENV_INVALID spindex.config.ts: chains.mainnet.sources[0].rpc: RPC is not a URL → Give an http:// or https:// URL.",
    );
    expect(errorOf(config, { RPC: "http://a", KEY: "key-123\nkey-456" })).toBe(
      "ENV_INVALID spindex.config.ts: chains.mainnet.sources[0].headers.authorization: the value has a character that no header can hold → Look for a line break, or quotes that are not plain.",
    );
  });
});

describe("a wrong configuration names the place, the value and the fix", () => {
  const { mainnet } = valid.chains;
  const token = valid.contracts.Token;
  const cases: readonly [name: string, config: unknown, error: string][] = [
    [
      "nothing at all",
      undefined,
      "CONFIG_INVALID spindex.config.ts: defineIndexer: is missing → Give defineIndexer an object: { name, schema, chains, contracts }.",
    ],
    [
      "an unknown setting",
      { ...valid, handler: "x" },
      'CONFIG_INVALID spindex.config.ts: handler: there is no such setting → Did you mean "handlers"?',
    ],
    [
      "an unknown setting of a source",
      { ...valid, chains: { mainnet: { id: 1, sources: [{ rpc: "http://a", timeout: 1 }] } } },
      'CONFIG_INVALID spindex.config.ts: chains.mainnet.sources[0].timeout: there is no such setting → Did you mean "timeoutMs"?',
    ],
    [
      "a header that is none",
      { ...valid, chains: { mainnet: { id: 1, sources: [{ rpc: "http://a", headers: { "x key": "1" } }] } } },
      'CONFIG_INVALID spindex.config.ts: chains.mainnet.sources[0].headers.x key: "x key" is no name of a header → Write it like "x-api-key".',
    ],
    [
      "a name that is no schema",
      { ...valid, name: "Erc-20" },
      'CONFIG_INVALID spindex.config.ts: name: "Erc-20" is no usable value → It becomes the name of a PostgreSQL schema. Write lower-case letters, digits and underscores, at most 55, not beginning with a digit or pg_.',
    ],
    [
      "no sources",
      { ...valid, chains: { mainnet: { id: 1, sources: [] } } },
      'CONFIG_INVALID spindex.config.ts: chains.mainnet.sources: [] is no usable value → A chain needs at least one source: [{ rpc: env("MAINNET_RPC_URL") }].',
    ],
    [
      "an undefined address of a node",
      { ...valid, chains: { mainnet: { id: 1, sources: [{ rpc: undefined }] } } },
      'CONFIG_INVALID spindex.config.ts: chains.mainnet.sources[0].rpc: is missing → Give a URL, or env("MAINNET_RPC_URL") instead of process.env.MAINNET_RPC_URL.',
    ],
    [
      "a block number that is none",
      { ...valid, contracts: { Token: { ...token, chains: { mainnet: { address: "any", startBlock: -1 } } } } },
      "CONFIG_INVALID spindex.config.ts: contracts.Token.chains.mainnet.startBlock: -1 is no usable value → Give a block number, a non-negative integer: 12_000_000.",
    ],
    [
      "an end before the start",
      {
        ...valid,
        contracts: { Token: { ...token, chains: { mainnet: { address: "any", startBlock: 5, endBlock: 4 } } } },
      },
      "CONFIG_INVALID spindex.config.ts: contracts.Token.chains.mainnet.endBlock: 4 is below startBlock 5 → Give an endBlock that is not below startBlock, or leave it out to follow the head.",
    ],
    [
      "a wrong checksum",
      {
        ...valid,
        contracts: { Token: { ...token, chains: { mainnet: { address: [USDC, USDC.replace("A0b8", "a0b8")] } } } },
      },
      `ADDRESS_INVALID spindex.config.ts: contracts.Token.chains.mainnet.address[1]: ${USDC.replace("A0b8", "a0b8")} has a wrong checksum → A digit may be mistyped. If it is not, write ${USDC} or ${USDC.toLowerCase()}.`,
    ],
    [
      "an address that is none",
      { ...valid, contracts: { Token: { ...token, chains: { mainnet: { address: "0x12" } } } } },
      'ADDRESS_INVALID spindex.config.ts: contracts.Token.chains.mainnet.address: "0x12" is not an address → An address is 0x and 40 hex digits.',
    ],
    [
      "a contract on an unknown chain",
      {
        ...valid,
        contracts: { Token: { ...token, chains: { mainet: { address: "any" }, mainnet: { address: "any" } } } },
      },
      'CONFIG_INVALID spindex.config.ts: contracts.Token.chains.mainet: there is no chain "mainet" in chains → Did you mean "mainnet"?',
    ],
    [
      "a chain without a contract",
      { ...valid, chains: { mainnet, base: { ...mainnet, id: 8453 } } },
      "CONFIG_INVALID spindex.config.ts: chains.base: is used by no contract → Remove it, or add it to the chains of a contract.",
    ],
    [
      "two chains of one id",
      {
        ...valid,
        chains: { mainnet, other: mainnet },
        contracts: { Token: { ...token, chains: { mainnet: { address: "any" }, other: { address: "any" } } } },
      },
      "CONFIG_INVALID spindex.config.ts: chains.other.id: 1 is also the id of chains.mainnet → A chain is listed once: merge their sources into one list.",
    ],
    [
      "no entity",
      { ...valid, schema: {} },
      "SCHEMA_INVALID spindex.config.ts: schema: has no entity → Export at least one: export const account = entity({ id: t.address() }).",
    ],
  ];

  it.each(cases)("%s", (_, config, error) => {
    expect(errorOf(config)).toBe(error);
  });

  it("of an ABI, at the signature", () => {
    const error = errorOf({ ...valid, contracts: { Token: { ...token, abi: ["event Transfer(adress from)"] } } });
    expect(error).toMatch(/^ABI_INVALID spindex\.config\.ts: contracts\.Token\.abi\[0\]: .*adress/);
  });

  it("of several kinds, all at once", () => {
    const error = errorOf({
      ...valid,
      schema: { account: entity({ id: t.address() }), Account: entity({ id: t.address() }) },
      contracts: { Token: { ...token, abi: ["event Good()", "event Bad("], chains: { mainnet: { address: "0x12" } } } },
      extra: 1,
    });
    expect(error.match(/^ {2}\d\. [^ ]+/gm)).toEqual([
      "  1. contracts.Token.chains.mainnet.address:",
      "  2. extra:",
      "  3. schema:",
      "  4. contracts.Token.abi[1]:",
    ]);
    expect(error).toMatch(/^CONFIG_INVALID spindex\.config\.ts: 4 problems\n/);
  });
});
