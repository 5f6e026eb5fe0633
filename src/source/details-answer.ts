import type { BlockDetails, TransactionDetails } from "../chain/block.ts";
import type { BlockField, BlockFields, FieldSelection, TransactionField, TransactionFields } from "../chain/fields.ts";
import type { Address, Hash, Hex } from "../chain/hex.ts";
import { bigQuantityOf, hexOf, quantityOf, recordOf, shown } from "./answer-fields.ts";
import { headerOf } from "./header-answer.ts";
import { invalid } from "./request-failure.ts";

/** Reads one field of an answer; `what` names it in errors. */
type Read<T> = (value: unknown, what: string) => T;

const hex =
  (bytes: number | "any"): Read<Hex> =>
  (value, what) =>
    hexOf(value, bytes, what).toLowerCase() as Hex;
const orNull =
  <T>(read: Read<T>): Read<T | null> =>
  (value, what) =>
    value === undefined || value === null ? null : read(value, what);
const hash: Read<Hash> = hex(32);
const address: Read<Address> = hex(20);
const quantity: Read<bigint> = bigQuantityOf;
const number: Read<number> = (value, what) => quantityOf(value, Number.MAX_SAFE_INTEGER, what);

const BLOCK: { readonly [Name in BlockField]: Read<BlockFields[Name]> } = {
  parentHash: hash,
  miner: address,
  gasLimit: quantity,
  gasUsed: quantity,
  baseFeePerGas: orNull(quantity),
  difficulty: quantity,
  extraData: hex("any"),
  logsBloom: hex(256),
  stateRoot: hash,
  transactionsRoot: hash,
  receiptsRoot: hash,
  size: quantity,
  nonce: orNull(hex(8)),
  mixHash: orNull(hash),
};

const TRANSACTION: { readonly [Name in TransactionField]: Read<TransactionFields[Name]> } = {
  from: address,
  to: orNull(address),
  value: quantity,
  input: hex("any"),
  nonce: number,
  gas: quantity,
  gasPrice: quantity,
  maxFeePerGas: orNull(quantity),
  maxPriorityFeePerGas: orNull(quantity),
  // Nodes older than typed transactions leave it out.
  type: (value, what) => (value === undefined ? 0 : number(value, what)),
};

/**
 * The selected fields in a result of `eth_getBlockByNumber`, and those of some of its transactions.
 * @param indexes positions of the transactions; one beyond the last is left out
 * @throws RequestFailure invalid
 */
export function detailsOf(
  result: unknown,
  asked: number,
  indexes: readonly number[],
  fields: FieldSelection,
): BlockDetails {
  const where = `block ${asked}`;
  const block = recordOf(result, where);
  return {
    header: headerOf(result, asked),
    fields: fieldsOf(block, fields.block, BLOCK, where),
    transactions: indexes.length === 0 ? NONE : transactionsOf(block.transactions, indexes, fields, where),
  };
}

const NONE: BlockDetails["transactions"] = new Map();

function transactionsOf(
  given: unknown,
  indexes: readonly number[],
  fields: FieldSelection,
  block: string,
): BlockDetails["transactions"] {
  if (!Array.isArray(given)) throw invalid(`the transactions of ${block} are no list but ${shown(given)}`);
  const transactions = new Map<number, TransactionDetails>();
  for (const index of indexes) {
    if (index >= given.length) continue;
    const where = `transaction ${index} of ${block}`;
    const transaction = recordOf(given[index], where);
    transactions.set(index, {
      hash: hash(transaction.hash, `the hash of ${where}`),
      fields: fieldsOf(transaction, fields.transaction, TRANSACTION, where),
    });
  }
  return transactions;
}

function fieldsOf<Fields>(
  record: Readonly<Record<string, unknown>>,
  names: readonly (keyof Fields & string)[],
  readers: { readonly [Name in keyof Fields]: Read<Fields[Name]> },
  where: string,
): Partial<Fields> {
  const fields: Partial<Fields> = {};
  for (const name of names) fields[name] = readers[name](record[name], `${name} of ${where}`);
  return fields;
}
