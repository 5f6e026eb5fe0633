import type { EventAbi } from "../abi/event-abi.ts";
import type { Address } from "../chain/hex.ts";
import type { TableModel } from "../store/table.ts";

/** The checked, resolved form of what the user wrote: everything that commands work with. Immutable. */
export interface IndexerDefinition {
  readonly name: string;
  readonly tables: readonly TableModel[];
  /** Reverse relations, for the API. */
  readonly relations: readonly RelationDefinition[];
  readonly chains: readonly ChainDefinition[];
  readonly contracts: readonly ContractDefinition[];
  /** Globs of handler files, relative to the config file. */
  readonly handlers: readonly string[];
  /** Every handled event is written to the table `raw_events`. */
  readonly rawEvents: boolean;
}

/** `many(() => transfer, "from")` of an entity: the rows of another one that refer to it. */
export interface RelationDefinition {
  /** The entity that has the relation, and the relation's name in it. */
  readonly entity: string;
  readonly name: string;
  /** The entity whose `column` refers to the first one. */
  readonly target: string;
  readonly column: string;
}

export interface ChainDefinition {
  readonly name: string;
  readonly id: number;
  /** In order of preference; addresses may hold secrets and are never printed. */
  readonly sources: readonly SourceDefinition[];
  /** A reorg deeper than this stops the chain. Blocks. */
  readonly maxReorgDepth: number;
  /** How many blocks to stay behind the head. */
  readonly blockLag: number;
  readonly pollIntervalMs: number;
  /** How old durable data may be while the chain is live. */
  readonly freshnessObjectiveSeconds: number;
}

export interface SourceDefinition {
  readonly rpc: string;
  /** Requests under way at once. */
  readonly maxConcurrency: number;
  /** Most blocks in one log query; shrinks by itself when the node wants less. */
  readonly maxRangeBlocks: number;
  readonly timeoutMs: number;
  readonly headers: Readonly<Record<string, string>>;
}

export interface ContractDefinition {
  readonly name: string;
  readonly events: readonly EventAbi[];
  readonly deployments: readonly DeploymentDefinition[];
}

/** A contract on one chain. */
export interface DeploymentDefinition {
  /** The chain's name. */
  readonly chain: string;
  /** Those in the configuration; handlers may register more. */
  readonly addresses: "any" | readonly Address[];
  /** What brings further ones. */
  readonly factory: FactoryDefinition | undefined;
  readonly startBlock: number;
  /** Included. Undefined: follow the head. */
  readonly endBlock: number | undefined;
}

/** An event that brings addresses: `parameter` is one of its arguments. */
export interface FactoryDefinition {
  /** The name of the contract that emits it, on the same chain. */
  readonly contract: string;
  readonly event: EventAbi;
  readonly parameter: string;
}
