import { beforeEach, describe, expect, test } from "vitest";
import { type AppendFacade, createStoreFacade, type EntityFacade } from "../../../src/process/store-facade.ts";
import type { RowReader } from "../../../src/store/row-reader.ts";
import type { Store } from "../../../src/store/store.ts";
import type { Row } from "../../../src/store/table.ts";
import { batchOf, changesIn, drain, storeOf, TABLES, transfer } from "../../support/store-fixture.ts";

let store: Store;

function open(input: Parameters<typeof storeOf>[0] = {}): { account: EntityFacade; transfer: AppendFacade } {
  store = storeOf(input);
  const batch = batchOf();
  store.beginBatch(batch);
  store.beginBlock(1, 1, 1, false);
  const facade = createStoreFacade(store, TABLES, 1);
  return { account: facade.account as EntityFacade, transfer: facade.transfer as AppendFacade };
}

const rows = (...found: readonly Row[]): Pick<RowReader, "rowsByKey"> => ({
  rowsByKey: async (_, __, keys) =>
    found.filter(({ id }) => keys.some((key) => key.id === id)).map((row) => ({ row, checkpoint: 1 })),
});

describe("a read", () => {
  test("is answered at once from memory, also that there is no such row", () => {
    const { account } = open();
    expect(account.get(1)).toBeUndefined();
    account.set({ id: 1, balance: 5n });
    expect(account.get({ id: 1 })).toEqual({ id: 1, balance: 5n });
    expect(account.getOrThrow(1)).toEqual({ id: 1, balance: 5n });
    account.delete(1);
    expect(account.get(1)).toBeUndefined();
  });

  test("is a promise where the storage has to be asked", async () => {
    const { account } = open({ empty: [], reader: rows({ id: 1, balance: 5n }) });
    const read = account.get(1);
    expect(read).toBeInstanceOf(Promise);
    expect(await read).toEqual({ id: 1, balance: 5n });
    expect(account.get(1)).toEqual({ id: 1, balance: 5n });
    expect(await account.get(2)).toBeUndefined();
  });

  test("is a promise always, where that is asked for", async () => {
    const { account } = open({ asyncReads: true });
    account.set({ id: 1, balance: 5n });
    const read = account.get(1);
    expect(read).toBeInstanceOf(Promise);
    account.set({ id: 1, balance: 6n });
    expect(await read).toEqual({ id: 1, balance: 6n });
  });

  test("of a row that must be there names it when it is not", async () => {
    const { account } = open();
    const missing = expect.objectContaining({ code: "ROW_MISSING", message: 'there is no account {"id":7}' });
    expect(() => account.getOrThrow(7)).toThrow(missing);
    const later = open({ empty: [] }).account;
    await expect(later.getOrThrow(7)).rejects.toEqual(missing);
    await expect(later.update(8, { balance: 1n })).rejects.toMatchObject({ code: "ROW_MISSING" });
    // Now it is known that there is none.
    expect(() => later.update(7, { balance: 1n })).toThrow(missing);
  });
});

describe("getOrCreate", () => {
  test("gives the row that is there, and else makes it with its defaults", async () => {
    const { account } = open();
    expect(account.getOrCreate({ id: 1 })).toEqual({ id: 1, balance: 0n });
    account.set({ id: 1, balance: 5n });
    expect(account.getOrCreate({ id: 1, balance: 99n })).toEqual({ id: 1, balance: 5n });
    const later = open({ empty: [], reader: rows({ id: 1, balance: 5n }) }).account;
    expect(await later.getOrCreate({ id: 1 })).toEqual({ id: 1, balance: 5n });
    expect(await later.getOrCreate({ id: 2 })).toEqual({ id: 2, balance: 0n });
    store.commitBatch(batchOf());
    expect(changesIn(drain(store), TABLES[0] as (typeof TABLES)[0])).toEqual({
      inserts: [[1, { id: 2, balance: 0n }]],
    });
  });
});

describe("update", () => {
  test("changes what it names, by values or by a function of the row", () => {
    const { account } = open();
    account.set({ id: 1, balance: 5n });
    expect(account.update(1, { balance: 6n })).toEqual({ id: 1, balance: 6n });
    expect(account.update({ id: 1 }, (row) => ({ balance: (row.balance as bigint) * 2n }))).toEqual({
      id: 1,
      balance: 12n,
    });
    expect(account.get(1)).toEqual({ id: 1, balance: 12n });
  });
});

describe("an append-only entity", () => {
  test("takes rows, and nothing else", () => {
    const { transfer: facade } = open();
    facade.insert({ id: 1n, value: 2n });
    store.commitBatch(batchOf());
    expect(changesIn(drain(store), transfer)).toEqual({ inserts: [[1, { id: 1n, value: 2n }]] });
    expect("get" in facade).toBe(false);
  });
});

describe("after the handler has returned", () => {
  const revoked = (entity: string): unknown =>
    expect.objectContaining({
      code: "CONTEXT_REVOKED",
      message: `store.${entity} was used after its handler had returned`,
    });
  let facade: ReturnType<typeof open>;
  beforeEach(() => {
    facade = open();
  });
  const uses: [string, string, () => unknown][] = [
    ["get", "account", () => facade.account.get(1)],
    ["set", "account", () => facade.account.set({ id: 1 })],
    ["delete", "account", () => facade.account.delete(1)],
    ["getOrCreate", "account", () => facade.account.getOrCreate({ id: 1 })],
    ["insert", "transfer", () => facade.transfer.insert({ id: 1n, value: 1n })],
  ];

  test.each(uses)("%s is refused when the batch has ended", (_, entity, use) => {
    store.commitBatch(batchOf());
    expect(use).toThrow(revoked(entity));
  });

  test.each(uses)("%s is refused while another chain's block is handled", (_, entity, use) => {
    store.beginBlock(2, 1, 2, false);
    expect(use).toThrow(revoked(entity));
  });
});
