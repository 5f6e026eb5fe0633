import type { BlockHeader } from "../chain/block.ts";
import type { Address, Hash } from "../chain/hex.ts";
import type { LogPage } from "../chain/log-page.ts";
import type { SourceTelemetry } from "../instrument/fetch-telemetry.ts";

/** Which logs are asked for. */
export interface LogQuery {
  /** First and last block, both included. */
  readonly fromBlock: number;
  readonly toBlock: number;
  /** Undefined: any address. */
  readonly addresses: readonly Address[] | undefined;
  /** Any of these first topics. */
  readonly topics: readonly Hash[];
}

/** Where blocks and logs of one chain come from. Every answer has been checked before it is given out. */
export interface Source {
  /** A label without secrets: the host of the endpoint. */
  readonly name: string;
  chainId(signal: AbortSignal, telemetry: SourceTelemetry): Promise<number>;
  /** The newest block. */
  head(signal: AbortSignal, telemetry: SourceTelemetry): Promise<BlockHeader>;
  /** The highest block that the node calls finalized; undefined where it does not say. */
  finalized(signal: AbortSignal, telemetry: SourceTelemetry): Promise<BlockHeader | undefined>;
  /** Headers of these blocks, in the order asked; undefined for blocks that the node does not have. */
  headers(
    numbers: readonly number[],
    signal: AbortSignal,
    telemetry: SourceTelemetry,
  ): Promise<readonly (BlockHeader | undefined)[]>;
  /**
   * Logs in chain order, within the range and of the addresses and topics asked for.
   * @throws RangeTooLarge when the node wants fewer blocks in one query
   */
  logs(query: LogQuery, signal: AbortSignal, telemetry: SourceTelemetry): Promise<LogPage>;
  close(): Promise<void>;
}

/** The node refuses the range: ask for fewer blocks. */
export class RangeTooLarge extends Error {
  override readonly name = "RangeTooLarge";
  /** The last block that the node suggests, when it suggests one. */
  readonly suggestedToBlock: number | undefined;

  constructor(message: string, suggestedToBlock?: number) {
    super(message);
    this.suggestedToBlock = suggestedToBlock;
  }
}
