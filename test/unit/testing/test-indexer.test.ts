import { describe, expect, test } from "vitest";
import { defineIndexer } from "../../../src/config/define-indexer.ts";
import { entity } from "../../../src/config/entity.ts";
import { env } from "../../../src/config/env.ts";
import type { Indexer } from "../../../src/config/indexer.ts";
import { t } from "../../../src/config/t.ts";
import { createTestIndexer } from "../../../src/testing/index.ts";

const alice = `0x${"a1".repeat(20)}` as const;
const bob = `0x${"b0".repeat(20)}` as const;
const token = `0x${"70".repeat(20)}` as const;
const other = `0x${"71".repeat(20)}` as const;

const schema = {
  counter: entity({ id: t.text(), count: t.int32().default(0) }),
  seen: entity({ id: t.eventId(), by: t.address(), chain: t.text() }, { appendOnly: true }),
};

const abis = { Token: ["event Hello(address indexed by, uint256 value)", "event Unhandled()"] } as const;

function newIndexer(): Indexer<typeof schema, typeof abis, "one" | "two"> {
  return defineIndexer({
    name: "kit",
    schema,
    chains: {
      one: { id: 1, sources: [{ rpc: env("NOBODY_SETS_THIS") }] },
      two: { id: 2, sources: [{ rpc: env("NOR_THIS") }] },
    },
    contracts: {
      Token: {
        abi: abis.Token,
        chains: { one: { address: [token, other], startBlock: 10, endBlock: 99 }, two: { address: "any" } },
      },
    },
  });
}

function counting(): ReturnType<typeof newIndexer> {
  const indexer = newIndexer();
  indexer.on("Token.Hello", async ({ event, store, chain }) => {
    const counter = await store.counter.getOrCreate({ id: "all" });
    store.counter.set({ ...counter, count: counter.count + 1 });
    store.seen.insert({ id: event.id, by: event.args.by, chain: chain.name });
  });
  return indexer;
}

describe("a test indexer", () => {
  test("handles what was emitted, chain by chain", async () => {
    const tested = createTestIndexer(counting());
    const first = tested.emit("Token.Hello", { args: { by: alice, value: 1n } });
    const second = tested.emit("Token.Hello", { args: { by: bob, value: 2n }, log: { address: other } });
    const elsewhere = tested.emit("Token.Hello", { args: { by: bob, value: 3n }, chain: "two", block: 7 });
    expect(tested.rows("seen")).toEqual([]);
    await tested.process();
    expect(tested.rows("seen", "one")).toEqual([
      { id: first, by: alice, chain: "one" },
      { id: second, by: bob, chain: "one" },
    ]);
    expect(tested.rows("seen", "two")).toEqual([{ id: elsewhere, by: bob, chain: "two" }]);
    expect(tested.get("counter", "all")).toEqual({ id: "all", count: 2 });
    expect(tested.get("counter", { id: "all" }, "two")).toEqual({ id: "all", count: 1 });
    expect(tested.get("counter", "none")).toBeUndefined();
  });

  test("goes on where it was, and shares nothing with another one", async () => {
    const indexer = counting();
    const [tested, another] = [createTestIndexer(indexer), createTestIndexer(indexer)];
    for (const _ of [1, 2, 3]) {
      tested.emit("Token.Hello", { args: { by: alice, value: 1n } });
      await tested.process();
    }
    await another.process();
    expect(tested.rows("counter")).toEqual([{ id: "all", count: 3 }]);
    expect(another.rows("counter")).toEqual([]);
  });

  test("puts events of one block in a row", async () => {
    const indexer = newIndexer();
    const places: unknown[] = [];
    indexer.on("Token.Hello", ({ event }) => {
      const { block, log, transaction } = event;
      places.push([block.number, block.timestamp, log.index, transaction.index]);
    });
    const tested = createTestIndexer(indexer);
    const args = { by: alice, value: 1n };
    tested.emit("Token.Hello", { args, block: { number: 20n, timestamp: 1_700_000_000 } });
    tested.emit("Token.Hello", { args, block: 20, log: { index: 5 }, transaction: { index: 2 } });
    tested.emit("Token.Hello", { args, block: 20 });
    tested.emit("Token.Hello", { args });
    await tested.process();
    expect(places).toEqual([
      [20n, 1_700_000_000, 0, 0],
      [20n, 1_700_000_000, 5, 2],
      [20n, 1_700_000_000, 6, 6],
      [21n, Date.UTC(2021, 0, 1) / 1000 + 21 * 12, 0, 0],
    ]);
  });

  test("shows a read that nobody awaits, also one that memory could answer", async () => {
    const indexer = newIndexer();
    indexer.on("Token.Hello", ({ store }) => {
      store.counter.set({ id: "all", count: 1 });
      const forgotten = store.counter.update("all", { count: 2 });
      expect(forgotten).toBeInstanceOf(Promise);
    });
    const tested = createTestIndexer(indexer);
    tested.emit("Token.Hello", { args: { by: alice, value: 1n } });
    await expect(tested.process()).rejects.toMatchObject({
      code: "HANDLER_FAILED",
      cause: { code: "READ_PENDING" },
    });
  });

  test("stops at a handler that throws, with everything before its block written", async () => {
    const indexer = newIndexer();
    indexer.on("Token.Hello", ({ event, store }) => {
      store.seen.insert({ id: event.id, by: event.args.by, chain: "one" });
      if (event.args.value === 0n) throw new Error("zero");
    });
    const tested = createTestIndexer(indexer);
    const kept = tested.emit("Token.Hello", { args: { by: alice, value: 1n } });
    tested.emit("Token.Hello", { args: { by: bob, value: 1n }, block: 30 });
    tested.emit("Token.Hello", { args: { by: bob, value: 0n }, block: 30 });
    const failure = { code: "HANDLER_FAILED", details: { block: 30, logIndex: 1 } };
    await expect(tested.process()).rejects.toMatchObject(failure);
    await expect(tested.process()).rejects.toMatchObject(failure);
    expect(tested.rows("seen")).toEqual([{ id: kept, by: alice, chain: "one" }]);
  });

  test("goes on after a handler that throws, where it is told to", async () => {
    const indexer = newIndexer();
    indexer.on("Token.Hello", { onError: "skip" }, ({ event, store }) => {
      store.counter.set({ id: String(event.args.value), count: 1 });
      if (event.args.value === 0n) throw new Error("zero");
    });
    const tested = createTestIndexer(indexer);
    for (const value of [1n, 0n, 2n]) tested.emit("Token.Hello", { args: { by: alice, value } });
    await tested.process();
    expect(tested.rows("counter")).toEqual([
      { id: "1", count: 1 },
      { id: "2", count: 1 },
    ]);
    expect(tested.skipped).toMatchObject([{ block: 11, logIndex: 0, handler: "Token.Hello", message: "zero" }]);
  });

  test("leaves out what a handler's filter does not match", async () => {
    const indexer = newIndexer();
    indexer.on("Token.Hello", { where: { by: bob }, endBlock: 50 }, ({ event, store }) => {
      store.seen.insert({ id: event.id, by: event.args.by, chain: "one" });
    });
    const tested = createTestIndexer(indexer);
    tested.emit("Token.Hello", { args: { by: alice, value: 1n } });
    const id = tested.emit("Token.Hello", { args: { by: bob, value: 1n } });
    await tested.process();
    expect(tested.rows("seen")).toEqual([{ id, by: bob, chain: "one" }]);
    expect(() => tested.emit("Token.Hello", { args: { by: bob, value: 1n }, block: 51 })).toThrow(
      "Token.Hello is indexed from block 10 to 50, not at block 51",
    );
  });

  test("ends registration", () => {
    const indexer = counting();
    createTestIndexer(indexer);
    expect(() => indexer.on("Token.Unhandled", () => {})).toThrow(expect.objectContaining({ code: "HANDLER_LATE" }));
  });

  test("is refused without a handler", () => {
    expect(() => createTestIndexer(newIndexer())).toThrow(expect.objectContaining({ code: "HANDLERS_MISSING" }));
  });
});

describe("emit refuses", () => {
  const args = { by: alice, value: 1n };

  test("an event without a handler", () => {
    const tested = createTestIndexer(counting());
    expect(() => tested.emit("Token.Unhandled", { args: {} })).toThrow("Token.Unhandled has no handler");
  });

  test.each([
    ["a block before the contract's", { block: 9 }, "indexed from block 10 to 99, not at block 9"],
    ["an address of another contract", { log: { address: alice } }, `Token.Hello is not indexed at ${alice}`],
    ["an earlier block", { block: 19 }, "block 19, log 0 does not come after what was emitted before"],
    ["the same place twice", { block: 20, log: { index: 3 } }, "block 20, log 3 does not come after"],
    ["another time of one block", { block: { number: 20, timestamp: 5 } }, "block 20 has another timestamp or hash"],
  ])("%s", (_, place, message) => {
    const tested = createTestIndexer(counting());
    tested.emit("Token.Hello", { args, block: 20, log: { index: 3 } });
    expect(() => tested.emit("Token.Hello", { args, ...place })).toThrow(message);
  });

  test("a block that was processed", async () => {
    const tested = createTestIndexer(counting());
    tested.emit("Token.Hello", { args, block: 20 });
    await tested.process();
    expect(() => tested.emit("Token.Hello", { args, block: 20 })).toThrow("or its block was processed");
  });
});
