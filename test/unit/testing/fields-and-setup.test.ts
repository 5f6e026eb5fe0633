import { describe, expect, test } from "vitest";
import { defineIndexer, entity, type Indexer, t } from "../../../src/index.ts";
import { createTestIndexer } from "../../../src/testing/index.ts";

const MINER = `0x${"Aa".repeat(20)}` as const;
const NOBODY = `0x${"00".repeat(20)}` as const;

const schema = {
  seen: entity({ id: t.eventId(), saw: t.json() }, { appendOnly: true }),
  setting: entity({ id: t.text(), value: t.int32() }),
};
const abis = { Token: ["event Hello(uint256 indexed value)", "event Plain()"] } as const;

function newIndexer(): Indexer<typeof schema, typeof abis, "one" | "two"> {
  return defineIndexer({
    name: "kit",
    schema,
    chains: { one: { id: 1, sources: [{ rpc: "http://a" }] }, two: { id: 2, sources: [{ rpc: "http://b" }] } },
    contracts: { Token: { abi: abis.Token, chains: { one: { address: "any" }, two: { address: "any" } } } },
  });
}

/** Values as json columns take them. */
const json = (value: object) =>
  JSON.parse(JSON.stringify(value, (_, item) => (typeof item === "bigint" ? `${item}n` : item))) as never;

describe("selected fields", () => {
  function selecting() {
    const indexer = newIndexer();
    const fields = { block: ["miner", "baseFeePerGas"], transaction: ["gasPrice", "to"] } as const;
    indexer.on("Token.Hello", { fields, where: { value: [1n, 2n] } }, ({ event, store }) => {
      store.seen.insert({ id: event.id, saw: json({ ...event.block, ...event.transaction, hash: "" }) });
    });
    indexer.on("Token.Plain", ({ event, store }) => {
      store.seen.insert({ id: event.id, saw: json([Object.keys(event.block), Object.keys(event.transaction)]) });
    });
    return createTestIndexer(indexer);
  }

  test("are what the test says, else zero", async () => {
    const tested = selecting();
    tested.emit("Token.Hello", {
      args: { value: 1n },
      block: { number: 5, timestamp: 50, miner: MINER, baseFeePerGas: null, size: 7n },
      transaction: { index: 3, gasPrice: 9n, to: null, input: "0x12" },
    });
    tested.emit("Token.Hello", { args: { value: 2n }, block: { number: 6, timestamp: 60 } });
    await tested.process();
    expect(tested.rows("seen").map(({ saw }) => saw)).toEqual([
      {
        number: "5n",
        timestamp: 50,
        hash: "",
        miner: MINER.toLowerCase(),
        baseFeePerGas: null,
        index: 3,
        gasPrice: "9n",
        to: null,
      },
      {
        number: "6n",
        timestamp: 60,
        hash: "",
        miner: NOBODY,
        baseFeePerGas: "0n",
        index: 0,
        gasPrice: "0n",
        to: NOBODY,
      },
    ]);
  });

  test("of one handler are not given to another one of the same block", async () => {
    const tested = selecting();
    tested.emit("Token.Hello", { args: { value: 1n }, block: { number: 5, baseFeePerGas: 4n } });
    tested.emit("Token.Plain", { args: {}, block: 5, transaction: { index: 0 } });
    tested.emit("Token.Hello", { args: { value: 3n }, block: 5, transaction: { index: 0 } });
    await tested.process();
    const [first, plain, ...others] = tested.rows("seen").map(({ saw }) => saw);
    expect(first).toMatchObject({ baseFeePerGas: "4n" });
    expect(plain).toEqual([
      ["number", "timestamp", "hash"],
      ["hash", "index"],
    ]);
    expect(others).toEqual([]);
  });
});

describe("a set-up", () => {
  test("runs once a chain, before its first event, and sees its own rows", async () => {
    const indexer = newIndexer();
    const runs: string[] = [];
    indexer.onSetup(async ({ store, chain }) => {
      runs.push(chain.name);
      const { value } = await store.setting.getOrCreate({ id: "a", value: chain.id });
      await store.setting.update("a", { value: value * 10 });
    });
    indexer.on("Token.Plain", async ({ event, store }) => {
      runs.push("event");
      store.seen.insert({ id: event.id, saw: json(await store.setting.getOrThrow("a")) });
    });
    const tested = createTestIndexer(indexer);
    tested.emit("Token.Plain", { args: {} });
    await tested.process();
    tested.emit("Token.Plain", { args: {} });
    await tested.process();
    expect(runs).toEqual(["one", "two", "event", "event"]);
    expect(tested.get("setting", "a", "one")).toEqual({ id: "a", value: 10 });
    expect(tested.get("setting", "a", "two")).toEqual({ id: "a", value: 20 });
    expect(tested.rows("seen").map(({ saw }) => saw)).toEqual(Array(2).fill({ id: "a", value: 10 }));
  });

  test("that throws stops the indexer and leaves nothing of its chain", async () => {
    const indexer = newIndexer();
    indexer.onSetup(({ store, chain }) => {
      store.setting.set({ id: "a", value: 1 });
      if (chain.name === "two") throw new Error("no");
    });
    indexer.on("Token.Plain", () => {});
    const tested = createTestIndexer(indexer);
    tested.emit("Token.Plain", { args: {} });
    const failure = { code: "HANDLER_FAILED", message: "the set-up of two threw: no" };
    await expect(tested.process()).rejects.toMatchObject(failure);
    await expect(tested.process()).rejects.toMatchObject(failure);
    expect(tested.rows("setting", "one")).toEqual([{ id: "a", value: 1 }]);
    expect(tested.rows("setting", "two")).toEqual([]);
  });

  test("awaits its reads, and its store is closed when it has returned", async () => {
    const indexer = newIndexer();
    indexer.onSetup(({ store }) => void store.setting.get("a"));
    indexer.on("Token.Plain", () => {});
    await expect(createTestIndexer(indexer).process()).rejects.toMatchObject({
      code: "HANDLER_FAILED",
      message: "the set-up of one threw: a read was still pending when the handler of the set-up returned",
    });
    const late = newIndexer();
    let kept: { set(row: { id: string; value: number }): void } | undefined;
    late.onSetup(({ store }) => {
      kept = store.setting;
    });
    late.on("Token.Plain", () => {});
    await createTestIndexer(late).process();
    expect(() => kept?.set({ id: "a", value: 1 })).toThrow(expect.objectContaining({ code: "CONTEXT_REVOKED" }));
  });
});
