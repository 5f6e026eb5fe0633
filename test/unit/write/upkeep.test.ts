import { describe, expect, test } from "vitest";
import type { StoreLimits } from "../../../src/store/store-options.ts";
import { MemoryDatabase } from "../../../src/testing/memory-database.ts";
import { MemoryStorage } from "../../../src/testing/memory-storage.ts";
import type { ChainMetadata } from "../../../src/write/chain-metadata.ts";
import { PersistenceLoop } from "../../../src/write/persistence-loop.ts";
import type { PruneOutcome, Pruning } from "../../../src/write/storage.ts";
import { type Storage, WriteFailure, type WriteFailureKind, type WriteOutcome } from "../../../src/write/storage.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { silentTelemetry } from "../../support/silent-telemetry.ts";
import { account, process, set, storeOf, TABLES } from "../../support/store-fixture.ts";
import { settled } from "../../support/world/steps.ts";

const DURABLE: WriteOutcome = { alreadyDurable: false };

function chain(more: Partial<ChainMetadata> = {}): ChainMetadata {
  return { chainId: 1, head: 100, live: true, sources: [{ name: "node", state: "ok" }], ...more };
}

interface BenchInput {
  readonly metadata?: readonly ChainMetadata[];
  readonly pruneEveryMs?: number;
  readonly limits?: Partial<StoreLimits>;
  /** Whatever is awaited here is under way. */
  readonly during?: (what: string) => Promise<void> | void;
  /** Rows to prune, by table. */
  readonly prunable?: Readonly<Record<string, number>>;
  readonly stepMs?: number;
}

/** The loop over a storage that says what it was asked to write, in order, and fails if two writes are under way. */
function benchOf(input: BenchInput) {
  const clock = new ManualClock();
  const start = clock.now();
  const memory = new MemoryStorage(new MemoryDatabase(TABLES), "one");
  const store = storeOf({ clock, limits: { minimumItems: 1, ...input.limits } });
  const log: unknown[] = [];
  let underWay = 0;
  const failures: WriteFailureKind[] = [];
  const write = async <T>(what: string, entry: unknown, run: () => Promise<T>): Promise<T> => {
    expect(++underWay).toBe(1);
    try {
      log.push([clock.now() - start, what, entry]);
      await input.during?.(what);
      const kind = failures.shift();
      if (kind !== undefined) throw new WriteFailure(kind, "planned");
      return await run();
    } finally {
      underWay--;
    }
  };
  const left = new Map(Object.entries(input.prunable ?? {}));
  const pruningOf = (table: string): Pruning => ({
    table,
    step: (maxRows) =>
      write("prune", { table, maxRows }, async (): Promise<PruneOutcome> => {
        clock.advance(input.stepMs ?? 0);
        const rows = Math.min(maxRows, left.get(table) ?? 0);
        left.set(table, (left.get(table) ?? 0) - rows);
        return { alreadyDurable: false, rows, isDone: rows < maxRows };
      }),
  });
  const storage: Storage = {
    write: (run, _, metadata = []) => write("run", [...metadata], () => memory.write(run)),
    writeMetadata: (chains) => write("metadata", [...chains], async () => DURABLE),
    planPruning: async () => [...left].filter(([, rows]) => rows > 0).map(([table]) => pruningOf(table)),
  };
  let metadata = input.metadata;
  const telemetry = silentTelemetry(clock);
  const loop = new PersistenceLoop({
    store,
    storage,
    telemetry,
    clock,
    retryBudgetMs: 60_000,
    backoff: { firstMs: 100, maxMs: 10_000 },
    ...(metadata === undefined ? {} : { metadata: () => metadata ?? [] }),
    ...(input.pruneEveryMs === undefined ? {} : { pruneEveryMs: input.pruneEveryMs }),
  });
  const stop = new AbortController();
  const done = loop.run(stop.signal);
  let batches = 0;
  return {
    store,
    clock,
    log,
    left,
    telemetry,
    fail: (...kinds: WriteFailureKind[]) => failures.push(...kinds),
    now: (...chains: ChainMetadata[]) => {
      metadata = chains;
    },
    /** A batch that sets one row. */
    batch: () => {
      const id = ++batches;
      process(store, { id, mode: "final" }, () => set(store, account, { id, balance: 1n }));
    },
    /** Lets time go by in steps of 100 ms. */
    pass: async (ms: number) => {
      for (let passed = 0; passed < ms; passed += 100) {
        await settled();
        clock.advance(100);
      }
      await settled();
    },
    end: async () => {
      stop.abort();
      await done;
    },
  };
}

describe("chain metadata", () => {
  test("is written alone when it has changed, a second after the last write at the soonest when a chain is live", async () => {
    const { log, now, pass, end } = benchOf({ metadata: [chain()] });
    await pass(300);
    now(chain({ head: 101 }));
    await pass(500);
    now(chain({ head: 102 }));
    await pass(3_000);
    expect(log).toEqual([
      [0, "metadata", [chain()]],
      [1_000, "metadata", [chain({ head: 102 })]],
    ]);
    now(chain({ head: 103 }));
    await pass(1_000);
    expect(log.slice(2)).toEqual([[expect.any(Number), "metadata", [chain({ head: 103 })]]]);
    await end();
  });

  test("is not written more often because something else happens", async () => {
    const { store, log, now, pass, end } = benchOf({ metadata: [chain()] });
    for (let head = 101; head < 126; head++) {
      await pass(100);
      now(chain({ head }));
      store.changed.notify();
    }
    expect(log.map((entry) => (entry as unknown[]).slice(0, 2))).toEqual([
      [0, "metadata"],
      [1_000, "metadata"],
      [2_000, "metadata"],
    ]);
    await end();
  });

  test("is written every ten seconds in the backfill", async () => {
    const { log, now, pass, end } = benchOf({ metadata: [chain({ live: false })] });
    for (let head = 101; head < 300; head++) {
      await pass(100);
      now(chain({ live: false, head }));
    }
    expect(log.map((entry) => (entry as number[])[0])).toEqual([0, 10_000]);
    await end();
  });

  test.each<[string, readonly ChainMetadata[]]>([
    ["another head", [chain({ head: 99 })]],
    ["liveness", [chain({ live: false })]],
    ["a failing source", [chain({ sources: [{ name: "node", state: "failing" }] })]],
    ["another source", [chain({ sources: [{ name: "other", state: "ok" }] })]],
    ["one more source", [chain({ sources: [...chain().sources, { name: "other", state: "ok" }] })]],
    ["one more chain", [chain(), chain({ chainId: 10 })]],
    ["another chain", [chain({ chainId: 10 })]],
    ["no chain", []],
  ])("is compared value by value: %s is written", async (_, chains) => {
    const { log, now, pass, end } = benchOf({ metadata: [chain()] });
    await pass(100);
    now(...chains);
    await pass(11_000);
    expect(log.map((entry) => (entry as unknown[])[2])).toEqual([[chain()], chains]);
    await end();
  });

  test("is not written when it is equal, whatever object it is and in whatever order its fields are", async () => {
    const { log, now, pass, end } = benchOf({ metadata: [chain()] });
    await pass(100);
    now({ sources: [{ state: "ok", name: "node" }], live: true, head: 100, chainId: 1 });
    await pass(20_000);
    expect(log).toHaveLength(1);
    await end();
  });

  test("goes along with a run, as it is when the run is taken; then it is not written alone", async () => {
    const gate = Promise.withResolvers<void>();
    const { log, now, batch, pass, end } = benchOf({
      metadata: [chain()],
      during: (what) => (what === "run" ? gate.promise : undefined),
    });
    await pass(100);
    now(chain({ head: 101 }));
    batch();
    await pass(100);
    // The run is under way: what is known now is for later.
    now(chain({ head: 102 }));
    await pass(5_000);
    expect(log).toEqual([
      [0, "metadata", [chain()]],
      [100, "run", [chain({ head: 101 })]],
    ]);
    gate.resolve();
    await pass(900);
    expect(log).toHaveLength(2);
    await pass(200);
    expect(log.slice(2)).toEqual([[expect.any(Number), "metadata", [chain({ head: 102 })]]]);
    await end();
  });

  test("is not written alone after a run that took it along", async () => {
    const { log, now, batch, pass, end } = benchOf({ metadata: [] });
    await pass(100);
    now(chain());
    batch();
    await pass(20_000);
    expect(log).toEqual([[100, "run", [chain()]]]);
    await end();
  });

  test("never goes before a run that is due", async () => {
    const { log, batch, now, pass, end } = benchOf({ metadata: [chain()] });
    await pass(2_000);
    now(chain({ head: 101 }));
    batch();
    await pass(2_000);
    expect(log.slice(1)).toEqual([[2_000, "run", [chain({ head: 101 })]]]);
    await end();
  });

  test.each<WriteFailureKind>(["transient", "outcome_unknown"])(
    "that could not be written (%s) is written later, and a run does not wait for it",
    async (kind) => {
      const { store, log, fail, batch, pass, end } = benchOf({ metadata: [chain()] });
      fail(kind, kind);
      await pass(100);
      batch();
      await settled();
      expect(store.committedCheckpoint).toBe(1);
      expect(log.map((entry) => (entry as string[])[1])).toEqual(["metadata", "metadata", "run"]);
      await end();
    },
  );

  test("is tried at longer and longer intervals while it fails", async () => {
    const { store, log, fail, pass, end } = benchOf({ metadata: [chain()] });
    fail(...Array.from({ length: 6 }, () => "transient" as const));
    await pass(10_000);
    expect(log.map((entry) => (entry as number[])[0])).toEqual([0, 100, 300, 600, 1_200, 2_400, 4_800]);
    expect(store.failure).toBeUndefined();
    await end();
  });

  test.each<[WriteFailureKind, string]>([
    ["fenced", "WRITER_FENCED"],
    ["went_back", "DATABASE_WENT_BACK"],
    ["fatal", "WRITE_FAILED"],
  ])("that fails for good (%s) fails the store", async (kind, code) => {
    const { store, fail, pass, end } = benchOf({ metadata: [chain()] });
    fail(kind);
    await pass(100);
    expect(store.failure).toMatchObject({ code });
    await end();
  });

  test("is a state of the write loop", async () => {
    const gate = Promise.withResolvers<void>();
    const { telemetry, pass, end } = benchOf({ metadata: [chain()], during: () => gate.promise });
    await pass(100);
    expect(telemetry.writeLoop.state).toBe("metadata");
    gate.resolve();
    await pass(100);
    expect(telemetry.writeLoop.state).toBe("idle");
    await end();
  });
});

describe("pruning", () => {
  test("goes through what there is, in steps, until nothing is left", async () => {
    const { log, pass, end } = benchOf({ pruneEveryMs: 1_000, prunable: { a: 12_000, b: 1 } });
    await pass(1_500);
    expect(log).toEqual([
      [1_000, "prune", { table: "a", maxRows: 5_000 }],
      [1_000, "prune", { table: "a", maxRows: 5_000 }],
      [1_000, "prune", { table: "a", maxRows: 5_000 }],
      [1_000, "prune", { table: "b", maxRows: 5_000 }],
    ]);
    await end();
  });

  test("begins again when there is more", async () => {
    const { log, left, pass, end } = benchOf({ pruneEveryMs: 1_000, prunable: { a: 1 } });
    await pass(1_500);
    left.set("a", 7);
    await pass(3_000);
    expect(log).toHaveLength(2);
    expect(left.get("a")).toBe(0);
    await end();
  });

  test("a run that becomes due waits for one step at most", async () => {
    let steps = 0;
    let batch = (): void => {};
    const bench = benchOf({
      pruneEveryMs: 1_000,
      prunable: { a: 50_000 },
      during: (what) => {
        if (what === "prune" && ++steps === 2) batch();
      },
    });
    ({ batch } = bench);
    await bench.pass(1_500);
    expect(bench.log.map((entry) => (entry as string[])[1]).slice(0, 4)).toEqual(["prune", "prune", "run", "prune"]);
    expect(bench.left.get("a")).toBe(0);
    await bench.end();
  });

  test("is not begun while a run is due", async () => {
    const { log, batch, pass, end } = benchOf({ pruneEveryMs: 1_000, prunable: { a: 1 } });
    await pass(900);
    batch();
    await pass(200);
    expect(log.map((entry) => (entry as string[])[1])).toEqual(["run", "prune"]);
    await end();
  });

  test("takes smaller steps while they are long", async () => {
    const { log, pass, end } = benchOf({ pruneEveryMs: 1_000, prunable: { a: 9_000 }, stepMs: 150 });
    await pass(1_000);
    const sizes = log.map((entry) => (entry as { maxRows: number }[])[2]?.maxRows);
    expect(sizes).toEqual([5_000, 2_500, 1_250, 625]);
    await end();
  });

  test.each<WriteFailureKind>(["transient", "outcome_unknown"])(
    "a step that fails (%s) ends the pass; the next one begins with smaller steps",
    async (kind) => {
      const { store, log, fail, pass, end } = benchOf({ pruneEveryMs: 1_000, prunable: { a: 1 } });
      fail(kind);
      await pass(2_500);
      expect(log).toEqual([
        [1_000, "prune", { table: "a", maxRows: 5_000 }],
        [2_000, "prune", { table: "a", maxRows: 2_500 }],
      ]);
      expect(store.failure).toBeUndefined();
      await end();
    },
  );

  test("ends with the loop, after the step under way", async () => {
    const gate = Promise.withResolvers<void>();
    const { log, pass, end } = benchOf({ pruneEveryMs: 1_000, prunable: { a: 50_000 }, during: () => gate.promise });
    await pass(1_100);
    const ended = end();
    gate.resolve();
    await ended;
    expect(log).toHaveLength(1);
  });
});
