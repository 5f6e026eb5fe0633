import { expect, test } from "vitest";
import { changesIn, drain, insert, process, storeOf, transfer } from "../../support/store-fixture.ts";

const row = (id: number) => ({ id: BigInt(id), value: 1n });
const written = (run: ReturnType<typeof drain>): unknown =>
  (changesIn(run, transfer).inserts as [number, { id: bigint }][] | undefined)?.map(([at, { id }]) => [at, Number(id)]);

test("rows are written in the order in which they were inserted, with their checkpoints", () => {
  const store = storeOf();
  process(store, { blocks: [1, 2] }, (block) => {
    insert(store, row(block * 10));
    insert(store, row(block * 10 + 1));
  });
  expect(written(drain(store))).toEqual([
    [1, 10],
    [1, 11],
    [2, 20],
    [2, 21],
  ]);
  expect(drain(store)).toBeUndefined();
});

test("an event, or a block, takes its own rows back and no others", () => {
  const store = storeOf();
  process(store, { blocks: [1, 2, 3] }, (block) => {
    insert(store, row(block * 10));
    store.beginEvent(1, "Test.Event");
    insert(store, row(block * 10 + 1));
    insert(store, row(block * 10 + 2));
    if (block === 1) store.undoEvent();
    store.beginEvent(2, "Test.Event");
    if (block === 2) store.undoEvent();
    insert(store, row(block * 10 + 3));
    if (block === 3) store.undoBlock();
  });
  expect(written(drain(store))).toEqual([
    [1, 10],
    [1, 13],
    [2, 20],
    [2, 21],
    [2, 22],
    [2, 23],
  ]);
});

test("a run that is sealed during a batch takes the rows before it, and undoing still works", () => {
  const store = storeOf();
  process(store, { id: 1 }, () => insert(store, row(1)));
  let run: ReturnType<typeof drain>;
  process(store, { id: 2, blocks: [2, 3] }, (block) => {
    insert(store, row(block * 10));
    if (block === 2) return;
    run = drain(store);
    insert(store, row(31));
    store.undoBlock();
    insert(store, row(32));
  });
  expect(written(run)).toEqual([[1, 1]]);
  expect(written(drain(store))).toEqual([
    [2, 20],
    [3, 32],
  ]);
});

test("a row that is wrong leaves nothing behind", () => {
  const store = storeOf();
  process(store, {}, () => {
    expect(() => insert(store, { id: 5n, value: "x" })).toThrow(expect.objectContaining({ code: "ROW_INVALID" }));
    insert(store, row(1));
  });
  expect(written(drain(store))).toEqual([[1, 1]]);
});

test("rows count as changes and bytes until they are durable", () => {
  const store = storeOf();
  process(store, {}, () => {
    insert(store, row(1));
    insert(store, row(2));
  });
  const { changes, bytes } = store.uncommitted;
  expect(changes).toBe(2);
  expect(bytes).toBeGreaterThan(0);
  drain(store);
  expect(store.uncommitted).toMatchObject({ changes: 0, bytes: 0 });
});
