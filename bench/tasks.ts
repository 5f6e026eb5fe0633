import { createHash } from "node:crypto";
import { type ChainSize, lastEventBlock, logsJson } from "./chain.ts";

/** What the tables must hold after a run; the same by SQL and by the plainest program over the same logs. */
export interface Task {
  readonly sql: string;
  expected(size: ChainSize): Record<string, string>;
}

export const TASKS: Readonly<Record<"erc20" | "raw", Task>> = {
  /** Two balances are read and changed for each transfer, and every event makes a row. */
  erc20: {
    sql: `select
      (select count(*) from bench.transfer)::text as transfers,
      (select sum(value) from bench.transfer)::text as transferred,
      (select count(*) from bench.approval)::text as approvals,
      (select md5(string_agg(id || ':' || balance, ',' order by id)) from bench.account) as balances,
      (select md5(string_agg(owner || ':' || spender || ':' || amount, ',' order by owner, spender)) from bench.allowance)
        as allowances`,
    expected(size) {
      const balances = new Map<string, bigint>();
      const allowances = new Map<string, bigint>();
      let [transfers, transferred, approvals] = [0, 0n, 0];
      for (const { isTransfer, from, to, value } of eventsOf(size)) {
        if (!isTransfer) {
          approvals++;
          allowances.set(`${from}:${to}`, value);
          continue;
        }
        transfers++;
        transferred += value;
        balances.set(from, (balances.get(from) ?? 0n) - value);
        balances.set(to, (balances.get(to) ?? 0n) + value);
      }
      return {
        transfers: String(transfers),
        transferred: String(transferred),
        approvals: String(approvals),
        balances: digestOf(balances),
        allowances: digestOf(allowances),
      };
    },
  },
  /** Every event makes a row of ten columns. */
  raw: {
    sql: `select count(*)::text as rows, sum(value)::text as value, sum(block)::text as blocks,
      sum(log_index)::text as indexes from bench.log`,
    expected(size) {
      let [rows, value, blocks, indexes] = [0, 0n, 0, 0];
      for (const event of eventsOf(size)) {
        rows++;
        value += event.value;
        blocks += event.block;
        indexes += event.index;
      }
      return { rows: String(rows), value: String(value), blocks: String(blocks), indexes: String(indexes) };
    },
  },
};

export type TaskName = keyof typeof TASKS;

interface Log {
  readonly topics: readonly string[];
  readonly data: string;
  readonly blockNumber: string;
  readonly logIndex: string;
}

interface TokenEvent {
  readonly isTransfer: boolean;
  readonly from: string;
  readonly to: string;
  readonly value: bigint;
  readonly block: number;
  readonly index: number;
}

const TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const BLOCKS_AT_ONCE = 200;

function* eventsOf(size: ChainSize): Generator<TokenEvent> {
  for (let from = 1; from <= lastEventBlock(size); from += BLOCKS_AT_ONCE) {
    const logs = JSON.parse(logsJson(size, from, from + BLOCKS_AT_ONCE - 1)) as readonly Log[];
    for (const { topics, data, blockNumber, logIndex } of logs) {
      const [topic, from = "", to = ""] = topics;
      yield {
        isTransfer: topic === TRANSFER,
        from: addressOf(from),
        to: addressOf(to),
        value: BigInt(data),
        block: Number(blockNumber),
        index: Number(logIndex),
      };
    }
  }
}

function addressOf(topic: string): string {
  return `0x${topic.slice(-40)}`;
}

function digestOf(values: ReadonlyMap<string, bigint>): string {
  const rows = [...values].sort(([a], [b]) => (a < b ? -1 : 1)).map(([key, value]) => `${key}:${value}`);
  return createHash("md5").update(rows.join(",")).digest("hex");
}
