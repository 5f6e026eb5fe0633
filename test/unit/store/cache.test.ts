import { describe, expect, test } from "vitest";
import { rowSizer } from "../../../src/store/row-size.ts";
import type { Store } from "../../../src/store/store.ts";
import type { Row } from "../../../src/store/table.ts";
import { drain, process, set, storeOf } from "../../support/store-fixture.ts";
import { tableOf } from "../../support/tables.ts";
import { pickFrom } from "../../support/world/steps.ts";

const columns = [
  { name: "id", kind: "int32" },
  { name: "text", kind: "text" },
] as const;
const note = tableOf("note", columns);
const other = tableOf("other", columns);
const sizeOf = rowSizer(note);
const rowOf = (id: number, length = 10): Row => ({ id, text: "x".repeat(length) });
const ROW_BYTES = sizeOf(rowOf(1));

function benchOf(limits: { cacheBytes?: number; capacityBytes?: number } = {}): Store {
  return storeOf({ tables: [note, other], empty: ["other"], limits });
}

/** Each row of each table in a batch of its own; they are in one run. */
function change(store: Store, ...tables: readonly (typeof note)[]): void {
  for (const table of tables) {
    const id = store.nextCheckpoint;
    process(store, { id }, () => set(store, table, rowOf(id)));
  }
}

function load(store: Store, id: number): void {
  store.entity("note").loaded(1, id, { id }, { row: rowOf(id), checkpoint: 1 });
}

const isInMemory = (store: Store, id: number): boolean => typeof store.entity("note").peek(1, id) === "object";
const ALL_DURABLE = 1_000;

describe("the cache", () => {
  test("evicts rows that were changed here before rows that were only read", () => {
    const store = benchOf({ cacheBytes: ROW_BYTES });
    load(store, 9);
    change(store, note);
    drain(store);
    expect([isInMemory(store, 9), isInMemory(store, 1)]).toEqual([true, false]);
    expect(store.cache.evicted).toMatchObject({ changed: 1, loaded: 0 });
  });

  test("evicts rows that were only read when nothing else is left, also between batches", () => {
    const store = benchOf({ cacheBytes: 0 });
    load(store, 9);
    change(store, note);
    drain(store);
    expect([store.entity("note").records, store.cache.bytes]).toEqual([0, 0]);
    expect(store.cache.evicted).toMatchObject({ changed: 1, loaded: 1 });
  });

  test("spares tables that are complete while another has something to give", () => {
    const store = benchOf({ cacheBytes: ROW_BYTES });
    change(store, other, note);
    drain(store);
    const [spared, evicted] = [store.entity("other"), store.entity("note")];
    expect([spared.isComplete, spared.records, evicted.records]).toEqual([true, 1, 0]);
  });

  test("makes room for uncommitted work, also below its own budget", () => {
    const store = benchOf({ capacityBytes: 10_000 });
    change(store, note, note);
    drain(store);
    const recordsAfter = (uncommittedBytes: number): number => {
      store.cache.trim(uncommittedBytes, ALL_DURABLE);
      return store.entity("note").records;
    };
    expect([10_000 - 2 * ROW_BYTES, 10_000 - ROW_BYTES, 20_000].map(recordsAfter)).toEqual([2, 1, 0]);
  });

  test("makes room when somebody begins to wait, before a write does", async () => {
    const store = benchOf({ capacityBytes: 4_000 });
    change(store, note, note);
    drain(store);
    change(store, note, note, note);
    expect([store.entity("note").records, store.cache.bytes]).toEqual([5, 2 * ROW_BYTES]);
    const flushed = store.flush();
    expect([store.entity("note").records, store.cache.bytes]).toEqual([3, 0]);
    drain(store);
    await flushed;
  });

  test("evicts no more than it must, and nothing that is not durable", () => {
    const store = benchOf({ cacheBytes: 2 * ROW_BYTES });
    change(store, note, note, note);
    const run = store.takeRun();
    change(store, note);
    if (run !== undefined) store.durable(run);
    expect(store.entity("note").records).toBe(3);
    store.cache.trim(1e9, 1);
    expect([store.entity("note").records, isInMemory(store, 4)]).toEqual([1, true]);
  });

  test("keeps what is not durable, also when an earlier session has numbered runs", () => {
    const store = storeOf({ tables: [note, other], empty: ["other"], limits: { cacheBytes: 0 }, runsBefore: 40 });
    change(store, note);
    const first = store.takeRun();
    change(store, note);
    if (first !== undefined) store.durable(first);
    expect(first?.id).toBe(41);
    store.cache.trim(1e9, store.lastRun);
    expect([isInMemory(store, 1), isInMemory(store, 2)]).toEqual([false, true]);
    const second = store.takeRun();
    store.cache.trim(1e9, store.lastRun);
    expect(isInMemory(store, 2)).toBe(true);
    if (second !== undefined) store.durable(second);
    expect(isInMemory(store, 2)).toBe(false);
  });

  test("its bytes are those of a full recount, whatever was set, undone, read and evicted", () => {
    const pick = pickFrom(11);
    const store = benchOf({ cacheBytes: 12 * ROW_BYTES });
    const recount = (): number =>
      Array.from({ length: 50 }, (_, id) => store.entity("note").peek(1, id)).reduce<number>(
        (sum, row) => sum + (typeof row === "object" ? sizeOf(row) : 0),
        0,
      );
    for (let id = 1; id <= 300; id++) {
      process(store, { id }, () => {
        for (let rows = pick(4); rows > 0; rows--) set(store, note, rowOf(pick(50), pick(200)));
        if (pick(4) === 0) store.undoEvent();
      });
      load(store, pick(50));
      if (pick(3) === 0) drain(store);
      expect(store.entity("note").recordBytes).toBe(recount());
      // All that is not durable is in the open run, without history: so it is made of rows alone.
      expect(store.cache.bytes).toBe(recount() - store.entity("note").pendingBytes);
    }
    expect(store.cache.evicted.changed).toBeGreaterThan(100);
  });
});
