import { type LogFields, type LogPage, logPageOf } from "../../src/chain/log-page.ts";

const BLANK: LogFields = {
  address: `0x${"aa".repeat(20)}`,
  topics: [],
  data: "0x",
  blockNumber: 1,
  blockHash: `0x${"bb".repeat(32)}`,
  blockTimestamp: 1,
  transactionHash: `0x${"cc".repeat(32)}`,
  transactionIndex: 0,
  logIndex: 0,
};

/** A page of logs of which only some fields matter. */
export function pageOf(...logs: readonly Partial<LogFields>[]): LogPage {
  return logPageOf(logs.map((log) => ({ ...BLANK, ...log })));
}
