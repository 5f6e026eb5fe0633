import { appendFile, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { trace } from "@opentelemetry/api";
import { afterEach, beforeEach, expect, test } from "vitest";
import { createLog } from "../../../src/instrument/log.ts";
import { startTracing } from "../../../src/instrument/tracing/start-tracing.ts";
import type { Tracing, TracingOptions } from "../../../src/instrument/tracing/tracing.ts";
import { readTraceFile } from "../../../src/testing/index.ts";

let folder: string;
let lines: string[];

beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), "spindex-traces-"));
  lines = [];
});
afterEach(() => rm(folder, { recursive: true }));

function start(exporters: TracingOptions["exporters"], more: Partial<TracingOptions> = {}): Promise<Tracing> {
  const log = createLog({ level: "debug", format: "json", destination: { write: (line) => void lines.push(line) } });
  const identity = { serviceName: "erc20", version: "1.2.3", instanceId: "instance-1" };
  return startTracing({ ...identity, exporters, ratio: 1, log, ...more });
}

test("a trace file gives back what was traced, over several runs and a torn line", async () => {
  const file = join(folder, "trace.jsonl");
  for (const attempt of [1, 2]) {
    const tracing = await start({ file });
    const parent = tracing.start("spindex.drain_run", { parent: undefined, startedAt: 1000 });
    const child = tracing.start("spindex.write_transaction", {
      parent,
      startedAt: 1500.5,
      attributes: { "spindex.write.attempt": attempt, "spindex.write.will_retry": false, "db.namespace": undefined },
    });
    child.event("begin", 1600, { "db.postgresql.backend_pid": 7 });
    child.end(2000);
    parent.set({ "spindex.batch.trace_ids": ["a", "b"] });
    parent.end(3000);
    await tracing.shutdown();
    expect(tracing.counts).toEqual({ started: 2, ended: 2, exported: 2, failed: 0, dropped: 0 });
    await appendFile(file, '{"resourceSpans":[{"scopeSp');
  }
  const model = await readTraceFile(file);
  expect(model.dangling()).toEqual([]);
  const transactions = model.named("spindex.write_transaction");
  expect(
    transactions.map(({ attributes, startedAt, endedAt, events }) => ({ attributes, startedAt, endedAt, events })),
  ).toEqual(
    [1, 2].map((attempt) => ({
      attributes: { "spindex.write.attempt": attempt, "spindex.write.will_retry": false },
      startedAt: 1500.5,
      endedAt: 2000,
      events: [{ name: "begin", at: 1600, attributes: { "db.postgresql.backend_pid": 7 } }],
    })),
  );
  expect(model.named("spindex.drain_run")[0]?.attributes).toEqual({ "spindex.batch.trace_ids": ["a", "b"] });
});

test("the resource says who traces, and never how it was started", async () => {
  const file = join(folder, "trace.jsonl");
  const resourceAttributes = { "deployment.environment.name": "staging", "service.name": "another" };
  const tracing = await start({ file }, { resourceAttributes });
  tracing.start("spindex.startup", { parent: undefined, startedAt: 1 }).end(2);
  await tracing.shutdown();
  const request = JSON.parse((await readFile(file, "utf8")).split("\n")[0] as string);
  const attributes = Object.fromEntries(
    request.resourceSpans[0].resource.attributes.map(
      ({ key, value }: { key: string; value: Record<string, unknown> }) => [key, Object.values(value)[0]],
    ),
  );
  expect(attributes).toMatchObject({
    "service.name": "erc20",
    "service.namespace": "spindex",
    "service.version": "1.2.3",
    "service.instance.id": "instance-1",
    "deployment.environment.name": "staging",
  });
  expect(Object.keys(attributes).filter((key) => key.startsWith("process."))).toEqual([]);
});

test("two in one process keep their spans apart, and neither becomes the global one", async () => {
  const files = [join(folder, "a.jsonl"), join(folder, "b.jsonl")] as const;
  const [a, b] = await Promise.all(files.map((file) => start({ file })));
  a?.start("spindex.startup", { parent: undefined, startedAt: 1 }).end(2);
  b?.start("spindex.shutdown", { parent: undefined, startedAt: 1 }).end(2);
  expect(trace.getTracer("anyone").startSpan("x").isRecording()).toBe(false);
  await Promise.all([a?.shutdown(), b?.shutdown()]);
  const models = await Promise.all(files.map(readTraceFile));
  expect(models.map(({ spans }) => spans.map(({ name }) => name))).toEqual([["spindex.startup"], ["spindex.shutdown"]]);
});

test("without an exporter nothing is traced", async () => {
  const tracing = await start({});
  const span = tracing.start("spindex.batch", { parent: undefined, startedAt: 1 });
  span.set({ "spindex.batch.id": 1 });
  span.end(2);
  expect(span.ref).toBeUndefined();
  await tracing.shutdown();
  expect(tracing.counts).toEqual({ started: 0, ended: 0, exported: 0, failed: 0, dropped: 0 });
});

test("a child of an untraced span is untraced", async () => {
  const tracing = await start({ file: join(folder, "trace.jsonl") }, { ratio: 0 });
  const parent = tracing.start("spindex.batch", { parent: undefined, startedAt: 1 });
  expect(tracing.start("spindex.batch.commit", { parent, startedAt: 1 }).ref).toBeUndefined();
  expect(tracing.counts.started).toBe(0);
  await tracing.shutdown();
});

test("more spans than the queue holds are counted as dropped", async () => {
  const held: (() => void)[] = [];
  const exporter = {
    export: (_spans: unknown, done: (result: { code: number }) => void) => void held.push(() => done({ code: 1 })),
    shutdown: async () => {},
  };
  const tracing = await start({ others: [exporter] });
  for (let i = 0; i < 17_000; i++) tracing.start("spindex.flush", { parent: undefined, startedAt: 1 }).end(2);
  // Whole requests are dropped, the oldest first.
  expect(tracing.counts).toMatchObject({ started: 17_000, ended: 17_000, dropped: 1_024 });
  const closed = tracing.shutdown();
  while (held.length === 0) await new Promise((resolve) => setImmediate(resolve));
  for (const release of held) release();
  await closed;
  // An exporter that fails is not tried again at the end. It was given the newest.
  const { failed, dropped } = tracing.counts;
  expect({ failed, sum: failed + dropped }).toEqual({ failed: 104, sum: 17_000 });
});
