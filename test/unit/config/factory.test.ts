import { describe, expect, it } from "vitest";
import { entity } from "../../../src/config/entity.ts";
import { factory } from "../../../src/config/factory.ts";
import { fingerprintOf } from "../../../src/config/fingerprint.ts";
import { createIndexer, registrationsOf } from "../../../src/config/registration.ts";
import { resolveDefinition } from "../../../src/config/resolve-definition.ts";
import { resolveRegistrations } from "../../../src/config/resolve-registrations.ts";
import { t } from "../../../src/config/t.ts";
import { SpindexError } from "../../../src/errors.ts";

const CREATED = "event PairCreated(address indexed token, address pair, uint256 count)";
const MADE = ["event Made(address at)", "event Made(address at, uint256 kind)"];
const FIRST = `0x${"11".repeat(20)}`;
const SECOND = `0x${"22".repeat(20)}`;
const pairs = factory({ contract: "Factory", event: "PairCreated", parameter: "pair" });

/** @param address of the contract Pair, of Factory, and of Root */
function configOf(address: unknown, ofFactory: unknown = FIRST, ofRoot: unknown = SECOND) {
  const at = (given: unknown) => ({ mainnet: { address: given, startBlock: 5 } });
  return {
    name: "pairs",
    schema: { account: entity({ id: t.address() }) },
    chains: {
      mainnet: { id: 1, sources: [{ rpc: "http://localhost:8545" }] },
      base: { id: 8453, sources: [{ rpc: "http://localhost:8546" }] },
    },
    contracts: {
      Pair: { abi: ["event Sync()"], chains: at(address) },
      Factory: { abi: [CREATED], chains: at(ofFactory) },
      Root: { abi: MADE, chains: at(ofRoot) },
      Elsewhere: { abi: [CREATED], chains: { base: { address: FIRST } } },
    },
  };
}

function deploymentOf(config: unknown, contract = "Pair") {
  const { contracts } = resolveDefinition(createIndexer(config), { env: {} });
  return contracts.find(({ name }) => name === contract)?.deployments[0];
}

function errorOf(config: unknown): string {
  try {
    resolveDefinition(createIndexer(config), { env: {}, place: "config" });
  } catch (error) {
    if (error instanceof SpindexError) return `${error.code} ${error.message} → ${error.fix}`;
    throw error;
  }
  throw new Error("no error");
}

describe("a factory in the configuration", () => {
  it("is joined to its event; the contract has no addresses of its own", () => {
    expect(deploymentOf(configOf(pairs))).toMatchObject({
      addresses: [],
      factory: { contract: "Factory", parameter: "pair", event: { key: "PairCreated" } },
    });
  });

  it("may have a factory itself, and may name an overloaded event by its signature", () => {
    const made = factory({ contract: "Root", event: "Made(address,uint256)", parameter: "at" });
    expect(deploymentOf(configOf(pairs, made), "Factory")?.factory?.event.signature).toBe("Made(address,uint256)");
  });

  it("leaves a contract whose addresses handlers register without one", () => {
    expect(deploymentOf(configOf("registered"))).toMatchObject({ addresses: [], factory: undefined });
  });

  it.each([
    [
      { contract: "Factry", event: "PairCreated", parameter: "pair" },
      'Pair.chains.mainnet.address.contract: there is no contract "Factry" → Did you mean "Factory"?',
    ],
    [
      { contract: "Elsewhere", event: "PairCreated", parameter: "pair" },
      "Pair.chains.mainnet.address.contract: Elsewhere is not on mainnet → Add mainnet to contracts.Elsewhere.chains, or give the addresses.",
    ],
    [
      { contract: "Factory", event: "PairCreatd", parameter: "pair" },
      'Pair.chains.mainnet.address.event: Factory has no event "PairCreatd" → Did you mean "PairCreated"?',
    ],
    [
      { contract: "Root", event: "Made", parameter: "at" },
      'Pair.chains.mainnet.address.event: Root has 2 events named Made → Name one by its signature: "Made(address)" or "Made(address,uint256)".',
    ],
    [
      { contract: "Factory", event: "PairCreated", parameter: "pear" },
      'Pair.chains.mainnet.address.parameter: Factory.PairCreated has no argument "pear" → There are token, pair.',
    ],
    [
      { contract: "Factory", event: "PairCreated", parameter: "count" },
      "Pair.chains.mainnet.address.parameter: Factory.PairCreated: count is a uint256, not an address → There are token, pair.",
    ],
    [
      { contract: "Factory", event: "PairCreated", parameter: 3 },
      'Pair.chains.mainnet.address: the factory is {"contract":"Factory","event":"PairCreated","parameter":3} → Write factory(',
    ],
    [
      { contract: "Factory", event: "PairCreated", parameter: "pair", from: 1 },
      "Pair.chains.mainnet.address.from: there is no such setting",
    ],
  ])("%j is refused by its place, with the fix", (given, message) => {
    expect(errorOf(configOf(factory(given as never)))).toContain(`CONFIG_INVALID config: contracts.${message}`);
  });

  it("is refused when it goes in a circle, once for each in it", () => {
    const fromPair = factory({ contract: "Pair", event: "Sync", parameter: "x" });
    const text = errorOf(configOf(pairs, fromPair));
    expect(text).toContain(
      "contracts.Pair.chains.mainnet.address: each waits for the other's events: Pair from Factory from Pair",
    );
    expect(text).toContain("each waits for the other's events: Factory from Pair from Factory");
    expect(text).toContain("2 problems");
    expect(errorOf(configOf(factory({ contract: "Pair", event: "Sync", parameter: "x" })))).toContain(
      "Pair from Pair → Give one of them its addresses.",
    );
    // The contract that hangs on a circle has no problem of its own.
    const fromRoot = factory({ contract: "Root", event: "Made", parameter: "at" });
    const rootCircle = factory({ contract: "Root", event: "Made(address)", parameter: "at" });
    expect(errorOf(configOf(pairs, fromRoot, rootCircle))).toContain("Root from Root");
  });
});

describe("the fingerprint", () => {
  function fingerprint(...addresses: [address: unknown, ofFactory?: unknown, ofRoot?: unknown]): string {
    const indexer = createIndexer(configOf(...addresses));
    indexer.on("Pair.Sync", () => {});
    const definition = resolveDefinition(indexer, { env: {} });
    return fingerprintOf(definition, resolveRegistrations(definition, registrationsOf(indexer))).fingerprint;
  }

  it("covers a factory, what it is called for, and where it is, all the way up", () => {
    const made = factory({ contract: "Root", event: "Made(address)", parameter: "at" });
    const variants = [
      fingerprint("registered"),
      fingerprint(pairs),
      fingerprint(factory({ contract: "Factory", event: "PairCreated", parameter: "token" })),
      fingerprint(pairs, SECOND),
      fingerprint(pairs, made),
      fingerprint(pairs, factory({ contract: "Root", event: "Made(address,uint256)", parameter: "at" })),
      fingerprint(pairs, made, FIRST),
    ];
    expect(new Set(variants).size).toBe(variants.length);
    expect(fingerprint(pairs, made)).toBe(fingerprint(pairs, made));
  });
});
