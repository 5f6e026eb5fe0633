import { beforeEach, describe, expect, test } from "vitest";
import type { BatchTelemetry } from "../../../src/instrument/batch-telemetry.ts";
import type { StatementStart } from "../../../src/instrument/drain-telemetry.ts";
import { createLog } from "../../../src/instrument/log.ts";
import { LoopAccount } from "../../../src/instrument/loop-account.ts";
import { Metrics } from "../../../src/instrument/metrics/metrics.ts";
import { LOOP_STATES } from "../../../src/instrument/names.ts";
import type { TraceSpan } from "../../../src/instrument/recorded/trace-model.ts";
import { RollableBatches } from "../../../src/instrument/traces/rollable-batches.ts";
import { noTracing } from "../../../src/instrument/tracing/tracing.ts";
import type { BackendWait } from "../../../src/instrument/waiting/backend-waits.ts";
import type { Unfinished } from "../../../src/instrument/waiting/unfinished.ts";
import { WaitWatch } from "../../../src/instrument/waiting/wait-watch.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { batchStart, committed, drainStart, mainnet, processed, type Traced, traced } from "../../support/traced.ts";
import { settled } from "../../support/world/steps.ts";

let kit: Traced;
let watching: AbortController;
let watched: Promise<void>;

beforeEach(() => begin());

async function begin(options: Parameters<typeof traced>[0] = {}): Promise<void> {
  watching?.abort();
  await watched;
  kit = await traced(options);
  // The first request waits for facts of the machine, in real time: not while a test moves its clock.
  kit.telemetry.phase("spindex.startup", {}).done();
  await kit.traces();
  watching = new AbortController();
  watched = kit.telemetry.watchWaits(watching.signal);
}

/** Lets time pass, a second at a time, as the watch sees it. */
async function pass(seconds: number): Promise<void> {
  for (let second = 0; second < seconds; second++) {
    kit.clock.advance(1_000);
    for (let turn = 0; turn < 4; turn++) await settled();
  }
}

const told = async (): Promise<readonly TraceSpan[]> => (await kit.traces()).named("spindex.still_waiting");
const toldOf = async (state: string): Promise<readonly TraceSpan[]> =>
  (await told()).filter(({ attributes }) => attributes["spindex.wait.state"] === state);
const waitedIn = async (state: string): Promise<unknown[]> =>
  (await toldOf(state)).map(({ attributes }) => attributes["spindex.wait.waited_s"]);
const linesOf = (event: string): Record<string, unknown>[] => kit.lines.filter((line) => line.event === event);

function only<T>(items: readonly T[]): T {
  expect(items).toHaveLength(1);
  return items[0] as T;
}

/** The sum and the count that the metric has of a state. */
async function observed(loop: string, state: string): Promise<readonly (string | undefined)[]> {
  const { body } = await kit.telemetry.scrape("text/plain");
  const line = (part: string): string | undefined =>
    new RegExp(`^spindex_waiting_seconds_${part}\\{.*loop="${loop}".*state="${state}".*\\} (.+)$`, "m").exec(body)?.[1];
  return [line("sum"), line("count")];
}

async function backendWaits(): Promise<unknown> {
  const { body } = await kit.telemetry.scrape("text/plain");
  return [...body.matchAll(/^spindex_pg_backend_waits\{.*kind="(\w+)".*\} (.+)$/gm)].map(([, ...parts]) =>
    parts.join(" "),
  );
}

function queuedBatch(id: number): BatchTelemetry {
  const batch = kit.telemetry.batchStarted(batchStart(id, kit.clock));
  batch.processing();
  batch.processed(processed);
  batch.committed(committed);
  return batch;
}

const COPY: StatementStart = {
  summary: "COPY transfer",
  operation: "COPY",
  purpose: "entity",
  table: "transfer",
  rows: 5,
  bytes: 500,
};

const LOCKED: BackendWait = {
  event: "Lock: relation",
  blocker: {
    pid: 4711,
    count: 1,
    state: "idle in transaction",
    since: "2026-01-01T00:00:00.000Z",
    query: "lock table app.transfer",
    application: "psql",
  },
};

/** A run whose statement is held up until `release`. */
function heldRun(batches: readonly BatchTelemetry[]) {
  const gate = Promise.withResolvers<void>();
  const drain = kit.telemetry.drainStarted(drainStart(7, kit.clock, batches));
  const transaction = drain.transaction(1);
  transaction.began({ backendPid: 77, database: "db" });
  const written = transaction.statement(COPY, () => gate.promise);
  const release = async (): Promise<void> => {
    gate.resolve();
    await written;
    transaction.succeeded(false);
    drain.durable();
  };
  return { drain, transaction, release };
}

describe("a statement that a lock holds up", () => {
  test("is told of while it lasts, with who holds the lock, in its run's trace, and linked to its batches", async () => {
    kit.telemetry.askBackends({ ask: async (pids) => new Map(pids.map((pid) => [pid, LOCKED])) });
    const { release } = heldRun([queuedBatch(1), queuedBatch(2)]);
    await pass(9);
    expect(await told()).toEqual([]);
    await pass(1);
    const span = only(await toldOf("statement"));
    expect(span.attributes).toMatchObject({
      "spindex.wait.loop": "write",
      "spindex.wait.what": "COPY transfer",
      "spindex.wait.waited_s": 10,
      "spindex.wait.event": "Lock: relation",
      "spindex.blocker.pid": 4711,
      "spindex.blocker.count": 1,
      "spindex.blocker.state": "idle in transaction",
      "spindex.blocker.since": "2026-01-01T00:00:00.000Z",
      "spindex.blocker.query": "lock table app.transfer",
      "spindex.blocker.application": "psql",
      "spindex.drain.id": 7,
      "spindex.write.attempt": 1,
      "db.system.name": "postgresql",
      "db.collection.name": "transfer",
      "db.postgresql.backend_pid": 77,
    });
    expect(span.durationMs).toBeLessThan(1_000);
    await release();
    const model = await kit.traces();
    expect(model.dangling()).toEqual([]);
    const run = only(model.named("spindex.drain_run"));
    const transaction = only(model.named("spindex.write_transaction"));
    expect(model.parentOf(span)).toEqual(transaction);
    expect(span.traceId).toBe(run.traceId);
    expect(model.linkedFrom(span)).toEqual(model.batches());
    expect(span.attributes["spindex.drain.trace_id"]).toBe(run.traceId);
    expect(span.attributes["spindex.batch.trace_ids"]).toEqual(model.batches().map(({ traceId }) => traceId));
  });

  test("is exported at once", async () => {
    heldRun([queuedBatch(1)]);
    await pass(9);
    await kit.telemetry.flush();
    const before = kit.exported();
    await pass(1);
    expect(kit.exported() - before).toBe(4);
  });

  test("is told of again every 30 s, and not when it is over", async () => {
    const { release } = heldRun([queuedBatch(1)]);
    await pass(100);
    for (const state of ["statement", "transaction", "run", "persist"]) {
      expect([state, await waitedIn(state)]).toEqual([state, [10, 40, 70, 100]]);
    }
    await release();
    await pass(100);
    expect(await told()).toHaveLength(16);
  });

  test("grows the metric while it lasts, with an exemplar of the span that tells of it", async () => {
    expect(await observed("write", "statement")).toEqual(["0", "0"]);
    const { release } = heldRun([queuedBatch(1)]);
    await pass(10);
    expect(await observed("write", "statement")).toEqual(["10", "1"]);
    const { traceId, spanId } = only(await toldOf("statement"));
    const { body } = await kit.telemetry.scrape("application/openmetrics-text");
    expect(body).toMatch(
      new RegExp(
        `spindex_waiting_seconds_bucket\\{.*state="statement".*trace_id="${traceId}",span_id="${spanId}"\\} 10 `,
      ),
    );
    await pass(30);
    expect(await observed("write", "statement")).toEqual(["50", "2"]);
    await release();
    await pass(60);
    expect(await observed("write", "statement")).toEqual(["50", "2"]);
  });

  test("is one line of the log while it lasts, and one when it is over", async () => {
    kit.telemetry.askBackends({ ask: async (pids) => new Map(pids.map((pid) => [pid, LOCKED])) });
    const { release } = heldRun([queuedBatch(1), queuedBatch(2)]);
    expect(await backendWaits()).toEqual(["lock 0", "lwlock 0", "io 0", "ipc 0", "other 0"]);
    await pass(39);
    expect(await backendWaits()).toEqual(["lock 1", "lwlock 0", "io 0", "ipc 0", "other 0"]);
    const span = only(await toldOf("statement"));
    expect(only(linesOf("wait.long"))).toMatchObject({
      level: "warn",
      trace_id: span.traceId,
      span_id: span.spanId,
      loop: "write",
      state: "statement",
      what: "COPY transfer",
      waited_s: 10,
      drain_id: 7,
      waits_for: "Lock: relation",
      blocker: { pid: 4711, state: "idle in transaction", query: "lock table app.transfer", sessions: 1 },
    });
    await pass(1);
    expect(linesOf("wait.long")).toHaveLength(2);
    await release();
    expect(await backendWaits()).toEqual(["lock 0", "lwlock 0", "io 0", "ipc 0", "other 0"]);
    await pass(3);
    expect(only(linesOf("wait.ended"))).toMatchObject({ state: "statement", what: "COPY transfer", waited_s: 41 });
  });

  test("is told of although nobody can say who holds the lock", async () => {
    kit.telemetry.askBackends({ ask: () => Promise.reject(new Error("no answer within 2000 ms")) });
    heldRun([queuedBatch(1)]);
    await pass(10);
    expect(only(await toldOf("statement")).attributes).not.toHaveProperty("spindex.blocker.pid");
    expect(only(linesOf("wait.long"))).toMatchObject({ problem: "no answer within 2000 ms" });
  });

  test("that ends while the database is asked is not told of", async () => {
    const answer = Promise.withResolvers<Map<number, BackendWait>>();
    kit.telemetry.askBackends({ ask: () => answer.promise });
    const { release } = heldRun([queuedBatch(1)]);
    await pass(10);
    await release();
    answer.resolve(new Map());
    await pass(1);
    expect(await told()).toEqual([]);
  });
});

describe("the other loop", () => {
  test("a capacity wait has no span yet: it is told of by a root that links to the run in flight", async () => {
    const { release } = heldRun([queuedBatch(1)]);
    const wait = kit.telemetry.waiting({ state: "capacity", what: "spindex.capacity_wait" });
    await pass(10);
    wait.end();
    await release();
    await pass(60);
    const model = await kit.traces();
    const span = only(await toldOf("capacity"));
    expect(span.parentSpanId).toBeUndefined();
    expect(model.linkedFrom(span)).toEqual(model.named("spindex.drain_run"));
    expect(span.attributes["spindex.drain.id"]).toBe(7);
  });

  test("batches, queued or being written, link to the run in flight", async () => {
    const { release } = heldRun([queuedBatch(1)]);
    queuedBatch(2);
    await pass(10);
    await release();
    const model = await kit.traces();
    for (const [state, id] of [["persist", 1] as const, ["queued", 2] as const]) {
      const span = only(await toldOf(state));
      expect(span.attributes["spindex.batch.id"]).toBe(id);
      expect(model.linkedFrom(span)).toEqual(model.named("spindex.drain_run"));
    }
    expect(model.parentOf(only(await toldOf("persist")))).toEqual(only(model.batches()));
  });

  test("what handlers wait for is told of in their batch", async () => {
    const batch = kit.telemetry.batchStarted(batchStart(1, kit.clock));
    batch.processing();
    const read = kit.telemetry.waiting({ state: "reads", what: "account", backendPids: () => [78] });
    const effect = kit.telemetry.waiting({ state: "effects", what: "price" });
    await pass(10);
    read.end();
    effect.end();
    batch.processed(processed);
    batch.abandoned("aborted");
    const model = await kit.traces();
    const handlers = only(model.named("spindex.batch.process"));
    expect(model.parentOf(only(await toldOf("reads")))).toEqual(handlers);
    expect(model.parentOf(only(await toldOf("effects")))).toEqual(handlers);
    expect(only(await toldOf("reads")).attributes).toMatchObject({
      "spindex.wait.what": "account",
      "db.postgresql.backend_pid": 78,
    });
    expect(model.parentOf(only(await toldOf("handlers")))).toEqual(only(model.batches()));
  });
});

describe("whatever lasts is told of", () => {
  test("a COMMIT, below its own span", async () => {
    const gate = Promise.withResolvers<void>();
    const drain = kit.telemetry.drainStarted(drainStart(7, kit.clock, [queuedBatch(1)]));
    const transaction = drain.transaction(1);
    transaction.began({ backendPid: 77, database: "db" });
    const commit = transaction.commit(() => gate.promise);
    await pass(10);
    gate.resolve();
    await commit;
    drain.durable();
    const model = await kit.traces();
    expect(model.parentOf(only(await toldOf("sql_commit")))).toEqual(only(model.named("COMMIT")));
  });

  test("a run between two attempts", async () => {
    const drain = kit.telemetry.drainStarted(drainStart(7, kit.clock, [queuedBatch(1)]));
    const away = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });
    await pass(5);
    drain.transaction(1).failed(away, { kind: "transient", willRetry: true });
    await pass(5);
    expect(only(await toldOf("retry_backoff")).attributes).toMatchObject({
      "spindex.wait.what": "spindex.drain_run",
      "spindex.wait.waited_s": 10,
      "spindex.write.attempt": 1,
    });
    expect(await toldOf("run")).toEqual([]);
  });

  test("a fetch and its request, a reorg, metadata, a step of pruning, and the phases of the process's life", async () => {
    const { telemetry } = kit;
    const fetch = telemetry.fetchStarted({ chain: mainnet, fromBlock: 1, toBlock: 9, addresses: 1, live: true });
    const gate = Promise.withResolvers<{ value: number; responseBytes: number }>();
    const request = { method: "eth_getLogs", calls: 1, host: "node", port: 443 };
    const answer = fetch.source("node").request(request, () => gate.promise);
    telemetry.reorgStarted({ chain: mainnet, evidence: "block 9", foundHash: "0x9", backendPids: () => [79] });
    telemetry.metadataWriteStarted();
    telemetry.pruneStarted("account_history");
    const startup = telemetry.phase("spindex.startup", {});
    telemetry.flushStarted({ reason: "stop", pendingBatches: 1, drainOrigin: undefined });
    await pass(10);
    gate.resolve({ value: 1, responseBytes: 1 });
    await answer;
    fetch.done({ toBlock: 9, logs: 0, bytes: 0 });
    startup.done();
    const whats = (await told()).map(({ attributes }) => [
      attributes["spindex.wait.state"],
      attributes["spindex.wait.what"],
    ]);
    expect(whats.sort()).toEqual([
      ["fetch", "spindex.fetch"],
      ["flush", "spindex.flush"],
      ["request", "eth_getLogs"],
      ["rollback", "spindex.reorg"],
      ["startup", "spindex.startup"],
      ["transaction", "spindex.history_prune"],
      ["transaction", "spindex.write_transaction"],
      ["transaction", "spindex.write_transaction"],
    ]);
    const model = await kit.traces();
    expect(model.parentOf(only(await toldOf("request")))).toEqual(
      only(model.spans.filter(({ name }) => name === "eth_getLogs")),
    );
    expect(only(await toldOf("fetch")).attributes).toMatchObject({
      "spindex.chain.name": "mainnet",
      "spindex.chain.id": 1,
    });
    expect(only(await toldOf("rollback")).attributes).toMatchObject({ "db.postgresql.backend_pid": 79 });
  });

  test("a standby, which is well, only every ten minutes", async () => {
    kit.telemetry.waiting({ state: "standby", what: "shard 0" });
    await pass(1_215);
    expect(await waitedIn("standby")).toEqual([10, 610, 1_210]);
  });

  test("but nothing that is done within 10 s, however often", async () => {
    for (let times = 0; times < 20; times++) {
      const { release } = heldRun([queuedBatch(times)]);
      await pass(9);
      await release();
    }
    expect(await told()).toEqual([]);
    expect(linesOf("wait.long")).toEqual([]);
  });
});

test("of hundreds of batches that wait for one write, 32 are told of at one look", async () => {
  for (let id = 1; id <= 300; id++) queuedBatch(id);
  await pass(10);
  expect((await toldOf("queued")).map(({ attributes }) => attributes["spindex.batch.id"])).toEqual(
    Array.from({ length: 32 }, (_, at) => at + 1),
  );
});

test("what is open can be listed at any time", async () => {
  const since = kit.clock.now();
  const { release } = heldRun([queuedBatch(1)]);
  expect(kit.telemetry.openWork().map(({ loop, state, since: at }) => [loop, state, at])).toEqual(
    ["persist", "run", "transaction", "statement"].map((state) => ["write", state, since]),
  );
  await release();
  expect(kit.telemetry.openWork()).toEqual([]);
});

test("what has lasted for a minute is a stall, of which the flight recorder writes a dump, once", async () => {
  const clock = new ManualClock();
  const dumps: string[] = [];
  const log = createLog({ level: "silent", format: "json", destination: { write: () => {} } });
  const metrics = new Metrics({ indexer: "erc20", shard: "0", known: {}, processMetrics: false, log });
  const writeLoop = new LoopAccount(clock, LOOP_STATES.write, "idle");
  const open = new Set<Unfinished>();
  const watch = new WaitWatch({
    tracing: noTracing(),
    metrics,
    log,
    clock,
    writeLoop,
    open,
    mode: { isLive: false },
    awaiting: new Set(),
    rollable: new RollableBatches(),
    dump: (reason) => dumps.push(`${reason} at ${(clock.now() - since) / 1000} s`),
  });
  const since = clock.now();
  const stop = new AbortController();
  const running = watch.run(stop.signal);
  open.add({ since, doing: () => ({ state: "standby", what: "shard 0" }) });
  open.add({ since, doing: () => ({ state: "statement", what: "COPY transfer" }) });
  for (let second = 0; second < 700; second++) {
    clock.advance(1_000);
    await settled();
  }
  stop.abort();
  await running;
  expect(dumps).toEqual(["stall at 70 s"]);
});

test("a stall can be clicked at a ratio at which nothing else is exported; at 0 nothing is", async () => {
  for (const ratio of [1e-9, 0]) {
    await begin({ ratio });
    const { release } = heldRun([queuedBatch(1)]);
    await pass(10);
    await release();
    const model = await kit.traces();
    expect(model.dangling()).toEqual([]);
    const spans = model.spans.filter(({ name }) => name !== "spindex.startup");
    expect(spans.map(({ name, parentSpanId, links }) => [name, parentSpanId, links])).toEqual(
      Array.from({ length: ratio > 0 ? 4 : 0 }, () => ["spindex.still_waiting", undefined, []]),
    );
    expect(await observed("write", "statement")).toEqual(["10", "1"]);
  }
});

test("nobody looks any more when the watch has ended", async () => {
  heldRun([queuedBatch(1)]);
  await pass(5);
  watching.abort();
  await watched;
  await pass(20);
  expect(await told()).toEqual([]);
});
