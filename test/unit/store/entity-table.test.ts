import { describe, expect, test } from "vitest";
import { account, changesIn, drain, process, remove, set, shared, storeOf } from "../../support/store-fixture.ts";

const peek = (store: ReturnType<typeof storeOf>, id: number, chainId = 1): unknown =>
  store.entity("account").peek(chainId, id);

describe("rows of a table that is complete", () => {
  test("are absent until they are set, and then what was set last", () => {
    const store = storeOf();
    expect(peek(store, 1)).toBe("absent");
    process(store, {}, () => {
      set(store, account, { id: 1, balance: 5n });
      set(store, account, { id: 1, balance: 7n });
    });
    expect(peek(store, 1)).toEqual({ id: 1, balance: 7n });
    expect(peek(store, 1, 2)).toBe("absent");
  });

  test("are inserted once, updated after that, deleted at last", () => {
    const store = storeOf();
    process(store, { id: 1, blocks: [1, 2] }, (block) => set(store, account, { id: 1, balance: BigInt(block) }));
    expect(changesIn(drain(store), account)).toEqual({ inserts: [[2, { id: 1, balance: 2n }]] });
    process(store, { id: 2 }, () => set(store, account, { id: 1, balance: 9n }));
    expect(changesIn(drain(store), account)).toEqual({ updates: [[3, { id: 1, balance: 9n }]] });
    process(store, { id: 3 }, () => remove(store, account, 1));
    expect(changesIn(drain(store), account)).toEqual({ deletes: [{ id: 1 }] });
    process(store, { id: 4 }, () => set(store, account, { id: 1 }));
    expect(changesIn(drain(store), account)).toEqual({ inserts: [[5, { id: 1, balance: 0n }]] });
  });

  test("that come and go within a run are not written", () => {
    const store = storeOf();
    process(store, { blocks: [1, 2] }, (block) => {
      if (block === 1) set(store, account, { id: 1 });
      else remove(store, account, 1);
    });
    process(store, { id: 2 }, () => remove(store, account, 2));
    expect(changesIn(drain(store), account)).toEqual({});
    expect(peek(store, 1)).toBe("absent");
  });

  test("that were deleted and set again are one update", () => {
    const store = storeOf();
    process(store, { id: 1 }, () => set(store, account, { id: 1 }));
    drain(store);
    process(store, { id: 2 }, () => {
      remove(store, account, 1);
      set(store, account, { id: 1, balance: 3n });
    });
    expect(changesIn(drain(store), account)).toEqual({ updates: [[2, { id: 1, balance: 3n }]] });
  });
});

describe("a run that is sealed while a batch is in progress", () => {
  test("holds what its own batches made, not what the batch has made since", () => {
    const store = storeOf();
    process(store, { id: 1 }, () => set(store, account, { id: 1, balance: 1n }));
    let run: ReturnType<typeof drain>;
    process(store, { id: 2 }, () => {
      set(store, account, { id: 1, balance: 2n });
      set(store, account, { id: 2, balance: 2n });
      run = drain(store);
      set(store, account, { id: 1, balance: 3n });
    });
    expect(changesIn(run, account)).toEqual({ inserts: [[1, { id: 1, balance: 1n }]] });
    expect(changesIn(drain(store), account)).toEqual({
      updates: [[2, { id: 1, balance: 3n }]],
      inserts: [[2, { id: 2, balance: 2n }]],
    });
  });

  test("also when that batch has deleted the row, or the event is undone afterwards", () => {
    const store = storeOf();
    process(store, { id: 1 }, () => set(store, account, { id: 1, balance: 1n }));
    let run: ReturnType<typeof drain>;
    process(store, { id: 2 }, () => {
      remove(store, account, 1);
      run = drain(store);
      store.undoEvent();
    });
    expect(changesIn(run, account)).toEqual({ inserts: [[1, { id: 1, balance: 1n }]] });
    expect(peek(store, 1)).toEqual({ id: 1, balance: 1n });
    expect(changesIn(drain(store), account)).toEqual({});
  });
});

describe("undoing", () => {
  test("an event leaves what events before it did in the same block", () => {
    const store = storeOf();
    process(store, {}, () => {
      set(store, account, { id: 1, balance: 1n });
      store.beginEvent(1, "Test.Event");
      set(store, account, { id: 1, balance: 2n });
      set(store, account, { id: 2 });
      remove(store, account, 1);
      store.undoEvent();
    });
    expect([peek(store, 1), peek(store, 2)]).toEqual([{ id: 1, balance: 1n }, "absent"]);
    expect(changesIn(drain(store), account)).toEqual({ inserts: [[1, { id: 1, balance: 1n }]] });
  });

  test("a block leaves the blocks before it, and their history", () => {
    const store = storeOf();
    process(store, { mode: "keep", blocks: [1, 2] }, (block) => {
      set(store, account, { id: 1, balance: BigInt(block) });
      if (block === 2) store.undoBlock();
    });
    const run = drain(store);
    expect(changesIn(run, account)).toEqual({
      inserts: [[1, { id: 1, balance: 1n }]],
      history: [[1, { id: 1 }, undefined]],
    });
    expect(run?.positions).toEqual([{ checkpoint: 1, chainId: 1, block: 1 }]);
  });
});

describe("history", () => {
  test("is one before-image for the first change of a row in each checkpoint", () => {
    const store = storeOf();
    process(store, { mode: "keep", blocks: [10, 12, 14] }, (block) => {
      if (block === 14) remove(store, account, 1);
      else set(store, account, { id: 1, balance: BigInt(block) });
      if (block === 12) set(store, account, { id: 1, balance: 13n });
    });
    expect(changesIn(drain(store), account)).toEqual({
      history: [
        [1, { id: 1 }, undefined],
        [2, { id: 1 }, { row: { id: 1, balance: 10n }, checkpoint: 1 }],
        [3, { id: 1 }, { row: { id: 1, balance: 13n }, checkpoint: 2 }],
      ],
    });
  });

  test("is not kept of final blocks, and goes on from the row that they left", () => {
    const store = storeOf();
    process(store, { id: 1, mode: "final" }, () => set(store, account, { id: 1, balance: 1n }));
    expect(changesIn(drain(store), account)).toEqual({ inserts: [[1, { id: 1, balance: 1n }]] });
    process(store, { id: 2, mode: "keep" }, () => set(store, account, { id: 1, balance: 2n }));
    expect(changesIn(drain(store), account)).toEqual({
      updates: [[2, { id: 1, balance: 2n }]],
      history: [[2, { id: 1 }, { row: { id: 1, balance: 1n }, checkpoint: 1 }]],
    });
  });

  test("of rows that chains share is kept whenever any chain can still be reorganised", () => {
    const store = storeOf();
    const batch = process(store, { id: 1, mode: "keep" }, () => {});
    expect(batch.mode).toBe("keep");
    // A block that is final on its own chain, in a batch that keeps history for another one.
    const next = { ...batch, id: 2, checkpoints: { from: 2, to: 2 } };
    store.beginBatch(next);
    store.beginBlock(2, 5, 2, false);
    set(store, shared, { id: "a", value: 1 });
    set(store, account, { id: 1 });
    store.commitBatch(next);
    const run = drain(store);
    expect(changesIn(run, shared)).toEqual({
      inserts: [[2, { id: "a", value: 1 }]],
      history: [[2, { id: "a" }, undefined]],
    });
    expect(changesIn(run, account)).toEqual({ inserts: [[2, { id: 1, balance: 0n }]] });
  });
});

describe("rows that only the storage knows", () => {
  const empty: readonly string[] = [];

  test("are written whether they exist or not, and are known after that", () => {
    const store = storeOf({ empty });
    process(store, { id: 1 }, () => {
      set(store, account, { id: 1, balance: 1n });
      remove(store, account, 2);
    });
    expect(peek(store, 3)).toBeUndefined();
    expect(changesIn(drain(store), account)).toEqual({
      upserts: [[1, { id: 1, balance: 1n }]],
      deletes: [{ id: 2 }],
    });
    process(store, { id: 2 }, () => {
      set(store, account, { id: 1, balance: 2n });
      set(store, account, { id: 2, balance: 2n });
    });
    expect(changesIn(drain(store), account)).toEqual({
      updates: [[2, { id: 1, balance: 2n }]],
      inserts: [[2, { id: 2, balance: 2n }]],
    });
  });

  test("have a before-image that the storage must look up, and known ones after it", () => {
    const store = storeOf({ empty });
    process(store, { mode: "keep", blocks: [1, 2] }, (block) => {
      set(store, account, { id: 1, balance: BigInt(block) });
      if (block === 2) remove(store, account, 2);
    });
    expect(changesIn(drain(store), account)).toEqual({
      upserts: [[2, { id: 1, balance: 2n }]],
      deletes: [{ id: 2 }],
      history: [[2, { id: 1 }, { row: { id: 1, balance: 1n }, checkpoint: 1 }]],
      unknownHistory: [
        [1, { id: 1 }],
        [2, { id: 2 }],
      ],
    });
  });

  test("are changed by the batch in progress only until it is undone", () => {
    const store = storeOf({ empty });
    process(store, { mode: "keep" }, () => {
      set(store, account, { id: 1 });
      store.undoEvent();
    });
    expect(peek(store, 1)).toBeUndefined();
    expect(changesIn(drain(store), account)).toEqual({});
  });

  test("are taken from a read, unless something newer was made meanwhile", () => {
    const store = storeOf({ empty });
    const table = store.entity("account");
    const stored = { row: { id: 1, balance: 50n }, checkpoint: 3 };
    table.loaded(1, 1, { id: 1 }, stored);
    table.loaded(1, 2, { id: 2 }, undefined);
    expect([peek(store, 1), peek(store, 2)]).toEqual([stored.row, "absent"]);
    process(store, { mode: "keep" }, () => {
      set(store, account, { id: 1, balance: 51n });
      set(store, account, { id: 3, balance: 1n });
      table.loaded(1, 3, { id: 3 }, { row: { id: 3, balance: 99n }, checkpoint: 2 });
    });
    expect(peek(store, 3)).toEqual({ id: 3, balance: 1n });
    expect(changesIn(drain(store), account)).toEqual({
      updates: [[1, { id: 1, balance: 51n }]],
      upserts: [[1, { id: 3, balance: 1n }]],
      history: [[1, { id: 1 }, stored]],
      unknownHistory: [[1, { id: 3 }]],
    });
  });
});

describe("rows that chains share", () => {
  test("are one row, whichever chain sets it", () => {
    const store = storeOf();
    process(store, { id: 1, chainId: 1 }, () => set(store, shared, { id: "a", value: 1 }));
    process(store, { id: 2, chainId: 2 }, () => set(store, shared, { id: "a", value: 2 }));
    expect(store.entity("shared").peek(7, "a")).toEqual({ id: "a", value: 2 });
    expect(changesIn(drain(store), shared)).toEqual({ inserts: [[2, { id: "a", value: 2 }]] });
  });
});

describe("eviction", () => {
  test("drops rows that are durable, and the table has to ask from then on", () => {
    const store = storeOf({ limits: { cacheBytes: 0 } });
    const table = store.entity("account");
    process(store, { id: 1 }, () => set(store, account, { id: 1 }));
    const run = store.takeRun();
    process(store, { id: 2 }, () => set(store, account, { id: 2 }));
    expect([table.records, table.isComplete]).toEqual([2, true]);
    if (run !== undefined) store.durable(run);
    expect([table.records, table.isComplete, peek(store, 1)]).toEqual([1, false, undefined]);
    expect(peek(store, 2)).toEqual({ id: 2, balance: 0n });
  });

  test("leaves the rows of the batch in progress", () => {
    const store = storeOf({ limits: { cacheBytes: 0 } });
    process(store, { id: 1 }, () => {
      set(store, account, { id: 1 });
      set(store, account, { id: 2 });
    });
    process(store, { id: 2 }, () => {
      set(store, account, { id: 1, balance: 2n });
      drain(store);
      expect([peek(store, 1), peek(store, 2)]).toEqual([{ id: 1, balance: 2n }, undefined]);
    });
    expect(changesIn(drain(store), account)).toEqual({ updates: [[2, { id: 1, balance: 2n }]] });
  });
});
