import type { BlockDetails, BlockHeader } from "../chain/block.ts";
import type { FieldSelection } from "../chain/fields.ts";
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

/** Which block is asked for with more than its header. */
export interface BlockQuery {
  readonly number: number;
  /** Positions of the transactions that are wanted; none: the block is asked for without its transactions. */
  readonly transactions: readonly number[];
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
   * Blocks with these fields and those of their wanted transactions, in the order asked; undefined for blocks that the
   * node does not have. A transaction that its block does not have is missing there.
   */
  blocks(
    queries: readonly BlockQuery[],
    fields: FieldSelection,
    signal: AbortSignal,
    telemetry: SourceTelemetry,
  ): Promise<readonly (BlockDetails | undefined)[]>;
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
