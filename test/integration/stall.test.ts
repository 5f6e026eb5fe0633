import { afterAll, beforeAll, expect, test } from "vitest";
import { createLog } from "../../src/instrument/log.ts";
import type { TraceSpan } from "../../src/instrument/recorded/trace-model.ts";
import { type Clock, systemClock } from "../../src/lib/clock.ts";
import { collectTraces, type TraceCollector } from "../../src/testing/collect-traces.ts";
import { type FakeNode, startFakeNode } from "../support/fake-node.ts";
import { fastClock } from "../support/fast-clock.ts";
import { committedBlock, ledgerChain, ledgerIndexer, smallRuns } from "../support/ledger.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { type RunningIndexer, startIndexer } from "../support/run-indexer.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

interface Ledger extends AsyncDisposable {
  readonly node: FakeNode;
  readonly running: RunningIndexer;
  readonly collector: TraceCollector;
  readonly clock: Clock;
  readonly lines: readonly Record<string, unknown>[];
  /** Spans that have told of something since `lock`. */
  told(): Promise<readonly TraceSpan[]>;
  /** Asks until they are such. */
  toldUntil(condition: (spans: readonly TraceSpan[]) => boolean): Promise<readonly TraceSpan[]>;
  /** Locks the accounts in the session of `database`, and gives that session's process. */
  lock(): Promise<number | undefined>;
}

/** A live indexer that has everything up to block 20, for which time passes twenty times as fast. */
async function liveLedger(schema: string): Promise<Ledger> {
  const clock = fastClock(20);
  const collector = await collectTraces();
  const lines: Record<string, unknown>[] = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const log = createLog({ level: "info", format: "json", destination });
  const node = await startFakeNode({ chain: ledgerChain(), head: 20 });
  const { tracing } = collector;
  const running = startIndexer(ledgerIndexer(schema, node), database.url, { limits: smallRuns(), clock, log, tracing });
  await running.until(() => committedBlock(running) === 20);
  let lockedAt = Number.POSITIVE_INFINITY;
  // Time is fast: the start may have been slow by it, too.
  const told = async (): Promise<readonly TraceSpan[]> =>
    (await collector.traces()).named("spindex.still_waiting").filter(({ startedAt }) => startedAt > lockedAt);
  return {
    ...{ node, running, collector, clock, lines, told },
    toldUntil: async (condition) => {
      for (;;) {
        const spans = await told();
        if (condition(spans)) return spans;
        await systemClock.sleep(20);
      }
    },
    lock: async () => {
      const [session] = await database.query<{ pid: number }>("select pg_backend_pid() as pid");
      await database.query(`begin; lock table ${schema}.account in access exclusive mode -- 'a secret'`);
      lockedAt = clock.now();
      return session?.pid;
    },
    [Symbol.asyncDispose]: async () => {
      await database.query("rollback");
      await node.close();
      await collector.close();
    },
  };
}

const stateOf = ({ attributes }: TraceSpan): unknown => attributes["spindex.wait.state"];
const drainTraceOf = ({ attributes }: TraceSpan): unknown => attributes["spindex.drain.trace_id"];
const isNamed = ({ attributes }: TraceSpan): boolean => attributes["spindex.blocker.pid"] !== undefined;

test("while another session locks an entity's table, spans and log lines say who, and lead to the run and its batches", async () => {
  await using ledger = await liveLedger("stalled");
  const { node, running, collector, lines, toldUntil } = ledger;
  const pid = await ledger.lock();
  node.setHead(120);

  const held = await toldUntil((spans) => spans.some((span) => stateOf(span) === "statement" && isNamed(span)));
  const statement = held.find((span) => stateOf(span) === "statement" && isNamed(span)) as TraceSpan;
  expect(statement.attributes).toMatchObject({
    "spindex.wait.loop": "write",
    "spindex.wait.what": "UPDATE account",
    "spindex.wait.event": "Lock: relation",
    "spindex.blocker.pid": pid,
    "spindex.blocker.count": 1,
    "spindex.blocker.state": "idle in transaction",
    "spindex.blocker.query": "begin; lock table stalled.account in access exclusive mode",
    "db.collection.name": "account",
  });
  expect(Number(statement.attributes["spindex.wait.waited_s"])).toBeGreaterThanOrEqual(10);
  expect(drainTraceOf(statement)).toBe(statement.traceId);
  const batchTraces = statement.links.map(({ traceId }) => traceId);
  expect(batchTraces.length).toBeGreaterThan(0);
  expect(statement.attributes["spindex.batch.trace_ids"]).toEqual(batchTraces);

  const waiting = await toldUntil((spans) => {
    const states = new Set(spans.map(stateOf));
    return states.has("capacity") && states.has("persist");
  });
  const ofProcessing = waiting.filter((span) => stateOf(span) === "persist" || stateOf(span) === "capacity");
  for (const span of ofProcessing) {
    expect([drainTraceOf(span), span.links[0]?.traceId]).toEqual([statement.traceId, statement.traceId]);
  }
  const persisted = waiting.filter((span) => stateOf(span) === "persist").map(({ traceId }) => traceId);
  expect([...new Set(persisted)]).toEqual(batchTraces);

  const isLine = (line: Record<string, unknown>): boolean => line.event === "wait.long" && line.blocker !== undefined;
  await toldUntil(() => lines.some(isLine));
  expect(lines.find(isLine)).toMatchObject({
    loop: "write",
    waits_for: "Lock: relation",
    blocker: { pid, state: "idle in transaction" },
  });
  expect(JSON.stringify([waiting, lines])).not.toContain("a secret");

  await database.query("rollback");
  await running.until(() => committedBlock(running) === 120);
  expect(await running.stop()).toBe("stopped");
  expect(lines.some((line) => line.event === "wait.ended" && line.loop === "write")).toBe(true);
  expect((await collector.traces()).dangling()).toEqual([]);
});

test("while it does, the metrics grow; when it has let go, nothing is told of any more", async () => {
  await using ledger = await liveLedger("counted");
  const { node, running, clock, told, toldUntil } = ledger;
  await ledger.lock();
  node.setHead(120);
  const runs = (spans: readonly TraceSpan[]): number => spans.filter((span) => stateOf(span) === "run").length;
  const waits = (): Promise<number> => running.metric("spindex_waiting_seconds_count", { state: "run" });
  const ages = async (): Promise<number[]> => [
    await running.metric("spindex_oldest_uncommitted_batch_age_seconds"),
    await running.metric("spindex_commit_lag_seconds", { chain: "local" }),
    await waits(),
  ];
  await toldUntil((spans) => runs(spans) >= 1);
  const before = await ages();
  await toldUntil((spans) => runs(spans) >= 2);
  const after = await ages();
  for (const [at, value] of after.entries()) expect(value).toBeGreaterThan(before[at] ?? Number.POSITIVE_INFINITY);

  await database.query("rollback");
  await running.until(() => committedBlock(running) === 120);
  const afterwards = [(await told()).length, await waits()];
  const releasedAt = clock.now();
  while (clock.now() < releasedAt + 45_000) await systemClock.sleep(20);
  expect([(await told()).length, await waits()]).toEqual(afterwards);
  await running.stop();
});

test("a stop meanwhile is a flush that is told of, and the loop's time is that of the flush", async () => {
  await using ledger = await liveLedger("stopped");
  const { node, running, collector, toldUntil } = ledger;
  await ledger.lock();
  node.setHead(60);
  await running.until(({ queue }) => queue.batches > 0);
  const stopped = running.stop();
  await toldUntil((spans) => spans.some((span) => stateOf(span) === "flush"));
  expect(running.status().processLoop).toBe("flush");
  await database.query("rollback");
  expect(await stopped).toBe("stopped");
  expect(await running.metric("spindex_loop_seconds_total", { loop: "process", state: "flush" })).toBeGreaterThan(10);
  const model = await collector.traces();
  const [flush] = model.named("spindex.flush");
  expect(flush?.attributes).toMatchObject({ "spindex.reason": "stop" });
  const [told] = model.named("spindex.still_waiting").filter((span) => stateOf(span) === "flush");
  expect(model.linkedFrom(told as TraceSpan).map(({ name }) => name)).toEqual(["spindex.drain_run"]);
});

test("when the source has died, the ages of the head and of the data grow, and no block is due that was not seen", async () => {
  await using ledger = await liveLedger("sourceless");
  const { node, running, clock } = ledger;
  const ages = async (): Promise<readonly number[]> =>
    Promise.all(["head_age", "data_age", "commit_lag"].map((name) => running.metric(`spindex_${name}_seconds`)));
  node.misbehave({ kind: "http", status: 503, body: "away" });
  const before = await ages();
  const diedAt = clock.now();
  while (clock.now() < diedAt + 20_000) await systemClock.sleep(20);
  const after = await ages();
  expect((after[0] ?? 0) - (before[0] ?? 0)).toBeGreaterThanOrEqual(20);
  expect((after[1] ?? 0) - (before[1] ?? 0)).toBeGreaterThanOrEqual(20);
  expect([before[2], after[2]]).toEqual([0, 0]);
  await running.stop();
});
