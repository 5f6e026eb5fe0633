import { join } from "node:path";
import { afterAll, beforeAll, expect, test } from "vitest";
import { expectTrace, readTraceFile, type TraceSpan } from "../../src/testing/index.ts";
import { runCli, temporaryProject } from "../support/cli.ts";
import { tokenChain } from "../support/fake-chain.ts";
import { startFakeNode } from "../support/fake-node.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { TOKEN_PROJECT } from "../support/token-project.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const byId = (a: TraceSpan, b: TraceSpan): number => a.spanId.localeCompare(b.spanId);

test("a trace file leads from any batch to its drain run and write transaction, and back", async () => {
  const node = await startFakeNode({ chain: tokenChain({ blocks: 3_000, transfersPerBlock: 5 }) });
  node.limitRange({ maxBlocks: 100 });
  await using project = await temporaryProject(TOKEN_PROJECT);
  const file = join(project.directory, "traces.jsonl");
  try {
    const run = await runCli(["start", "--once", "--trace-file", file], {
      cwd: project.directory,
      env: { DATABASE_URL: database.url, RPC_URL: node.url, SPINDEX_CAPACITY_CHANGES: "2000" },
    });
    expect(run).toMatchObject({ exitCode: 0, stderr: "" });
  } finally {
    await node.close();
  }
  const traces = await readTraceFile(file);
  expect(traces.dangling()).toEqual([]);
  const batches = traces.batches();
  expect(batches.length).toBeGreaterThan(3);
  for (const batch of batches) {
    const run = traces.drainRunOf(batch);
    const write = traces.writeTransactionOf(batch);
    expect(run?.name).toBe("spindex.drain_run");
    expect(write?.name).toBe("spindex.write_transaction");
    expect(write && traces.parentOf(write)).toBe(run);
    expect(write && traces.batchesOf(write)).toContain(batch);
    expect(run?.traceId).not.toBe(batch.traceId);
    expect(batch.attributes["spindex.outcome"]).toBe("durable");
    expect(batch.attributes["spindex.drain.trace_id"]).toBe(run?.traceId);
    // The root is open until the COMMIT of its write, and its stages are its lag.
    const commit = write && traces.childrenOf(write).find((span) => span.name === "COMMIT");
    expect(commit && batch.endedAt >= commit.endedAt).toBe(true);
    const stages = ["capacity", "process", "queue", "write"].map((stage) =>
      Number(batch.attributes[`spindex.lag.${stage}_ms`]),
    );
    expect(Math.abs(stages.reduce((sum, ms) => sum + ms, 0) - batch.durationMs)).toBeLessThan(1);
  }
  // Each drain run is the root of a trace of its own, whoever woke the writer.
  const drainRuns = traces.named("spindex.drain_run");
  expect(drainRuns.filter(({ parentSpanId }) => parentSpanId !== undefined)).toEqual([]);
  expect(new Set([...drainRuns, ...batches].map(({ traceId }) => traceId)).size).toBe(
    drainRuns.length + batches.length,
  );
  expect(drainRuns.flatMap((run) => traces.batchesOf(run)).toSorted(byId)).toEqual(batches.toSorted(byId));
  // The process's own life is there too.
  const life = expectTrace(traces);
  life.one("spindex.startup").isRoot().ok();
  life.one("spindex.shutdown", { "spindex.reason": "end", "spindex.pending.batches": 0 }).isRoot();
  for (const flush of life.all("spindex.flush", 1))
    flush.has({ "spindex.reason": "end" }).allLinkedTo("spindex.drain_run");
  // What the traces say is what the database says.
  const runs = await database.query<{ trace_id: string; from: number; to: number }>(
    `select trace_id, from_checkpoint::int as from, to_checkpoint::int as to from token_spindex.drain_runs order by write_seq`,
  );
  expect(runs).toEqual(
    drainRuns
      .toSorted((a, b) => a.startedAt - b.startedAt)
      .map(({ traceId, attributes }) => ({
        trace_id: traceId,
        from: attributes["spindex.checkpoint.from"],
        to: attributes["spindex.checkpoint.to"],
      })),
  );
});

test("the traces of a run that a handler has ended are whole too, and show the event", async () => {
  const node = await startFakeNode({ chain: tokenChain({ blocks: 300, transfersPerBlock: 5 }) });
  node.limitRange({ maxBlocks: 20 });
  await using project = await temporaryProject({
    ...TOKEN_PROJECT,
    "handlers.ts": TOKEN_PROJECT["handlers.ts"].replace(
      "const { from, to, value } = event.args;",
      `const { from, to, value } = event.args;
  if (event.block.number === 222n && event.log.index === 3) throw new RangeError("boom");`,
    ),
  });
  const file = join(project.directory, "traces.jsonl");
  try {
    const run = await runCli(["start", "--once", "--schema", "failing", "--trace-file", file], {
      cwd: project.directory,
      env: { DATABASE_URL: database.url, RPC_URL: node.url, SPINDEX_CAPACITY_CHANGES: "400" },
    });
    expect(run.exitCode).toBe(1);
  } finally {
    await node.close();
  }
  const traces = await readTraceFile(file);
  expect(traces.dangling()).toEqual([]);
  for (const batch of traces.batches()) {
    expect(["durable", "failed"]).toContain(batch.attributes["spindex.outcome"]);
    if (batch.attributes["spindex.outcome"] === "durable") {
      expect(traces.writeTransactionOf(batch)?.name).toBe("spindex.write_transaction");
    }
  }
  const [call] = traces.named("spindex.handler").filter(({ isError }) => isError);
  expect(call?.attributes).toMatchObject({
    "spindex.handler.name": "Token.Transfer",
    "spindex.chain.name": "local",
    "spindex.block.number": 222,
    "spindex.log.index": 3,
    "error.type": "RangeError",
  });
  // A durable batch shows what has become durable of it, not what it began with.
  const durable = traces.batches().filter((batch) => batch.attributes["spindex.outcome"] === "durable");
  const [last] = await database.query(
    "select committed_checkpoint::int as checkpoint, (select sum(items)::int from failing_spindex.drain_runs) as items from failing_spindex.shards",
  );
  expect({
    checkpoint: Math.max(...durable.map((batch) => Number(batch.attributes["spindex.checkpoint.to"]))),
    items: durable.reduce((sum, batch) => sum + Number(batch.attributes["spindex.batch.items"]), 0),
  }).toEqual(last);
});
