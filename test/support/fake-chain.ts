import { createHash } from "node:crypto";

/** What a log is made from; the rest follows from its place in the chain. */
export interface LogSeed {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
}

export interface FakeLog extends LogSeed {
  readonly blockNumber: number;
  readonly blockHash: string;
  readonly transactionHash: string;
  readonly transactionIndex: number;
  readonly logIndex: number;
}

export interface FakeBlock {
  readonly number: number;
  readonly hash: string;
  readonly parentHash: string;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly logs: readonly FakeLog[];
}

/** Blocks in a row, linked by their hashes. Immutable: a longer or another chain is a new one. */
export interface FakeChain {
  readonly id: number;
  readonly blocks: readonly FakeBlock[];
}

export interface ChainPlan {
  /** Chain id; default 1. */
  readonly id?: number;
  /** Number of the first block; default 0. */
  readonly from?: number;
  /** How many blocks. */
  readonly blocks: number;
  /** The logs of a block, each in a transaction of its own; default none. */
  readonly logs?: (blockNumber: number) => readonly LogSeed[];
  /** Goes into every hash: chains of other seeds have other hashes. Default "main". */
  readonly seed?: string;
  /** Unix seconds of block 0; default 1,700,000,000. A block comes every 12 seconds. */
  readonly genesis?: number;
  /** Hash before the first block; default that of a block of the same seed. */
  readonly parentHash?: string;
}

/** keccak256 of `Transfer(address,address,uint256)`. */
export const TRANSFER_TOPIC = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";

/** A chain as planned. The same plan gives the same chain. */
export function buildChain(plan: ChainPlan): FakeChain {
  const { id = 1, from = 0, seed = "main", genesis = 1_700_000_000 } = plan;
  let parentHash = plan.parentHash ?? fakeHash(seed, "block", from - 1);
  const blocks: FakeBlock[] = [];
  for (let number = from; number < from + plan.blocks; number++) {
    const hash = fakeHash(seed, "block", number, parentHash);
    const logs = (plan.logs?.(number) ?? []).map((log, index) => ({
      ...log,
      blockNumber: number,
      blockHash: hash,
      transactionHash: fakeHash(seed, "transaction", number, index),
      transactionIndex: index,
      logIndex: index,
    }));
    blocks.push({ number, hash, parentHash, timestamp: genesis + 12 * number, logs });
    parentHash = hash;
  }
  return { id, blocks };
}

/** Another chain with the same blocks up to and with `ancestor`, and `plan.blocks` new ones after it: a reorg. */
export function forkChain(
  chain: FakeChain,
  ancestor: number,
  plan: Omit<ChainPlan, "id" | "from" | "parentHash">,
): FakeChain {
  const kept = chain.blocks.filter((block) => block.number <= ancestor);
  const last = kept.at(-1);
  if (last === undefined) throw new Error(`the chain has no block ${ancestor}`);
  const fork = buildChain({ seed: "fork", ...plan, id: chain.id, from: ancestor + 1, parentHash: last.hash });
  return { id: chain.id, blocks: [...kept, ...fork.blocks] };
}

/** A log of `Transfer(address indexed from, address indexed to, uint256 value)`. */
export function transferLog(transfer: { token: string; from: string; to: string; value: bigint }): LogSeed {
  return {
    address: transfer.token,
    topics: [TRANSFER_TOPIC, wordOf(BigInt(transfer.from)), wordOf(BigInt(transfer.to))],
    data: wordOf(transfer.value),
  };
}

/** The address with this number: `fakeAddress(1)` is `0x00…01`. */
export function fakeAddress(number: number): string {
  return `0x${number.toString(16).padStart(40, "0")}`;
}

/** 32 bytes that depend on the parts and on nothing else. */
export function fakeHash(...parts: readonly (string | number)[]): string {
  return `0x${createHash("sha256").update(parts.join("/")).digest("hex")}`;
}

export interface TokenPlan extends Omit<ChainPlan, "logs"> {
  /** Default `fakeAddress(0xee20)`. */
  readonly token?: string;
  /** Transfers in each block; default 2. */
  readonly transfersPerBlock?: number;
  /** Accounts that take part, `fakeAddress(1)` to `fakeAddress(holders)`; default 5. */
  readonly holders?: number;
}

/**
 * A chain with the transfers of one token. The first block mints 1,000,000 to every holder, the others move small
 * amounts (below 50) in a fixed pattern, so that no balance falls below zero within 20,000 transfers.
 */
export function tokenChain(plan: TokenPlan): FakeChain {
  const { token = fakeAddress(0xee20), transfersPerBlock = 2, holders = 5, from = 0 } = plan;
  return buildChain({
    ...plan,
    logs: (block) => {
      if (block === from) {
        const mint = (holder: number) =>
          transferLog({ token, from: fakeAddress(0), to: fakeAddress(holder), value: 1_000_000n });
        return Array.from({ length: holders }, (_, index) => mint(index + 1));
      }
      return Array.from({ length: transfersPerBlock }, (_, index) => {
        const sender = (block * 7 + index) % holders;
        const receiver = (sender + 1 + (block % Math.max(1, holders - 1))) % holders;
        const value = BigInt((block * 31 + index * 17) % 50);
        return transferLog({ token, from: fakeAddress(sender + 1), to: fakeAddress(receiver + 1), value });
      });
    },
  });
}

function wordOf(value: bigint): string {
  return `0x${value.toString(16).padStart(64, "0")}`;
}
