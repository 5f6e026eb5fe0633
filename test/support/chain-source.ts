import type { BlockHeader } from "../../src/chain/block.ts";
import { logPageOf } from "../../src/chain/log-page.ts";
import type { ChainSource } from "../../src/source/fallback-source.ts";
import { type LogQuery, RangeTooLarge } from "../../src/source/source.ts";
import type { FakeBlock, FakeChain } from "./fake-chain.ts";

export interface ChainSourceOptions {
  chain: FakeChain;
  /** Number of the last block that is final; -1: none. */
  finalized: number;
  readonly maxBlocks?: number;
}

/** A source over a chain in memory, which may be replaced. `queries` is what it was asked for. */
export function chainSource(options: ChainSourceOptions): ChainSource & { readonly queries: LogQuery[] } {
  const { maxBlocks = Number.POSITIVE_INFINITY } = options;
  const queries: LogQuery[] = [];
  const block = (number: number): FakeBlock | undefined => options.chain.blocks.find((one) => one.number === number);
  const turn = () => new Promise<void>((resolve) => setImmediate(resolve));
  const head = (): BlockHeader => headerOf(options.chain.blocks.at(-1)) as BlockHeader;
  return {
    name: "memory",
    health: [],
    queries,
    chainId: async () => options.chain.id,
    head: async () => head(),
    finalized: async () => headerOf(block(Math.min(options.finalized, head().number))),
    headers: async (numbers) => {
      await turn();
      return numbers.map((number) => headerOf(block(number)));
    },
    blocks: async (wanted) =>
      wanted.map(({ number }) => {
        const header = headerOf(block(number));
        return header && { header, fields: {}, transactions: new Map() };
      }),
    logs: async (query, signal) => {
      queries.push(query);
      await turn();
      signal.throwIfAborted();
      if (query.toBlock - query.fromBlock >= maxBlocks) throw new RangeTooLarge("planned");
      const addresses = query.addresses && new Set<string>(query.addresses);
      const topics = new Set<string>(query.topics);
      const logs = options.chain.blocks
        .filter(({ number }) => number >= query.fromBlock && number <= query.toBlock)
        .flatMap(({ logs: all, timestamp }) => all.map((log) => ({ ...log, blockTimestamp: timestamp })));
      return logPageOf(
        logs.filter((log) => addresses?.has(log.address) !== false && topics.has(log.topics[0] as string)),
      );
    },
    close: async () => {},
  };
}

function headerOf(block: FakeBlock | undefined): BlockHeader | undefined {
  if (block === undefined) return undefined;
  const { number, hash, parentHash, timestamp } = block;
  return { number, hash, parentHash, timestamp } as BlockHeader;
}
