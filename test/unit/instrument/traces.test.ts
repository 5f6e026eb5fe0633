import { describe, expect, test } from "vitest";
import type { BatchTelemetry } from "../../../src/instrument/batch-telemetry.ts";
import { expectTrace, type TraceSpan } from "../../../src/testing/index.ts";
import { batchStart, committed, drainStart, mainnet, processed, type Traced, traced } from "../../support/traced.ts";

function runBatch(
  { telemetry, clock }: Traced,
  id: number,
  more: Parameters<typeof batchStart>[2] = {},
): BatchTelemetry {
  const batch = telemetry.batchStarted(batchStart(id, clock, more));
  clock.advance(1);
  batch.processing();
  clock.advance(10);
  batch.processed(processed);
  clock.advance(1);
  batch.committed(committed);
  return batch;
}

async function write({ telemetry, clock }: Traced, id: number, batches: readonly BatchTelemetry[]): Promise<unknown> {
  const drain = telemetry.drainStarted(drainStart(id, clock, batches));
  const transaction = drain.transaction(1);
  transaction.began({ backendPid: 77, database: "db" });
  const copy = {
    summary: "COPY transfer",
    operation: "COPY",
    purpose: "entity",
    table: "transfer",
    rows: 5,
    bytes: 500,
  };
  await transaction.statement({ ...copy, purpose: "entity" }, async () => clock.advance(20));
  await transaction.commit(async () => clock.advance(5));
  transaction.succeeded(false);
  drain.durable();
  return drain.origin;
}

const rollback = { toBlock: 3, fromBlock: 5, orphanedHashes: ["0x4", "0x5"] };

const only = (spans: readonly TraceSpan[]): TraceSpan => {
  expect(spans).toHaveLength(1);
  return spans[0] as TraceSpan;
};

const names = (spans: readonly TraceSpan[]): string[] => spans.map(({ name }) => name);

test("slow and failed calls of effects are spans under the batch's process span, others only count", async () => {
  const kit = await traced();
  const { telemetry, clock } = kit;
  const batch = telemetry.batchStarted(batchStart(1, clock));
  batch.processing();
  const call = (effect: string, queuedMs: number, ms: number, error?: Error): void => {
    const askedAt = clock.now();
    const asked = batch.effectAsked({ effect, askedAt });
    clock.advance(queuedMs + ms);
    asked.ended({ calledAt: askedAt + queuedMs, endedAt: clock.now(), error });
  };
  call("fast", 0, 100);
  call("queued", 90, 20);
  call("failed", 0, 1, new Error("service down"));
  const effects = [
    { effect: "fast", outcome: "called", calls: 1 },
    { effect: "fast", outcome: "memory", calls: 5 },
  ] as const;
  batch.processed({ ...processed, effects });
  batch.committed(committed);
  await write(kit, 1, [batch]);
  const model = await kit.traces();
  const parent = only(model.named("spindex.batch.process"));
  const spans = model.named("spindex.effect");
  expect(spans.map(({ attributes, durationMs }) => [attributes, durationMs])).toEqual([
    [{ "spindex.effect.name": "queued", "spindex.effect.queued_ms": 90 }, 110],
    [{ "spindex.effect.name": "failed", "spindex.effect.queued_ms": 0, "error.type": "Error" }, 1],
  ]);
  expect(model.childrenOf(parent).filter(({ name }) => name === "spindex.effect")).toEqual(spans);
  expect(parent.attributes["spindex.effect.calls"]).toBe(6);
  const { body } = await telemetry.scrape("text/plain");
  expect(body).toMatch(/spindex_effect_calls_total\{.*effect="fast".*outcome="memory".*\} 5/);
  expect(body).toMatch(/spindex_effect_duration_seconds_sum\{.*effect="queued".*\} 0\.02/);
});

test("raw events are a span of their drain run, and what was escaped in them counts", async () => {
  const kit = await traced();
  const { telemetry, clock } = kit;
  const batch = runBatch(kit, 1);
  const drain = telemetry.drainStarted(drainStart(1, clock, [batch]));
  const startedAt = clock.now();
  clock.advance(30);
  drain.rawEventsEncoded({ startedAt, endedAt: clock.now(), events: 3, bytes: 900, escapes: 2 });
  drain.transaction(1).succeeded(false);
  drain.durable();
  const model = await kit.traces();
  const span = only(model.named("spindex.raw_events"));
  expect([span.durationMs, span.attributes]).toEqual([
    30,
    { "spindex.snapshot.changes": 3, "spindex.snapshot.bytes": 900 },
  ]);
  expect(model.childrenOf(only(model.named("spindex.drain_run")))).toContainEqual(span);
  const { body } = await telemetry.scrape("text/plain");
  expect(body).toMatch(/spindex_encoding_escapes_total\{.*table="raw_events".*\} 2/);
});

test("a durable batch leads to its fetch, drain run and write transaction, and back", async () => {
  const kit = await traced();
  const { telemetry, clock } = kit;
  const fetch = telemetry.fetchStarted({ chain: mainnet, fromBlock: 1, toBlock: 9, addresses: 1, live: true });
  const request = { method: "eth_getLogs", calls: 1, host: "node.example", port: 443 };
  await fetch.source("node.example").request(request, async () => {
    clock.advance(30);
    return { value: undefined, responseBytes: 1000 };
  });
  fetch.done({ toBlock: 9, logs: 3, bytes: 1000 });
  const batch = runBatch(kit, 1, { fetchOrigins: [fetch.origin, fetch.origin] });
  clock.advance(7);
  await write(kit, 1, [batch]);

  const model = await kit.traces();
  expect(model.dangling()).toEqual([]);
  const root = only(model.batches());
  const drain = model.drainRunOf(root) as TraceSpan;
  const transaction = model.writeTransactionOf(root) as TraceSpan;
  expect(names(model.childrenOf(root))).toEqual([
    "spindex.batch.create",
    "spindex.batch.process",
    "spindex.batch.commit",
    "spindex.batch.queued",
    "spindex.batch.persist",
  ]);
  expect(names(model.linkedFrom(root))).toEqual(["spindex.fetch", "spindex.drain_run"]);
  expect(names(model.childrenOf(drain))).toEqual(["spindex.snapshot", "spindex.write_transaction"]);
  expect(names(model.childrenOf(transaction))).toEqual(["COPY transfer", "COMMIT"]);
  expect(model.batchesOf(drain)).toEqual([root]);
  expect(model.batchesOf(transaction)).toEqual([root]);
  expect(names(model.childrenOf(only(model.named("spindex.fetch"))))).toEqual(["eth_getLogs"]);
  expect(new Set([root.traceId, drain.traceId, only(model.named("spindex.fetch")).traceId]).size).toBe(3);
  expect(root.attributes).toEqual({
    "spindex.mode": "live",
    "spindex.chain.name": "mainnet",
    "spindex.chain.id": 1,
    "spindex.batch.id": 1,
    "spindex.block.from": 1,
    "spindex.block.to": 1,
    "spindex.batch.items": 3,
    "spindex.batch.fetches": 1,
    "spindex.fetch.trace_ids": [only(model.named("spindex.fetch")).traceId],
    "spindex.history_mode": "keep",
    "spindex.checkpoint.from": 10,
    "spindex.checkpoint.to": 12,
    "spindex.drain.id": 1,
    "spindex.drain.trace_id": drain.traceId,
    "spindex.outcome": "durable",
    "spindex.lag.capacity_ms": 0,
    "spindex.lag.process_ms": 12,
    "spindex.lag.queue_ms": 7,
    "spindex.lag.write_ms": 25,
  });
  expect(root.durationMs).toBe(12 + 7 + 25);
  expect(drain.attributes["spindex.batch.trace_ids"]).toEqual([root.traceId]);
});

test("the stages of a batch sum to its time, also after a capacity wait", async () => {
  const kit = await traced();
  const { telemetry, clock } = kit;
  const first = runBatch(kit, 1);
  const drain = telemetry.drainStarted(drainStart(1, clock, [first]));
  const askedAt = clock.now();
  clock.advance(40);
  const capacityWait = {
    startedAt: askedAt,
    endedAt: clock.now(),
    reason: "changes" as const,
    uncommittedChanges: 100,
    uncommittedBytes: 1000,
    queuedBatches: 1,
    limit: 90,
    wakeUps: 2,
    drainOrigin: drain.origin,
  };
  drain.durable();
  const second = runBatch(kit, 2, { askedAt, createdFrom: clock.now(), capacityWait });
  clock.advance(3);
  await write(kit, 2, [second]);

  const model = await kit.traces();
  expect(model.dangling()).toEqual([]);
  const wait = only(model.named("spindex.capacity_wait"));
  const run = only(model.named("spindex.drain_run").filter((span) => span.attributes["spindex.drain.id"] === 1));
  expect(model.linkedFrom(wait)).toEqual([run]);
  expect(wait.durationMs).toBe(40);
  expect(wait.attributes).toMatchObject({ "spindex.wait.reason": "changes", "spindex.drain.trace_id": run.traceId });
  const root = model.parentOf(wait) as TraceSpan;
  const stages = ["capacity", "process", "queue", "write"].map((stage) => root.attributes[`spindex.lag.${stage}_ms`]);
  expect(stages).toEqual([40, 12, 3, 25]);
  expect(root.durationMs).toBe(80);
});

test("a drain run that starts while a batch is open is in a trace of its own", async () => {
  const kit = await traced();
  const done = runBatch(kit, 1);
  const open = kit.telemetry.batchStarted(batchStart(2, kit.clock));
  open.processing();
  await write(kit, 1, [done]);
  open.abandoned("aborted");

  const model = await kit.traces();
  const traceOf = (id: number): string =>
    only(model.batches().filter((span) => span.attributes["spindex.batch.id"] === id)).traceId;
  const writeTraces = new Set(
    model.spans
      .filter(({ name }) => /drain_run|write_transaction|snapshot|COPY|COMMIT/.test(name))
      .map((s) => s.traceId),
  );
  expect(writeTraces.size).toBe(1);
  expect(writeTraces).not.toContain(traceOf(1));
  expect(writeTraces).not.toContain(traceOf(2));
});

test("a retried write links its attempts, and the batch leads to the one that was durable", async () => {
  const kit = await traced();
  const { telemetry, clock } = kit;
  const batch = runBatch(kit, 1);
  const drain = telemetry.drainStarted(drainStart(1, clock, [batch]));
  const first = drain.transaction(1);
  const lost = Object.assign(new Error("lost postgres://me:pw@db:5432/x"), { code: "57P01" });
  const update = { operation: "UPDATE", purpose: "entity", table: "account", rows: 2, bytes: 20 } as const;
  const failing = first.statement({ ...update, summary: "UPDATE account" }, async () => {
    throw lost;
  });
  await expect(failing).rejects.toBe(lost);
  first.failed(lost, { kind: "transient", willRetry: true });
  const second = drain.transaction(2);
  await second.statement({ ...update, summary: "UPDATE account" }, async () => clock.advance(2));
  await second.commit(async () => {});
  second.succeeded(false);
  drain.durable();

  const model = await kit.traces();
  expect(model.dangling()).toEqual([]);
  const [one, two] = model.named("spindex.write_transaction") as [TraceSpan, TraceSpan];
  expect(model.linkedFrom(two)).toEqual([one]);
  expect(model.writeTransactionOf(only(model.batches()))).toEqual(two);
  expect(one.isError).toBe(true);
  expect(one.attributes).toMatchObject({ "error.type": "57P01", "spindex.write.failure_class": "transient" });
  const exceptions = model.spans.flatMap((span) => span.events.filter(({ name }) => name === "exception"));
  expect(exceptions.map(({ attributes }) => attributes["exception.message"])).toEqual(["lost postgres://db:5432"]);
  expect(model.spans.filter(({ isError }) => isError).map(({ name }) => name)).toEqual([
    "UPDATE account",
    "spindex.write_transaction",
  ]);
  const retry = kit.lines.find(({ event }) => event === "write.retry");
  expect(retry).toMatchObject({ level: "warn", trace_id: one.traceId, span_id: one.spanId, attempt: 1, drain_id: 1 });
  const page = (await telemetry.scrape("")).body;
  expect(page).toContain(
    'spindex_write_failures_total{class="transient",retriable="true",indexer="erc20",shard="0"} 1\n',
  );
  expect(page).toContain('spindex_rows_written_total{table="account",op="UPDATE",indexer="erc20",shard="0"} 2\n');
});

test("rows of an attempt whose COMMIT got no answer count once it is known to be durable", async () => {
  const kit = await traced();
  const { telemetry, clock } = kit;
  const drain = telemetry.drainStarted(drainStart(1, clock, [runBatch(kit, 1)]));
  const first = drain.transaction(1);
  const insert = { summary: "COPY transfer", operation: "COPY", purpose: "entity", table: "transfer" } as const;
  await first.statement({ ...insert, rows: 7, bytes: 70 }, async () => {});
  const gone = new Error("gone");
  await expect(first.commit(() => Promise.reject(gone))).rejects.toBe(gone);
  first.failed(gone, { kind: "outcome_unknown", willRetry: true });
  drain.transaction(2).succeeded(true);
  drain.durable();
  expect((await telemetry.scrape("")).body).toContain(
    'spindex_rows_written_total{table="transfer",op="COPY",indexer="erc20",shard="0"} 7\n',
  );
  const [, two] = (await kit.traces()).named("spindex.write_transaction") as [TraceSpan, TraceSpan];
  expect(two.attributes["spindex.outcome"]).toBe("already_durable");
});

test("a run that fails for good ends its batches as failed", async () => {
  const kit = await traced();
  const drain = kit.telemetry.drainStarted(drainStart(1, kit.clock, [runBatch(kit, 1), runBatch(kit, 2)]));
  const transaction = drain.transaction(1);
  const error = new Error("duplicate key");
  transaction.failed(error, { kind: "fatal", willRetry: false });
  drain.failed(error);
  const model = await kit.traces();
  expect(model.dangling()).toEqual([]);
  expect(model.batches().map((span) => [span.attributes["spindex.outcome"], span.isError])).toEqual([
    ["failed", true],
    ["failed", true],
  ]);
  expect(model.batches().map((span) => model.writeTransactionOf(span)?.isError)).toEqual([true, true]);
  expect((await kit.telemetry.scrape("")).body).toContain(
    'spindex_write_failures_total{class="fatal",retriable="false",indexer="erc20",shard="0"} 1\n',
  );
});

test("a failed handler has a span with its place, and the process span carries the error", async () => {
  const kit = await traced();
  const { telemetry, clock } = kit;
  const batch = telemetry.batchStarted(batchStart(1, clock));
  batch.processing();
  const startedAt = clock.now();
  clock.advance(2);
  const call = {
    handler: "Token.Transfer",
    chain: mainnet,
    block: 5,
    logIndex: 6,
    transactionHash: "0xabc",
    startedAt,
    endedAt: clock.now(),
    error: new RangeError("no"),
  };
  batch.handlerFailed(call, "skip");
  batch.handlerFailed(call);
  batch.processed({ ...processed, slowest: [{ ...call, error: undefined }] });
  batch.abandoned("failed", call.error);

  const model = await kit.traces();
  const process = only(model.named("spindex.batch.process"));
  expect(names(model.childrenOf(process)).toSorted()).toEqual([
    "spindex.handler",
    "spindex.handler",
    "spindex.handler",
    "spindex.handlers",
  ]);
  expect(process.events.map(({ name }) => name)).toEqual(["exception"]);
  expect(model.named("spindex.handler").map(({ isError }) => isError)).toEqual([true, true, false]);
  expect(model.named("spindex.handler")[0]?.attributes).toEqual({
    "spindex.handler.name": "Token.Transfer",
    "spindex.chain.name": "mainnet",
    "spindex.chain.id": 1,
    "spindex.block.number": 5,
    "spindex.log.index": 6,
    "spindex.transaction.hash": "0xabc",
    "error.type": "RangeError",
  });
  expect(kit.lines.map(({ event, level }) => [event, level])).toEqual([
    ["handler.skipped", "warn"],
    ["handler.failed", "error"],
  ]);
  const page = (await telemetry.scrape("")).body;
  expect(page).toContain('spindex_handler_failures_total{handler="Token.Transfer",indexer="erc20",shard="0"} 1\n');
  expect(page).toContain('spindex_skipped_events_total{handler="Token.Transfer",indexer="erc20",shard="0"} 1\n');
});

test("what is open at the end is ended as aborted", async () => {
  const kit = await traced();
  const { telemetry, clock } = kit;
  const queued = runBatch(kit, 1);
  const drain = telemetry.drainStarted(drainStart(1, clock, [queued]));
  drain.transaction(1);
  telemetry.batchStarted(batchStart(2, clock)).processing();
  telemetry.fetchStarted({ chain: mainnet, fromBlock: 1, toBlock: 2, addresses: 0, live: false });
  telemetry.flushStarted({ reason: "stop", pendingBatches: 2, drainOrigin: drain.origin });
  telemetry.reorgStarted({ chain: mainnet, evidence: "", foundHash: "0x1" }).rollbackStarted(rollback).transaction(1);
  telemetry.phase("spindex.shutdown", { "spindex.reason": "stop" });
  await telemetry.shutdown();
  await telemetry.shutdown();
  const model = await kit.traces();
  expect(model.dangling()).toEqual([]);
  const ended = model.spans.filter(({ name }) => !/batch\.|shutdown|snapshot|handlers/.test(name));
  expect(names(ended).toSorted()).toEqual([
    "spindex.batch",
    "spindex.batch",
    "spindex.drain_run",
    "spindex.fetch",
    "spindex.flush",
    "spindex.reorg",
    "spindex.rollback",
    "spindex.write_transaction",
    "spindex.write_transaction",
  ]);
  expect(ended.map((span) => span.attributes["spindex.outcome"])).toEqual(Array(ended.length).fill("aborted"));
  expectTrace(model).one("spindex.flush").linksTo("spindex.drain_run");
  expectTrace(model).one("spindex.shutdown");
});

test("of very many statements the short ones share a span", async () => {
  const kit = await traced();
  const { telemetry, clock } = kit;
  const transaction = telemetry.drainStarted(drainStart(1, clock, [runBatch(kit, 1)])).transaction(1);
  const upsert = { summary: "UPDATE account", operation: "UPDATE", purpose: "entity", table: "account" } as const;
  for (let i = 0; i < 100; i++)
    await transaction.statement({ ...upsert, rows: 1, bytes: 10 }, async () => clock.advance(0.5));
  await transaction.statement({ ...upsert, rows: 1, bytes: 10 }, async () => clock.advance(5));
  transaction.succeeded(false);
  const model = await kit.traces();
  const statements = model.named("{db.query.summary}");
  expect(statements.filter((span) => span.name === "UPDATE account")).toHaveLength(65);
  expect(only(statements.filter((span) => span.name === "merged statements")).attributes).toMatchObject({
    "spindex.write.merged_statements": 36,
    "spindex.write.rows": 36,
  });
  expect(only(model.named("spindex.write_transaction")).attributes).toMatchObject({
    "spindex.write.statements": 101,
    "spindex.write.rows": 101,
  });
});

test.each([0, 0.01, 0.5, 1])(
  "at ratio %d no link dangles and every sampled batch leads to its write",
  async (ratio) => {
    const kit = await traced({ ratio });
    const { telemetry, clock } = kit;
    let drainOrigin: unknown;
    for (let run = 1; run <= 40; run++) {
      const batches = Array.from({ length: 3 }, (_, index) => {
        const fetch = telemetry.fetchStarted({ chain: mainnet, fromBlock: 1, toBlock: 2, addresses: 0, live: false });
        fetch.done({ toBlock: 2, logs: 0, bytes: 0 });
        const at = { askedAt: clock.now(), createdFrom: clock.now() };
        const capacityWait = {
          startedAt: at.askedAt,
          endedAt: at.createdFrom,
          reason: "bytes" as const,
          uncommittedChanges: 0,
          uncommittedBytes: 0,
          queuedBatches: 0,
          limit: 1,
          wakeUps: 1,
          drainOrigin,
        };
        return runBatch(kit, run * 3 + index, { ...at, capacityWait, fetchOrigins: [fetch.origin] });
      });
      drainOrigin = await write(kit, run, batches);
    }
    const model = await kit.traces();
    expect(model.dangling()).toEqual([]);
    for (const batch of model.batches()) {
      const drain = model.drainRunOf(batch) as TraceSpan;
      expect(model.batchesOf(drain)).toContain(batch);
      expect(model.batchesOf(model.writeTransactionOf(batch) as TraceSpan)).toContain(batch);
    }
    if (ratio === 0) expect(model.spans).toEqual([]);
    if (ratio === 0.5) {
      expect(model.batches().length).toBeGreaterThan(25);
      expect(model.batches().length).toBeLessThan(95);
    }
    if (ratio === 1) expect(model.batches()).toHaveLength(120);
  },
);

const statement = { summary: "UPDATE chains", operation: "UPDATE", table: "chains", rows: 1, bytes: 0 } as const;

test("chain metadata written alone is a trace of its own, in no drain run", async () => {
  const kit = await traced();
  const transaction = kit.telemetry.metadataWriteStarted();
  transaction.began({ backendPid: 77, database: "db" });
  await transaction.statement({ ...statement, purpose: "chain_meta" }, async () => kit.clock.advance(2));
  await transaction.commit(async () => kit.clock.advance(3));
  transaction.succeeded(false);
  const { spans } = await kit.traces();
  expect(names(spans).toSorted()).toEqual(["COMMIT", "UPDATE chains", "spindex.write_transaction"]);
  const root = only(spans.filter(({ name }) => name === "spindex.write_transaction"));
  expect(root).toMatchObject({
    parentSpanId: undefined,
    attributes: { "spindex.statement.purpose": "chain_meta", "spindex.outcome": "durable", "spindex.write.attempt": 1 },
  });
  expect(root.attributes).not.toHaveProperty("spindex.drain.id");
  const page = (await kit.telemetry.scrape("")).body;
  expect(page).not.toMatch(/spindex_write_transaction_duration_seconds_count\{.*outcome="durable".*\} [1-9]/);
});

test("a step of pruning is a trace of its own, and counted", async () => {
  const kit = await traced();
  const { telemetry, clock } = kit;
  const prune = telemetry.pruneStarted("account_history");
  prune.transaction.began({ backendPid: 77, database: "db" });
  await prune.transaction.statement({ ...statement, purpose: "prune" }, async () => clock.advance(2));
  prune.done({ rows: 12, alreadyDurable: false });
  const failed = telemetry.pruneStarted("account_history");
  failed.failed(new Error("locked"), { kind: "transient", willRetry: true });
  const { spans } = await kit.traces();
  const roots = spans.filter(({ name }) => name === "spindex.history_prune");
  expect(roots.map(({ attributes }) => attributes)).toEqual([
    expect.objectContaining({
      "spindex.prune.table": "account_history",
      "spindex.prune.rows": 12,
      "spindex.outcome": "durable",
    }),
    expect.objectContaining({ "spindex.outcome": "failed" }),
  ]);
  for (const root of roots) {
    const write = only(spans.filter(({ parentSpanId }) => parentSpanId === root.spanId));
    expect(write.name).toBe("spindex.write_transaction");
  }
  const page = (await telemetry.scrape("")).body;
  expect(page).toMatch(/spindex_history_pruned_rows_total\{.*table="account_history".*\} 12/);
});

test("a batch in which a handler has failed shows what was kept of it", async () => {
  const kit = await traced();
  const batch = kit.telemetry.batchStarted(batchStart(1, kit.clock));
  batch.processing();
  batch.processed(processed);
  batch.committed({ ...committed, kept: { items: 1, lastCheckpoint: 10 } });
  await write(kit, 1, [batch]);
  const { attributes } = only((await kit.traces()).batches());
  expect(attributes).toMatchObject({
    "spindex.batch.items": 1,
    "spindex.checkpoint.from": 10,
    "spindex.checkpoint.to": 10,
    "spindex.outcome": "durable",
  });
});

describe("a reorg", () => {
  const start = { chain: mainnet, evidence: "block 4 was replaced", foundHash: "0x44" };

  test("links to the durable batches that its rollback throws away, and to no others", async () => {
    const kit = await traced();
    const { telemetry, clock } = kit;
    const other = { chains: [{ name: "base", id: 8453 }], blocks: [{ chainId: 8453, from: 9, to: 9 }] };
    const kept = runBatch(kit, 3);
    await write(kit, 1, [kept, runBatch(kit, 4), runBatch(kit, 9, other), runBatch(kit, 7, { mode: "final" })]);
    await write(kit, 2, [runBatch(kit, 5)]);
    const reorg = telemetry.reorgStarted(start);
    const request = { method: "eth_getBlockByNumber", calls: 2, host: "node", port: undefined };
    await reorg.source("node").request(request, async () => ({ value: 1, responseBytes: 2 }));
    const back = reorg.rollbackStarted(rollback);
    const first = back.transaction(1);
    first.failed(new Error("gone"), { kind: "transient", willRetry: true });
    const second = back.transaction(2);
    clock.advance(4);
    second.succeeded(false);
    back.done({ checkpoints: { from: 40, to: 52 }, rowsRestored: 2, rowsDeleted: 3 });
    reorg.done(3);
    const again = telemetry.reorgStarted(start);
    again.rollbackStarted({ ...rollback, fromBlock: 4 }).failed(new Error("no"));
    again.failed(new Error("no"));

    const model = await kit.traces();
    const [span, later] = expectTrace(model).whole().all("spindex.reorg", 2);
    span?.has({ "spindex.reorg.depth": 2, "spindex.block.to": 3, "spindex.reorg.found_hash": "0x44" });
    const gone = span?.allLinkedTo("spindex.batch").map((batch) => batch.span.attributes["spindex.batch.id"]);
    expect(gone).toEqual([4, 5]);
    span?.child("{rpc.method}", { "rpc.method": "eth_getBlockByNumber" });
    const writes = span
      ?.child("spindex.rollback", {
        "spindex.block.from": 4,
        "spindex.block.to": 5,
        "spindex.checkpoint.from": 40,
        "spindex.checkpoint.to": 52,
        "spindex.rollback.rows_restored": 2,
        "spindex.rollback.rows_deleted": 3,
        "spindex.reorg.orphaned_hashes": ["0x4", "0x5"],
        "spindex.outcome": "durable",
      })
      .children("spindex.write_transaction", 2);
    expect(writes?.[1]?.linksTo("spindex.write_transaction").span).toBe(writes?.[0]?.span);
    expect(later?.failed("Error").span.links).toEqual([]);
    later?.child("spindex.rollback").failed().has({ "spindex.outcome": "failed" });
  });

  test.each([0.3])("is exported whenever a batch is that it throws away, at ratio %d too", async (ratio) => {
    let exported = 0;
    for (let seed = 1; seed <= 40; seed++) {
      const kit = await traced({ ratio, seed });
      await write(kit, 1, [runBatch(kit, 3), runBatch(kit, 4)]);
      const reorg = kit.telemetry.reorgStarted(start);
      reorg.rollbackStarted(rollback).done({ checkpoints: undefined, rowsRestored: 0, rowsDeleted: 0 });
      reorg.done(3);
      const flush = kit.telemetry.flushStarted({ reason: "end", pendingBatches: 1, drainOrigin: undefined });
      await write(kit, 2, [runBatch(kit, 5)]);
      flush.done("durable");
      const model = await kit.traces();
      expectTrace(model).whole();
      const thrownAway = model.batches().filter((batch) => batch.attributes["spindex.batch.id"] === 4);
      const [root] = model.named("spindex.reorg");
      if (thrownAway.length > 0) expect(root && model.linkedFrom(root)).toEqual(thrownAway);
      const awaited = model.named("spindex.drain_run").filter((run) => run.attributes["spindex.drain.id"] === 2);
      const [flushed] = model.named("spindex.flush");
      if (awaited.length > 0) expect(flushed && model.linkedFrom(flushed)).toEqual(awaited);
      exported += thrownAway.length;
    }
    expect(exported).toBeGreaterThan(4);
  });
});

test("a flush links to the drain run in flight and to those that begin meanwhile", async () => {
  const kit = await traced();
  const running = kit.telemetry.drainStarted(drainStart(1, kit.clock, [runBatch(kit, 1)]));
  const flush = kit.telemetry.flushStarted({ reason: "stop", pendingBatches: 3, drainOrigin: running.origin });
  running.durable();
  await write(kit, 2, [runBatch(kit, 2)]);
  flush.done("durable");
  await write(kit, 3, [runBatch(kit, 3)]);
  const span = expectTrace(await kit.traces())
    .one("spindex.flush")
    .isRoot();
  span.has({
    "spindex.reason": "stop",
    "spindex.pending.batches": 3,
    "spindex.drain.ids": ["1", "2"],
    "spindex.outcome": "durable",
  });
  span.lasts({ min: 37, max: 37 });
  expect(span.allLinkedTo("spindex.drain_run", 2)).toHaveLength(2);
});

test("a request or a COMMIT that comes to its end after the process's has a span that ended with it, once", async () => {
  const kit = await traced();
  const transaction = kit.telemetry.drainStarted(drainStart(1, kit.clock, [runBatch(kit, 1)])).transaction(1);
  const gate = Promise.withResolvers<{ value: number; responseBytes: number }>();
  const commit = transaction.commit(() => gate.promise);
  const request = { method: "eth_getLogs", calls: 1, host: "node", port: undefined };
  const answer = kit.telemetry.source(mainnet, "node").request(request, () => gate.promise);
  kit.clock.advance(3);
  await kit.telemetry.shutdown();
  kit.clock.advance(5);
  gate.resolve({ value: 1, responseBytes: 1 });
  await Promise.all([commit, answer]);
  const traces = expectTrace(await kit.traces());
  traces.one("COMMIT").lasts({ min: 3, max: 3 });
  traces.one("{rpc.method}").lasts({ min: 3, max: 3 });
  expect(kit.problems).toEqual([]);
});
