import { describe, expect, test } from "vitest";
import type { DrainStart, DrainTelemetry, WriteTransactionTelemetry } from "../../../src/instrument/drain-telemetry.ts";
import type { Telemetry } from "../../../src/instrument/telemetry.ts";
import type { DrainRun } from "../../../src/store/drain-run.ts";
import type { Store } from "../../../src/store/store.ts";
import type { StoreLimits } from "../../../src/store/store-options.ts";
import { memoryRawEventCodec } from "../../../src/testing/memory-codec.ts";
import { MemoryDatabase } from "../../../src/testing/memory-database.ts";
import { MemoryStorage, type MemoryStorageHooks } from "../../../src/testing/memory-storage.ts";
import { PersistenceLoop } from "../../../src/write/persistence-loop.ts";
import { RawEvents } from "../../../src/write/raw-events.ts";
import { WriteFailure, type WriteFailureKind } from "../../../src/write/storage.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { silentTelemetry, silentTransaction } from "../../support/silent-telemetry.ts";
import { account, process, set, storeOf, TABLES } from "../../support/store-fixture.ts";
import { settled } from "../../support/world/steps.ts";

interface Bench {
  readonly store: Store;
  readonly storage: MemoryStorage;
  readonly database: MemoryDatabase;
  readonly clock: ManualClock;
  readonly loop: PersistenceLoop;
  readonly telemetry: Telemetry;
  /** What the loop said, in order. */
  readonly said: unknown[];
  readonly stop: AbortController;
  /** Runs the loop; ends with it. */
  readonly done: Promise<void>;
}

interface BenchInput {
  readonly limits?: Partial<StoreLimits>;
  readonly hooks?: MemoryStorageHooks;
  readonly retryBudgetMs?: number;
  readonly rawEvents?: RawEvents;
}

function benchOf(input: BenchInput = {}): Bench {
  const clock = new ManualClock();
  const database = new MemoryDatabase(TABLES);
  const storage = new MemoryStorage(database, "one", input.hooks);
  const keepSlices = input.rawEvents !== undefined;
  const store = storeOf({ clock, keepSlices, limits: { minimumItems: 1, ...input.limits } });
  const said: unknown[] = [];
  const drainStarted = (start: DrainStart): DrainTelemetry => {
    said.push(["drain", start.checkpoints.from, start.checkpoints.to]);
    return {
      origin: `drain ${start.id}`,
      traceId: "t1",
      rawEventsEncoded: ({ events, escapes }) => said.push(["raw events", events, escapes]),
      transaction: (attempt): WriteTransactionTelemetry => ({
        ...silentTransaction,
        succeeded: (alreadyDurable) => said.push(["succeeded", attempt, alreadyDurable]),
        failed: (_, { kind, willRetry }) => said.push(["failed", attempt, kind, willRetry]),
      }),
      blockDurable: () => {},
      durable: () => said.push(["durable"]),
      failed: (error) => said.push(["given up", (error as Error).message]),
    };
  };
  const telemetry = { ...silentTelemetry(clock), drainStarted };
  const loop = new PersistenceLoop({
    store,
    storage,
    telemetry,
    clock,
    retryBudgetMs: input.retryBudgetMs ?? 60_000,
    backoff: { firstMs: 100, maxMs: 1_000 },
    ...(input.rawEvents === undefined ? {} : { rawEvents: input.rawEvents }),
  });
  const stop = new AbortController();
  return { store, storage, database, clock, loop, telemetry, said, stop, done: loop.run(stop.signal) };
}

/** A batch that sets one row. */
function batch(store: Store, id: number, mode: "keep" | "final" = "final"): void {
  process(store, { id, mode }, () => set(store, account, { id, balance: BigInt(id) }));
}

const ids = (database: MemoryDatabase): unknown => database.rows("account").map(({ row }) => row.id);

async function pass(clock: ManualClock, ms: number): Promise<void> {
  await settled();
  clock.advance(ms);
  await settled();
}

test("what it encodes synchronously is time of neither loop's other work: processing is blocked meanwhile", async () => {
  let encode = (): void => {};
  const rawEvents = new RawEvents({
    read: () => {
      encode();
      return undefined;
    },
    codec: memoryRawEventCodec,
    clock: new ManualClock(),
  });
  const written = Promise.withResolvers<void>();
  const { store, clock, telemetry, stop, done } = benchOf({ rawEvents, hooks: { beforeWrite: () => written.promise } });
  encode = () => clock.advance(5);
  const takeRun = store.takeRun.bind(store);
  store.takeRun = () => {
    clock.advance(40);
    return takeRun();
  };
  telemetry.processLoop.enter("handlers");
  clock.advance(100);
  batch(store, 1);
  await settled();
  clock.advance(1_000);
  written.resolve();
  await settled();
  clock.advance(10);
  const spent = (loop: "processLoop" | "writeLoop"): unknown =>
    Object.fromEntries([...telemetry[loop].seconds()].filter(([, seconds]) => seconds > 0));
  expect(telemetry.processLoop.state).toBe("handlers");
  expect(spent("processLoop")).toEqual({ handlers: 1.11, blocked: 0.045 });
  expect(spent("writeLoop")).toEqual({ idle: 0.11, snapshot: 0.045, write: 1 });
  stop.abort();
  await done;
});

describe("raw events", () => {
  test("are encoded once, outside of the batch's processing, and every attempt writes the same bytes", async () => {
    const gate = Promise.withResolvers<void>();
    const reads: number[] = [];
    const attempts: DrainRun[] = [];
    const rawEvents = new RawEvents({
      read: (_, page, row) => {
        reads.push(page.blockNumber[row] as number);
        return { contract: "C", event: "E", address: "0x", transactionHash: "0x", args: { name: "\0" } };
      },
      codec: memoryRawEventCodec,
      clock: new ManualClock(),
    });
    const hooks = {
      beforeWrite: (run: DrainRun) => {
        attempts.push(run);
        return attempts.length === 1 ? gate.promise : undefined;
      },
    };
    const { store, database, clock, said, stop, done, storage } = benchOf({ rawEvents, hooks });
    storage.failNext("transient");
    batch(store, 1);
    expect(reads).toEqual([]);
    await settled();
    batch(store, 2);
    gate.resolve();
    await pass(clock, 200);
    await settled();
    expect(reads).toEqual([1, 2]);
    expect(attempts.map(({ rawEvents: { rows } }) => rows)).toEqual([1, 1, 1]);
    expect(attempts[1]).toBe(attempts[0]);
    expect(database.state.rawEvents.map(({ checkpoint, args }) => [checkpoint, args])).toEqual([
      [1, { name: "\uFFFD" }],
      [2, { name: "\uFFFD" }],
    ]);
    expect(said).toContainEqual(["raw events", 1, 1]);
    expect(store.uncommitted).toMatchObject({ batches: 0, bytes: 0 });
    stop.abort();
    await done;
  });

  test("that cannot be encoded are a fatal failure, and nothing of the run is written", async () => {
    const rawEvents = new RawEvents({
      read: () => {
        throw new Error("a decoder is broken");
      },
      codec: memoryRawEventCodec,
      clock: new ManualClock(),
    });
    const { store, database, done } = benchOf({ rawEvents });
    batch(store, 1);
    await done;
    expect(store.failure?.message).toBe("a decoder is broken");
    expect(database.runs).toEqual([]);
  });
});

describe("the persistence loop", () => {
  test("writes what is queued, one run after the other, and moves the committed frontier", async () => {
    const { store, database, said, stop, done } = benchOf();
    batch(store, 1);
    batch(store, 2);
    await settled();
    batch(store, 3, "keep");
    batch(store, 4, "final");
    await settled();
    expect([store.committedCheckpoint, ids(database)]).toEqual([4, [1, 2, 3, 4]]);
    expect(said.filter((one) => (one as string[])[0] === "drain")).toEqual([
      ["drain", 1, 2],
      ["drain", 3, 3],
      ["drain", 4, 4],
    ]);
    stop.abort();
    await done;
  });

  test("has one write in flight; what is committed meanwhile is one run", async () => {
    const gate = Promise.withResolvers<void>();
    let writes = 0;
    const { store, loop, said, stop, done } = benchOf({
      hooks: {
        beforeWrite: () => {
          writes++;
          return gate.promise;
        },
      },
    });
    batch(store, 1);
    await settled();
    expect(loop.inFlightOrigin).toBe("drain 1");
    for (const id of [2, 3, 4]) batch(store, id);
    await settled();
    expect([writes, store.committedCheckpoint, store.queuedBatches]).toEqual([1, 0, 3]);
    gate.resolve();
    await settled();
    expect([writes, store.committedCheckpoint, loop.inFlightOrigin]).toEqual([2, 4, undefined]);
    expect(said).toEqual([
      ["drain", 1, 1],
      ["succeeded", 1, false],
      ["durable"],
      ["drain", 2, 4],
      ["succeeded", 1, false],
      ["durable"],
    ]);
    stop.abort();
    await done;
  });

  test("waits for enough items, unless processing is idle or someone waits", async () => {
    const { store, stop, done } = benchOf({ limits: { minimumItems: 10 } });
    batch(store, 1);
    await settled();
    expect(store.committedCheckpoint).toBe(0);
    await store.flush();
    batch(store, 2);
    await settled();
    expect(store.committedCheckpoint).toBe(1);
    store.setProcessingIdle(true);
    await settled();
    expect(store.committedCheckpoint).toBe(2);
    stop.abort();
    await done;
  });

  test("writes what a live chain has brought when it is old enough, though nothing else happens", async () => {
    const { store, clock, stop, done } = benchOf({ limits: { minimumItems: 10, liveAgeMs: 50 } });
    await settled();
    process(store, { id: 1, live: true }, () => set(store, account, { id: 1 }));
    await pass(clock, 49);
    expect(store.committedCheckpoint).toBe(0);
    await pass(clock, 1);
    expect(store.committedCheckpoint).toBe(1);
    stop.abort();
    await done;
  });

  test("writes a run whenever it becomes due, also while it looks for other work", async () => {
    for (let turns = 0; turns < 12; turns++) {
      const { store, stop, done } = benchOf();
      await settled();
      store.changed.notify();
      for (let turn = 0; turn < turns; turn++) await Promise.resolve();
      batch(store, 1);
      await settled();
      expect(store.committedCheckpoint, `after ${turns} turns`).toBe(1);
      stop.abort();
      await done;
    }
  });

  test("finishes the run in flight when it is stopped, and writes no other", async () => {
    const gate = Promise.withResolvers<void>();
    const { store, database, stop, done } = benchOf({ hooks: { beforeWrite: () => gate.promise } });
    batch(store, 1);
    await settled();
    batch(store, 2);
    stop.abort();
    gate.resolve();
    await done;
    expect([ids(database), store.failure]).toEqual([[1], undefined]);
  });
});

describe("a write that fails for a while", () => {
  test.each<[WriteFailureKind, boolean, boolean]>([
    ["transient", false, false],
    ["outcome_unknown", false, false],
    ["outcome_unknown", true, true],
  ])("%s (applied: %s) is tried again with the same run, after a wait", async (kind, applied, alreadyDurable) => {
    const runs: DrainRun[] = [];
    const { store, storage, database, clock, said, stop, done } = benchOf({
      hooks: { beforeWrite: (run) => void runs.push(run) },
    });
    storage.failNext(kind, applied);
    batch(store, 1);
    await settled();
    batch(store, 2);
    await pass(clock, 50);
    expect(runs.length).toBe(1);
    await pass(clock, 50);
    expect([runs[0] === runs[1], database.runs.map(({ checkpoints }) => checkpoints.to)]).toEqual([true, [1, 2]]);
    expect(said.slice(0, 4)).toEqual([
      ["drain", 1, 1],
      ["failed", 1, kind, true],
      ["succeeded", 2, alreadyDurable],
      ["durable"],
    ]);
    stop.abort();
    await done;
  });

  test("waits longer each time, up to a limit", async () => {
    const { store, storage, clock, said, stop, done } = benchOf();
    for (let i = 0; i < 6; i++) storage.failNext("transient");
    batch(store, 1);
    const waits: number[] = [];
    let waited = 0;
    for (let seen = 0; store.committedCheckpoint === 0; waited++) {
      await settled();
      const attempts = said.length;
      if (attempts > seen && waited > 0) {
        if (seen > 0) waits.push(waited);
        waited = 0;
      }
      seen = attempts;
      clock.advance(1);
    }
    expect(waits.length).toBeGreaterThanOrEqual(5);
    expect(waits.every((ms, at) => at === 0 || ms >= (waits[at - 1] as number))).toBe(true);
    expect(Math.max(...waits)).toBeLessThanOrEqual(1_001);
    stop.abort();
    await done;
  });

  test("is given up when the budget is spent: the store fails with the place and the cause", async () => {
    const { store, storage, database, clock, said, done } = benchOf({ retryBudgetMs: 250 });
    for (let i = 0; i < 9; i++) storage.failNext("transient");
    batch(store, 1);
    const flushed = store.flush().catch((error: unknown) => error);
    for (let i = 0; i < 30; i++) await pass(clock, 10);
    await done;
    expect(store.failure).toMatchObject({
      code: "WRITE_RETRIES_EXHAUSTED",
      message: expect.stringContaining("writing checkpoints 1 to 1 (chain 1 blocks 1 to 1) failed 3 times"),
      cause: { kind: "transient" },
      details: { attempt: 3, traceId: "t1" },
    });
    expect(await flushed).toBe(store.failure);
    expect([database.runs, said.at(-1)]).toEqual([[], ["given up", store.failure?.message]]);
  });
});

describe("a write that cannot succeed", () => {
  test.each<[WriteFailureKind, string]>([
    ["fatal", "WRITE_FAILED"],
    ["fenced", "WRITER_FENCED"],
    ["went_back", "DATABASE_WENT_BACK"],
  ])("%s ends the loop at once with %s, and nothing else is written", async (kind, code) => {
    const { store, storage, database, said, done } = benchOf();
    storage.failNext(kind);
    batch(store, 1);
    await done;
    batch(store, 2);
    await settled();
    expect(store.failure).toMatchObject({ code, cause: { kind } });
    expect([database.runs, said.slice(0, 2)]).toEqual([
      [],
      [
        ["drain", 1, 1],
        ["failed", 1, kind, false],
      ],
    ]);
  });

  test("is fatal when the storage throws anything else", async () => {
    const cause = new TypeError("a bug");
    const { store, done } = benchOf({ hooks: { beforeWrite: () => Promise.reject(cause) } });
    batch(store, 1);
    await done;
    expect(store.failure).toMatchObject({ code: "WRITE_FAILED", cause });
  });

  test("names the row and the event that made it, where they are known", async () => {
    const origin = { chainId: 1, block: 7, checkpoint: 1, logIndex: 3, handler: "Token.Transfer" };
    const failure = new WriteFailure("fatal", "out of range", { table: "account", statement: "COPY account" });
    const { store, done } = benchOf({
      hooks: { beforeWrite: () => Promise.reject(failure.causedBy('{"id":1}', origin)) },
    });
    batch(store, 1);
    await done;
    expect(store.failure?.message).toContain('{"id":1}');
    expect(store.failure?.message).toContain("Token.Transfer at block 7, log 3 of chain 1");
    expect(store.failure).toMatchObject({ details: { table: "account", handler: "Token.Transfer", logIndex: 3 } });
  });
});

test("a writer that was replaced is fenced, and the new one goes on", async () => {
  const { store, database, done } = benchOf();
  batch(store, 1);
  await settled();
  const next = new MemoryStorage(database, "two");
  batch(store, 2);
  await done;
  expect(store.failure).toMatchObject({ code: "WRITER_FENCED" });
  expect([ids(database), database.committedCheckpoint]).toEqual([[1], 1]);
  const other = storeOf({ committed: 1 });
  process(other, { id: 1 }, () => set(other, account, { id: 9 }));
  expect(await next.write(other.takeRun() as DrainRun)).toEqual({ alreadyDurable: false });
  expect(ids(database)).toEqual([1, 9]);
});
