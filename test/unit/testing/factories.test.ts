import { describe, expect, test } from "vitest";
import { defineIndexer } from "../../../src/config/define-indexer.ts";
import { entity } from "../../../src/config/entity.ts";
import { factory } from "../../../src/config/factory.ts";
import type { Register } from "../../../src/config/indexer.ts";
import { t } from "../../../src/config/t.ts";
import { createTestIndexer, type TestIndexer } from "../../../src/testing/test-indexer.ts";

const A = "0xabcdef0000000000000000000000000000000001";
const B = "0xabcdef0000000000000000000000000000000002";
const UPPER = `0x${A.slice(2).toUpperCase()}` as const;

const schema = {
  ping: entity({ id: t.eventId(), address: t.address(), n: t.uint256() }, { appendOnly: true }),
  pair: entity({ id: t.address(), pings: t.int32() }),
};
const created = ["event Created(address pair)"] as const;
const pings = ["event Ping(uint256 n)"] as const;
const mainnet = { id: 1, sources: [{ rpc: "http://test.invalid" }] } as const;

/** Pairs are registered by the handler of `Created`, or come from a factory. */
function indexerOf(way: "registered" | "factory") {
  return defineIndexer({
    name: "pairs",
    schema,
    chains: { mainnet, base: { ...mainnet, id: 8453 } },
    contracts: {
      Factory: { abi: created, chains: { mainnet: { address: B, startBlock: 10 } } },
      Pair: {
        abi: pings,
        chains: {
          mainnet: {
            address:
              way === "factory" ? factory({ contract: "Factory", event: "Created", parameter: "pair" }) : "registered",
            startBlock: 12,
          },
        },
      },
      OnBase: { abi: pings, chains: { base: { address: A } } },
    },
  });
}

/** A row of `pair` that an event of its own must find. */
function withHandlers(way: "registered" | "factory", onError: "stop" | "skip" = "stop") {
  const indexer = indexerOf(way);
  const calls: string[] = [];
  indexer.on("Factory.Created", { onError }, ({ event, store, register }) => {
    calls.push(`created ${event.block.number}`);
    if (way === "registered") register("Pair", event.args.pair);
    store.pair.set({ id: event.args.pair, pings: 0 });
  });
  indexer.on("Pair.Ping", { onError }, async ({ event, store }) => {
    calls.push(`ping ${event.args.n}`);
    store.ping.insert({ id: event.id, address: event.log.address, n: event.args.n });
    await store.pair.update(event.log.address, (row) => ({ pings: row.pings + 1 }));
    if (event.args.n === 13n) throw new Error("thirteen");
  });
  return { test: createTestIndexer(indexer), calls };
}

const ping = (n: number, block: number, address: `0x${string}` = A) =>
  ({ args: { n: BigInt(n) }, log: { address }, block }) as const;
const numbersIn = (indexer: TestIndexer<typeof schema, never, never>) => indexer.rows("ping").map(({ n }) => Number(n));

describe.each(["registered", "factory"] as const)("a contract whose addresses are %s", (way) => {
  test("is handled from the block on that brings an address, in the same block and batch too", async () => {
    const { test: indexer } = withHandlers(way);
    indexer.emit("Pair.Ping", ping(1, 19));
    indexer.emit("Factory.Created", { args: { pair: UPPER }, block: 20 });
    indexer.emit("Pair.Ping", ping(2, 20));
    indexer.emit("Pair.Ping", ping(3, 20, B));
    indexer.emit("Pair.Ping", ping(4, 21));
    await indexer.process();
    indexer.emit("Pair.Ping", ping(5, 22));
    await indexer.process();
    expect(numbersIn(indexer as never)).toEqual([2, 4, 5]);
    expect(indexer.get("pair", A)).toEqual({ id: A, pings: 3 });
  });
});

describe("a factory", () => {
  test("counts from before the first block of its children, and its event needs no handler", async () => {
    const indexer = indexerOf("factory");
    indexer.on("Pair.Ping", ({ event, store }) =>
      store.ping.insert({ id: event.id, address: event.log.address, n: event.args.n }),
    );
    const tested = createTestIndexer(indexer);
    tested.emit("Factory.Created", { args: { pair: A }, block: 10 });
    tested.emit("Pair.Ping", ping(1, 12));
    await tested.process();
    expect(tested.rows("ping")).toHaveLength(1);
    expect(() => tested.emit("Pair.Ping", { args: { n: 1n } })).toThrow("Pair.Ping has no address of its own");
  });
});

describe("register", () => {
  test("runs the block again, once, and leaves nothing of the first time", async () => {
    const { test: indexer, calls } = withHandlers("registered");
    indexer.emit("Factory.Created", { args: { pair: A }, block: 20 });
    indexer.emit("Pair.Ping", ping(1, 20));
    indexer.emit("Factory.Created", { args: { pair: UPPER }, block: 21 });
    await indexer.process();
    expect(calls).toEqual(["created 20", "created 20", "ping 1", "created 21"]);
  });

  test("in a call that is skipped covers nothing", async () => {
    const indexer = indexerOf("registered");
    indexer.on("Factory.Created", { onError: "skip" }, ({ event, register }) => {
      register("Pair", event.args.pair);
      throw new Error("no");
    });
    let pinged = 0;
    indexer.on("Pair.Ping", () => void pinged++);
    const tested = createTestIndexer(indexer);
    tested.emit("Factory.Created", { args: { pair: A }, block: 20 });
    tested.emit("Pair.Ping", ping(1, 20));
    await tested.process();
    expect([pinged, tested.skipped.length]).toEqual([0, 1]);
  });

  test("notes a skipped event of its block once", async () => {
    const { test: indexer } = withHandlers("registered", "skip");
    indexer.emit("Factory.Created", { args: { pair: A }, block: 20 });
    indexer.emit("Pair.Ping", ping(13, 20));
    indexer.emit("Factory.Created", { args: { pair: B }, block: 20 });
    indexer.emit("Pair.Ping", ping(2, 21));
    await indexer.process();
    expect(numbersIn(indexer as never)).toEqual([2]);
    expect(indexer.skipped.map(({ block, message }) => [block, message])).toEqual([[20, "thirteen"]]);
  });

  test.each([
    [2, []],
    [0, ["pings: 0"]],
  ])("in a block with %i pings: an error counts when the logs of the new address are there", async (pings, errors) => {
    const indexer = indexerOf("registered");
    indexer.on("Factory.Created", async ({ event, store, register }) => {
      register("Pair", event.args.pair);
      const known = await store.pair.get(event.args.pair);
      if (known === undefined) throw new Error("pings: 0");
    });
    indexer.on("Pair.Ping", ({ event, store }) => void store.pair.set({ id: event.log.address, pings: 1 }));
    const tested = createTestIndexer(indexer);
    // The constructor's log comes before that of the factory.
    for (let n = 0; n < pings; n++) tested.emit("Pair.Ping", ping(n, 20));
    tested.emit("Factory.Created", { args: { pair: A }, block: 20 });
    const failed = await tested.process().then(
      () => [],
      (error: Error) => [(error.cause as Error).message],
    );
    expect(failed).toEqual(errors);
  });

  const failing = (call: (register: Register) => void) => {
    const indexer = indexerOf("registered");
    indexer.on("Factory.Created", ({ register }) => call(register as Register));
    const tested = createTestIndexer(indexer);
    tested.emit("Factory.Created", { args: { pair: A }, block: 20 });
    return tested.process();
  };
  test.each([
    ["an unknown contract", "Pear", A, 'there is no contract "Pear" on mainnet'],
    ["a contract of another chain", "OnBase", A, 'there is no contract "OnBase" on mainnet'],
    ["what is no address", "Pair", "0x12", '"0x12" is not an address'],
    ["nothing", "Pair", undefined, "undefined is not an address"],
  ])("refuses %s, by the event's place", async (_, contract, address, message) => {
    const refused = failing((register) => register(contract, address as `0x${string}`));
    await expect(refused).rejects.toThrow(message);
    await expect(refused).rejects.toMatchObject({ code: "HANDLER_FAILED", cause: { code: "REGISTER_INVALID" } });
    await expect(refused).rejects.toThrow("block 20, log 0");
  });

  test("is refused after its handler has returned", async () => {
    let kept: Register | undefined;
    await failing((register) => {
      kept = register;
    });
    expect(() => kept?.("Pair", A)).toThrow("register was used after its handler had returned");
  });
});
