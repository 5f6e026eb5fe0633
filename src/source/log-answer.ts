import { MAX_BLOCK_NUMBER, MAX_LOG_INDEX } from "../chain/event-id.ts";
import { type LogFields, type LogPage, logPageOf } from "../chain/log-page.ts";
import { hexOf, quantityOf, recordOf, shown } from "./answer-fields.ts";
import { invalid } from "./request-failure.ts";
import type { LogQuery } from "./source.ts";

export const MAX_TRANSACTION_INDEX: number = 2 ** 31 - 1;

/**
 * The logs in a result of `eth_getLogs`, in chain order. A node that answers what was not asked is not corrected but
 * refused: what else it says cannot be trusted either. Only the order is put right, since no rule of the protocol
 * fixes it.
 * @throws RequestFailure invalid
 */
export function logPageOfAnswer(result: unknown, query: LogQuery): LogPage {
  if (!Array.isArray(result)) throw invalid(`its result is no list of logs but ${shown(result)}`);
  const addresses = query.addresses === undefined ? undefined : new Set<string>(query.addresses);
  const topics = query.topics.length === 0 ? undefined : new Set<string>(query.topics);
  const logs = result.map((value: unknown, place) => {
    const log = logOf(value, place);
    requireAsked(log, place, query, addresses, topics);
    return log;
  });
  if (!isOrdered(logs)) logs.sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex);
  const hasTimestamps = checkNeighbours(logs);
  return logPageOf(hasTimestamps ? logs : logs.map((log) => ({ ...log, blockTimestamp: -1 })));
}

function logOf(value: unknown, place: number): LogFields {
  const log = recordOf(value, "log", place);
  if (log.removed === true) throw invalid(`log ${place} is marked as removed: ${shown(value)}`);
  const { topics } = log;
  if (!Array.isArray(topics)) throw invalid(`the topics of log ${place} are no list but ${shown(topics)}`);
  if (topics.length > 4) throw invalid(`log ${place} has ${topics.length} topics; a log has at most 4`);
  return {
    address: hexOf(log.address, 20, "the address of log", place),
    topics: topics.map((topic: unknown) => hexOf(topic, 32, "a topic of log", place)),
    data: hexOf(log.data, "any", "the data of log", place),
    blockNumber: quantityOf(log.blockNumber, MAX_BLOCK_NUMBER, "the block number of log", place),
    blockHash: hexOf(log.blockHash, 32, "the block hash of log", place),
    blockTimestamp: timestampOf(log.blockTimestamp),
    transactionHash: hexOf(log.transactionHash, 32, "the transaction hash of log", place),
    transactionIndex: quantityOf(log.transactionIndex, MAX_TRANSACTION_INDEX, "the transaction index of log", place),
    logIndex: quantityOf(log.logIndex, MAX_LOG_INDEX, "the log index of log", place),
  };
}

/** Unix seconds, or -1: not every node sends it, and some send zero. */
function timestampOf(value: unknown): number {
  if (typeof value !== "string" || !/^0x[0-9a-fA-F]{1,13}$/.test(value)) return -1;
  const seconds = Number(value);
  return seconds > 0 ? seconds : -1;
}

function requireAsked(
  log: LogFields,
  place: number,
  query: LogQuery,
  addresses: ReadonlySet<string> | undefined,
  topics: ReadonlySet<string> | undefined,
): void {
  const { blockNumber } = log;
  if (blockNumber < query.fromBlock || blockNumber > query.toBlock) {
    throw invalid(`log ${place} is of block ${blockNumber}, outside the asked range`);
  }
  if (addresses !== undefined && !addresses.has(log.address.toLowerCase())) {
    throw invalid(`log ${place} (block ${blockNumber}) is of the address ${log.address}, which was not asked for`);
  }
  if (topics !== undefined && !topics.has(log.topics[0]?.toLowerCase() ?? "")) {
    const topic = log.topics[0] ?? "no first topic";
    throw invalid(`log ${place} (block ${blockNumber}) has ${topic}, which was not asked for`);
  }
}

function isOrdered(logs: readonly LogFields[]): boolean {
  return logs.every((log, place) => {
    const before = logs[place - 1];
    if (before === undefined || before.blockNumber < log.blockNumber) return true;
    return before.blockNumber === log.blockNumber && before.logIndex < log.logIndex;
  });
}

/** Compares each log with the one before it. @returns whether every log says when its block was made */
function checkNeighbours(logs: readonly LogFields[]): boolean {
  let hasTimestamps = true;
  let before: LogFields | undefined;
  for (const log of logs) {
    if (log.blockTimestamp < 0) hasTimestamps = false;
    if (before !== undefined && before.blockNumber === log.blockNumber) {
      if (before.logIndex === log.logIndex) {
        throw invalid(`the log with index ${log.logIndex} of block ${log.blockNumber} comes twice`);
      }
      if (before.blockHash.toLowerCase() !== log.blockHash.toLowerCase()) {
        throw invalid(`block ${log.blockNumber} has two hashes: ${before.blockHash} and ${log.blockHash}`);
      }
      if (before.blockTimestamp !== log.blockTimestamp) hasTimestamps = false;
    }
    before = log;
  }
  return hasTimestamps;
}
