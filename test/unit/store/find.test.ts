import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { conditionTest } from "../../../src/store/condition.ts";
import { rowComparator } from "../../../src/store/row-order.ts";
import type { RowReader } from "../../../src/store/row-reader.ts";
import type { Store } from "../../../src/store/store.ts";
import type { TableScan } from "../../../src/store/store-options.ts";
import type { IndexModel, Row, StoredRow, TableModel } from "../../../src/store/table.ts";
import { batchOf, drain, storeOf } from "../../support/store-fixture.ts";
import { tableOf } from "../../support/tables.ts";
import { settled } from "../../support/world/steps.ts";

const item: TableModel = tableOf(
  "item",
  [
    { name: "id", kind: "int32" },
    { name: "owner", kind: "text" },
    { name: "size", kind: "int64", nullable: true },
    { name: "note", kind: "int32", nullable: true },
    { name: "data", kind: "json", nullable: true, defaultValue: null },
  ],
  { indexes: [{ columns: ["owner", "size"] }, { columns: ["size"] }] },
);

function open(input: Parameters<typeof storeOf>[0] = {}): Store {
  const store = storeOf({ tables: [item], ...input });
  store.beginBatch(batchOf());
  store.beginBlock(1, 1, 1, false);
  return store;
}

function find(store: Store, options?: unknown): readonly unknown[] {
  const table = store.entity("item");
  return table.find(1, table.search.queryOf(options)).map(({ id }) => id);
}

function filled(rows: readonly Row[]): Store {
  const store = open();
  for (const row of rows) store.entity("item").set(store.scope, row);
  return store;
}

const SOME: readonly Row[] = [
  { id: 1, owner: "a", size: 5n, note: null },
  { id: 2, owner: "b", size: null, note: 1 },
  { id: 3, owner: "a", size: 1n, note: 2 },
  { id: 4, owner: "c", size: 5n, note: null },
  { id: 5, owner: "a", size: null, note: 3 },
];

describe("a find", () => {
  test.each<[unknown, readonly number[]]>([
    [undefined, [1, 2, 3, 4, 5]],
    [{ where: { owner: "a" } }, [1, 3, 5]],
    [{ where: { owner: { ne: "a" } } }, [2, 4]],
    [{ where: { id: { gt: 1, lte: 3 } } }, [2, 3]],
    [{ where: { size: { gte: 1n, lt: 5n } } }, [3]],
    [{ where: { owner: { in: ["c", "b", "b"] } } }, [2, 4]],
    [{ where: { owner: { in: [] } } }, []],
    [{ where: { or: [] } }, []],
    [{ where: { and: [] } }, [1, 2, 3, 4, 5]],
    [{ where: { or: [{ owner: "b" }, { size: 5n }] } }, [1, 2, 4]],
    [{ where: { owner: "a", or: [{ id: 1 }, { note: 3 }] } }, [1, 5]],
    [{ where: { owner: "a", and: [{ id: { lt: 5 } }, { size: { lt: 5n } }] } }, [3]],
    // As in SQL, null is neither equal nor unequal, less nor greater; it is compared with null itself alone.
    [{ where: { size: null } }, [2, 5]],
    [{ where: { size: { eq: null } } }, [2, 5]],
    [{ where: { size: { ne: null } } }, [1, 3, 4]],
    [{ where: { size: { ne: 5n } } }, [3]],
    [{ where: { size: { gt: 0n } } }, [1, 3, 4]],
    [{ where: { owner: "a", size: null } }, [5]],
    // Null is the greatest; ties are ordered by the key, in the direction of the last column.
    [{ orderBy: { size: "asc" } }, [3, 1, 4, 2, 5]],
    [{ orderBy: { size: "desc" } }, [5, 2, 4, 1, 3]],
    [{ orderBy: { size: "desc", id: "asc" } }, [2, 5, 1, 4, 3]],
    [{ orderBy: { owner: "asc", size: "desc" } }, [5, 1, 3, 2, 4]],
    [{ where: { owner: "a" }, orderBy: { size: "desc" }, limit: 2 }, [5, 1]],
    [{ where: { owner: "a" }, orderBy: { size: "asc" }, limit: 2 }, [3, 1]],
    [{ orderBy: { note: "asc" }, limit: 2 }, [2, 3]],
    [{ limit: 1 }, [1]],
  ])("%o", (options, ids) => {
    expect(find(filled(SOME), options)).toEqual(ids);
  });

  test.each<[unknown, string]>([
    [{ where: { owne: "a" } }, "where: there is no column owne"],
    [{ where: { owner: undefined } }, "where.owner is undefined"],
    [{ where: { owner: null } }, "where.owner: nothing is equal to, less or greater than null"],
    [{ where: { size: { gt: null } } }, "where.size.gt: nothing is equal to, less or greater than null"],
    [{ where: { size: { in: [null] } } }, "where.size.in: nothing is equal to, less or greater than null"],
    [{ where: { size: { in: 1n } } }, "where.size.in: a list is expected, not 1n"],
    [{ where: { size: { like: 1n } } }, "where.size: there is no operator like"],
    [{ where: { or: { id: 1 } } }, 'where.or: a list is expected, not {"id":1}'],
    [{ where: { or: [{ idd: 1 }] } }, "where.or[0]: there is no column idd"],
    [{ where: { data: 1 } }, "where: data is json, which has no order"],
    [{ where: "a" }, 'where: an object is expected, not "a"'],
    [{ orderBy: { id: "up" } }, 'orderBy.id: "asc" or "desc" is expected, not "up"'],
    [{ orderBy: { data: "asc" } }, "orderBy: data is json, which has no order"],
    [{ limit: 0 }, "limit: a whole number from 1 is expected, not 0"],
    [{ offset: 1 }, "find: there is no option offset"],
  ])("%o is refused", (options, message) => {
    expect(() => find(open(), options)).toThrow(
      expect.objectContaining({ code: "FIND_INVALID", message: `store.item.find: ${message}` }),
    );
  });

  test("with a value that the column cannot hold is refused as a row would be", () => {
    expect(() => find(open(), { where: { size: { gt: 5 } } })).toThrow(
      expect.objectContaining({ code: "ROW_INVALID", message: expect.stringContaining("item.size") }),
    );
  });

  test("tells once which declared index it uses", () => {
    const used: IndexModel[] = [];
    const store = open({ onIndex: (_, index) => used.push(index) });
    find(store, { where: { id: 1 } });
    expect(used).toEqual([]);
    for (let times = 0; times < 2; times++) {
      find(store, { where: { owner: "a", size: { gt: 1n } } });
      find(store, { where: { size: 1n } });
    }
    expect(used).toEqual(item.indexes);
  });
});

describe("a find that goes through a big table", () => {
  const big = (): readonly [Store, TableScan[]] => {
    const scans: TableScan[] = [];
    const store = open({ onScan: (scan) => scans.push(scan) });
    for (let id = 0; id < 10_000; id++) {
      store.entity("item").set(store.scope, { id, owner: "a", size: null, note: null });
    }
    return [store, scans];
  };

  test.each<[unknown, readonly string[] | undefined]>([
    [{ where: { note: 1 } }, ["note"]],
    [{ orderBy: { note: "asc" }, limit: 1 }, ["id", "note"]],
    [{ where: { or: [{ size: 1n }, { note: 1 }] } }, ["note", "size"]],
    [{ where: { owner: "a", note: 1 } }, undefined],
    [{ where: { or: [{ size: 1n }, { owner: "a" }] } }, undefined],
    [{ where: { id: { gt: 1 } } }, undefined],
    [{ orderBy: { size: "desc" }, limit: 1 }, undefined],
    [undefined, undefined],
  ])("%o is told, with its handler", (options, columns) => {
    const [store, scans] = big();
    store.beginEvent(0, "Token.Transfer");
    const table = store.entity("item");
    store.noteFind(table, table.search.queryOf(options));
    expect(scans).toEqual(columns === undefined ? [] : [{ handler: "Token.Transfer", table: "item", columns }]);
  });

  test("is no matter as long as the table is small", () => {
    const scans: TableScan[] = [];
    const store = open({ onScan: (scan) => scans.push(scan) });
    const table = store.entity("item");
    store.noteFind(table, table.search.queryOf({ where: { note: 1 } }));
    expect(scans).toEqual([]);
  });
});

describe("a find of which the storage knows a part", () => {
  const rowOf = (id: number): Row => ({ id, owner: "a", size: null, note: null, data: null });

  test("asks it for more when rows of its answer have changed here, as long as others may come before what is here", async () => {
    const limits: (number | undefined)[] = [];
    const store = open({
      empty: [],
      reader: {
        rowsWhere: async (_, __, { limit }) => {
          limits.push(limit);
          return [1, 2, 3, 4].slice(0, limit).flatMap((id) => asStored(rowOf(id)));
        },
      },
    });
    const table = store.entity("item");
    table.delete(store.scope, 1);
    table.set(store.scope, rowOf(9));
    const found = await store.reads.find(table, 1, table.search.queryOf({ limit: 2 }));
    expect(found.map(({ id }) => id)).toEqual([2, 3]);
    expect(limits).toEqual([2, 8]);
  });

  test("has what became durable and would be evicted while the storage was answering from before", async () => {
    const answer = Promise.withResolvers<StoredRow[]>();
    const store = open({ empty: [], limits: { cacheBytes: 0 }, reader: { rowsWhere: () => answer.promise } });
    const table = store.entity("item");
    table.set(store.scope, rowOf(1));
    table.delete(store.scope, 2);
    store.commitBatch(batchOf());
    store.beginBatch(batchOf({ id: 2, from: 2 }));
    store.beginBlock(1, 2, 2, false);
    const found = store.reads.find(table, 1, table.search.queryOf());
    expect(store.reads.pending).toBe(1);
    drain(store);
    answer.resolve(asStored(rowOf(2)));
    expect(await found).toEqual([rowOf(1)]);
    expect([store.reads.pending, table.records]).toEqual([0, 0]);
  });

  test("that fails is told to the handler, and not to the process", async () => {
    const store = open({ empty: [], reader: { rowsWhere: () => Promise.reject(new Error("away")) } });
    const table = store.entity("item");
    const found = store.reads.find(table, 1, table.search.queryOf());
    await settled();
    await expect(found).rejects.toThrow("away");
    expect(store.reads.pending).toBe(0);
  });
});

// ── memory and storage together ──────────────────────────────────────────────────────────────────────────────────────

const value = fc.integer({ min: 0, max: 4 });
const comparisons = fc.oneof(
  fc.bigInt({ min: 0n, max: 4n }),
  fc.constant(null),
  fc.record({ gt: fc.bigInt({ min: 0n, max: 4n }), lte: fc.bigInt({ min: 1n, max: 5n }) }, { requiredKeys: [] }),
  fc.record({ in: fc.array(fc.bigInt({ min: 0n, max: 4n }), { maxLength: 3 }) }),
  fc.record({ ne: fc.option(fc.bigInt({ min: 0n, max: 4n }), { nil: null }) }),
);
const simple = fc.record(
  {
    id: fc.oneof(value, fc.record({ gte: value })),
    owner: fc.oneof(fc.constantFrom("a", "b"), fc.record({ in: fc.constant(["a", "c"]) })),
    size: comparisons,
    note: fc.oneof(fc.constant(null), fc.record({ lt: value })),
  },
  { requiredKeys: [] },
);
const where = fc.oneof(
  simple,
  fc.record({ or: fc.array(simple, { maxLength: 2, minLength: 1 }) }),
  fc.tuple(simple, simple).map(([first, second]) => ({ ...first, or: [second, { note: 1 }] })),
);
const direction = fc.constantFrom("asc", "desc");
const options = fc.record(
  {
    where,
    orderBy: fc.oneof(
      fc.record({ size: direction }),
      fc.record({ owner: direction, size: direction }),
      fc.record({ note: direction, id: direction }),
      fc.record({ id: direction }),
    ),
    limit: fc.integer({ min: 1, max: 4 }),
  },
  { requiredKeys: [] },
);
const row = fc.record({
  id: fc.integer({ min: 0, max: 12 }),
  owner: fc.constantFrom("a", "b", "c"),
  size: fc.option(fc.bigInt({ min: 0n, max: 4n }), { nil: null }),
  note: fc.option(value, { nil: null }),
});
const step = fc.oneof(
  row.map((set) => ({ set })),
  row.map(({ id }) => ({ remove: id })),
  row.map(({ id }) => ({ read: id })),
  options.map((query) => ({ find: query })),
  fc.constantFrom({ event: true }, { undo: true }, { commit: true }, { drain: true }),
);

const asStored = (found: Row | undefined): StoredRow[] => (found === undefined ? [] : [{ row: found, checkpoint: 1 }]);

/** Every row is as the steps so far have left it, whether it is in memory, in the storage or in both. */
async function findsWhatWasSet(steps: readonly object[], cacheBytes: number, isComplete: boolean): Promise<void> {
  const table = item;
  const stored = new Map<number, Row>();
  const test = (query: Parameters<RowReader["rowsWhere"]>[2], rows: Iterable<Row>): Row[] =>
    [...rows].filter(conditionTest(query.where)).sort(rowComparator(query.orderBy)).slice(0, query.limit);
  const store = storeOf({
    tables: [table],
    limits: { cacheBytes },
    empty: isComplete ? ["item"] : [],
    reader: {
      rowsByKey: async (_, __, keys) => keys.flatMap(({ id }) => asStored(stored.get(id as number))),
      rowsWhere: async (_, __, query) => test(query, stored.values()).flatMap(asStored),
    },
  });
  const entity = store.entity("item");
  const model = new Map<number, Row>();
  let before = new Map(model);
  let committed: Map<number, Row>[] = [];
  let checkpoint = 0;
  const begin = (): void => {
    checkpoint++;
    store.beginBatch(batchOf({ id: checkpoint, from: checkpoint }));
    store.beginBlock(1, checkpoint, checkpoint, false);
    store.beginEvent(0, "Test.Event");
    before = new Map(model);
  };
  const commit = (): void => {
    store.commitBatch(batchOf({ id: checkpoint, from: checkpoint }));
    committed.push(new Map(model));
  };
  begin();
  for (const one of steps) {
    if ("set" in one) {
      const made: Row = { ...(one.set as Row), data: null };
      entity.set(store.scope, made);
      model.set(made.id as number, made);
    } else if ("remove" in one) {
      entity.delete(store.scope, one.remove);
      model.delete(one.remove as number);
    } else if ("read" in one) {
      const known = entity.peek(1, one.read);
      const read = known === undefined ? await store.reads.read(entity, 1, one.read) : known;
      expect(read === "absent" ? undefined : read).toEqual(model.get(one.read as number));
    } else if ("find" in one) {
      const query = entity.search.queryOf(one.find);
      const found = entity.isComplete ? entity.find(1, query) : await store.reads.find(entity, 1, query);
      expect(found).toEqual(test(query, model.values()));
    } else if ("event" in one) {
      store.beginEvent(1, "Test.Event");
      before = new Map(model);
    } else if ("undo" in one) {
      store.undoEvent();
      model.clear();
      for (const [id, kept] of before) model.set(id, kept);
    } else {
      commit();
      if ("drain" in one && drain(store) !== undefined) {
        stored.clear();
        for (const [id, kept] of committed.at(-1) ?? []) stored.set(id, kept);
        committed = [];
      }
      begin();
    }
  }
}

test.each([
  ["no cache", 0, false],
  ["a cache of a few rows", 1_500, false],
  ["a table that was complete, and a cache of a few rows", 1_500, true],
  ["everything in memory", 1e9, true],
] as const)("a find sees every change before it, with %s", async (_, cacheBytes, isComplete) => {
  await fc.assert(
    fc.asyncProperty(fc.array(step, { maxLength: 80 }), (steps) => findsWhatWasSet(steps, cacheBytes, isComplete)),
    { numRuns: 300 },
  );
});
