import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { JsonTraceSerializer } from "@opentelemetry/otlp-transformer";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { createLog } from "../../../src/instrument/log.ts";
import { TraceModel } from "../../../src/instrument/recorded/trace-model.ts";
import { SpanCollector } from "../../../src/instrument/tracing/span-collector.ts";
import { startTracing } from "../../../src/instrument/tracing/start-tracing.ts";
import type { Tracing } from "../../../src/instrument/tracing/tracing.ts";
import {
  collectTraces,
  expectTrace,
  readTraceFile,
  startTraceReceiver,
  waterfall,
} from "../../../src/testing/index.ts";

const log = createLog({ level: "silent", format: "json", destination: { write: () => {} } });
const identity = { serviceName: "erc20", version: "1.2.3", instanceId: "instance-1", ratio: 1, seed: 1, log };

/** A batch, its drain run with two attempts to write it, and a fetch that failed. */
function trace(tracing: Tracing): void {
  const at = 1_700_000_000_000;
  const batch = tracing.start("spindex.batch", {
    parent: undefined,
    startedAt: at,
    attributes: { "spindex.batch.id": 1, "spindex.chains": ["one", "two"], "spindex.lag.queue_ms": 0.25 },
  });
  const persist = tracing.start("spindex.batch.persist", { parent: batch, startedAt: at + 10 });
  const drain = tracing.start("spindex.drain_run", { parent: undefined, startedAt: at + 10, links: [batch.ref] });
  batch.link(drain.ref);
  drain.set({ "spindex.batch.trace_ids": [batch.ref?.traceId ?? ""] });
  const first = tracing.start("spindex.write_transaction", { parent: drain, startedAt: at + 11 });
  first.fail(new RangeError("no\nat all"), at + 20);
  first.set({ "spindex.write.will_retry": true });
  first.end(at + 20);
  const second = tracing.start("spindex.write_transaction", {
    parent: drain,
    startedAt: at + 30.5,
    links: [first.ref],
    attributes: { "spindex.write.attempt": 2, "spindex.outcome": "durable" },
  });
  second.event("begin", at + 31, { "db.postgresql.backend_pid": -7 });
  const copy = { "db.query.summary": "COPY account" };
  const statement = tracing.start("{db.query.summary}", {
    parent: second,
    startedAt: at + 32,
    title: "COPY account",
    attributes: copy,
  });
  statement.end(at + 40);
  second.end(at + 50);
  persist.link(second.ref);
  persist.end(at + 50);
  drain.end(at + 50);
  batch.end(at + 50);
}

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), "spindex-kit-"));
});
afterAll(() => rm(folder, { recursive: true }));

async function collected(): Promise<TraceModel> {
  const collector = await collectTraces({ seed: 1 });
  trace(collector.tracing);
  const model = await collector.traces();
  await collector.close();
  return model;
}

/** The message of what `check` throws. */
function messageOf(check: () => unknown): string {
  try {
    check();
  } catch (error) {
    return (error as Error).message;
  }
  throw new Error("it holds");
}

describe("spans", () => {
  test("are the same from memory, from a trace file, and from a receiver in protobuf and JSON", async () => {
    const collector = new SpanCollector();
    const receiver = await startTraceReceiver();
    const jsonReceiver = await startTraceReceiver();
    const file = join(folder, "traces.jsonl");
    const overJson: Parameters<SpanCollector["export"]>[0] = [];
    const forJson = {
      export: (...[spans, done]: Parameters<SpanCollector["export"]>) => {
        overJson.push(...spans);
        done({ code: 0 });
      },
      shutdown: async () => {},
    };
    const tracing = await startTracing({
      ...identity,
      exporters: { others: [collector, forJson], file, otlpEndpoint: receiver.url },
    });
    trace(tracing);
    await tracing.shutdown();
    const body = Buffer.from(JsonTraceSerializer.serializeRequest(overJson) ?? []);
    const headers = { "content-type": "application/json" };
    const answer = await fetch(`${jsonReceiver.url}/v1/traces`, { method: "POST", headers, body });
    expect(answer.status).toBe(200);
    const { spans } = collector.model();
    expect(spans).toHaveLength(6);
    expect((await readTraceFile(file)).spans).toEqual(spans);
    expect(receiver.traces().spans).toEqual(spans);
    expect(jsonReceiver.traces().spans).toEqual(spans);
    expect(spans[0]?.resource).toMatchObject({ "service.name": "erc20", "service.instance.id": "instance-1" });
    expect([receiver.problems, jsonReceiver.problems]).toEqual([[], []]);
    await Promise.all([receiver.close(), jsonReceiver.close()]);
  });

  test("that a receiver cannot read are refused, and told", async () => {
    const receiver = await startTraceReceiver();
    const post = (path: string, body: string): Promise<Response> =>
      fetch(`${receiver.url}${path}`, { method: "POST", body });
    expect((await post("/v1/traces", "\x0a\x7fcut")).status).toBe(400);
    expect((await post("/v1/metrics", "")).status).toBe(400);
    expect(receiver.problems).toEqual(["cut off: 127 bytes at byte 2", "POST /v1/metrics is no export of traces"]);
    await receiver.close();
  });

  test("have the same ids for the same seed, and others for another", async () => {
    const ids = ({ spans }: TraceModel): string[] => spans.map(({ spanId }) => spanId);
    expect(ids(await collected())).toEqual(ids(await collected()));
    const other = await collectTraces({ seed: 2 });
    trace(other.tracing);
    expect(ids(await other.traces())).not.toEqual(ids(await collected()));
    await other.clear();
    expect((await other.traces()).spans).toEqual([]);
    await other.close();
  });

  test("that are ended twice are told as a problem", async () => {
    const collector = await collectTraces();
    const span = collector.tracing.start("spindex.batch", { parent: undefined, startedAt: 1 });
    span.end(2);
    expect(collector.problems).toEqual([]);
    span.end(3);
    expect(collector.problems.join()).toMatch(/^telemetry\.problem: .*ended Span/);
    await collector.close();
  });
});

describe("an expectation", () => {
  test("follows parents, children and links, in both directions", async () => {
    const model = await collected();
    const batch = expectTrace(model).whole().one("spindex.batch").isRoot().ok().lasts({ min: 50, max: 50 });
    const write = batch
      .child("spindex.batch.persist")
      .linksTo("spindex.write_transaction", { "spindex.outcome": "durable" });
    write.has({ "spindex.write.attempt": 2 }).hasEvent("begin", { "db.postgresql.backend_pid": -7 });
    write.child("{db.query.summary}", { "db.query.summary": "COPY account" }).lasts({ min: 8 });
    write.linksTo("spindex.write_transaction").failed("RangeError").hasEvent("exception");
    const run = write.parent("spindex.drain_run");
    expect(run.linksTo("spindex.batch").span).toBe(batch.span);
    expect(batch.linkedFrom("spindex.drain_run").span).toBe(run.span);
    expect(run.children("spindex.write_transaction", 2).map(({ span }) => span.isError)).toEqual([true, false]);
    expect(run.allLinkedTo("spindex.batch")).toHaveLength(1);
    expectTrace(model).none("spindex.reorg").all("spindex.write_transaction", 2);
  });

  test("that does not hold says so, above the waterfall that was seen", async () => {
    const model = await collected();
    const traces = expectTrace(model);
    const batch = traces.one("spindex.batch");
    const messages = [
      () => traces.one("spindex.reorg"),
      () => traces.one("spindex.write_transaction"),
      () => traces.all("spindex.batch", 2),
      () => traces.all("spindex.reorg"),
      () => traces.none("spindex.batch"),
      () => batch.has({ "spindex.batch.id": 2, "spindex.outcome": "durable" }),
      () => batch.hasEvent("exception"),
      () => batch.failed(),
      () => traces.one("spindex.write_transaction", { "spindex.write.will_retry": true }).ok(),
      () => batch.lasts({ max: 10 }),
      () => batch.parent("spindex.batch"),
      () => batch.child("spindex.batch.create"),
      () => batch.children("spindex.batch.persist", 0),
      () => batch.child("spindex.batch.persist").isRoot(),
      () => batch.linksTo("spindex.fetch"),
      () => batch.linkedFrom("spindex.reorg"),
    ].map((check) => messageOf(check).split("\n\n"));
    expect(messages.map(([first]) => first)).toEqual([
      "expected one span spindex.reorg, found 0",
      "expected one span spindex.write_transaction, found 2",
      "expected 2 spans spindex.batch, found 1",
      "expected at least 1 spans spindex.reorg, found 0",
      "expected no span spindex.batch, found 1",
      'spindex.batch: expected spindex.batch.id 2, found 1; expected spindex.outcome "durable", found undefined',
      "spindex.batch: expected the event exception {}",
      "spindex.batch: expected an error",
      "spindex.write_transaction: expected no error, found no\nat all",
      "spindex.batch: expected 0 to 10 ms, took 50 ms",
      "spindex.batch: expected the parent spindex.batch, found none",
      "spindex.batch: expected one child spindex.batch.create, found 0",
      "spindex.batch: expected 0 children spindex.batch.persist, found 1",
      "spindex.batch.persist: expected no parent",
      "spindex.batch: expected one link to spindex.fetch, found 0",
      "spindex.batch: expected one link from spindex.reorg, found 0",
    ]);
    for (const [, ...seen] of messages) expect(seen.join("\n\n")).toBe(`${waterfall(model)}\n`);
  });

  test("needs the target of a link", async () => {
    const { spans } = await collected();
    const torn = new TraceModel(spans.filter(({ name }) => name !== "spindex.drain_run"));
    expect(messageOf(() => expectTrace(torn).one("spindex.batch").linksTo("spindex.drain_run"))).toMatch(
      /^spindex\.batch links to \w{16}, which was not exported\n/,
    );
    expect(messageOf(() => expectTrace(torn).whole())).toMatch(
      /^spindex\.write_transaction \w{16} has the parent \w{16}\n/,
    );
  });

  test("of nothing says that nothing was traced", async () => {
    const collector = await collectTraces({ ratio: 0 });
    trace(collector.tracing);
    const model = await collector.traces();
    expect(messageOf(() => expectTrace(model).one("spindex.batch"))).toBe(
      "expected one span spindex.batch, found 0\n\nnothing was traced\n",
    );
    await collector.close();
  });
});

test("a waterfall shows trees, lengths, attributes, events and links, with short names for ids", async () => {
  expect(`\n${waterfall(await collected(), { ids: false })}\n`).toMatchInlineSnapshot(`
    "
    ── trace A ── +0 ms
    A1   spindex.batch                                     +0       50 ms |████████████████████████|
           batch.id=1  chains=[one, two]  lag.queue_ms=0.25
           → B1 spindex.drain_run
    A2     spindex.batch.persist                          +10       40 ms |    ████████████████████|
             → B3 spindex.write_transaction

    ── trace B ── +10 ms
    B1   spindex.drain_run                                 +0       40 ms |████████████████████████|
           batch.trace_ids=[A]
           → A1 spindex.batch
    B2     spindex.write_transaction ✗                     +1        9 ms |██████                  |
             error.type=RangeError  write.will_retry=true
             ✗ no
             • +10 exception  exception.message="no\\nat all"  exception.type=RangeError
    B3     spindex.write_transaction                    +20.5     19.5 ms |            ████████████|
             outcome=durable  write.attempt=2
             • +21 begin  db.postgresql.backend_pid=-7
             → B2 spindex.write_transaction
    B4       COPY account                                 +22        8 ms |             █████      |
               db.query.summary="COPY account"
    "
  `);
});
