import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { expect, inject, test } from "vitest";
import { createReplayServer } from "../../examples/replay/replay-server.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { readTraceFile, type TraceSpan } from "../../src/testing/index.ts";
import { runCli } from "../support/cli.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { eventually, searchTraces, spanOf, traceOf } from "./queries.ts";

const EXAMPLES = join(import.meta.dirname, "../../examples");
const { jaeger } = inject("stack");

const byId = (a: TraceSpan, b: TraceSpan): number => a.spanId.localeCompare(b.spanId);
const inOrder = (spans: readonly TraceSpan[]): readonly TraceSpan[] => spans.toSorted(byId);

test.skipIf(jaeger === undefined)("every span of a run is in Jaeger as it was sent, and leads on", async () => {
  const { otlpUrl, queryUrl } = jaeger!;
  await using resources = new AsyncDisposableStack();
  const folder = await mkdtemp(join(tmpdir(), "spindex-stack-"));
  resources.defer(() => rm(folder, { recursive: true, force: true }));
  const database = await createTestDatabase();
  resources.defer(() => database.drop());
  const node = await createReplayServer({
    file: join(EXAMPLES, "data/univ3-mainnet-2024-01-05.ndjson.gz"),
    chainId: 1,
  });
  resources.defer(() => node.close());
  const since = systemClock.now();
  const file = join(folder, "traces.jsonl");
  const run = await runCli(["start", "--once", "--trace-file", file], {
    cwd: join(EXAMPLES, "uniswap-v3"),
    env: {
      DATABASE_URL: database.url,
      MAINNET_RPC_URL: node.url,
      OTEL_EXPORTER_OTLP_ENDPOINT: otlpUrl,
      // Small enough for several batches and for capacity waits.
      SPINDEX_CAPACITY_CHANGES: "2000",
    },
  });
  expect(run).toMatchObject({ exitCode: 0, stderr: "" });

  const sent = await readTraceFile(file);
  const stored = await eventually(
    () => searchTraces(queryUrl, { service: "uniswap_v3", since }),
    ({ spans }) => spans.length >= sent.spans.length,
  );
  expect(sent.spans.length).toBeGreaterThan(50);
  expect(inOrder(stored.spans)).toEqual(inOrder(sent.spans));
  expect(stored.dangling()).toEqual([]);
  expect(sent.named("spindex.capacity_wait").length).toBeGreaterThan(0);

  // As a person goes who has one trace on the screen: by the ids that it shows.
  const batches = stored.batches();
  expect(batches.length).toBeGreaterThan(3);
  for (const { traceId, spanId } of batches) {
    const batchTrace = await traceOf(queryUrl, traceId);
    const batch = spanOf(batchTrace, spanId);
    const drainTrace = await traceOf(queryUrl, String(batch?.attributes["spindex.drain.trace_id"]));
    const drainRun = drainTrace.named("spindex.drain_run")[0];
    expect(drainRun?.attributes["spindex.drain.id"]).toBe(batch?.attributes["spindex.drain.id"]);
    expect(drainRun?.attributes["spindex.batch.trace_ids"]).toContain(traceId);
    // And by the links of the spans.
    expect(batch?.links).toContainEqual({ traceId: drainRun?.traceId, spanId: drainRun?.spanId });
    expect(drainRun?.links).toContainEqual({ traceId, spanId });
    const persist = batchTrace.named("spindex.batch.persist")[0];
    expect(persist?.attributes["spindex.write.trace_id"]).toBe(drainRun?.traceId);
    const write = spanOf(drainTrace, persist?.links[0]?.spanId ?? "");
    expect(write).toMatchObject({ name: "spindex.write_transaction", parentSpanId: drainRun?.spanId });
    expect(write && drainTrace.childrenOf(write).map(({ name }) => name)).toContain("COMMIT");
  }
});
