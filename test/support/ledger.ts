import { expect } from "vitest";
import { defineIndexer, entity, t } from "../../src/index.ts";
import type { IndexerLimits } from "../../src/indexer/limits.ts";
import { limitsOf } from "../../src/indexer/limits.ts";
import { type FakeChain, fakeAddress, tokenChain } from "./fake-chain.ts";
import type { FakeNode } from "./fake-node.ts";
import { type RunningIndexer, startIndexer } from "./run-indexer.ts";

/** Runs SQL beside the indexer under test. */
export interface Sql {
  query(text: string, values?: unknown[]): Promise<Record<string, unknown>[]>;
}

const TOKEN = fakeAddress(0xee20) as `0x${string}`;

export const LEDGER_BLOCKS = 240;

/** Transfers of a token, and the blocks in which they lie. */
export function ledgerChain(blocks: number = LEDGER_BLOCKS): FakeChain {
  return tokenChain({ blocks, transfersPerBlock: 4, holders: 100 });
}

/** An indexer with rows that change, rows that come and go, and rows that are only added. */
export function ledgerIndexer(name: string, node: FakeNode) {
  const schema = {
    account: entity({ id: t.address(), balance: t.int256().default(0n), transfers: t.int32().default(0) }),
    last: entity({ id: t.address(), block: t.int64() }),
    transfer: entity({ id: t.eventId(), from: t.address(), to: t.address(), value: t.uint256() }, { appendOnly: true }),
  };
  const indexer = defineIndexer({
    name,
    schema,
    chains: { local: { id: 1, sources: [{ rpc: node.url }], maxReorgDepth: 40, pollIntervalMs: 20 } },
    contracts: {
      Token: {
        abi: ["event Transfer(address indexed from, address indexed to, uint256 value)"],
        chains: { local: { address: TOKEN } },
      },
    },
  });
  // An outage of the database must not look like a handler's fault: such an event would be skipped here.
  indexer.on("Token.Transfer", { onError: "skip" }, async ({ event, store }) => {
    const { from, to, value } = event.args;
    const sender = await store.account.getOrCreate({ id: from });
    store.account.set({ ...sender, balance: sender.balance - value, transfers: sender.transfers + 1 });
    const receiver = await store.account.getOrCreate({ id: to });
    store.account.set({ ...receiver, balance: receiver.balance + value });
    store.transfer.insert({ id: event.id, from, to, value });
    if (event.block.number % 3n === 0n) store.last.delete(from);
    else store.last.set({ id: from, block: event.block.number });
  });
  return indexer;
}

/** Limits with which a run of the ledger takes many transactions. */
export function smallRuns(
  more: Partial<IndexerLimits> = {},
  store: Partial<IndexerLimits["store"]> = {},
): IndexerLimits {
  const limits = limitsOf({
    capacityChanges: 300,
    capacityBytes: 64 * 1024 * 1024,
    cacheBytes: 64 * 1024 * 1024,
    writeRetryBudgetMs: 600_000,
    startBudgetMs: 600_000,
  });
  return {
    ...limits,
    batch: { items: 12, bytes: limits.batch.bytes },
    flushDeadlineMs: 120_000,
    ...more,
    store: { ...limits.store, minimumItems: 12, maximumBatches: 2, ...store },
  };
}

/** The rows of every entity without what differs from run to run. */
export async function ledgerRows(sql: Sql, schema: string): Promise<Record<string, unknown>> {
  const tables: Record<string, unknown> = {};
  for (const table of ["account", "last", "transfer"]) {
    const rows = await sql.query(`select to_jsonb(t) - '_checkpoint' as row from ${schema}.${table} t order by id`);
    tables[table] = rows.map(({ row }) => row);
  }
  return tables;
}

/** The rows that a run without any fault leaves. */
export async function undisturbedLedger(sql: Sql, url: string, node: FakeNode): Promise<Record<string, unknown>> {
  expect(await startIndexer(ledgerIndexer("undisturbed", node), url, { once: true }).ended).toBe("ended");
  return ledgerRows(sql, "undisturbed");
}

/** Nothing is lost, doubled or out of order: the rows, and each checkpoint in exactly one durable run. */
export async function requireWhole(sql: Sql, schema: string, rows: Record<string, unknown>): Promise<void> {
  expect(await ledgerRows(sql, schema)).toEqual(rows);
  const runs = await sql.query(
    `select from_checkpoint::int as "from", to_checkpoint::int as "to" from ${schema}_spindex.drain_runs order by write_seq`,
  );
  const gaps = runs.filter((run, at) => run.from !== (at === 0 ? 1 : Number(runs[at - 1]?.to) + 1));
  expect(gaps).toEqual([]);
  const [shard] = await sql.query(`select committed_checkpoint::int as committed from ${schema}_spindex.shards`);
  expect(runs.at(-1)?.to).toBe(shard?.committed);
  expect(await sql.query(`select block, message from ${schema}_spindex.skipped_events`)).toEqual([]);
}

/** The block up to which everything of the chain is durable; -1 at the beginning. */
export function committedBlock(running: RunningIndexer): number {
  return running.status().chains[0]?.committed ?? -1;
}
