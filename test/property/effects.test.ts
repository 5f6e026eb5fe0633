import fc from "fast-check";
import { expect, test } from "vitest";
import { createEffect, t } from "../../src/index.ts";
import { Store } from "../../src/store/store.ts";
import { memoryEffectCodec } from "../../src/testing/memory-codec.ts";
import { MemoryDatabase } from "../../src/testing/memory-database.ts";
import { MemoryStorage } from "../../src/testing/memory-storage.ts";
import { effectCallsOf } from "../support/effect-calls.ts";
import { ManualClock } from "../support/manual-clock.ts";
import { batchOf, TABLES, WIDE } from "../support/store-fixture.ts";

/** What a batch calls for: inputs by block; and what happens to the batch, and to the process after it. */
const batch = fc.record({
  blocks: fc.array(fc.array(fc.nat(5), { maxLength: 4 }), { minLength: 1, maxLength: 3 }),
  end: fc.constantFrom("commit", "undo the last block", "abandon"),
  after: fc.constantFrom("go on", "write", "crash", "write, then crash"),
});

test("an input is called for once, unless its call was lost with its block, its batch or its process", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(batch, { maxLength: 12 }), fc.boolean(), async (batches, isSmall) => {
      await runAll(batches, isSmall ? 0 : 1e9);
    }),
    { numRuns: 300 },
  );
});

type PlannedBatch = typeof batch extends fc.Arbitrary<infer T> ? T : never;

async function runAll(batches: readonly PlannedBatch[], cacheBytes: number): Promise<void> {
  const called: number[] = [];
  const effect = createEffect(
    { name: "double", input: t.int32(), output: t.int32(), cache: true, rateLimit: false },
    async (input) => {
      called.push(input);
      return input * 2;
    },
  );
  const database = new MemoryDatabase(TABLES);
  /** Inputs whose output is in memory or durable, and the checkpoint that called. */
  const known = new Map<number, number>();
  let life = begin(database, cacheBytes);
  for (const { blocks, end, after } of batches) {
    const { store, effects } = life;
    const first = store.nextCheckpoint;
    const numbers = blocks.map((_, at) => first + at);
    const made = batchOf({ id: life.nextBatch(), from: first, blocks: numbers });
    const before = new Map(known);
    store.beginBatch(made);
    for (const [at, inputs] of blocks.entries()) {
      store.beginBlock(1, first + at, first + at, false);
      const isUndone = end === "undo the last block" && at === blocks.length - 1;
      const beforeBlock = new Map(known);
      for (const input of inputs) {
        const calls = called.length;
        const [one, other] = await Promise.all([effects.call(effect, input), effects.call(effect, input)]);
        expect([one, other]).toEqual([input * 2, input * 2]);
        expect(called.length - calls).toBe(known.has(input) ? 0 : 1);
        if (!known.has(input)) known.set(input, first + at);
      }
      if (isUndone) {
        store.undoBlock();
        replace(known, beforeBlock);
      }
    }
    if (end === "abandon") {
      store.abandonBatch();
      replace(known, before);
    } else store.commitBatch(made);
    if (after.startsWith("write")) await life.write();
    // What is durable was called for at a checkpoint that is.
    const durable = [...database.state.effects.values()].map(({ input, checkpoint }) => [input, checkpoint]);
    const committed = [...known].filter(([, checkpoint]) => checkpoint <= database.committedCheckpoint);
    expect(new Map(durable as [number, number][])).toEqual(new Map(committed));
    if (!after.endsWith("crash")) continue;
    replace(known, new Map(committed));
    life = begin(database, cacheBytes);
  }
}

function begin(database: MemoryDatabase, cacheBytes: number) {
  const storage = new MemoryStorage(database, "one");
  const clock = new ManualClock();
  const store = new Store({
    tables: TABLES,
    emptyTables: database.emptyTables,
    codecOf: storage.codecOf,
    reader: storage,
    effectCodec: memoryEffectCodec,
    committed: database.committedCheckpoint,
    nextCheckpoint: database.nextCheckpoint,
    progress: [],
    limits: { ...WIDE, cacheBytes },
    clock,
  });
  let batches = 0;
  return {
    store,
    effects: effectCallsOf(store, clock, storage),
    nextBatch: () => ++batches,
    write: async (): Promise<void> => {
      for (let run = store.takeRun(); run !== undefined; run = store.takeRun()) {
        await storage.write(run);
        store.durable(run);
      }
    },
  };
}

function replace(map: Map<number, number>, by: ReadonlyMap<number, number>): void {
  map.clear();
  for (const [input, checkpoint] of by) map.set(input, checkpoint);
}
