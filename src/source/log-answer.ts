import { MAX_BLOCK_NUMBER, MAX_LOG_INDEX } from "../chain/event-id.ts";
import { type LogFields, type LogPage, logPageOf } from "../chain/log-page.ts";
import { hexOf, quantityOf, recordOf, shown } from "./answer-fields.ts";
import { invalid } from "./request-failure.ts";
import type { LogQuery } from "./source.ts";

const MAX_TRANSACTION_INDEX = 2 ** 31 - 1;

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
    const log = logOf(value, `log ${place}`);
    requireAsked(log, `log ${place}`, query, addresses, topics);
    return log;
  });
  if (!isOrdered(logs)) logs.sort((a, b) => a.blockNumber - b.blockNumber || a.logIndex - b.logIndex);
  const hasTimestamps = checkNeighbours(logs);
  return logPageOf(hasTimestamps ? logs : logs.map((log) => ({ ...log, blockTimestamp: -1 })));
}

function logOf(value: unknown, where: string): LogFields {
  const log = recordOf(value, where);
  if (log.removed === true) throw invalid(`${where} is marked as removed: ${shown(value)}`);
  const { topics } = log;
  if (!Array.isArray(topics)) throw invalid(`the topics of ${where} are no list but ${shown(topics)}`);
  if (topics.length > 4) throw invalid(`${where} has ${topics.length} topics; a log has at most 4`);
  return {
    address: hexOf(log.address, `the address of ${where}`, 20),
    topics: topics.map((topic: unknown, place) => hexOf(topic, `topic ${place} of ${where}`, 32)),
    data: hexOf(log.data, `the data of ${where}`),
    blockNumber: quantityOf(log.blockNumber, `the block number of ${where}`, MAX_BLOCK_NUMBER),
    blockHash: hexOf(log.blockHash, `the block hash of ${where}`, 32),
    blockTimestamp: timestampOf(log.blockTimestamp),
    transactionHash: hexOf(log.transactionHash, `the transaction hash of ${where}`, 32),
    transactionIndex: quantityOf(log.transactionIndex, `the transaction index of ${where}`, MAX_TRANSACTION_INDEX),
    logIndex: quantityOf(log.logIndex, `the log index of ${where}`, MAX_LOG_INDEX),
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
  where: string,
  query: LogQuery,
  addresses: ReadonlySet<string> | undefined,
  topics: ReadonlySet<string> | undefined,
): void {
  if (log.blockNumber < query.fromBlock || log.blockNumber > query.toBlock) {
    throw invalid(`${where} is of block ${log.blockNumber}, outside the asked range`);
  }
  if (addresses !== undefined && !addresses.has(log.address.toLowerCase())) {
    throw invalid(`${where} (block ${log.blockNumber}) is of the address ${log.address}, which was not asked for`);
  }
  if (topics !== undefined && !topics.has(log.topics[0]?.toLowerCase() ?? "")) {
    const topic = log.topics[0] ?? "no first topic";
    throw invalid(`${where} (block ${log.blockNumber}) has ${topic}, which was not asked for`);
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
