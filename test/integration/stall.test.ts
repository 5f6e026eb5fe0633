import { afterAll, beforeAll, expect, test } from "vitest";
import { createLog } from "../../src/instrument/log.ts";
import type { TraceModel, TraceSpan } from "../../src/instrument/recorded/trace-model.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { collectTraces } from "../../src/testing/collect-traces.ts";
import { startFakeNode } from "../support/fake-node.ts";
import { fastClock } from "../support/fast-clock.ts";
import { committedBlock, ledgerChain, ledgerIndexer, smallRuns } from "../support/ledger.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { startIndexer } from "../support/run-indexer.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const stateOf = ({ attributes }: TraceSpan): unknown => attributes["spindex.wait.state"];
const drainTraceOf = ({ attributes }: TraceSpan): unknown => attributes["spindex.drain.trace_id"];

test("while another session holds a lock on an entity's table, spans say who, the metrics grow, and both end with it", async () => {
  const schema = "stalled";
  const clock = fastClock(20);
  const collector = await collectTraces();
  const lines: Record<string, unknown>[] = [];
  const log = createLog({
    level: "info",
    format: "json",
    destination: { write: (line) => void lines.push(JSON.parse(line)) },
  });
  let lockedAt = Number.POSITIVE_INFINITY;
  // Time is fast here: a start may have been slow by it, too.
  const told = async (): Promise<readonly TraceSpan[]> =>
    (await collector.traces()).named("spindex.still_waiting").filter(({ startedAt }) => startedAt > lockedAt);
  const until = async (condition: (spans: readonly TraceSpan[]) => boolean): Promise<readonly TraceSpan[]> => {
    for (;;) {
      const spans = await told();
      if (condition(spans)) return spans;
      await systemClock.sleep(20);
    }
  };
  const node = await startFakeNode({ chain: ledgerChain(), head: 20 });
  const running = startIndexer(ledgerIndexer(schema, node), database.url, {
    limits: smallRuns(),
    clock,
    log,
    tracing: collector.tracing,
  });
  try {
    await running.until(() => committedBlock(running) === 20);
    const [blocker] = await database.query<{ pid: number }>("select pg_backend_pid() as pid");
    await database.query(`begin; lock table ${schema}.account in access exclusive mode -- 'a secret'`);
    lockedAt = clock.now();
    node.setHead(120);

    const isNamed = ({ attributes }: TraceSpan): boolean => attributes["spindex.blocker.pid"] !== undefined;
    const held = await until((spans) => spans.some((span) => stateOf(span) === "statement" && isNamed(span)));
    const statement = held.find((span) => stateOf(span) === "statement" && isNamed(span)) as TraceSpan;
    expect(statement.attributes).toMatchObject({
      "spindex.wait.loop": "write",
      "spindex.wait.what": "UPDATE account",
      "spindex.wait.event": "Lock: relation",
      "spindex.blocker.pid": blocker?.pid,
      "spindex.blocker.count": 1,
      "spindex.blocker.state": "idle in transaction",
      "spindex.blocker.query": `begin; lock table ${schema}.account in access exclusive mode`,
      "db.collection.name": "account",
    });
    expect(Number(statement.attributes["spindex.wait.waited_s"])).toBeGreaterThanOrEqual(10);
    // Both ways while it lasts: the run is in the trace of the statement, its batches are linked, and lead back.
    expect(drainTraceOf(statement)).toBe(statement.traceId);
    const batchTraces = statement.links.map(({ traceId }) => traceId);
    expect(batchTraces.length).toBeGreaterThan(0);
    expect(statement.attributes["spindex.batch.trace_ids"]).toEqual(batchTraces);
    const waiting = await until((spans) => {
      const states = new Set(spans.map(stateOf));
      return states.has("capacity") && states.has("persist");
    });
    for (const span of waiting.filter((one) => stateOf(one) === "persist" || stateOf(one) === "capacity")) {
      expect([drainTraceOf(span), span.links[0]?.traceId]).toEqual([statement.traceId, statement.traceId]);
    }
    expect(waiting.filter((span) => stateOf(span) === "persist").map(({ traceId }) => traceId)).toEqual(batchTraces);

    const isLine = (line: Record<string, unknown>): boolean => line.event === "wait.long" && line.blocker !== undefined;
    await until(() => lines.some(isLine));
    expect(lines.find(isLine)).toMatchObject({
      loop: "write",
      waits_for: "Lock: relation",
      blocker: { pid: blocker?.pid, state: "idle in transaction" },
    });
    expect(JSON.stringify([held, lines])).not.toContain("a secret");

    const waits = (): Promise<number> => running.metric("spindex_waiting_seconds_count", { state: "run" });
    const runs = (spans: readonly TraceSpan[]): number => spans.filter((span) => stateOf(span) === "run").length;
    const ages = async (): Promise<number[]> => [
      await running.metric("spindex_oldest_uncommitted_batch_age_seconds"),
      await running.metric("spindex_commit_lag_seconds", { chain: "local" }),
      await waits(),
    ];
    const before = await ages();
    const runsBefore = runs(await told());
    await until((spans) => runs(spans) > runsBefore);
    const after = await ages();
    for (const [at, value] of after.entries()) expect(value).toBeGreaterThan(before[at] ?? Number.POSITIVE_INFINITY);

    await database.query("rollback");
    await running.until(() => committedBlock(running) === 120);
    const afterwards = [(await told()).length, await waits()];
    const releasedAt = clock.now();
    while (clock.now() < releasedAt + 45_000) await systemClock.sleep(20);
    expect([(await told()).length, await waits()]).toEqual(afterwards);
    expect(lines.some((line) => line.event === "wait.ended" && line.loop === "write")).toBe(true);
    expect(await running.stop()).toBe("stopped");
    const model: TraceModel = await collector.traces();
    expect(model.dangling()).toEqual([]);
  } finally {
    await database.query("rollback");
    await node.close();
    await collector.close();
  }
});
