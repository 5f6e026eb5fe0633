import { describe, expect, test } from "vitest";
import type { RowReader } from "../../../src/store/row-reader.ts";
import type { Store } from "../../../src/store/store.ts";
import type { Row, TableModel } from "../../../src/store/table.ts";
import { loadTables } from "../../../src/store/warm-start.ts";
import { MemoryDatabase } from "../../../src/testing/memory-database.ts";
import { account, drain, process, readerOf, set, shared, storeOf, TABLES } from "../../support/store-fixture.ts";
import { tableOf } from "../../support/tables.ts";

const going = new AbortController().signal;
const MANY = 12_000;

/** A reader of a database with rows of two chains and shared ones, and a note of the pages that were read. */
function filled(rows: number): { reader: RowReader; pages: [string, number, unknown][] } {
  const stored = (table: TableModel, chainId: number): Row[] => {
    if (table === shared) return [{ id: "s", value: 7 }];
    const count = chainId === 1 ? rows : 1;
    return Array.from({ length: count }, (_, id) => ({ id, balance: BigInt(chainId) }));
  };
  const pages: [string, number, unknown][] = [];
  return {
    pages,
    reader: {
      ...readerOf(new MemoryDatabase(TABLES)),
      estimateRows: async (tables) => new Map(tables.map((table) => [table.name, stored(table, 1).length])),
      rowsAfter: async (table, chainId, after, limit) => {
        pages.push([table.name, chainId, after?.id]);
        const from = after === undefined ? 0 : (after.id as number) + 1;
        return stored(table, chainId)
          .slice(from, from + limit)
          .map((row) => ({ row, checkpoint: 3 }));
      },
    },
  };
}

const state = (store: Store): unknown[] =>
  [account, shared].map(({ name }) => [store.entity(name).isComplete, store.entity(name).records]);

describe("a warm start", () => {
  test("loads every table whole, the smallest first and page by page: then no read is asked of the storage", async () => {
    const { reader, pages } = filled(MANY);
    const store = storeOf({ empty: [], reader, committed: 3 });
    expect(await loadTables({ store, reader, chainIds: [1, 2], signal: going })).toEqual([
      { table: "shared", rows: 1, isComplete: true },
      { table: "account", rows: MANY + 1, isComplete: true },
    ]);
    expect(pages).toEqual([
      ["shared", 1, undefined],
      ["account", 1, undefined],
      ["account", 1, 4_999],
      ["account", 1, 9_999],
      ["account", 2, undefined],
    ]);
    expect(store.entity("account").peek(1, 11_999)).toEqual({ id: 11_999, balance: 1n });
    expect(store.entity("account").peek(2, 1)).toBe("absent");
    // A row that was loaded is changed, a new one is inserted: nothing has to be looked up for either.
    process(store, { id: 1, from: 4, blocks: [9] }, () => {
      set(store, account, { id: 5, balance: 9n });
      set(store, account, { id: -1, balance: 9n });
    });
    const changes = drain(store)?.tables[0];
    expect([changes?.updates.rows, changes?.inserts.rows, changes?.upserts.rows]).toEqual([1, 1, 0]);
  });

  test("lets a table go again that turns out not to fit, and keeps the others", async () => {
    const { reader } = filled(MANY);
    const store = storeOf({ empty: [], reader, limits: { cacheBytes: 2_000_000 } });
    // As after a first load of many rows: the database has no idea yet of how many there are.
    const guess: RowReader = {
      ...reader,
      estimateRows: async () =>
        new Map([
          ["shared", 1],
          ["account", 2],
        ]),
    };
    expect(await loadTables({ store, reader: guess, chainIds: [1, 2], signal: going })).toEqual([
      { table: "shared", rows: 1, isComplete: true },
      { table: "account", rows: 0, isComplete: false },
    ]);
    expect(state(store)).toEqual([
      [false, 0],
      [true, 1],
    ]);
  });

  test("does not begin a table that cannot fit", async () => {
    const { reader, pages } = filled(MANY);
    const store = storeOf({ empty: [], reader, limits: { cacheBytes: 1_000_000 } });
    await loadTables({ store, reader, chainIds: [1, 2], signal: going });
    expect(pages).toEqual([["shared", 1, undefined]]);
    expect(store.entity("account").peek(1, 1)).toBeUndefined();
  });

  test("loads nothing without a budget, and nothing of tables that started empty", async () => {
    const { reader, pages } = filled(1);
    await loadTables({
      store: storeOf({ empty: [], reader, limits: { cacheBytes: 0 } }),
      reader,
      chainIds: [1],
      signal: going,
    });
    expect(await loadTables({ store: storeOf({ reader }), reader, chainIds: [1], signal: going })).toEqual([]);
    expect(pages).toEqual([]);
  });

  test("that is stopped leaves no table complete of which it has not read all", async () => {
    const { reader } = filled(MANY);
    const stop = new AbortController();
    const store = storeOf({ empty: [], reader });
    const stopping: RowReader = {
      ...reader,
      rowsAfter: async (table, ...page) => {
        if (table === account) stop.abort();
        return reader.rowsAfter(table, ...page);
      },
    };
    await loadTables({ store, reader: stopping, chainIds: [1], signal: stop.signal });
    expect(state(store)).toEqual([
      [false, 0],
      [true, 1],
    ]);
  });
});

test("rows of a later session stay in memory until they are durable, whatever runs the sessions before have numbered", async () => {
  const table = tableOf("account", [{ name: "id", kind: "int32" }]);
  const store = storeOf({ tables: [table], empty: [], limits: { cacheBytes: 0 }, runsBefore: 5 });
  process(store, { id: 1, from: 1, mode: "keep" }, () => set(store, table, { id: 1 }));
  // Of another mode: the run before is sealed, and waits to be written.
  process(store, { id: 2, from: 2, mode: "final" }, () => {});
  await store.waitUntil(() => true);
  expect(store.entity("account").peek(1, 1)).toEqual({ id: 1 });
  drain(store);
  expect(store.entity("account").peek(1, 1)).toBeUndefined();
});
