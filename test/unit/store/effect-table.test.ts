import { beforeEach, describe, expect, test } from "vitest";
import { effectDefinitionOf } from "../../../src/config/effect.ts";
import { createEffect, t } from "../../../src/index.ts";
import { createEffectShape, type EffectShape } from "../../../src/store/effect-shape.ts";
import type { Store } from "../../../src/store/store.ts";
import { decodedEffects } from "../../../src/testing/memory-codec.ts";
import { batchOf, process, type StoreInput, storeOf } from "../../support/store-fixture.ts";

function shapeOf(name: string, cache: boolean): EffectShape {
  const effect = createEffect({ name, input: t.int32(), output: t.text(), cache, rateLimit: false }, () => "");
  return createEffectShape(effectDefinitionOf(effect));
}

const kept = shapeOf("kept", true);
const passing = shapeOf("passing", false);

/** An output is made in the block that is open. */
function make(store: Store, input: number, shape = kept): void {
  store.effects.add(store.scope, shape, shape.keyOf(shape.input(input)), shape.output(`output ${input}`));
}

function found(store: Store, input: number, shape = kept): unknown {
  const output = store.effects.find(shape.model.name, shape.keyOf(shape.input(input)));
  return output && shape.valueOf("output", output);
}

let store: Store;
beforeEach(() => {
  store = storeOf();
});

/** Input and checkpoint of each output in the next run. */
function drained(from: Store): unknown[] {
  const run = from.takeRun();
  if (run === undefined) return [];
  const rows = decodedEffects(run.effects).map(({ input, checkpoint }) => [input, checkpoint]);
  from.durable(run);
  return rows;
}

describe("an output of an effect", () => {
  test("carries the checkpoint of the block that made it, and is written with its run", () => {
    process(store, { id: 1, from: 1, blocks: [10, 11] }, (block) => make(store, block));
    process(store, { id: 2, from: 3, blocks: [12] }, () => {
      expect(found(store, 10)).toBe("output 10");
      make(store, 12);
    });
    const run = store.takeRun();
    expect(run === undefined ? [] : decodedEffects(run.effects)).toEqual([row(10, 1), row(11, 2), row(12, 3)]);
    expect(run?.changes).toBe(3);
  });

  test("stays when its event is undone, and is forgotten when its block is", () => {
    const batch = batchOf({ blocks: [5, 6] });
    store.beginBatch(batch);
    store.beginBlock(1, 5, 1, false);
    store.beginEvent(0, "Test.Event");
    make(store, 1);
    store.undoEvent();
    expect(found(store, 1)).toBe("output 1");
    store.beginBlock(1, 6, 2, false);
    store.beginEvent(0, "Test.Event");
    make(store, 2);
    store.undoBlock();
    expect(found(store, 2)).toBeUndefined();
    // What is kept of the batch may end at a position that takes the number of the undone block.
    store.commitBatch(batch);
    expect(drained(store)).toEqual([[1, 1]]);
  });

  test("is forgotten with a batch that is dropped", () => {
    store.beginBatch(batchOf());
    store.beginBlock(1, 1, 1, false);
    make(store, 1);
    store.abandonBatch();
    expect(found(store, 1)).toBeUndefined();
    expect(store.uncommitted).toMatchObject({ changes: 0, bytes: 0 });
  });

  test("without cache: true lasts as long as its batch, and is not written", () => {
    process(store, { id: 1 }, () => {
      make(store, 1, passing);
      expect(found(store, 1, passing)).toBe("output 1");
    });
    expect(found(store, 1, passing)).toBeUndefined();
    expect(drained(store)).toEqual([]);
  });

  test("of a batch in progress does not leak into the run that is sealed meanwhile", () => {
    process(store, { id: 1 }, () => make(store, 1));
    store.beginBatch(batchOf({ id: 2, from: 2 }));
    store.beginBlock(1, 2, 2, false);
    make(store, 2);
    expect(drained(store)).toEqual([[1, 1]]);
  });
});

describe("outputs count", () => {
  test("into the capacity, until they are durable", () => {
    process(store, { id: 1 }, () => make(store, 1));
    const queued = store.uncommitted;
    expect(queued).toMatchObject({ items: 1, changes: 1 });
    expect(queued.bytes).toBeGreaterThan(500);
    const run = store.takeRun();
    expect(store.uncommitted.changes).toBe(1);
    if (run !== undefined) store.durable(run);
    expect(store.uncommitted).toMatchObject({ changes: 0, bytes: 0 });
  });

  test("as a reason to wait", () => {
    const full = storeOf({ limits: { capacityChanges: 2 } });
    process(full, { id: 1 }, () => make(full, 1));
    expect(full.capacityReached).toBe("changes");
  });
});

describe("the cache budget", () => {
  const limited = (limits: StoreInput["limits"]): Store => storeOf({ limits: { minimumItems: 1, ...limits } });

  test("lets outputs go, oldest first, but never before they are durable", () => {
    const small = limited({ cacheBytes: 0 });
    process(small, { id: 1 }, () => make(small, 1));
    const run = small.takeRun();
    process(small, { id: 2, from: 2 }, () => make(small, 2));
    expect([found(small, 1), found(small, 2)]).toEqual(["output 1", "output 2"]);
    if (run !== undefined) small.durable(run);
    expect([found(small, 1), found(small, 2)]).toEqual([undefined, "output 2"]);
    expect(small.cache.evicted.effects).toBe(1);
  });

  test("keeps outputs of a run that is sealed and waits for the one before it", () => {
    const small = limited({ cacheBytes: 0 });
    for (const [at, mode] of (["final", "keep", "final"] as const).entries()) {
      process(small, { id: at + 1, from: at + 1, mode }, () => make(small, at + 1));
    }
    drained(small);
    expect([1, 2, 3].map((input) => found(small, input))).toEqual([undefined, "output 2", "output 3"]);
  });

  test("keeps what fits", () => {
    const roomy = limited({});
    process(roomy, { id: 1 }, () => make(roomy, 1));
    drained(roomy);
    expect(found(roomy, 1)).toBe("output 1");
    expect(roomy.cache.bytes).toBe(roomy.effects.keptBytes);
    expect(roomy.cache.bytes).toBeGreaterThan(500);
  });

  test("counts outputs that were read, and lets them go too", () => {
    const small = limited({ cacheBytes: 0 });
    small.effects.loaded(kept, kept.keyOf(kept.input(7)), kept.output("stored"));
    expect(found(small, 7)).toBe("stored");
    process(small, { id: 1 });
    drained(small);
    expect(found(small, 7)).toBeUndefined();
    expect(small.cache.bytes).toBe(0);
  });
});

function row(input: number, checkpoint: number): object {
  return {
    effect: "kept",
    inputHash: expect.stringMatching(/^[0-9a-f]{64}$/),
    outputType: kept.outputType,
    input,
    output: `output ${input}`,
    chainId: 1,
    checkpoint,
  };
}
