import { describe, expect, test } from "vitest";
import { AddressTable } from "../../../src/abi/address-table.ts";
import { RangeBuffer } from "../../../src/fetch/range-buffer.ts";
import type { BatchStart } from "../../../src/instrument/batch-telemetry.ts";
import type { Telemetry } from "../../../src/instrument/telemetry.ts";
import { Signal } from "../../../src/lib/signal.ts";
import { BatchProcessor } from "../../../src/process/batch-processor.ts";
import type { HandledEvent } from "../../../src/process/event.ts";
import type { AnyHandler } from "../../../src/process/event-route.ts";
import { type ChainSupply, ProcessingLoop } from "../../../src/process/processing-loop.ts";
import type { EntityFacade } from "../../../src/process/store-facade.ts";
import type { Store } from "../../../src/store/store.ts";
import type { StoreLimits } from "../../../src/store/store-options.ts";
import { effectCallsOf } from "../../support/effect-calls.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { silentBatch, silentTelemetry } from "../../support/silent-telemetry.ts";
import { drain, sliceOf, storeOf, TABLES } from "../../support/store-fixture.ts";
import { settled } from "../../support/world/steps.ts";

interface Bench {
  readonly store: Store;
  readonly clock: ManualClock;
  readonly buffers: readonly RangeBuffer[];
  readonly arrived: Signal;
  readonly telemetry: Telemetry;
  /** What began, and what was said of its end. */
  readonly batches: BatchStart[];
  readonly ends: unknown[];
  readonly stop: AbortController;
  readonly abandon: AbortController;
  run(): Promise<"ended" | "stopped">;
  /** Gives a chain its next blocks, with an event in each of `blocks`. */
  put(chainId: number, toBlock: number, blocks?: readonly number[], finalized?: number): void;
}

interface BenchInput {
  readonly handler?: AnyHandler;
  readonly limits?: Partial<StoreLimits>;
  readonly batchItems?: number;
  readonly chains?: number;
  /** Chains whose new blocks are inside the reorg window. */
  readonly inside?: readonly number[];
  readonly drainInFlight?: () => unknown;
  readonly keepsPages?: boolean;
}

const event = { name: "E", key: "E", signature: "E()", topic: "0x" as const, anonymous: false, inputs: [] };

function benchOf(input: BenchInput = {}): Bench {
  const clock = new ManualClock();
  const store = storeOf({ clock, limits: { ...input.limits } });
  const arrived = new Signal();
  const ids = Array.from({ length: input.chains ?? 1 }, (_, at) => at + 1);
  const buffers = ids.map((id) => new RangeBuffer(id, 1, { items: 1e9, bytes: 1e9 }, arrived));
  const labels = ids.map((id) => ({ id, name: `chain ${id}` }));
  const batches: BatchStart[] = [];
  const ends: unknown[] = [];
  const telemetry: Telemetry = {
    ...silentTelemetry(clock),
    batchStarted: (start) => {
      batches.push(start);
      return {
        ...silentBatch,
        committed: ({ queuedBatches, frontierGap }) => ends.push(["committed", queuedBatches, frontierGap]),
        handlerFailed: ({ handler }, policy) => ends.push(["handler failed", handler, policy]),
        abandoned: (outcome, error) => ends.push([outcome, (error as Error | undefined)?.message]),
      };
    },
  };
  const abandon = new AbortController();
  const loop = new ProcessingLoop({
    store,
    abandoned: AbortSignal.any([store.failed, abandon.signal]),
    supplies: buffers.map((buffer, at): ChainSupply => {
      const label = labels[at] as (typeof labels)[number];
      return {
        label,
        chainId: label.id,
        take: (room, atLeastOne) => buffer.take(room, atLeastOne),
        giveBack: (slices) => buffer.giveBack(slices),
        cover: async () => {},
        get isEmpty() {
          return buffer.isEmpty;
        },
        get isEnded() {
          return buffer.isEnded;
        },
        get isAtHead() {
          return buffer.isAtHead;
        },
        isInsideWindow: input.inside?.includes(label.id) ?? false,
      };
    }),
    arrived,
    processor: new BatchProcessor({
      chains: labels,
      routes: [
        {
          label: "C.E",
          contract: "C",
          event,
          decoder: { event, decode: () => ({}) },
          handler: input.handler ?? (() => {}),
          accepts: undefined,
          onError: "stop",
        },
      ],
      tables: TABLES,
      addresses: new AddressTable(),
      registrars: new Map(),
      store,
      effects: effectCallsOf(store, clock),
      processLoop: telemetry.processLoop,
      clock,
      onUndecodable: () => {},
    }),
    telemetry,
    batchRoom: { items: input.batchItems ?? 100, bytes: 1e9 },
    keepsPages: input.keepsPages ?? false,
    drainInFlight: input.drainInFlight ?? (() => undefined),
    clock,
  });
  const next = ids.map(() => 1);
  const put: Bench["put"] = (chainId, toBlock, blocks = [], finalized = toBlock) => {
    const fromBlock = next[chainId - 1] as number;
    next[chainId - 1] = toBlock + 1;
    const head = { number: toBlock, finalized, live: false };
    buffers[chainId - 1]?.put(sliceOf({ chainId, blocks, fromBlock, toBlock, head }).range);
  };
  const stop = new AbortController();
  return {
    store,
    clock,
    buffers,
    arrived,
    telemetry,
    batches,
    ends,
    stop,
    abandon,
    run: () => loop.run(stop.signal),
    put,
  };
}

describe("the processing loop", () => {
  test("processes what was fetched, and ends with the last chain", async () => {
    const { store, buffers, batches, run, put } = benchOf({ chains: 2 });
    put(1, 5, [1, 2]);
    buffers[0]?.end();
    const running = run();
    await settled();
    expect([store.processedCheckpoint, store.processed(1)?.block]).toEqual([3, 5]);
    put(2, 7, [7]);
    await settled();
    buffers[1]?.end();
    expect(await running).toBe("ended");
    expect(batches.map(({ id, items, checkpoints, chains }) => [id, items, checkpoints.to, chains.length])).toEqual([
      [1, 2, 3, 1],
      [2, 1, 4, 1],
    ]);
  });

  test("gives the text of an answer back once its last event was handled; an event kept beyond says so", async () => {
    const events: HandledEvent[] = [];
    const { buffers, run, put } = benchOf({ batchItems: 2, handler: ({ event }) => void events.push(event) });
    put(1, 3, [1, 2, 3]);
    const running = run();
    await settled();
    expect(events.map(({ block }) => Number(block.number))).toEqual([1, 2, 3]);
    expect(() => events[0]?.transaction).toThrow("event.transaction of C.E was read after its batch");
    expect(() => events[2]?.log.address).toThrow("event.log of C.E was read after its batch");
    buffers[0]?.end();
    await running;
  });

  test("lets handlers read texts of an answer until all of it is handled", async () => {
    const seen: string[] = [];
    const { buffers, run, put } = benchOf({ batchItems: 1, handler: ({ event }) => void seen.push(event.log.address) });
    put(1, 3, [1, 2, 3]);
    buffers[0]?.end();
    await run();
    expect(seen).toHaveLength(3);
  });

  test("leaves pages alone that are read again when their batch is written", async () => {
    const events: HandledEvent[] = [];
    const { buffers, run, put } = benchOf({ keepsPages: true, handler: ({ event }) => void events.push(event) });
    put(1, 1, [1]);
    buffers[0]?.end();
    await run();
    expect(events[0]?.transaction.hash).toMatch(/^0x[0-9a-f]{64}$/);
  });

  test("never waits for a write while there is room", async () => {
    const { store, buffers, run, put } = benchOf({ batchItems: 1 });
    put(
      1,
      50,
      Array.from({ length: 50 }, (_, at) => at + 1),
    );
    buffers[0]?.end();
    expect(await run()).toBe("ended");
    expect([store.processedCheckpoint, store.committedCheckpoint, store.queuedBatches]).toEqual([50, 0, 50]);
  });

  test("cuts batches at their size, and lets another chain begin each time", async () => {
    const { buffers, batches, run, put } = benchOf({ chains: 2, batchItems: 2 });
    for (const chain of [1, 2]) {
      put(chain, 4, [1, 2, 3, 4]);
      buffers[chain - 1]?.end();
    }
    await run();
    expect(batches.map(({ chains, boundBy }) => [chains.map(({ id }) => id), boundBy])).toEqual([
      [[1], "size"],
      [[2], "size"],
      [[1], "size"],
      [[2], "size"],
    ]);
  });

  test("makes batches that keep history while any chain is inside its window", async () => {
    const { buffers, batches, run, put } = benchOf({ chains: 2, inside: [2], batchItems: 1 });
    put(1, 1, [1]);
    buffers[0]?.end();
    buffers[1]?.end();
    await run();
    expect(batches.map(({ mode }) => mode)).toEqual(["keep"]);
  });

  test("merges the batches of a chain in the backfill beside one at its head", async () => {
    const { store, buffers, batches, run, put } = benchOf({ chains: 2, inside: [2], batchItems: 2 });
    put(
      1,
      40,
      Array.from({ length: 40 }, (_, at) => at + 1),
    );
    put(2, 8, [2, 4, 6, 8], 0);
    for (const buffer of buffers) buffer.end();
    await run();
    expect(batches.length).toBeGreaterThan(10);
    expect([drain(store)?.batches.length, drain(store)]).toEqual([batches.length, undefined]);
  });

  test("says what it waits for, and that writing later gains nothing then", async () => {
    const { store, buffers, telemetry, run, put, stop, arrived } = benchOf();
    const running = run();
    await settled();
    expect(telemetry.processLoop.state).toBe("fetch");
    put(1, 1, [1]);
    await settled();
    expect(store.isRunDue).toBe(true);
    buffers[0]?.atHead(true);
    arrived.notify();
    await settled();
    expect(telemetry.processLoop.state).toBe("idle_at_head");
    stop.abort();
    arrived.notify();
    expect(await running).toBe("stopped");
  });
});

test("its time is accounted by what it does and waits for, and the parts are the whole", async () => {
  let passes = (): void => {};
  const { store, clock, buffers, telemetry, arrived, run, put, stop } = benchOf({
    limits: { capacityChanges: 2 },
    batchItems: 1,
    handler: () => passes(),
  });
  passes = () => clock.advance(10);
  const beginBatch = store.beginBatch.bind(store);
  store.beginBatch = (batch) => {
    clock.advance(3);
    beginBatch(batch);
  };
  const startedAt = clock.now();
  const running = run();
  await settled();
  clock.advance(100);
  put(1, 3, [1, 2, 3]);
  await settled();
  expect(telemetry.processLoop.state).toBe("capacity");
  clock.advance(500);
  drain(store);
  await settled();
  buffers[0]?.atHead(true);
  arrived.notify();
  await settled();
  clock.advance(2_000);
  stop.abort();
  arrived.notify();
  await running;
  clock.advance(7);
  const seconds = telemetry.processLoop.seconds();
  expect(Object.fromEntries([...seconds].filter(([, spent]) => spent > 0))).toEqual({
    fetch: 0.1,
    handlers: 0.03,
    capacity: 0.5,
    idle_at_head: 2,
    other: expect.closeTo(0.016, 9),
  });
  const sum = [...seconds.values()].reduce((total, spent) => total + spent, 0);
  expect(sum).toBeCloseTo((clock.now() - startedAt) / 1000, 9);
});

describe("at the capacity limit", () => {
  test("it waits for a write, and for nothing else, and tells which", async () => {
    const { store, clock, buffers, telemetry, batches, run, put } = benchOf({
      limits: { capacityChanges: 2 },
      batchItems: 1,
      drainInFlight: () => "drain 7",
    });
    put(1, 4, [1, 2, 3, 4]);
    buffers[0]?.end();
    const running = run();
    await settled();
    expect([store.processedCheckpoint, telemetry.processLoop.state, store.isRunDue]).toEqual([2, "capacity", true]);
    const startedAt = clock.now();
    clock.advance(30);
    drain(store);
    await settled();
    expect(store.processedCheckpoint).toBe(4);
    expect(await running).toBe("ended");
    expect(batches.map(({ capacityWait }) => capacityWait)).toEqual([
      undefined,
      undefined,
      {
        startedAt,
        endedAt: startedAt + 30,
        reason: "changes",
        uncommittedChanges: 2,
        uncommittedBytes: expect.any(Number),
        queuedBatches: 2,
        limit: 2,
        wakeUps: 1,
        drainOrigin: "drain 7",
      },
      undefined,
    ]);
  });

  test("a stop ends the wait: nothing more is processed, and what is there can be flushed", async () => {
    const { store, telemetry, run, put, stop } = benchOf({ limits: { capacityChanges: 2 }, batchItems: 1 });
    put(1, 4, [1, 2, 3, 4]);
    const running = run();
    await settled();
    expect(telemetry.processLoop.state).toBe("capacity");
    stop.abort();
    expect(await running).toBe("stopped");
    expect(store.processedCheckpoint).toBe(2);
    drain(store);
    expect(store.isDrained).toBe(true);
  });

  test("a block larger than the limit passes, alone", async () => {
    const { store, buffers, batches, run, put } = benchOf({ limits: { capacityChanges: 1 }, batchItems: 2 });
    put(1, 2, [1, 1, 1, 1, 2]);
    buffers[0]?.end();
    const running = run();
    await settled();
    expect(batches.map(({ items }) => items)).toEqual([4]);
    drain(store);
    expect(await running).toBe("ended");
    expect(batches.map(({ items }) => items)).toEqual([4, 1]);
  });

  test("it does not wait when it is to stop: what is processed can be flushed without it", async () => {
    const { store, run, put, stop } = benchOf({ limits: { capacityChanges: 1 }, batchItems: 1 });
    put(1, 2, [1, 2]);
    const running = run();
    await settled();
    stop.abort();
    expect(await running).toBe("stopped");
    expect([store.processedCheckpoint, store.committedCheckpoint]).toEqual([1, 0]);
  });

  test("it ends with the writer's failure", async () => {
    const { store, run, put } = benchOf({ limits: { capacityChanges: 1 }, batchItems: 1 });
    put(1, 2, [1, 2]);
    const running = run();
    await settled();
    const failure = new Error("the disk is full");
    store.fail(failure);
    await expect(running).rejects.toBe(failure);
  });
});

describe("it ends", () => {
  test("with a handler's error, after everything before its block was committed", async () => {
    const { store, ends, run, put } = benchOf({
      handler: ({ event: { block } }) => {
        if (block.number === 3n) throw new Error("no");
      },
    });
    put(1, 4, [1, 3, 4]);
    await expect(run()).rejects.toMatchObject({ code: "HANDLER_FAILED" });
    expect([store.processedCheckpoint, store.processed(1)?.block, store.isRunDue]).toEqual([2, 2, false]);
    expect(ends).toEqual([
      ["handler failed", "C.E", "stop"],
      ["committed", 1, 2],
    ]);
    await Promise.all([store.flush(), Promise.resolve().then(() => drain(store))]);
    expect(store.committed(1)?.block).toBe(2);
  });

  test("with nothing committed when the first block fails", async () => {
    const { store, ends, run, put } = benchOf({
      handler: () => {
        throw new Error("no");
      },
    });
    put(1, 1, [1]);
    await expect(run()).rejects.toMatchObject({ code: "HANDLER_FAILED" });
    expect([store.processedCheckpoint, store.isChangeable]).toEqual([0, false]);
    expect(ends).toEqual([
      ["handler failed", "C.E", "stop"],
      ["failed", expect.stringContaining("threw at block 1")],
    ]);
  });

  test("with the writer's failure, when it next looks", async () => {
    const { store, arrived, run } = benchOf();
    const running = run();
    await settled();
    store.fail(new Error("gone"));
    arrived.notify();
    await expect(running).rejects.toThrow("gone");
  });

  test("when it is stopped, with the batch that it had begun", async () => {
    const gate = Promise.withResolvers<void>();
    const { store, run, put, stop } = benchOf({ handler: () => gate.promise, batchItems: 1 });
    put(1, 2, [1, 2]);
    const running = run();
    await settled();
    stop.abort();
    gate.resolve();
    expect(await running).toBe("stopped");
    expect(store.processedCheckpoint).toBe(1);
  });
});

describe("a batch whose handler waits is abandoned", () => {
  /** The second event's handler waits for ever, or until `goOn`; then it changes a row. */
  function waitingBench() {
    const goOn = Promise.withResolvers<void>();
    const bench = benchOf({
      handler: async ({ event: { block }, store }) => {
        if (block.number === 2n) await goOn.promise;
        (store as Record<string, EntityFacade>).account?.set({ id: 1, balance: block.number });
      },
    });
    bench.put(1, 2, [1, 2]);
    return { ...bench, goOn };
  }

  /** The batch had two events; nothing of it can become durable, and its handler's error is nobody's fault. */
  async function requireNothingLeft({ store, ends, goOn }: ReturnType<typeof waitingBench>): Promise<void> {
    const before = [...ends];
    goOn.resolve();
    await settled();
    expect(ends).toEqual(before);
    expect([store.processedCheckpoint, store.isChangeable, store.uncommitted.batches]).toEqual([0, false, 0]);
  }

  test("when a stop takes too long", async () => {
    const bench = waitingBench();
    const running = bench.run();
    await settled();
    bench.stop.abort();
    await settled();
    bench.abandon.abort();
    expect(await running).toBe("stopped");
    expect(bench.ends).toEqual([["aborted", undefined]]);
    await requireNothingLeft(bench);
  });

  test("when the store has failed, with its failure", async () => {
    const bench = waitingBench();
    const running = bench.run();
    await settled();
    const failure = new Error("the disk is full");
    bench.store.fail(failure);
    await expect(running).rejects.toBe(failure);
    expect(bench.ends).toEqual([["aborted", "the disk is full"]]);
    await requireNothingLeft(bench);
  });
});
