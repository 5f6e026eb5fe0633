import { describe, expect, it } from "vitest";
import { entity } from "../../../src/config/entity.ts";
import { fingerprintOf } from "../../../src/config/fingerprint.ts";
import { createIndexer, registrationsOf, sealRegistrations, setupOf } from "../../../src/config/registration.ts";
import { resolveDefinition } from "../../../src/config/resolve-definition.ts";
import { resolveRegistrations } from "../../../src/config/resolve-registrations.ts";
import { t } from "../../../src/config/t.ts";
import { SpindexError } from "../../../src/errors.ts";

const A = "0xA0b86991c6218b36c1d19D4a2e9Eb0cE3606eB48";
const LOWER = A.toLowerCase();

interface Changes {
  readonly rpc?: string;
  readonly startBlock?: number;
  readonly extra?: readonly string[];
}

function indexerOf({ rpc = "http://a", startBlock = 1, extra = [] }: Changes = {}) {
  return createIndexer({
    name: "test",
    schema: { account: entity({ id: t.address(), balance: t.int256().default(0n) }) },
    chains: { mainnet: { id: 1, sources: [{ rpc }] } },
    contracts: {
      Token: {
        abi: [
          "event Transfer(address indexed from, address indexed to, uint256 value)",
          "event Set(uint8 indexed small, uint256 indexed big, string indexed name)",
          "event Set(bool indexed flag, bytes4 indexed tag)",
          ...extra,
        ],
        chains: { mainnet: { address: A, startBlock } },
      },
    },
  });
}

function resolve(indexer: ReturnType<typeof indexerOf>) {
  return resolveRegistrations(resolveDefinition(indexer, { env: {} }), registrationsOf(indexer));
}

function errorOf(run: () => unknown): string {
  try {
    run();
  } catch (error) {
    if (error instanceof SpindexError) return `${error.code} ${error.message} → ${error.fix}`;
    throw error;
  }
  throw new Error("no error");
}

/** Places in this file: their lines change with every edit. */
const withoutLines = (text: string): string => text.replace(/registration\.test\.ts:\d+/g, "registration.test.ts:N");
const HERE = "test/unit/config/registration.test.ts:N";
const handler = (): void => {};

describe("a registration", () => {
  it("is joined to its contract and event, its filter in the form of the arguments", () => {
    const indexer = indexerOf();
    indexer.on("Token.Transfer", handler);
    indexer.on(
      "Token.Set(uint8,uint256,string)",
      {
        where: [{ small: 1n, big: [2, 3n] }, { name: `0x${"AB".repeat(32)}` }],
        startBlock: 5,
        endBlock: 6,
        onError: "skip",
        fields: { block: ["miner", "baseFeePerGas", "miner"] },
      },
      handler,
    );
    indexer.on("Token.Set(bool,bytes4)", { where: { flag: true, tag: ["0xABCDEF01"] } }, handler);
    const plain = {
      contract: "Token",
      fields: undefined,
      startBlock: undefined,
      endBlock: undefined,
      onError: "stop",
      handler,
      place: HERE,
    };
    expect(
      resolve(indexer).map((registration) => ({
        ...registration,
        contract: registration.contract.name,
        event: registration.event.signature,
        place: withoutLines(registration.place),
      })),
    ).toEqual([
      { ...plain, key: "Token.Transfer", event: "Transfer(address,address,uint256)", where: undefined },
      {
        ...plain,
        key: "Token.Set(uint8,uint256,string)",
        event: "Set(uint8,uint256,string)",
        where: [{ small: [1], big: [2n, 3n] }, { name: [`0x${"ab".repeat(32)}`] }],
        startBlock: 5,
        endBlock: 6,
        onError: "skip",
        fields: { block: ["baseFeePerGas", "miner"], transaction: [] },
      },
      {
        ...plain,
        key: "Token.Set(bool,bytes4)",
        event: "Set(bool,bytes4)",
        where: [{ flag: [true], tag: ["0xabcdef01"] }],
      },
    ]);
  });

  it("knows file and line", () => {
    const indexer = indexerOf();
    const line = Number(/registration\.test\.ts:(\d+)/.exec(new Error().stack ?? "")?.[1]);
    indexer.on("Token.Transfer", handler);
    expect(registrationsOf(indexer)[0]?.place).toBe(`test/unit/config/registration.test.ts:${line + 1}`);
  });

  it("of an event that has one is refused, and names both places", () => {
    const indexer = indexerOf();
    indexer.on("Token.Transfer", handler);
    expect(withoutLines(errorOf(() => indexer.on("Token.Transfer", handler)))).toBe(
      `HANDLER_DUPLICATE ${HERE}: Token.Transfer has a handler already, at ${HERE} → Keep one of the two; a handler may call several functions.`,
    );
  });

  it("after the end of loading is refused", () => {
    const indexer = indexerOf();
    indexer.on("Token.Transfer", handler);
    sealRegistrations(indexer);
    expect(withoutLines(errorOf(() => indexer.on("Token.Set(bool,bytes4)", handler)))).toBe(
      `HANDLER_LATE ${HERE}: Token.Set(bool,bytes4) is registered after loading has ended (the last registration in time: ${HERE}) → Call indexer.on at the top level of a handler file, not in a callback or after an await that nobody waits for.`,
    );
  });

  it("without a handler is refused", () => {
    expect(withoutLines(errorOf(() => indexerOf().on("Token.Transfer")))).toBe(
      `CONFIG_INVALID ${HERE}: indexer.on was given no handler → Write indexer.on("Contract.Event", async ({ event, store }) => { … }).`,
    );
  });
});

describe("a set-up", () => {
  it("is registered once, in time, and with a handler", () => {
    const indexer = indexerOf();
    expect(setupOf(indexer)).toBe(undefined);
    indexer.onSetup(handler);
    const setup = setupOf(indexer);
    expect({ ...setup, place: withoutLines(setup?.place ?? "") }).toEqual({ handler, place: HERE });
    expect(withoutLines(errorOf(() => indexer.onSetup(handler)))).toBe(
      `HANDLER_DUPLICATE ${HERE}: there is a set-up already, at ${HERE} → Keep one of the two; it may call several functions.`,
    );
    const late = indexerOf();
    sealRegistrations(late);
    expect(withoutLines(errorOf(() => late.onSetup(handler)))).toBe(
      `HANDLER_LATE ${HERE}: the set-up is registered after loading has ended (the last registration in time: none) → Call indexer.on at the top level of a handler file, not in a callback or after an await that nobody waits for.`,
    );
    expect(withoutLines(errorOf(() => indexerOf().onSetup("x")))).toBe(
      `CONFIG_INVALID ${HERE}: indexer.onSetup was given no handler → Write indexer.onSetup(async ({ store, chain }) => { … }).`,
    );
  });
});

describe("a wrong registration names the place, the value and the fix", () => {
  const cases: readonly [event: string, options: unknown, error: string][] = [
    [
      "Token.Transfr",
      undefined,
      `HANDLER_UNKNOWN_EVENT handlers: ${HERE}: the event Token.Transfr is not in the ABI of Token → Did you mean "Transfer"?`,
    ],
    [
      "Coin.Transfer",
      undefined,
      `HANDLER_UNKNOWN_EVENT handlers: ${HERE}: there is no contract "Coin" for the handler of "Coin.Transfer" → There is Token.`,
    ],
    [
      "Transfer",
      undefined,
      `HANDLER_UNKNOWN_EVENT handlers: ${HERE}: there is no contract "Transfer" for the handler of "Transfer" → There is Token.`,
    ],
    [
      "Token.Set",
      undefined,
      `HANDLER_UNKNOWN_EVENT handlers: ${HERE}: Token has 2 events named Set → Name one by its signature: "Token.Set(uint8,uint256,string)" or "Token.Set(bool,bytes4)".`,
    ],
    [
      "Token.Transfer",
      { wher: {} },
      `CONFIG_INVALID handlers: ${HERE}: Token.Transfer: there is no option "wher" → Did you mean "where"?`,
    ],
    [
      "Token.Transfer",
      { onError: "retry" },
      `CONFIG_INVALID handlers: ${HERE}: Token.Transfer: onError: "retry" is no usable value → Write "stop" (the default) or "skip".`,
    ],
    [
      "Token.Transfer",
      { fields: { transaction: ["gasprice"] } },
      `CONFIG_INVALID handlers: ${HERE}: Token.Transfer: fields: "gasprice" is no usable value → Did you mean "gasPrice"?`,
    ],
    [
      "Token.Transfer",
      { fields: { blocks: ["miner"] } },
      `CONFIG_INVALID handlers: ${HERE}: Token.Transfer: there is no option "blocks" in fields → Did you mean "block"?`,
    ],
    [
      "Token.Transfer",
      { fields: ["miner"] },
      `CONFIG_INVALID handlers: ${HERE}: Token.Transfer: fields: ["miner"] is no usable value → Name lists of fields: { block: ["baseFeePerGas"], transaction: ["gasPrice"] }.`,
    ],
    [
      "Token.Transfer",
      { startBlock: 2, endBlock: 1 },
      `CONFIG_INVALID handlers: ${HERE}: Token.Transfer: endBlock 1 is below startBlock 2 → Give an endBlock that is not below startBlock.`,
    ],
    [
      "Token.Transfer",
      { where: { value: 1n } },
      `CONFIG_INVALID handlers: ${HERE}: Token.Transfer: where.value is not an indexed argument → Indexed are: from, to; filter by others in the handler.`,
    ],
    [
      "Token.Transfer",
      { where: { form: A } },
      `CONFIG_INVALID handlers: ${HERE}: Token.Transfer: the event has no argument "form" → Did you mean "from"?`,
    ],
    [
      "Token.Transfer",
      { where: { from: A.replace("A0b", "a0b") } },
      `CONFIG_INVALID handlers: ${HERE}: Token.Transfer: where.from: "${A.replace("A0b", "a0b")}" is no address → A digit may be mistyped. If it is not, write ${A} or ${LOWER}.`,
    ],
    [
      "Token.Transfer",
      { where: { from: [] } },
      `CONFIG_INVALID handlers: ${HERE}: Token.Transfer: where.from is an empty list, which matches nothing → Leave it out to match every value.`,
    ],
    [
      "Token.Transfer",
      { where: {} },
      `CONFIG_INVALID handlers: ${HERE}: Token.Transfer: where holds an empty record, which matches everything → Leave where out to get every event.`,
    ],
    [
      "Token.Set(uint8,uint256,string)",
      { where: { small: 256 } },
      `CONFIG_INVALID handlers: ${HERE}: Token.Set(uint8,uint256,string): where.small: 256 is no uint8 → Give an integer in its range.`,
    ],
    [
      "Token.Set(uint8,uint256,string)",
      { where: { name: "gold" } },
      `CONFIG_INVALID handlers: ${HERE}: Token.Set(uint8,uint256,string): where.name: "gold" is no string → Give its keccak256 hash: of an indexed value of this type the chain keeps no more.`,
    ],
  ];

  it.each(cases)("%#: %s", (event, options, error) => {
    const indexer = indexerOf();
    indexer.on(event, options, handler);
    expect(withoutLines(errorOf(() => resolve(indexer)))).toBe(error);
  });
});

describe("the fingerprint", () => {
  function fingerprint(changes: Changes, options?: unknown): string {
    const indexer = indexerOf(changes);
    indexer.on("Token.Transfer", options, handler);
    const definition = resolveDefinition(indexer, { env: {} });
    return fingerprintOf(definition, resolveRegistrations(definition, registrationsOf(indexer))).fingerprint;
  }
  const first = fingerprint({});

  it("is a hash that stays the same when nothing that makes rows changes", () => {
    expect(first).toMatch(/^[0-9a-f]{64}$/);
    expect(fingerprint({})).toBe(first);
    expect(fingerprint({ rpc: "http://secret-key" })).toBe(first);
    expect(fingerprint({ extra: ["event NotHandled()"] })).toBe(first);
    expect(fingerprint({}, { onError: "skip" })).toBe(first);
  });

  it("changes with blocks and filters", () => {
    expect(fingerprint({ startBlock: 2 })).not.toBe(first);
    expect(fingerprint({}, { where: { from: A } })).not.toBe(first);
    expect(fingerprint({}, { where: { from: A } })).toBe(fingerprint({}, { where: { from: LOWER } }));
  });

  it("changes with selected fields, not with their order", () => {
    const fields = (...block: string[]): string => fingerprint({}, { fields: { block } });
    expect(fields("miner", "size")).not.toBe(first);
    expect(fields("size", "miner", "size")).toBe(fields("miner", "size"));
    expect(fields()).toBe(first);
  });

  it("changes with a set-up", () => {
    const indexer = indexerOf();
    indexer.on("Token.Transfer", handler);
    indexer.onSetup(handler);
    const definition = resolveDefinition(indexer, { env: {} });
    expect(fingerprintOf(definition, resolve(indexer), setupOf(indexer)).fingerprint).not.toBe(first);
    expect(fingerprintOf(definition, resolve(indexer), undefined).fingerprint).toBe(first);
  });

  it("comes with what it covers", () => {
    const indexer = indexerOf();
    indexer.on("Token.Transfer", { where: { from: A } }, handler);
    const definition = resolveDefinition(indexer, { env: {} });
    expect(fingerprintOf(definition, resolveRegistrations(definition, registrationsOf(indexer))).definition).toEqual({
      tables: {
        account: {
          columns: { id: { kind: "address" }, balance: { kind: "int256", default: "0n" } },
          key: ["id"],
          appendOnly: false,
          crossChain: false,
        },
      },
      handlers: {
        "Token.Transfer": {
          signature: "Transfer(address,address,uint256)",
          indexed: ["from", "to"],
          where: [{ from: [LOWER] }],
        },
      },
      contracts: { Token: { "1": { addresses: [LOWER], startBlock: 1 } } },
    });
  });
});
