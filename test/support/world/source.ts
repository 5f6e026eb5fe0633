import type { BlockHeader } from "../../../src/chain/block.ts";
import type { Address, Hash } from "../../../src/chain/hex.ts";
import { type LogFields, type LogPage, logPageOf } from "../../../src/chain/log-page.ts";
import { SpindexError } from "../../../src/errors.ts";
import type { SourceTelemetry } from "../../../src/instrument/fetch-telemetry.ts";
import type { ChainSource } from "../../../src/source/fallback-source.ts";
import { type LogQuery, RangeTooLarge } from "../../../src/source/source.ts";
import type { SimulatedChain } from "./chain.ts";
import type { Pick } from "./steps.ts";

export interface SourceOptions {
  readonly chain: SimulatedChain;
  readonly pause: () => Promise<void>;
  readonly pick: Pick;
  /** Whether this request fails. */
  readonly fails: () => boolean;
  readonly hasTimestamps: boolean;
  readonly maxBlocks: number;
  readonly address: Address;
  /** The topic of an event, by what its handler does when it throws. */
  readonly topics: Readonly<Record<"stop" | "skip", Hash>>;
}

/** A node over a simulated chain. Each answer is of one moment, before or after others have gone on; two may differ. */
export function simulatedSource(options: SourceOptions): ChainSource {
  const { chain, pause, pick } = options;
  const answered = async <T>(answer: () => T): Promise<T> => {
    if (pick(2) === 0) {
      const early = answer();
      await pause();
      return early;
    }
    await pause();
    if (options.fails()) throw new SpindexError("SOURCE_UNREACHABLE", "planned");
    return answer();
  };
  const ask = <T>(telemetry: SourceTelemetry, method: string, calls: number, answer: () => T): Promise<T> =>
    telemetry.request({ method, calls, host: "simulated", port: undefined }, async () => ({
      value: await answered(answer),
      responseBytes: 0,
    }));
  const headerOf = (number: number): BlockHeader | undefined => chain.blocks[number]?.header;
  return {
    name: "simulated",
    health: [],
    chainId: async () => chain.chainId,
    head: (_, telemetry) => ask(telemetry, "eth_getBlockByNumber", 1, () => chain.head.header),
    finalized: (_, telemetry) => ask(telemetry, "eth_getBlockByNumber", 1, () => chain.finalized?.header),
    headers: (numbers, _, telemetry) =>
      ask(telemetry, "eth_getBlockByNumber", numbers.length, () => numbers.map(headerOf)),
    blocks: async () => {
      throw new Error("no handler selects fields");
    },
    logs: (query, _, telemetry) => ask(telemetry, "eth_getLogs", 1, () => logsOf(options, query)),
    close: async () => {},
  };
}

function logsOf(options: SourceOptions, { fromBlock, toBlock }: LogQuery): LogPage {
  const { chain, maxBlocks, pick } = options;
  if (toBlock - fromBlock >= maxBlocks) {
    throw new RangeTooLarge("planned", pick(2) === 0 ? undefined : fromBlock + maxBlocks - 1);
  }
  return logPageOf(
    chain.blocks.slice(fromBlock, toBlock + 1).flatMap(({ header, events }) =>
      events.map(
        ({ number, logIndex, onError }): LogFields => ({
          address: options.address,
          topics: [options.topics[onError]],
          data: wordOf(number),
          blockNumber: header.number,
          blockHash: header.hash,
          blockTimestamp: options.hasTimestamps ? header.timestamp : -1,
          transactionHash: wordOf(number),
          transactionIndex: logIndex,
          logIndex,
        }),
      ),
    ),
  );
}

function wordOf(value: number): Hash {
  return `0x${value.toString(16).padStart(64, "0")}`;
}
