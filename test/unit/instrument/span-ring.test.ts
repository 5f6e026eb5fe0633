import { setFlagsFromString } from "node:v8";
import { runInNewContext } from "node:vm";
import { describe, expect, test } from "vitest";
import { createLog } from "../../../src/instrument/log.ts";
import { readRecording } from "../../../src/instrument/recorded/recording.ts";
import { TraceModel } from "../../../src/instrument/recorded/trace-model.ts";
import { SpanRing, type SpanRingLimits } from "../../../src/instrument/recorder/span-ring.ts";
import { startTracing } from "../../../src/instrument/tracing/start-tracing.ts";
import type { RecentSpans, Tracing } from "../../../src/instrument/tracing/tracing.ts";
import { dumpOf, durableRun, failedRun, queuedBatch, type Recorded, recorded } from "../../support/recorded.ts";
import { batchStart, committed, processed } from "../../support/traced.ts";

const log = createLog({ level: "silent", format: "json" });

function start(ratio = 0): Promise<Tracing> {
  const identity = { serviceName: "erc20", version: "1.2.3", instanceId: "instance-1" };
  return startTracing({ ...identity, exporters: {}, ratio, record: true, log });
}

/** Names of what is kept, as a dump would write it. */
async function kept({ recent }: Tracing): Promise<{ readonly ended: string[]; readonly open: string[] }> {
  const { ended, open } = await (recent as RecentSpans).take();
  const namesIn = (texts: Iterable<string>): string[] =>
    [...texts].flatMap((text) => {
      const { scopeSpans } = JSON.parse(text) as { scopeSpans: { spans: { name: string }[] }[] };
      return scopeSpans.flatMap(({ spans }) => spans.map(({ name }) => name));
    });
  return { ended: namesIn(ended.texts()), open: namesIn(open.texts()) };
}

describe("the recorder keeps", () => {
  test("the last 5,000 spans that have ended, and all that are open", async () => {
    const tracing = await start();
    const open = tracing.start("spindex.batch", { parent: undefined, startedAt: 1 });
    for (let i = 0; i < 12_345; i++) {
      tracing.start("{db.query.summary}", { parent: open, startedAt: 1, title: `COPY t${i}` }).end(2);
    }
    const { ended, open: stillOpen } = await kept(tracing);
    expect(ended).toHaveLength(5_000);
    expect([ended[0], ended.at(-1)]).toEqual(["COPY t7345", "COPY t12344"]);
    expect(stillOpen).toEqual(["spindex.batch"]);
  });

  test("fewer spans when they are large, and nothing of what was cut off", async () => {
    const tracing = await start();
    const before = heapUsed();
    for (let i = 0; i < 500; i++) {
      const span = tracing.start("spindex.fetch", { parent: undefined, startedAt: 1 });
      const text = String(i).padEnd(500_000, "x");
      span.set({ "spindex.chain.name": text });
      span.setOwn({ note: text });
      span.fail(new Error(text.slice(0, 50_000)), 2);
      span.end(2);
    }
    expect(heapUsed() - before).toBeLessThan(60 * 2 ** 20);
    const { ended } = await (tracing.recent as RecentSpans).take();
    const characters = [...ended.texts()].reduce((sum, text) => sum + text.length, 0);
    expect(ended.count).toBeGreaterThan(100);
    expect(characters).toBeLessThan(20_000_000);
  });

  test.each<[Partial<SpanRingLimits>, string[], string[]]>([
    [{ ended: 2 }, ["b", "c"], ["d", "e"]],
    [{ open: 1 }, ["a", "b", "c"], ["e"]],
    [{ bytes: 1_500 }, ["b", "c"], ["d", "e"]],
  ])("no more than its limits %o say", async (limits, ended, open) => {
    const ring = new SpanRing([], limits);
    for (const name of ["a", "b", "c", "d", "e"]) {
      ring.onStart(spanNamed(name));
      if (name < "d") ring.onEnd(spanNamed(name));
    }
    expect(await kept({ recent: ring } as unknown as Tracing)).toEqual({ ended, open });
  });
});

/** Without garbage. */
function heapUsed(): number {
  setFlagsFromString("--expose-gc");
  runInNewContext("gc")();
  return process.memoryUsage().heapUsed;
}

type RingSpan = Parameters<SpanRing["onStart"]>[0];

function spanNamed(name: string): RingSpan {
  return {
    name,
    kind: 0,
    spanContext: () => ({ traceId: "0".repeat(31) + name, spanId: "0".repeat(15) + name, traceFlags: 0 }),
    ...{ startTime: [1, 0], endTime: [2, 0], duration: [1, 0], ended: true, status: { code: 0 } },
    ...{ attributes: {}, events: [], links: [], resource: { attributes: {} }, instrumentationScope: { name: "" } },
    ...{ droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
  } as unknown as RingSpan;
}

describe("spans that are not sampled", () => {
  test("are kept and do not leave; what is sampled never links to them", async () => {
    const kit = await recorded({ ratio: 0 });
    await durableRun(kit, 1, [queuedBatch(kit, 1)]);
    expect((await kit.exported()).spans).toEqual([]);
    await kit.telemetry.dump("signal");
    const model = modelOf(await kit.dumps());
    expect(model.spans.flatMap(({ links }) => links)).toEqual([]);
    expect(model.dangling()).toEqual([]);
    expect(model.batches()).toHaveLength(1);
    expect(model.childrenOf(model.batches()[0] as TraceModel["spans"][0])).toHaveLength(5);
  });

  test("leave with the dump, once; and so does the rest of their traces, when it ends", async () => {
    const kit = await recorded({ ratio: 0 });
    const open = queuedBatch(kit, 1);
    await kit.telemetry.dump("signal");
    const first = await kit.exported();
    expect(first.spans.map(({ name }) => name)).toContain("spindex.batch.process");
    expect(first.batches()).toEqual([]);
    await durableRun(kit, 1, [open]);
    await durableRun(kit, 2, [queuedBatch(kit, 2)]);
    const second = await kit.exported();
    expect(second.batches().map(({ attributes }) => attributes["spindex.batch.id"])).toEqual([1]);
    expect(second.dangling()).toEqual([]);
    await kit.telemetry.dump("stall");
    const third = await kit.exported();
    expect(third.batches().map(({ attributes }) => attributes["spindex.batch.id"])).toEqual([1, 2]);
    expectEachOnce(third);
    expect(third.dangling()).toEqual([]);
  });
});

test.each([0, 0.01, 0.5, 1])("at the ratio %d nothing that leaves dangles, and nothing leaves twice", async (ratio) => {
  const kit = await recorded({ ratio, seed: 7 });
  for (let run = 1; run <= 20; run++) {
    const batches = [queuedBatch(kit, 2 * run), queuedBatch(kit, 2 * run + 1)];
    if (run % 8 === 0) await kit.telemetry.dump(run % 16 === 0 ? "stall" : "signal");
    await durableRun(kit, run, batches);
  }
  const model = await kit.exported();
  expect(model.dangling()).toEqual([]);
  expectEachOnce(model);
});

test("at the ratio 0 the dump of a failure holds the whole trace of its batch", async () => {
  const kit = await recorded({ ratio: 0 });
  await failWrite(kit);
  const [text] = await kit.dumps();
  const dump = dumpOf(text);
  expect(dump.reason).toBe("write_failure");
  expect(dump.openSpans).toEqual([]);
  const model = modelOf([text as string]);
  expect(model.dangling()).toEqual([]);
  const names = ["spindex.batch", "spindex.batch.process", "spindex.batch.persist", "spindex.drain_run"] as const;
  for (const name of names) expect(model.named(name)).toHaveLength(1);
  expect(model.batches()[0]?.attributes).toMatchObject({ "spindex.outcome": "failed" });
  const [line] = dump.logs as readonly Record<string, unknown>[];
  const [write] = model.named("spindex.write_transaction");
  // The line leads to the span in the dump, and says that no collector has it.
  expect(line).toMatchObject({ event: "write.failed", trace_id: write?.traceId, span_id: write?.spanId });
  expect(line).toMatchObject({ trace_flags: "00" });
});

test("a handler's failure is dumped when the batch that it has cut short is durable", async () => {
  const kit = await recorded({ ratio: 0 });
  const { telemetry, clock } = kit;
  const batch = telemetry.batchStarted({ ...batchStart(1, clock), boundBy: "end" });
  batch.processing();
  const at = clock.now();
  const place = { handler: "Token.Transfer", chain: { name: "mainnet", id: 1 }, block: 5, logIndex: 2 };
  batch.handlerFailed({ ...place, transactionHash: "0x1", startedAt: at, endedAt: at, error: new Error("boom") });
  batch.processed(processed);
  batch.committed(committed);
  await settled(kit);
  expect(await kit.dumps()).toEqual([]);
  await durableRun(kit, 1, [batch]);
  await settled(kit);
  const [text] = await kit.dumps();
  expect(dumpOf(text).reason).toBe("handler_failure");
  expect(modelOf([text as string]).batches()[0]?.attributes).toMatchObject({ "spindex.outcome": "durable" });
});

test("a rollback is dumped", async () => {
  const kit = await recorded({ ratio: 1 });
  const reorg = { chain: { name: "mainnet", id: 1 }, evidence: "7 denies 6", foundHash: "0x7" };
  kit.telemetry.reorgStarted(reorg).done(5);
  await settled(kit);
  const [text] = await kit.dumps();
  expect(dumpOf(text).reason).toBe("rollback");
  expect(modelOf([text as string]).named("spindex.reorg")).toHaveLength(1);
});

async function failWrite(kit: Recorded): Promise<void> {
  await failedRun(kit, 1, [queuedBatch(kit, 1)]);
  await settled(kit);
}

/** What was asked for by those who cannot wait is written. */
async function settled({ telemetry }: Recorded): Promise<void> {
  await telemetry.flush();
}

function modelOf(texts: readonly string[]): TraceModel {
  const recordings = texts.map(readRecording);
  return new TraceModel(
    recordings.flatMap((recording) => (typeof recording === "string" ? [] : recording.model.spans)),
  );
}

function expectEachOnce(model: TraceModel): void {
  expect(new Set(model.spans.map(({ spanId }) => spanId)).size).toBe(model.spans.length);
}
