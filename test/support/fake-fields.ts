import type { BlockFields, TransactionFields } from "../../src/chain/fields.ts";
import { type FakeBlock, type FakeLog, fakeAddress, fakeHash } from "./fake-chain.ts";

/** What the fields of a block of a fake chain are. The first two blocks are older than EIP-1559. */
export function blockFieldsOf({ number, hash, parentHash, logs }: FakeBlock): BlockFields {
  return {
    parentHash: parentHash as `0x${string}`,
    miner: hexOf(fakeAddress(0xa11ce0 + number)),
    gasLimit: 30_000_000n,
    gasUsed: 21_000n * BigInt(logs.length),
    baseFeePerGas: number < 2 ? null : 1_000_000_000n + BigInt(number) * 7n,
    difficulty: 2n ** 53n + BigInt(number),
    extraData: number % 2 === 0 ? "0x" : "0xc0ffee",
    logsBloom: hexOf(`0x${"ab".repeat(256)}`),
    stateRoot: hexOf(fakeHash(hash, "state")),
    transactionsRoot: hexOf(fakeHash(hash, "transactions")),
    receiptsRoot: hexOf(fakeHash(hash, "receipts")),
    size: 500n + BigInt(logs.length),
    nonce: "0x00000000000000ab",
    mixHash: hexOf(fakeHash(hash, "mix")),
  };
}

/** What the fields of a log's transaction are: every second one is of type 2, the first of block 0 makes a contract. */
export function transactionFieldsOf({ blockNumber, transactionIndex, topics }: FakeLog): TransactionFields {
  const isLegacy = transactionIndex % 2 === 1;
  const price = 2_000_000_000n + BigInt(blockNumber * 1000 + transactionIndex);
  return {
    from: hexOf(fakeAddress(0xfeed00 + transactionIndex)),
    to: blockNumber === 0 && transactionIndex === 0 ? null : hexOf(fakeAddress(0xabcdef)),
    value: 10n ** 18n * BigInt(blockNumber),
    input: hexOf(`0x${topics.join("").replaceAll("0x", "")}`),
    nonce: blockNumber * 10 + transactionIndex,
    gas: 21_000n,
    gasPrice: price,
    maxFeePerGas: isLegacy ? null : price * 2n,
    maxPriorityFeePerGas: isLegacy ? null : 1n,
    type: isLegacy ? 0 : 2,
  };
}

/** A block as `eth_getBlockByNumber` gives it, with whole transactions or with their hashes. */
export function blockJson(block: FakeBlock, full: boolean): Record<string, unknown> {
  return {
    number: quantity(block.number),
    hash: block.hash,
    timestamp: quantity(block.timestamp),
    ...encoded(blockFieldsOf(block)),
    transactions: block.logs.map((log) => (full ? transactionJson(log) : log.transactionHash)),
  };
}

function transactionJson(log: FakeLog): Record<string, unknown> {
  const { type, to, ...fields } = transactionFieldsOf(log);
  return {
    hash: log.transactionHash,
    blockNumber: quantity(log.blockNumber),
    transactionIndex: quantity(log.transactionIndex),
    ...encoded({ ...fields, ...(type === 0 ? {} : { type }) }),
    to: to === null ? null : `0x${to.slice(2).toUpperCase()}`,
  };
}

/** Quantities in hexadecimal; what is null is left out. */
function encoded(fields: object): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(fields)
      .filter(([, value]) => value !== null)
      .map(([name, value]) => [name, typeof value === "string" ? value : quantity(value as bigint | number)]),
  );
}

function quantity(value: bigint | number): string {
  return `0x${value.toString(16)}`;
}

function hexOf(text: string): `0x${string}` {
  return text.toLowerCase() as `0x${string}`;
}
