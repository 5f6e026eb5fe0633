import { describe, expect, test } from "vitest";
import type { RowReader } from "../../../src/store/row-reader.ts";
import type { Row, StoredRow } from "../../../src/store/table.ts";
import { account, process, set, shared, storeOf } from "../../support/store-fixture.ts";
import { settled } from "../../support/world/steps.ts";

interface Query {
  readonly table: string;
  readonly chainId: number;
  readonly keys: readonly Row[];
  readonly answer: PromiseWithResolvers<readonly StoredRow[]>;
}

/** A reader that answers when the test says so. */
function slowReader(): { reader: Pick<RowReader, "rowsByKey">; queries: Query[] } {
  const queries: Query[] = [];
  const rowsByKey: RowReader["rowsByKey"] = ({ name }, chainId, keys) => {
    const answer = Promise.withResolvers<readonly StoredRow[]>();
    queries.push({ table: name, chainId, keys, answer });
    return answer.promise;
  };
  return { reader: { rowsByKey }, queries };
}

const stored = (id: number, checkpoint = 1): StoredRow => ({ row: { id, balance: BigInt(id) }, checkpoint });

describe("reads", () => {
  test("that are asked for together are one query a table and chain, each key once", async () => {
    const { reader, queries } = slowReader();
    const store = storeOf({ reader, empty: [] });
    const [accounts, shares] = [store.entity("account"), store.entity("shared")];
    const read = Promise.all([
      store.reads.read(accounts, 1, 1),
      store.reads.read(accounts, 1, { id: 2 }),
      store.reads.read(accounts, 1, 1),
      store.reads.read(accounts, 2, 1),
      store.reads.read(shares, 1, "a"),
    ]);
    expect(store.reads.pending).toBe(4);
    await settled();
    expect(queries.map(({ table, chainId, keys }) => [table, chainId, keys])).toEqual([
      [account.name, 1, [{ id: 1 }, { id: 2 }]],
      [account.name, 2, [{ id: 1 }]],
      [shared.name, 1, [{ id: "a" }]],
    ]);
    queries[0]?.answer.resolve([stored(2)]);
    queries[1]?.answer.resolve([stored(1)]);
    queries[2]?.answer.resolve([]);
    expect(await read).toEqual([undefined, stored(2).row, undefined, stored(1).row, undefined]);
    expect([store.reads.pending, store.reads.fromStorage]).toEqual([0, 4]);
  });

  test("fill the memory: neither a row nor its absence is asked for again", async () => {
    const { reader, queries } = slowReader();
    const store = storeOf({ reader, empty: [] });
    const table = store.entity("account");
    const read = Promise.all([1, 2].map((id) => store.reads.read(table, 1, id)));
    await settled();
    queries[0]?.answer.resolve([stored(1)]);
    await read;
    expect([table.peek(1, 1), table.peek(1, 2), table.peek(2, 1)]).toEqual([stored(1).row, "absent", undefined]);
  });

  test("give what was set while they were under way", async () => {
    const { reader, queries } = slowReader();
    const store = storeOf({ reader, empty: [] });
    const read = store.reads.read(store.entity("account"), 1, 1);
    await settled();
    process(store, {}, () => set(store, account, { id: 1, balance: 77n }));
    queries[0]?.answer.resolve([stored(1)]);
    expect(await read).toEqual({ id: 1, balance: 77n });
  });

  test("keep rows that became durable while they were under way: their answer is older", async () => {
    const { reader, queries } = slowReader();
    const store = storeOf({ reader, empty: [], limits: { cacheBytes: 0 } });
    process(store, {}, () => set(store, account, { id: 1, balance: 77n }));
    const run = store.takeRun();
    const read = store.reads.read(store.entity("account"), 1, 1);
    await settled();
    if (run !== undefined) store.durable(run);
    queries[0]?.answer.resolve([stored(1)]);
    expect(await read).toEqual({ id: 1, balance: 77n });
    await settled();
    expect(store.entity("account").records).toBe(0);
  });

  test("fail together with their query, and can be asked for again", async () => {
    const { reader, queries } = slowReader();
    const store = storeOf({ reader, empty: [] });
    const table = store.entity("account");
    const failed = [store.reads.read(table, 1, 1), store.reads.read(table, 1, 2)];
    const error = new Error("away");
    await settled();
    queries[0]?.answer.reject(error);
    for (const one of failed) await expect(one).rejects.toBe(error);
    expect(store.reads.pending).toBe(0);
    const again = store.reads.read(table, 1, 1);
    await settled();
    queries[1]?.answer.resolve([stored(1)]);
    expect(await again).toEqual(stored(1).row);
  });

  test("of a wrong key are refused before anything is asked", () => {
    const { reader, queries } = slowReader();
    const store = storeOf({ reader, empty: [] });
    expect(() => store.reads.read(store.entity("account"), 1, "x")).toThrow('account.id = "x"');
    expect([queries.length, store.reads.pending]).toEqual([0, 0]);
  });

  test("are cancelled for good when the process ends: none is answered any more", async () => {
    const { reader, queries } = slowReader();
    const store = storeOf({ reader, empty: [] });
    const table = store.entity("account");
    const reads = [store.reads.read(table, 1, 1), store.reads.read(table, 1, 2)];
    await settled();
    reads.push(store.reads.read(table, 1, 3));
    store.reads.cancel();
    reads.push(store.reads.read(table, 1, 4));
    await settled();
    expect([store.reads.pending, queries.length]).toEqual([0, 1]);
    queries[0]?.answer.resolve([stored(1)]);
    await settled();
    expect(await Promise.race([...reads, Promise.resolve("none")])).toBe("none");
    expect([store.reads.pending, table.peek(1, 1), store.reads.oldestDurableRun]).toEqual([0, undefined, undefined]);
  });
});
