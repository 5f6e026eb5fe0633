import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { type FakeNode, startFakeNode } from "../../support/fake-node.ts";
import { fastClock } from "../../support/fast-clock.ts";
import {
  committedBlock,
  LEDGER_BLOCKS,
  ledgerChain,
  ledgerIndexer,
  requireWhole,
  smallRuns,
  undisturbedLedger,
} from "../../support/ledger.ts";
import { type OwnServer, startOwnServer } from "../../support/own-server.ts";
import { type RunningIndexer, startIndexer } from "../../support/run-indexer.ts";
import { printedSeed } from "../../support/seed.ts";

const SPEED = 10;
const LAST = LEDGER_BLOCKS - 1;

let server: OwnServer;
let rows: Record<string, unknown>;

beforeAll(async () => {
  server = await startOwnServer();
  const node = await startFakeNode({ chain: ledgerChain() });
  rows = await undisturbedLedger(server, server.url, node);
  await node.close();
});

afterAll(() => server[Symbol.asyncDispose]());

interface Ledger extends AsyncDisposable {
  readonly running: RunningIndexer;
  readonly node: FakeNode;
  readonly schema: string;
}

/** A live indexer that has everything up to block 20, in a schema of its own. */
async function liveLedger(schema: string, url: string = server.url): Promise<Ledger> {
  const node = await startFakeNode({ chain: ledgerChain(), head: 20 });
  const running = startIndexer(ledgerIndexer(schema, node), url, { limits: smallRuns(), clock: fastClock(SPEED) });
  await running.until(() => committedBlock(running) === 20);
  return { running, node, schema, [Symbol.asyncDispose]: () => node.close() };
}

async function requireEnded({ running, node, schema }: Ledger, sql: OwnServer = server): Promise<void> {
  node.setHead(LAST);
  await running.until(() => committedBlock(running) === LAST);
  expect(await running.stop()).toBe("stopped");
  expect(running.status().starts?.count).toBe(1);
  await requireWhole(sql, schema, rows);
}

/** Transactions of runs by how they ended. */
function transactions(running: RunningIndexer, outcome: string): Promise<number> {
  return running.metric("spindex_write_transaction_duration_seconds_count", { outcome });
}

function failures(running: RunningIndexer, kind: string): Promise<number> {
  return running.metric("spindex_write_failures_total", { class: kind });
}

/** Polls until a session waits for this while it writes a run; its process. What else is written is let go on. */
async function writerThatWaits(sql: OwnServer, event: string): Promise<number> {
  for (;;) {
    const waiting = await sql.query<{ pid: number; run: boolean }>(
      `select pid, application_name like 'spindex run=%' as run from pg_stat_activity
       where application_name like 'spindex %' and wait_event = $1`,
      [event],
    );
    const found = waiting.find(({ run }) => run);
    if (found !== undefined) return found.pid;
    for (const { pid } of waiting) await sql.query("select pg_cancel_backend($1)", [pid]);
    await systemClock.sleep(2);
  }
}

test("a backend terminated at random moments, forty times: nothing is lost", async () => {
  const { pick } = printedSeed("terminated backends");
  const schema = "terminated";
  await using ledger = await liveLedger(schema);
  const { running, node } = ledger;
  let terminated = 0;
  while (terminated < 40) {
    node.setHead(Math.min(LAST, node.head + 1 + pick(8)));
    await systemClock.sleep(pick(15));
    const victims = await server.query<{ pid: number }>(
      "select pid from pg_stat_activity where application_name like 'spindex %' order by pid",
    );
    const victim = victims[pick(Math.max(1, victims.length))];
    if (victim === undefined) continue;
    await server.query("select pg_terminate_backend($1)", [victim.pid]);
    terminated++;
  }
  await requireEnded(ledger);
  expect(running.status().failure).toBeUndefined();
});

describe("a backend terminated during COMMIT has an unknown outcome, which the next attempt settles", () => {
  test("when the transaction was taken back: it is written again", async () => {
    const schema = "taken_back";
    await using ledger = await liveLedger(schema);
    const { running, node } = ledger;
    // COMMIT runs this, and takes as long as it says.
    await server.query(`
      create table public.commit_seconds (s float8);
      create function public.slow_commit() returns trigger language plpgsql as
        $$ begin perform pg_catalog.pg_sleep(s) from public.commit_seconds; return null; end $$;
      create constraint trigger slow after insert on ${schema}_spindex.drain_runs
        deferrable initially deferred for each row execute function public.slow_commit()`);
    for (let times = 1; times <= 5; times++) {
      const before = committedBlock(running);
      await server.query("insert into public.commit_seconds values (60)");
      node.setHead(node.head + 20);
      const pid = await writerThatWaits(server, "PgSleep");
      expect(committedBlock(running)).toBe(before);
      await server.query("delete from public.commit_seconds");
      await server.query("select pg_terminate_backend($1)", [pid]);
      await running.until(() => committedBlock(running) === node.head);
      expect(await failures(running, "outcome_unknown")).toBe(times);
    }
    expect(await transactions(running, "already_durable")).toBe(0);
    await requireEnded(ledger);
  });

  test("when it stood: it is not written again; and when only the wait was cancelled it is durable at once", async () => {
    await using own = await startOwnServer();
    const schema = "stood";
    await using ledger = await liveLedger(schema, own.url);
    const { running, node } = ledger;
    // A replica that never answers: COMMIT is durable here, and waits.
    const waitForReplica = async (name: string): Promise<void> => {
      await own.query(`alter system set synchronous_standby_names = '${name}'`);
      await own.query("select pg_reload_conf()");
    };
    for (const [end, times] of [
      ["pg_terminate_backend", 1],
      ["pg_cancel_backend", 1],
      ["pg_terminate_backend", 2],
    ] as const) {
      await waitForReplica("nobody");
      node.setHead(node.head + 12);
      const pid = await writerThatWaits(own, "SyncRep");
      await own.query(`select ${end}($1)`, [pid]);
      await waitForReplica("");
      await running.until(() => committedBlock(running) === node.head);
      expect([await failures(running, "outcome_unknown"), await transactions(running, "already_durable")]).toEqual([
        times,
        times,
      ]);
    }
    await requireEnded(ledger, own);
  });
});
