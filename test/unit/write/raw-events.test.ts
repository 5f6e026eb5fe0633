import { describe, expect, test } from "vitest";
import type { BatchSlice } from "../../../src/batch/batch.ts";
import { createBatch } from "../../../src/batch/create-batch.ts";
import type { DrainRun } from "../../../src/store/drain-run.ts";
import type { Store } from "../../../src/store/store.ts";
import { decodedRawEvents, memoryRawEventCodec } from "../../../src/testing/memory-codec.ts";
import { RawEvents, type RawEventsOptions } from "../../../src/write/raw-events.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { sliceOf, storeOf } from "../../support/store-fixture.ts";

const HASH = `0x${"cc".repeat(32)}`;

class CountingClock extends ManualClock {
  turns = 0;

  override turn(): Promise<void> {
    this.turns++;
    return Promise.resolve();
  }
}

/** Commits a batch of whole ranges, as if its handlers had run. */
function commit(store: Store, id: number, slices: readonly BatchSlice[]): void {
  const waiting = [...slices];
  const supply = { chainId: 1, isEmpty: false, take: () => waiting.shift() };
  const firstCheckpoint = store.nextCheckpoint;
  const batch = createBatch({
    id,
    firstCheckpoint,
    room: { items: 1e9, bytes: 1e9 },
    supplies: [supply],
    shardInsideWindow: false,
  });
  if (batch === undefined) throw new Error("no batch");
  store.beginBatch(batch);
  store.commitBatch(batch);
}

function runOf(store: Store): DrainRun {
  const run = store.takeRun();
  if (run === undefined) throw new Error("no run");
  return run;
}

interface Input {
  readonly clock?: CountingClock;
  readonly read?: RawEventsOptions["read"];
}

function rawEvents({ clock = new CountingClock(), read = handled }: Input = {}): RawEvents {
  return new RawEvents({ read, codec: memoryRawEventCodec, clock });
}

const handled: RawEventsOptions["read"] = (_, page, row) => ({
  contract: "Token",
  event: "Transfer",
  address: `0x${"aa".repeat(20)}`,
  transactionHash: HASH,
  args: { block: BigInt(page.blockNumber[row] as number) },
});

describe("raw events", () => {
  test("of a run have the checkpoints of its positions, blocks without events and ends of ranges counted", async () => {
    const store = storeOf({ keepSlices: true });
    commit(store, 1, [sliceOf({ blocks: [3, 3, 5], fromBlock: 1, toBlock: 9 }), sliceOf({ blocks: [], toBlock: 12 })]);
    commit(store, 2, [sliceOf({ chainId: 2, blocks: [4, 7], fromBlock: 1, toBlock: 7 })]);
    const { run, escapes } = await rawEvents().addTo(runOf(store));
    const events = decodedRawEvents(run.rawEvents);
    expect(events.map((event) => [event.chainId, event.block, event.logIndex, event.checkpoint])).toEqual([
      [1, 3, 0, 1],
      [1, 3, 1, 1],
      [1, 5, 2, 2],
      // 3 and 4: the ends of the ranges.
      [2, 4, 0, 5],
      [2, 7, 1, 6],
    ]);
    expect(events[0]).toEqual({
      chainId: 1,
      block: 3,
      logIndex: 0,
      transactionHash: HASH,
      address: `0x${"aa".repeat(20)}`,
      contract: "Token",
      event: "Transfer",
      args: { block: "3" },
      timestamp: 30,
      checkpoint: 1,
    });
    expect([run.rawEvents.rows, escapes]).toEqual([5, 0]);
  });

  test("are those that handlers were given", async () => {
    const store = storeOf({ keepSlices: true });
    commit(store, 1, [sliceOf({ blocks: [1, 2, 3], toBlock: 3 })]);
    const some = rawEvents({ read: (route, page, row) => (row === 1 ? undefined : handled(route, page, row)) });
    const { run } = await some.addTo(runOf(store));
    expect(decodedRawEvents(run.rawEvents).map(({ block, checkpoint }) => [block, checkpoint])).toEqual([
      [1, 1],
      [3, 3],
    ]);
  });

  test("hold no text that a database cannot hold, however deep, and count what was escaped", async () => {
    const store = storeOf({ keepSlices: true });
    commit(store, 1, [sliceOf({ blocks: [1], toBlock: 1 })]);
    const args = { a: "x\0", list: [{ "name\0": "\ud800", n: [1n, -5n] }], fine: "é", flag: true, small: 5 };
    const odd = rawEvents({
      read: () => ({ ...(handled(0, PAGE, 0) as NonNullable<ReturnType<typeof handled>>), args }),
    });
    const { run, escapes } = await odd.addTo(runOf(store));
    expect(decodedRawEvents(run.rawEvents)[0]?.args).toEqual({
      a: "x\uFFFD",
      list: [{ "name\uFFFD": "\uFFFD", n: ["1", "-5"] }],
      fine: "é",
      flag: true,
      small: 5,
    });
    expect(escapes).toBe(3);
  });

  test("let the event loop turn every 500 events, and every 256 KiB", async () => {
    const store = storeOf({ keepSlices: true });
    commit(store, 1, [sliceOf({ blocks: Array.from({ length: 1600 }, () => 1), toBlock: 1 })]);
    const clock = new CountingClock();
    const first = runOf(store);
    await rawEvents({ clock }).addTo(first);
    expect(clock.turns).toBe(3);
    store.durable(first);
    commit(store, 2, [sliceOf({ blocks: [2, 2, 2, 2], toBlock: 2 })]);
    const large = { ...handled(0, PAGE, 0), args: { text: "x".repeat(200 * 1024) } };
    await rawEvents({ clock, read: () => large as ReturnType<typeof handled> }).addTo(runOf(store));
    expect(clock.turns).toBe(5);
  });
});

describe("queued batches", () => {
  test("keep their slices for raw events, which count into the capacity until they are durable", () => {
    const store = storeOf({ keepSlices: true });
    commit(store, 1, [sliceOf({ blocks: [1, 2], toBlock: 2 })]);
    const { bytes } = store.uncommitted;
    const run = runOf(store);
    const withoutSlices = heldWithoutSlices();
    expect(run.heldBytes - withoutSlices).toBeGreaterThan(2 * 80);
    expect([bytes, store.uncommitted.bytes]).toEqual([run.heldBytes, run.heldBytes]);
    store.durable(run);
    expect(store.uncommitted.bytes).toBe(0);
  });

  test("hold nothing of their slices when raw events are not kept", () => {
    const store = storeOf();
    commit(store, 1, [sliceOf({ blocks: [1, 2], toBlock: 2 })]);
    expect(runOf(store).batches.map((batch) => "slices" in batch)).toEqual([false]);
  });
});

/** What a run of the same batch holds when raw events are not kept. */
function heldWithoutSlices(): number {
  const store = storeOf();
  commit(store, 1, [sliceOf({ blocks: [1, 2], toBlock: 2 })]);
  return runOf(store).heldBytes;
}

const PAGE = sliceOf({ blocks: [1], toBlock: 1 }).range.page;
