import type { EventAbi } from "../abi/event-abi.ts";
import { parseEvents } from "../abi/parse-abi.ts";
import type { Address } from "../chain/hex.ts";
import { SpindexError } from "../errors.ts";
import { keepSecret } from "../lib/known-secrets.ts";
import { defaultsOfChain, freshnessObjectiveSeconds } from "./chain-defaults.ts";
import { checkAddress } from "./checksum.ts";
import {
  type ChainShape,
  type ConfigShape,
  checkShape,
  type DeploymentShape,
  type SourceShape,
} from "./config-shape.ts";
import type {
  ChainDefinition,
  ContractDefinition,
  DeploymentDefinition,
  IndexerDefinition,
  SourceDefinition,
} from "./definition.ts";
import { ENV, type EnvReference, type EnvSource, isEnvReference, lookUpSecret } from "./env.ts";
import { isFactory } from "./factory.ts";
import type { AnyIndexer } from "./indexer.ts";
import { Problems, show } from "./problems.ts";
import { configOf } from "./registration.ts";
import { FactoryResolver } from "./resolve-factories.ts";
import { didYouMean } from "./suggestion.ts";
import { tablesOf } from "./tables.ts";

/** Where handlers are looked for when the configuration does not say. */
export const DEFAULT_HANDLERS: readonly string[] = ["./handlers.ts", "./src/handlers/**/*.ts"];

export interface ResolveOptions {
  /** Where `env()` references are looked up. */
  readonly env: EnvSource;
  /** What the configuration is called in messages: the file's name. */
  readonly place?: string;
}

/**
 * Checks the whole configuration and fills in its defaults.
 * @throws SpindexError CONFIG_INVALID, or SCHEMA_INVALID, ABI_INVALID, ADDRESS_INVALID, ENV_INVALID when all problems
 *   are of that kind; every problem is listed
 */
export function resolveDefinition(indexer: AnyIndexer, options: ResolveOptions): IndexerDefinition {
  const problems = new Problems();
  const given = configOf(indexer);
  const shape = checkShape(given, problems);
  const schema = typeof given === "object" && given !== null && "schema" in given ? given.schema : undefined;
  const { tables, relations } =
    typeof schema === "object" && schema !== null ? tablesOf(schema, problems) : { tables: [], relations: [] };
  const place = options.place ?? "the configuration";
  const parts = shape === undefined ? undefined : resolveParts(shape, options.env, problems);
  problems.throwIfAny(place, "CONFIG_INVALID");
  if (shape === undefined || parts === undefined) {
    throw new SpindexError("INTERNAL", `impossible state: ${place} has no usable shape and no problem`);
  }
  const handlers = shape.handlers ?? DEFAULT_HANDLERS;
  return Object.freeze({
    name: shape.name,
    tables,
    relations,
    ...parts,
    handlers: typeof handlers === "string" ? [handlers] : handlers,
    rawEvents: shape.rawEvents ?? false,
  });
}

function resolveParts(
  shape: ConfigShape,
  env: EnvSource,
  problems: Problems,
): { chains: readonly ChainDefinition[]; contracts: readonly ContractDefinition[] } {
  checkNames(shape, problems);
  checkUse(shape, problems);
  const values = new EnvValues(env, problems);
  const chains = Object.entries(shape.chains).map(([name, chain]) => chainOf(name, chain, values));
  values.report();
  const events = new Map(
    Object.entries(shape.contracts).map(([name, { abi }]) => [name, eventsOf(abi, `contracts.${name}.abi`, problems)]),
  );
  const factories = new FactoryResolver(shape.contracts, events, problems);
  const contracts = Object.entries(shape.contracts).map(([name, contract]) => ({
    name,
    events: events.get(name) ?? [],
    deployments: Object.entries(contract.chains).map(([chain, deployment]) => ({
      ...deploymentOf(chain, deployment),
      factory: factories.resolve(name, chain),
    })),
  }));
  return { chains, contracts };
}

/** Names stand in handler keys, metrics and logs. */
function checkNames(shape: ConfigShape, problems: Problems): void {
  for (const name of Object.keys(shape.contracts)) {
    if (/^[A-Za-z_$][\w$]*$/.test(name)) continue;
    const fix = 'Use a letter, then letters, digits and underscores: it stands before the dot in "Token.Transfer".';
    problems.add("CONFIG_INVALID", `contracts.${name}`, "is no usable name of a contract", fix);
  }
  for (const name of Object.keys(shape.chains)) {
    if (/^[A-Za-z][\w-]{0,39}$/.test(name)) continue;
    const fix = "Use a letter, then letters, digits, underscores and dashes; at most 40.";
    problems.add("CONFIG_INVALID", `chains.${name}`, "is no usable name of a chain", fix);
  }
}

/** Chains and contracts must meet. */
function checkUse(shape: ConfigShape, problems: Problems): void {
  const chainNames = Object.keys(shape.chains);
  const used = new Set(Object.values(shape.contracts).flatMap(({ chains }) => Object.keys(chains)));
  const byId = new Map<number, string>();
  if (chainNames.length === 0) {
    const fix = 'Give at least one: { mainnet: { id: 1, sources: [{ rpc: env("MAINNET_RPC_URL") }] } }.';
    problems.add("CONFIG_INVALID", "chains", "is empty", fix);
  }
  if (Object.keys(shape.contracts).length === 0) {
    const fix = "Give at least one: { Token: { abi, chains: { mainnet: { address, startBlock } } } }.";
    problems.add("CONFIG_INVALID", "contracts", "is empty", fix);
  }
  for (const [name, { id }] of Object.entries(shape.chains)) {
    const other = byId.get(id);
    if (other === undefined) byId.set(id, name);
    else {
      const fix = "A chain is listed once: merge their sources into one list.";
      problems.add("CONFIG_INVALID", `chains.${name}.id`, `${id} is also the id of chains.${other}`, fix);
    }
    if (!used.has(name)) {
      const fix = "Remove it, or add it to the chains of a contract.";
      problems.add("CONFIG_INVALID", `chains.${name}`, "is used by no contract", fix);
    }
  }
  for (const [name, { chains }] of Object.entries(shape.contracts)) {
    if (Object.keys(chains).length === 0) {
      const fix = `Say where it is: { ${chainNames[0] ?? "mainnet"}: { address: "0x…", startBlock: 12_000_000 } }.`;
      problems.add("CONFIG_INVALID", `contracts.${name}.chains`, "is empty", fix);
    }
    for (const chain of Object.keys(chains)) {
      if (chainNames.includes(chain)) continue;
      const message = `there is no chain ${show(chain)} in chains`;
      problems.add("CONFIG_INVALID", `contracts.${name}.chains.${chain}`, message, didYouMean(chain, chainNames));
    }
  }
}

function chainOf(name: string, chain: ChainShape, values: EnvValues): ChainDefinition {
  const defaults = defaultsOfChain(chain.id);
  const blockLag = chain.blockLag ?? 0;
  return {
    name,
    id: chain.id,
    sources: chain.sources.map((source, index) => sourceOf(source, `chains.${name}.sources[${index}]`, values)),
    maxReorgDepth: chain.maxReorgDepth ?? defaults.maxReorgDepth,
    blockLag,
    pollIntervalMs: chain.pollIntervalMs ?? defaults.pollIntervalMs,
    freshnessObjectiveSeconds:
      chain.freshnessObjectiveSeconds ?? freshnessObjectiveSeconds(defaults.blockSeconds, blockLag),
  };
}

function sourceOf(source: SourceShape, place: string, values: EnvValues): SourceDefinition {
  const headers = Object.entries(source.headers ?? {}).map(
    ([name, value]) => [name, values.header(name, value, `${place}.headers.${name}`)] as const,
  );
  return {
    rpc: values.url(source.rpc, `${place}.rpc`),
    maxConcurrency: source.maxConcurrency ?? 4,
    maxRangeBlocks: source.maxRangeBlocks ?? 10_000,
    timeoutMs: source.timeoutMs ?? 30_000,
    headers: Object.fromEntries(headers),
  };
}

function deploymentOf(
  chain: string,
  { address, startBlock, endBlock }: DeploymentShape,
): Omit<DeploymentDefinition, "factory"> {
  return { chain, addresses: addressesOf(address), startBlock: startBlock ?? 0, endBlock };
}

/** Lower-case, each once, in the order given. Wrong ones have been reported. */
function addressesOf(given: DeploymentShape["address"]): "any" | readonly Address[] {
  if (given === "any") return "any";
  if (given === "registered" || isFactory(given)) return [];
  const addresses = [given].flat().flatMap((one) => {
    const check = checkAddress(one);
    return check.ok ? [check.address] : [];
  });
  return [...new Set(addresses)];
}

function eventsOf(abi: readonly unknown[], place: string, problems: Problems): readonly EventAbi[] {
  try {
    const events = parseEvents(abi, place);
    if (events.every((event) => event.anonymous)) {
      problems.add(
        "ABI_INVALID",
        place,
        "has no event that can be indexed",
        'Add its events, e.g. "event Transfer(…)".',
      );
    }
    return events;
  } catch (error) {
    if (!(error instanceof SpindexError)) throw error;
    // Its message begins with the place, which may go deeper than the ABI as a whole.
    const [, deeper = "", message = ""] = /^([^\s:,]*):? ?(.*)$/s.exec(error.message) ?? [];
    const hasPlace = deeper.startsWith(place);
    problems.add(
      error.code,
      hasPlace ? deeper : place,
      hasPlace ? message : error.message,
      error.fix ?? "Mend the ABI.",
    );
    return [];
  }
}

/** What HTTP allows. */
const HEADER_NAME = /^[\w!#$%&'*+.^`|~-]+$/;
const HEADER_VALUE = /^[\t\x20-\x7e\x80-\xff]*$/;

/** Values that may come from the environment; a missing variable is reported once, with every place that needs it. */
class EnvValues {
  readonly #source: EnvSource;
  readonly #problems: Problems;
  readonly #missing = new Map<string, string[]>();

  constructor(source: EnvSource, problems: Problems) {
    this.#source = source;
    this.#problems = problems;
  }

  text(value: string | EnvReference, place: string): string {
    if (!isEnvReference(value)) {
      keepSecret(value);
      return value;
    }
    const { name, defaultValue } = value[ENV];
    const found = lookUpSecret(this.#source, name);
    if (found.state === "found") return found.value;
    if (found.state === "wrong") this.#problems.add("ENV_INVALID", place, found.message, found.fix);
    else if (defaultValue === undefined) this.#missing.set(name, [...(this.#missing.get(name) ?? []), place]);
    keepSecret(defaultValue ?? "");
    return defaultValue ?? "";
  }

  /** The text is never shown: it may hold a key. */
  url(value: string | EnvReference, place: string): string {
    const before = this.#problems.count;
    const text = this.text(value, place);
    const isMissing = text === "" || this.#problems.count > before;
    const protocol = URL.canParse(text) ? new URL(text).protocol : undefined;
    if (!isMissing && protocol !== "http:" && protocol !== "https:") {
      const from = isEnvReference(value) ? `${value[ENV].name} ` : "";
      // Without the slashes it may be a user name: `user:password@host`.
      const isScheme = protocol !== undefined && text.startsWith(`${protocol}//`);
      const message = isScheme ? `${from}is a ${protocol}// URL` : `${from}is not a URL`;
      this.#problems.add(
        isEnvReference(value) ? "ENV_INVALID" : "CONFIG_INVALID",
        place,
        message,
        "Give an http:// or https:// URL.",
      );
    }
    return text;
  }

  /** The value is never shown either. */
  header(name: string, value: string | EnvReference, place: string): string {
    const text = this.text(value, place);
    const add = (message: string, fix: string): void =>
      this.#problems.add(isEnvReference(value) ? "ENV_INVALID" : "CONFIG_INVALID", place, message, fix);
    if (!HEADER_NAME.test(name)) add(`${JSON.stringify(name)} is no name of a header`, 'Write it like "x-api-key".');
    if (!HEADER_VALUE.test(text)) {
      add("the value has a character that no header can hold", "Look for a line break, or quotes that are not plain.");
    }
    return text;
  }

  report(): void {
    for (const [name, places] of this.#missing) {
      const message = `the environment variable ${name} is not set`;
      this.#problems.add(
        "ENV_INVALID",
        places.join(", "),
        message,
        `Set ${name}, or ${name}_FILE, or write it into .env.`,
      );
    }
  }
}
