import { createHash } from "node:crypto";
import type { FileBlock, FileLog } from "./block-file.ts";

/** A header as the replayed chain has it. */
export interface ReplayHeader {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  /** Unix seconds. */
  readonly timestamp: number;
}

/** A log of the file, rendered once as a node's JSON. */
export interface ReplayLog {
  readonly block: number;
  readonly address: string;
  readonly topics: readonly string[];
  readonly json: string;
}

export interface LogFilter {
  /** First and last block, both included. */
  readonly fromBlock: number;
  readonly toBlock: number;
  /** Lower-case; undefined: any. */
  readonly addresses: ReadonlySet<string> | undefined;
  /** By position: any of these lower-case topics; undefined: any, but there must be one. */
  readonly topics: readonly (ReadonlySet<string> | undefined)[];
}

const SECONDS_PER_BLOCK = 12;

/**
 * The chain that a block file stands for, without a gap from block 0 on. What the file has is served as it is; every
 * other block is an empty stand-in, made from the chain id and the block number alone:
 *
 * - its hash is the parent hash that the next block of the file names, else 24 bytes of a SHA-256 and the number;
 * - its parent hash is the hash of the block before, whatever that is;
 * - its time lies between its neighbours in the file, 12 seconds a block outside of them.
 */
export class ReplayChain {
  readonly chainId: number;
  /** First and last block of the file. */
  readonly first: number;
  readonly last: number;
  readonly #blocks: readonly FileBlock[];
  readonly #byNumber = new Map<number, FileBlock>();
  readonly #numberOfHash = new Map<string, number>();
  readonly #logs: ReplayLog[] = [];

  constructor(blocks: readonly FileBlock[], options: { chainId: number; blockTimestamp: boolean }) {
    this.chainId = options.chainId;
    this.#blocks = blocks;
    this.first = blocks[0]!.number;
    this.last = blocks.at(-1)!.number;
    for (const block of blocks) this.#byNumber.set(block.number, block);
    for (const block of blocks) {
      const header = this.header(block.number);
      this.#numberOfHash.set(header.hash, block.number);
      this.#numberOfHash.set(header.parentHash, block.number - 1);
      for (const log of block.logs) this.#logs.push(renderLog(log, header, options.blockTimestamp));
    }
  }

  header(number: number): ReplayHeader {
    const block = this.#byNumber.get(number);
    return {
      number,
      hash: this.#hash(number),
      parentHash: block?.parentHash ?? (number === 0 ? `0x${"0".repeat(64)}` : this.#hash(number - 1)),
      timestamp: block?.timestamp ?? this.#timestamp(number),
    };
  }

  /** The number of the block with this hash, also for stand-ins. */
  numberOfHash(hash: string): number | undefined {
    const known = this.#numberOfHash.get(hash);
    if (known !== undefined) return known;
    const number = Number.parseInt(hash.slice(50), 16);
    return Number.isSafeInteger(number) && this.#hash(number) === hash ? number : undefined;
  }

  /** The logs that a filter takes, in chain order. */
  logs(filter: LogFilter): ReplayLog[] {
    const found: ReplayLog[] = [];
    for (let i = firstAtOrAfter(this.#logs, (log) => log.block, filter.fromBlock); i < this.#logs.length; i++) {
      const log = this.#logs[i]!;
      if (log.block > filter.toBlock) break;
      if (matches(log, filter)) found.push(log);
    }
    return found;
  }

  #hash(number: number): string {
    return this.#byNumber.get(number)?.hash ?? this.#byNumber.get(number + 1)?.parentHash ?? this.#standInHash(number);
  }

  #standInHash(number: number): string {
    const digest = createHash("sha256").update(`${this.chainId}:${number}`).digest("hex");
    // The number at the end lets a hash be looked up without a list of all blocks.
    return `0x${digest.slice(0, 48)}${number.toString(16).padStart(16, "0")}`;
  }

  #timestamp(number: number): number {
    const next = firstAtOrAfter(this.#blocks, (block) => block.number, number);
    const after = this.#blocks[next];
    const before = this.#blocks[next - 1];
    if (before === undefined) return Math.max(0, after!.timestamp - (after!.number - number) * SECONDS_PER_BLOCK);
    if (after === undefined) return before.timestamp + (number - before.number) * SECONDS_PER_BLOCK;
    const share = (number - before.number) / (after.number - before.number);
    return before.timestamp + Math.floor(share * (after.timestamp - before.timestamp));
  }
}

/** A number as a JSON-RPC quantity. */
export function quantity(value: number): string {
  return `0x${value.toString(16)}`;
}

function renderLog(log: FileLog, header: ReplayHeader, blockTimestamp: boolean): ReplayLog {
  const json = JSON.stringify({
    address: log.address,
    topics: log.topics,
    data: log.data,
    blockNumber: quantity(header.number),
    blockHash: header.hash,
    ...(blockTimestamp ? { blockTimestamp: quantity(header.timestamp) } : {}),
    transactionHash: log.transactionHash,
    transactionIndex: quantity(log.transactionIndex),
    logIndex: quantity(log.logIndex),
    removed: false,
  });
  return { block: header.number, address: log.address, topics: log.topics, json };
}

function matches(log: ReplayLog, filter: LogFilter): boolean {
  if (filter.addresses !== undefined && !filter.addresses.has(log.address)) return false;
  if (filter.topics.length > log.topics.length) return false;
  return filter.topics.every((wanted, position) => wanted === undefined || wanted.has(log.topics[position]!));
}

/** Index of the first entry at or after `target`, in ascending entries. */
function firstAtOrAfter<T>(entries: readonly T[], position: (entry: T) => number, target: number): number {
  let low = 0;
  let high = entries.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (position(entries[middle]!) < target) low = middle + 1;
    else high = middle;
  }
  return low;
}
