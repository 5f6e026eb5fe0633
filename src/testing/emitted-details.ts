import type { BlockDetails, TransactionDetails } from "../chain/block.ts";
import type { BlockFields, TransactionFields } from "../chain/fields.ts";
import type { Address, Hash, Hex } from "../chain/hex.ts";
import type { LogFields } from "../chain/log-page.ts";

const NO_HASH: Hash = `0x${"00".repeat(32)}`;
const NO_ADDRESS: Address = `0x${"00".repeat(20)}`;

const BLOCK: BlockFields = {
  parentHash: NO_HASH,
  miner: NO_ADDRESS,
  gasLimit: 30_000_000n,
  gasUsed: 0n,
  baseFeePerGas: 0n,
  difficulty: 0n,
  extraData: "0x",
  logsBloom: `0x${"00".repeat(256)}`,
  stateRoot: NO_HASH,
  transactionsRoot: NO_HASH,
  receiptsRoot: NO_HASH,
  size: 0n,
  nonce: "0x0000000000000000",
  mixHash: NO_HASH,
};

const TRANSACTION: TransactionFields = {
  from: NO_ADDRESS,
  to: NO_ADDRESS,
  value: 0n,
  input: "0x",
  nonce: 0,
  gas: 0n,
  gasPrice: 0n,
  maxFeePerGas: null,
  maxPriorityFeePerGas: null,
  type: 0,
};

/** Blocks and transactions of emitted events, as a source would give them: zeros, but for the fields that were given. */
export class EmittedDetails {
  #blocks = new Map<number, { details: BlockDetails; transactions: Map<number, TransactionDetails> }>();

  /** Fields that are given for a block or a transaction again are added to those given before. */
  add(log: LogFields, block: Partial<BlockFields>, transaction: Partial<TransactionFields>): void {
    const { blockNumber, transactionIndex } = log;
    const header = {
      number: blockNumber,
      hash: log.blockHash as Hash,
      parentHash: block.parentHash ?? NO_HASH,
      timestamp: log.blockTimestamp,
    };
    const earlier = this.#blocks.get(blockNumber);
    const transactions = earlier?.transactions ?? new Map<number, TransactionDetails>();
    transactions.set(transactionIndex, {
      hash: log.transactionHash as Hash,
      fields: merged(transactions.get(transactionIndex)?.fields ?? TRANSACTION, transaction, TRANSACTION),
    });
    const fields = merged(earlier?.details.fields ?? BLOCK, block, BLOCK);
    this.#blocks.set(blockNumber, { details: { header, fields, transactions }, transactions });
  }

  /** What was added since the last time. */
  take(): ReadonlyMap<number, BlockDetails> {
    const blocks = this.#blocks;
    this.#blocks = new Map();
    return new Map([...blocks].map(([number, { details }]) => [number, details]));
  }
}

/** Only what is a field; hexadecimal text in lower case. */
function merged<Fields extends object>(before: Partial<Fields>, given: Partial<Fields>, all: Fields): Partial<Fields> {
  const fields = { ...before };
  for (const name of Object.keys(all) as (keyof Fields)[]) {
    const value = given[name];
    if (value !== undefined) fields[name] = (typeof value === "string" ? lower(value) : value) as Fields[typeof name];
  }
  return fields;
}

function lower(text: string): Hex {
  return text.toLowerCase() as Hex;
}
