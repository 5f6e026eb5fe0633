/**
 * What an operator sees of what the pipeline does, written down: each file is the waterfall of a short run of the real
 * parts on a scripted clock. Read the difference when one changes; `npx vitest run test/telemetry -u` writes them anew.
 */
import { expect, test } from "vitest";
import { TraceModel } from "../../src/instrument/recorded/trace-model.ts";
import { expectTrace, waterfall } from "../../src/testing/index.ts";
import type { PlannedBlock } from "../support/world/scenario.ts";
import { PLAIN, play, type Script, type Scripted } from "../support/world/script.ts";

/** An event that changes a row and adds one, and takes 2 ms in its handler. */
function event(key: number): PlannedBlock[number] {
  return {
    onError: "stop",
    ops: [{ do: "set", table: "counter", key, value: 1n }, { do: "pause" }, { do: "insert", value: 1n }],
  };
}

const blocks = (count: number, key = 0): PlannedBlock[] => Array.from({ length: count }, (_, i) => [event(key + i)]);

/** Every batch is one event. */
const ONE_EVENT = { items: 1, bytes: 1e9 };

/** Plays a script, and compares what was traced with the file of that name. */
async function golden(name: string, script: Script): Promise<Scripted> {
  const played = await play({ ...script, durations: { handler: [2], ...script.durations } });
  const { traces } = played;
  expectTrace(traces).whole();
  // Requests that belong to nothing ask for the head: they would be most of what there is to read.
  const alone = new Set(traces.named("{rpc.method}").filter((span) => span.parentSpanId === undefined));
  const shown = new TraceModel(traces.spans.filter((span) => !alone.has(span)));
  const text = `${waterfall(shown, { ids: false })}\n`;
  await expect(text).toMatchFileSnapshot(`golden/${name}.txt`);
  return played;
}

test("a backfill", async () => {
  const { outcome } = await golden("backfill", { blocks: blocks(6), scenario: { maxRangeBlocks: 3, window: 1 } });
  expect(outcome).toBe("ended");
});

test("a capacity wait", async () => {
  const { traces } = await golden("capacity-wait", {
    blocks: blocks(2),
    scenario: { maxRangeBlocks: 1, limits: { ...PLAIN.limits, capacityChanges: 3 } },
    durations: { statements: [200] },
  });
  const wait = expectTrace(traces).one("spindex.capacity_wait").linksTo("spindex.drain_run");
  wait.has({ "spindex.drain.id": 1 });
});

test("a drain run of several batches", async () => {
  const { traces } = await golden("several-batches", {
    blocks: blocks(4),
    scenario: { batch: ONE_EVENT },
    durations: { statements: [30] },
  });
  const runs = expectTrace(traces).all("spindex.drain_run");
  expect(runs.map((run) => run.allLinkedTo("spindex.batch").length)).toEqual([1, 3]);
});

test("a split at the history boundary", async () => {
  const { traces } = await golden("history-boundary", {
    blocks: blocks(4),
    scenario: { batch: ONE_EVENT, window: 2, maxRangeBlocks: 2 },
    // The second range comes when the first has been processed.
    durations: { statements: [60], source: [20, 20, 20, 45, 20, 20] },
  });
  const runs = expectTrace(traces).all("spindex.drain_run", 3);
  expect(runs.map(({ span }) => span.attributes["spindex.history_mode"])).toEqual(["final", "final", "keep"]);
  runs[1]?.has({ "spindex.drain.split_reason": "history_mode" });
});

test("transient failures of a write, and one whose outcome was unknown", async () => {
  const { traces, outcome } = await golden("retries", {
    blocks: blocks(1),
    faults: ["refused", "rolled back", "cut after commit"],
  });
  expect(outcome).toBe("ended");
  const attempts = expectTrace(traces).all("spindex.write_transaction", 4);
  expect(attempts.map(({ span }) => span.attributes["spindex.outcome"])).toEqual([
    "failed",
    "failed",
    "failed",
    "already_durable",
  ]);
  for (const [before, attempt] of attempts.slice(1).entries()) {
    expect(attempt.linksTo("spindex.write_transaction").span).toBe(attempts[before]?.span);
  }
});

test("a fatal failure of a write", async () => {
  const { outcome, traces } = await golden("fatal", { blocks: blocks(1), faults: ["fatal"] });
  expect(outcome).toMatchObject({ code: "WRITE_FAILED" });
  expectTrace(traces).one("spindex.batch").failed().has({ "spindex.outcome": "failed" });
});

test("a reorg", async () => {
  const { traces } = await golden("reorg", {
    blocks: blocks(4),
    once: false,
    scenario: { batch: ONE_EVENT },
    faults: [undefined, undefined, undefined, "refused"],
    later: [
      [500, ({ chain }) => chain.change(2, [...blocks(3, 7)])],
      [4_000, ({ stop }) => stop()],
    ],
  });
  const reorg = expectTrace(traces).one("spindex.reorg");
  expect(reorg.allLinkedTo("spindex.batch")).toHaveLength(2);
  reorg.child("spindex.rollback").children("spindex.write_transaction", 2);
});

test("chain metadata written while no batch flows", async () => {
  const { traces } = await golden("idle-metadata", {
    blocks: blocks(1),
    once: false,
    scenario: { blockLag: 5 },
    later: [
      [500, ({ chain }) => chain.change(0, [[]])],
      [15_000, ({ stop }) => stop()],
    ],
  });
  expectTrace(traces).none("spindex.batch").all("spindex.write_transaction");
});

test("a stop with work open", async () => {
  const { traces, outcome } = await golden("stop", {
    blocks: blocks(3),
    once: false,
    scenario: { batch: ONE_EVENT },
    durations: { statements: [80], handler: [30] },
    later: [[130, ({ stop }) => stop()]],
  });
  expect(outcome).toBe("stopped");
  expectTrace(traces).one("spindex.flush", { "spindex.reason": "stop", "spindex.outcome": "durable" });
});

test("a process that ends before everything is durable", async () => {
  const { traces } = await golden("late", {
    blocks: blocks(2),
    scenario: { batch: ONE_EVENT, flushDeadlineMs: 1_000 },
    faults: ["refused", "refused", "refused", "refused", "refused", "refused", "refused"],
  });
  expectTrace(traces).one("spindex.flush", { "spindex.outcome": "late" });
});
