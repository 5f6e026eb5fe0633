import { describe, expect, test } from "vitest";
import type { BlockHeader } from "../../../src/chain/block.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { account, batchOf, changesIn, drain, insert, process, set, storeOf } from "../../support/store-fixture.ts";
import { settled } from "../../support/world/steps.ts";

const setOne = (store: ReturnType<typeof storeOf>, id = 1): void => set(store, account, { id });

describe("the frontiers", () => {
  test("move with the batches that are processed, and with the runs that are durable", () => {
    const clock = new ManualClock(1_000);
    const store = storeOf({ clock, committed: 10 });
    expect([store.processedCheckpoint, store.committedCheckpoint, store.nextCheckpoint]).toEqual([10, 10, 11]);
    process(store, { id: 1, blocks: [5, 6] });
    clock.advance(50);
    process(store, { id: 2, blocks: [8] });
    expect([store.processedCheckpoint, store.committedCheckpoint, store.nextCheckpoint]).toEqual([13, 10, 14]);
    expect([store.processed(1)?.block, store.committed(1)?.block]).toEqual([8, undefined]);
    expect([store.itemsProcessed, store.isDrained, store.lastCommitAt]).toEqual([3, false, undefined]);
    expect(store.uncommitted).toMatchObject({ batches: 2, items: 3, oldestAt: 1_000 });
    const run = store.takeRun();
    expect([store.committedCheckpoint, store.queuedBatches, store.uncommitted.batches]).toEqual([10, 0, 2]);
    if (run !== undefined) store.durable(run);
    expect([store.committedCheckpoint, store.committed(1)?.block, store.isDrained]).toEqual([13, 8, true]);
    expect([store.lastCommitAt, store.uncommitted.oldestAt]).toEqual([1_050, undefined]);
  });

  test("refuse what does not follow", () => {
    const store = storeOf();
    expect(() => store.beginBatch(batchOf({ from: 2 }))).toThrow("a batch does not follow the one before it");
    store.beginBatch(batchOf());
    expect(() => store.beginBatch(batchOf())).toThrow("a batch is begun while another is in progress");
    expect(() => store.commitBatch(batchOf({ id: 9 }))).toThrow("a batch is committed that was not begun");
    store.commitBatch(batchOf());
    const run = store.takeRun();
    expect(() => store.takeRun()).toThrow("two runs in flight");
    expect(() => store.durable({ ...(run as NonNullable<typeof run>) })).toThrow("that was not in flight");
    expect(() => store.beginBlock(1, 1, 1, true)).toThrow("a block is begun outside a batch");
  });
});

describe("a run", () => {
  test("merges batches of one mode; another mode ends it", () => {
    const store = storeOf();
    const modes = ["keep", "keep", "final", "keep"] as const;
    for (const [at, mode] of modes.entries()) process(store, { id: at + 1, mode, blocks: [at + 1] });
    const runs = [drain(store), drain(store), drain(store)];
    expect(runs.map((run) => [run?.mode, run?.checkpoints, run?.splitReason])).toEqual([
      ["keep", { from: 1, to: 2 }, "history_mode"],
      ["final", { from: 3, to: 3 }, "history_mode"],
      ["keep", { from: 4, to: 4 }, "drained"],
    ]);
    expect(runs.map((run) => run?.id)).toEqual([1, 2, 3]);
    expect(runs.map((run) => run?.positions.length)).toEqual([2, 0, 1]);
  });

  test.each([
    ["batches", { maximumBatches: 2 }],
    ["changes", { maximumChanges: 2 }],
    ["bytes", { maximumBytes: 2_000 }],
  ] as const)("takes no further batch beyond its limit of %s", (reason, limits) => {
    const store = storeOf({ limits });
    for (const id of [1, 2, 3]) process(store, { id }, () => setOne(store, id));
    const run = drain(store);
    expect([run?.checkpoints, run?.splitReason]).toEqual([{ from: 1, to: 2 }, reason]);
    expect(drain(store)?.checkpoints).toEqual({ from: 3, to: 3 });
  });

  test("has the last progress of each chain, its blocks, and all headers", () => {
    const store = storeOf();
    const headers = (...numbers: number[]): BlockHeader[] =>
      numbers.map((number) => ({ number, hash: `0x${number}`, parentHash: "0x0", timestamp: number }));
    process(store, { id: 1, chainId: 1, blocks: [3, 5], headers: headers(3, 5) });
    process(store, { id: 2, chainId: 2, blocks: [70] });
    process(store, { id: 3, chainId: 1, blocks: [9], headers: headers(9) });
    const run = drain(store);
    expect(run?.blocks).toEqual([
      { chainId: 1, from: 3, to: 9 },
      { chainId: 2, from: 70, to: 70 },
    ]);
    expect(run?.progress.map(({ chainId, block, checkpoint }) => [chainId, block, checkpoint])).toEqual([
      [1, 9, 4],
      [2, 70, 3],
    ]);
    expect(run?.progress.map((progress) => progress.headers)).toEqual([headers(3, 5, 9), []]);
    expect([run?.items, run?.batches.map(({ id }) => id)]).toEqual([4, [1, 2, 3]]);
  });

  test("carries the events that were skipped, but those of a block that was undone", () => {
    const store = storeOf();
    const event = { chainId: 1, block: 1, logIndex: 0, transactionHash: "0x", handler: "A.B", message: "no" };
    process(store, { blocks: [1, 2] }, () => {
      store.skip({ ...event, checkpoint: store.scope.checkpoint });
      if (store.scope.checkpoint === 2) store.undoBlock();
    });
    expect(drain(store)?.skipped).toEqual([{ ...event, checkpoint: 1 }]);
  });
});

describe("a run is due", () => {
  test("with enough items, or when nobody would gain by waiting", async () => {
    const store = storeOf({ limits: { minimumItems: 3 } });
    expect(store.isRunDue).toBe(false);
    process(store, { id: 1 });
    expect(store.isRunDue).toBe(false);
    store.setProcessingIdle(true);
    expect(store.isRunDue).toBe(true);
    store.setProcessingIdle(false);
    const flushed = store.flush();
    expect(store.isRunDue).toBe(true);
    drain(store);
    await flushed;
    process(store, { id: 2, blocks: [2, 3, 4] });
    expect(store.isRunDue).toBe(true);
  });

  test("when a chain at its head has waited for long enough, and never by age in the backfill", () => {
    const clock = new ManualClock(1_000);
    const store = storeOf({ clock, limits: { liveAgeMs: 50 } });
    process(store, { id: 1 });
    clock.advance(1_000_000);
    expect([store.isRunDue, store.runDueAt]).toEqual([false, Number.POSITIVE_INFINITY]);
    process(store, { id: 2, live: true });
    const dueAt = clock.now() + 50;
    clock.advance(49);
    process(store, { id: 3, live: true });
    expect([store.isRunDue, store.runDueAt]).toEqual([false, dueAt]);
    clock.advance(1);
    expect(store.isRunDue).toBe(true);
    expect(drain(store)?.batches.map(({ id }) => id)).toEqual([1, 2, 3]);
    process(store, { id: 4 });
    clock.advance(1_000_000);
    expect(store.isRunDue).toBe(false);
  });

  test("with a batch of another mode behind it", () => {
    const store = storeOf();
    process(store, { id: 1, mode: "keep" });
    process(store, { id: 2, mode: "final" });
    expect(store.isRunDue).toBe(true);
    drain(store);
    expect(store.isRunDue).toBe(false);
  });
});

describe("capacity", () => {
  test("counts queued items, changes and inserted rows, until they are durable", () => {
    const store = storeOf({ limits: { capacityChanges: 4 } });
    process(store, { id: 1 }, () => setOne(store));
    expect(store.capacityReached).toBeUndefined();
    process(store, { id: 2 }, () => insert(store, { id: 1n, value: 1n }));
    expect(store.capacityReached).toBe("changes");
    const run = store.takeRun();
    expect(store.capacityReached).toBe("changes");
    if (run !== undefined) store.durable(run);
    expect(store.capacityReached).toBeUndefined();
  });

  test("counts bytes, too", () => {
    const store = storeOf({ limits: { capacityBytes: 1 } });
    expect(store.capacityReached).toBeUndefined();
    process(store, { id: 1 });
    expect(store.capacityReached).toBe("bytes");
  });
});

describe("waiting", () => {
  test("a flush waits for what was processed when it was asked for", async () => {
    const store = storeOf();
    process(store, { id: 1 });
    let isFlushed = false;
    const flushed = store.flush().then(() => {
      isFlushed = true;
    });
    const run = store.takeRun();
    process(store, { id: 2 });
    await settled();
    expect(isFlushed).toBe(false);
    if (run !== undefined) store.durable(run);
    await flushed;
    expect(store.isDrained).toBe(false);
  });

  test("ends at once when there is nothing to wait for", async () => {
    await storeOf().flush();
  });

  test("is ended for everyone by the first failure, which stays", async () => {
    const store = storeOf();
    process(store, { id: 1 });
    const waiting = [store.flush(), store.waitUntil(() => false)];
    const first = new Error("first");
    store.fail(first);
    store.fail(new Error("second"));
    for (const one of waiting) await expect(one).rejects.toBe(first);
    await expect(store.flush()).rejects.toBe(first);
    expect(store.failure).toBe(first);
  });
});

test("a row leads back to the event that wrote it, also over runs and undone events", () => {
  const store = storeOf();
  process(store, { id: 1, blocks: [7] }, () => {
    setOne(store, 1);
    store.beginEvent(3, "Token.Skipped");
    setOne(store, 2);
    store.undoEvent();
    store.beginEvent(4, "Token.Transfer");
    setOne(store, 3);
  });
  process(store, { id: 2, blocks: [9], chainId: 2 }, () => insert(store, { id: 1n, value: 1n }));
  const run = drain(store);
  expect(changesIn(run, account).inserts).toHaveLength(2);
  const originsOf = (name: string): unknown =>
    run?.tables.find(({ table }) => table.name === name)?.origins.inserts.map((event) => run.origins.at(event));
  expect(originsOf("account")).toEqual([
    { chainId: 1, block: 7, checkpoint: 1, logIndex: 0, handler: "Test.Event" },
    { chainId: 1, block: 7, checkpoint: 1, logIndex: 4, handler: "Token.Transfer" },
  ]);
  expect(originsOf("transfer")).toEqual([{ chainId: 2, block: 9, checkpoint: 2, logIndex: 0, handler: "Test.Event" }]);
  expect(run?.origins.at(99)).toBeUndefined();
});
