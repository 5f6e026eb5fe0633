import type { Hex } from "../chain/hex.ts";
import type { CheckedAbi } from "./checked-abi.ts";
import type { EnvReference } from "./env.ts";
import type { AbiInput } from "./events.ts";
import type { FactoryIn, FactoryOptions, FactoryReference } from "./factory.ts";
import type { Indexer } from "./indexer.ts";
import { createIndexer } from "./registration.ts";

export interface SourceConfig {
  /** The address of a JSON-RPC endpoint, or `env("NAME")`. May hold secrets: it is never printed. */
  readonly rpc: string | EnvReference;
  /** Requests under way at once. */
  readonly maxConcurrency?: number;
  /** Most blocks in one log query; shrinks by itself when the node wants less. */
  readonly maxRangeBlocks?: number;
  /** Patience with one request, in milliseconds. */
  readonly timeoutMs?: number;
  /** Extra HTTP headers, e.g. for authorization. */
  readonly headers?: Readonly<Record<string, string | EnvReference>>;
}

export interface ChainConfig {
  /** EIP-155 chain id. The endpoints are asked for theirs, and must agree. */
  readonly id: number;
  /** In order of preference. */
  readonly sources: readonly [SourceConfig, ...SourceConfig[]];
  /** A reorg deeper than this stops the chain. Blocks; the default depends on the chain. */
  readonly maxReorgDepth?: number;
  /** How many blocks to stay behind the head. Default 0. */
  readonly blockLag?: number;
  /** How often to ask for the head. Milliseconds; the default depends on the chain. */
  readonly pollIntervalMs?: number;
  /**
   * How old durable data of the live chain may be before the objective is missed, which alerts count. Seconds; default
   * 30, or 5 block times where that is more, and the time of the blocks that `blockLag` holds back.
   */
  readonly freshnessObjectiveSeconds?: number;
}

/** A contract on one chain. */
export interface DeploymentConfig<Factory extends FactoryOptions = FactoryOptions> {
  /**
   * One address, several, `factory({ … })`: those that events of another contract name, `"registered"`: only those that
   * handlers register, or `"any"`: events of every contract that emits them.
   */
  readonly address: Hex | readonly Hex[] | FactoryReference<Factory> | "registered" | "any";
  /** First block to index. Default 0. */
  readonly startBlock?: number;
  /** Last block to index. Default: follow the head. */
  readonly endBlock?: number;
}

export interface ContractConfig<
  Abi extends AbiInput,
  Chain extends string,
  Factory extends FactoryOptions = FactoryOptions,
> {
  /** Human-readable signatures, or a JSON ABI declared `as const`. */
  readonly abi: Abi extends CheckedAbi<Abi> ? Abi : CheckedAbi<Abi>;
  /** Where it is deployed: chain name → address and blocks. */
  readonly chains: { readonly [Name in Chain]?: DeploymentConfig<Factory> };
}

export interface IndexerConfig<
  Schema extends object,
  Chain extends string,
  Abis extends Readonly<Record<string, AbiInput>>,
> {
  /** Names the PostgreSQL schema too: a lower-case letter, then letters, digits, underscores; at most 40. */
  readonly name: string;
  /** Entities by name: `import * as schema from "./schema.ts"`. */
  readonly schema: Schema;
  /** Globs of handler files, relative to this file. Default: `./handlers.ts` and `./src/handlers/**\/*.ts`. */
  readonly handlers?: string | readonly string[];
  readonly chains: { readonly [Name in Chain]: ChainConfig };
  readonly contracts: {
    readonly [Name in keyof Abis]: ContractConfig<Abis[Name], NoInfer<Chain>, FactoryIn<NoInfer<Abis>>>;
  };
  /** Writes every event that handlers get to the table `raw_events` too. Default false. */
  readonly rawEvents?: boolean;
}

/**
 * Declares an indexer: what `spindex.config.ts` exports as its default. Everything is checked at start.
 */
export function defineIndexer<
  Schema extends object,
  Chain extends string,
  const Abis extends Readonly<Record<string, AbiInput>>,
>(config: IndexerConfig<Schema, Chain, Abis>): Indexer<Schema, Abis, Chain> {
  return createIndexer(config) as Indexer<Schema, Abis, Chain>;
}
