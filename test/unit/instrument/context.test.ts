import { AsyncLocalStorage } from "node:async_hooks";
import { type Context, type ContextManager, context, ROOT_CONTEXT, TraceFlags, trace } from "@opentelemetry/api";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { SpanRef } from "../../../src/instrument/tracing/tracing.ts";
import { expectTrace } from "../../../src/testing/index.ts";
import { batchStart, drainStart, processed, traced } from "../../support/traced.ts";
import { play } from "../../support/world/script.ts";

const storage = new AsyncLocalStorage<Context>();

/** As programs have it that trace by context: what is started inside of a span is its child, over any await. */
const manager: ContextManager = {
  active: () => storage.getStore() ?? ROOT_CONTEXT,
  with: (active, fn, thisArg, ...args) => storage.run(active, () => fn.apply(thisArg, args)),
  bind: (_, target) => target,
  enable: () => manager,
  disable: () => manager,
};

beforeAll(() => {
  context.disable();
  context.setGlobalContextManager(manager);
});
afterAll(() => context.disable());

const within = <T>(ids: { readonly traceId: string; readonly spanId: string }, run: () => T): T => {
  const span = trace.wrapSpanContext({ ...ids, traceFlags: TraceFlags.SAMPLED });
  return context.with(trace.setSpan(ROOT_CONTEXT, span), run);
};

test("a drain run that is started from inside of a batch is not in the batch's trace, though its context is active", async () => {
  const kit = await traced();
  const first = kit.telemetry.batchStarted(batchStart(1, kit.clock));
  first.processing();
  first.processed(processed);
  first.committed({ changes: 1, queuedBatches: 1, frontierGap: 1 });
  const batch = kit.telemetry.openWork()[0]?.span as SpanRef;
  const drain = within(batch, () => {
    // The context really is there: whoever asks for it would be in the batch's trace.
    expect(trace.getSpanContext(context.active())?.traceId).toBe(batch.traceId);
    return kit.telemetry.drainStarted(drainStart(1, kit.clock, [first]));
  });
  await within(batch, async () => {
    await Promise.resolve();
    drain.transaction(1).succeeded(false);
  });
  drain.durable();
  const model = await kit.traces();
  const run = expectTrace(model).whole().one("spindex.drain_run").isRoot();
  expect(run.span.traceId).not.toBe(batch.traceId);
  expect(run.child("spindex.write_transaction").span.traceId).toBe(run.span.traceId);
});

test("whatever span is active around an indexer, its traces are its own", async () => {
  const around = { traceId: "a".repeat(32), spanId: "b".repeat(16) };
  const blocks = Array.from({ length: 3 }, () => [{ onError: "stop", ops: [{ do: "insert", value: 1n }] }] as const);
  const { traces } = await within(around, () => play({ blocks, scenario: { batch: { items: 1, bytes: 1e9 } } }));
  for (const name of ["spindex.fetch", "spindex.batch", "spindex.drain_run", "spindex.flush"] as const) {
    for (const root of expectTrace(traces).whole().all(name)) root.isRoot();
  }
  expect(traces.spans.filter(({ traceId }) => traceId === around.traceId)).toEqual([]);
});
