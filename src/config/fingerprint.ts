import { createHash } from "node:crypto";
import { canonicalJson } from "../lib/canonical-json.ts";
import type { DeploymentDefinition, IndexerDefinition } from "./definition.ts";
import type { Registration, SetupRegistration } from "./registration.ts";
import type { JsonValue } from "./t.ts";

export interface Fingerprint {
  /** SHA-256 of `definition` in canonical JSON: 64 hex digits. */
  readonly fingerprint: string;
  /** What the fingerprint covers; kept beside it, so that a difference can be listed. */
  readonly definition: JsonValue;
}

/**
 * What decides the rows: the schema, the events that are handled, their addresses or factories, blocks, filters and fields, whether
 * there is a set-up, and whether raw events are kept. Never URLs, keys or tuning, nor indexes and what the API shows.
 */
export function fingerprintOf(
  definition: IndexerDefinition,
  registrations: readonly Registration[],
  setup?: SetupRegistration,
): Fingerprint {
  const content = {
    tables: Object.fromEntries(definition.tables.map((table) => [table.name, tableContent(table)])),
    handlers: Object.fromEntries(registrations.map((registration) => [registration.key, handlerContent(registration)])),
    contracts: Object.fromEntries(
      definition.contracts
        .filter((contract) => registrations.some((registration) => registration.contract.name === contract.name))
        .map((contract) => [contract.name, contractContent(contract, definition)]),
    ),
    ...(setup === undefined ? {} : { setup: true }),
    ...(definition.rawEvents ? { rawEvents: true } : {}),
  };
  return { fingerprint: createHash("sha256").update(canonicalJson(content)).digest("hex"), definition: content };
}

function tableContent(table: IndexerDefinition["tables"][number]): JsonValue {
  const columns = table.columns.map(
    ({ name, kind, nullable, array, defaultValue, precision, scale, values, references }) => [
      name,
      {
        kind,
        ...(nullable ? { nullable } : {}),
        ...(array ? { array } : {}),
        ...(defaultValue === undefined ? {} : { default: plain(defaultValue) }),
        ...(precision === undefined ? {} : { precision }),
        ...(scale === undefined ? {} : { scale }),
        ...(values === undefined ? {} : { values }),
        ...(references === undefined ? {} : { references }),
      },
    ],
  );
  const { key, appendOnly, crossChain } = table;
  return { columns: Object.fromEntries(columns) as JsonValue, key, appendOnly, crossChain };
}

function handlerContent({ event, where, startBlock, endBlock, fields }: Registration): JsonValue {
  return {
    signature: event.signature,
    indexed: event.inputs.filter((input) => input.indexed).map((input) => input.name),
    ...(where === undefined ? {} : { where: plain(where) }),
    ...(startBlock === undefined ? {} : { startBlock }),
    ...(endBlock === undefined ? {} : { endBlock }),
    ...(fields === undefined ? {} : { fields: plain(fields) }),
  };
}

/** By chain id: the name of a chain may change. */
function contractContent(contract: IndexerDefinition["contracts"][number], definition: IndexerDefinition): JsonValue {
  return Object.fromEntries(
    contract.deployments.map((deployment) => [
      String(definition.chains.find(({ name }) => name === deployment.chain)?.id),
      deploymentContent(deployment, definition),
    ]),
  );
}

/** With what its factory is, and the factory of that: they decide which addresses there are. */
function deploymentContent(deployment: DeploymentDefinition, definition: IndexerDefinition): JsonValue {
  const { chain, addresses, factory, startBlock, endBlock } = deployment;
  const origin = definition.contracts
    .find(({ name }) => name === factory?.contract)
    ?.deployments.find((other) => other.chain === chain);
  return {
    addresses: addresses === "any" ? addresses : [...addresses].sort(),
    startBlock,
    ...(endBlock === undefined ? {} : { endBlock }),
    ...(factory === undefined || origin === undefined
      ? {}
      : { factory: { ...factoryContent(factory), of: deploymentContent(origin, definition) } }),
  };
}

function factoryContent({ contract, event, parameter }: NonNullable<DeploymentDefinition["factory"]>): {
  readonly [name: string]: JsonValue;
} {
  const indexed = event.inputs.filter((input) => input.indexed).map((input) => input.name);
  return { contract, signature: event.signature, indexed, parameter };
}

/** Values as JSON has them: bigints as text. */
function plain(value: unknown): JsonValue {
  return JSON.parse(JSON.stringify(value, (_, item) => (typeof item === "bigint" ? `${item}n` : item))) as JsonValue;
}
