import { describe, expect, test } from "vitest";
import { createEffect, defineIndexer, entity, t } from "../../../src/index.ts";
import { createTestIndexer } from "../../../src/testing/index.ts";

const TOKEN = `0x${"70".repeat(20)}` as const;
const [ALICE, BOB] = [`0x${"a1".repeat(20)}`, `0x${"b0".repeat(20)}`] as const;

function projectOf(options: { readonly rawEvents?: boolean; readonly onError?: "stop" | "skip" } = {}) {
  const getName = createEffect(
    { name: "name", input: t.address(), output: t.text(), cache: true, rateLimit: false },
    async (): Promise<string> => {
      throw new Error("there is no network in tests");
    },
  );
  const indexer = defineIndexer({
    name: "names",
    schema: { holder: entity({ id: t.address(), name: t.text() }) },
    chains: { mainnet: { id: 1, sources: [{ rpc: "http://test.invalid" }] } },
    contracts: {
      Token: {
        abi: ["event Transfer(address indexed from, address indexed to, uint256 value)"],
        chains: { mainnet: { address: TOKEN } },
      },
    },
    ...(options.rawEvents === undefined ? {} : { rawEvents: options.rawEvents }),
  });
  indexer.on("Token.Transfer", { onError: options.onError ?? "stop" }, async ({ event, store, effect }) => {
    const { to } = event.args;
    if (event.args.value === 0n) throw new Error("nothing moved");
    store.holder.set({ id: to, name: await effect(getName, to) });
  });
  return { indexer, getName };
}

const transfer = (to: typeof ALICE | typeof BOB, value = 1n) => ({ args: { from: TOKEN, to, value } });

describe("effects in tests", () => {
  test("call what they are replaced by, once for an input, also over calls of process()", async () => {
    const { indexer, getName } = projectOf();
    const tested = createTestIndexer(indexer);
    const called: string[] = [];
    tested.replaceEffect(getName, (address) => {
      called.push(address);
      return address === ALICE ? "alice" : "bob";
    });
    for (const to of [ALICE, BOB, ALICE] as const) tested.emit("Token.Transfer", transfer(to));
    await tested.process();
    tested.emit("Token.Transfer", transfer(BOB));
    await tested.process();
    expect(called).toEqual([ALICE, BOB]);
    expect(tested.rows("holder")).toEqual([
      { id: ALICE, name: "alice" },
      { id: BOB, name: "bob" },
    ]);
  });

  test("are shared by no two indexers", async () => {
    const { indexer, getName } = projectOf();
    for (const name of ["one", "two"]) {
      const tested = createTestIndexer(indexer);
      tested.replaceEffect(getName, () => name);
      tested.emit("Token.Transfer", transfer(ALICE));
      await tested.process();
      expect(tested.get("holder", ALICE)).toEqual({ id: ALICE, name });
    }
  });

  test("are the real ones when nothing replaces them, and their failure is the handler's", async () => {
    const tested = createTestIndexer(projectOf().indexer);
    tested.emit("Token.Transfer", transfer(ALICE));
    await expect(tested.process()).rejects.toThrow(
      `the effect name failed for {"value":"${ALICE}"}: there is no network in tests`,
    );
  });

  test("that fail skip the event when the handler is to skip", async () => {
    const { indexer, getName } = projectOf({ onError: "skip" });
    const tested = createTestIndexer(indexer);
    tested.replaceEffect(getName, (address) => {
      if (address === ALICE) throw new Error("no");
      return "bob";
    });
    tested.emit("Token.Transfer", transfer(ALICE));
    tested.emit("Token.Transfer", transfer(BOB));
    await tested.process();
    expect(tested.rows("holder")).toEqual([{ id: BOB, name: "bob" }]);
    expect(tested.skipped).toHaveLength(1);
  });

  test("that nobody awaits are an error of the handler", async () => {
    const { indexer, getName } = projectOf();
    const careless = defineIndexer({
      name: "careless",
      schema: { holder: entity({ id: t.address(), name: t.text() }) },
      chains: { mainnet: { id: 1, sources: [{ rpc: "http://test.invalid" }] } },
      contracts: { Token: { abi: ["event Paused()"], chains: { mainnet: { address: TOKEN } } } },
    });
    careless.on("Token.Paused", ({ effect }) => void effect(getName, ALICE));
    expect(indexer).toBeDefined();
    const tested = createTestIndexer(careless);
    tested.emit("Token.Paused", { args: {} });
    await expect(tested.process()).rejects.toThrow(
      "an effect was still pending when the handler of Token.Paused returned",
    );
  });
});

describe("raw events in tests", () => {
  test("are what handlers were given, those that were skipped too", async () => {
    const { indexer, getName } = projectOf({ rawEvents: true, onError: "skip" });
    const tested = createTestIndexer(indexer);
    tested.replaceEffect(getName, () => "someone");
    tested.emit("Token.Transfer", { ...transfer(ALICE, 5n), block: { number: 7, timestamp: 1_700_000_000 } });
    tested.emit("Token.Transfer", transfer(BOB, 0n));
    await tested.process();
    expect(tested.skipped).toHaveLength(1);
    expect(tested.rawEvents.map(({ block, args }) => [block, args])).toEqual([
      [7, { from: TOKEN, to: ALICE, value: "5" }],
      [8, { from: TOKEN, to: BOB, value: "0" }],
    ]);
    expect(tested.rawEvents[0]).toMatchObject({
      chainId: 1,
      logIndex: 0,
      address: TOKEN,
      contract: "Token",
      event: "Transfer",
      timestamp: 1_700_000_000,
    });
  });

  test("are not kept unless the configuration says so", async () => {
    const { indexer, getName } = projectOf();
    const tested = createTestIndexer(indexer);
    tested.replaceEffect(getName, () => "someone");
    tested.emit("Token.Transfer", transfer(ALICE));
    await tested.process();
    expect(tested.rawEvents).toEqual([]);
  });
});
