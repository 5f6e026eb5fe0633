import type { Address, Hash, Hex } from "./hex.ts";

/** What handlers can select of an event's block, beyond its number, timestamp and hash. */
export interface BlockFields {
  readonly parentHash: Hash;
  /** Who proposed the block: the beneficiary of its fees. */
  readonly miner: Address;
  /** Gas. */
  readonly gasLimit: bigint;
  /** Gas. */
  readonly gasUsed: bigint;
  /** Wei per gas; null before EIP-1559. */
  readonly baseFeePerGas: bigint | null;
  readonly difficulty: bigint;
  readonly extraData: Hex;
  /** 256 bytes. */
  readonly logsBloom: Hex;
  readonly stateRoot: Hash;
  readonly transactionsRoot: Hash;
  readonly receiptsRoot: Hash;
  /** Bytes. */
  readonly size: bigint;
  /** 8 bytes; null on chains that have none. */
  readonly nonce: Hex | null;
  /** After the merge the randomness of the beacon chain; null on chains that have none. */
  readonly mixHash: Hash | null;
}

/** What handlers can select of an event's transaction, beyond its hash and index. */
export interface TransactionFields {
  readonly from: Address;
  /** Null when the transaction makes a contract. */
  readonly to: Address | null;
  /** Wei. */
  readonly value: bigint;
  readonly input: Hex;
  /** How many transactions the sender had made before. */
  readonly nonce: number;
  /** The limit that the sender gave. Gas. */
  readonly gas: bigint;
  /** What was paid. Wei per gas. */
  readonly gasPrice: bigint;
  /** Wei per gas; null for transactions without it. */
  readonly maxFeePerGas: bigint | null;
  /** Wei per gas; null for transactions without it. */
  readonly maxPriorityFeePerGas: bigint | null;
  /** EIP-2718: 0 legacy, 1 access list, 2 dynamic fee, 3 blobs, 4 code; others are the chain's own. */
  readonly type: number;
}

export type BlockField = keyof BlockFields;
export type TransactionField = keyof TransactionFields;

/** Fields beyond the default ones. */
export interface FieldSelection {
  readonly block: readonly BlockField[];
  readonly transaction: readonly TransactionField[];
}

export const BLOCK_FIELDS: readonly BlockField[] = namesOf<BlockField>({
  parentHash: true,
  miner: true,
  gasLimit: true,
  gasUsed: true,
  baseFeePerGas: true,
  difficulty: true,
  extraData: true,
  logsBloom: true,
  stateRoot: true,
  transactionsRoot: true,
  receiptsRoot: true,
  size: true,
  nonce: true,
  mixHash: true,
});

export const TRANSACTION_FIELDS: readonly TransactionField[] = namesOf<TransactionField>({
  from: true,
  to: true,
  value: true,
  input: true,
  nonce: true,
  gas: true,
  gasPrice: true,
  maxFeePerGas: true,
  maxPriorityFeePerGas: true,
  type: true,
});

/** All names of a union: one that is forgotten here is a type error. */
function namesOf<Name extends string>(names: Readonly<Record<Name, true>>): readonly Name[] {
  return Object.keys(names) as Name[];
}
