import { expect, test } from "vitest";
import { defineIndexer, entity, type Indexer, t } from "../../../src/index.ts";
import { createTestIndexer } from "../../../src/testing/index.ts";

const token = `0x${"70".repeat(20)}` as const;
const schema = { seen: entity({ id: t.uint256() }) };
const abis = { Token: ["event Hello(uint256 value)"] } as const;

function newIndexer(): Indexer<typeof schema, typeof abis, "one"> {
  return defineIndexer({
    name: "told",
    schema,
    chains: { one: { id: 1, sources: [{ rpc: "http://localhost" }] } },
    contracts: { Token: { abi: abis.Token, chains: { one: { address: token } } } },
  });
}

/** Counts each event before it looks at it: the value 0 is too much for it. */
function counting(onError: "stop" | "skip"): ReturnType<typeof newIndexer> {
  const indexer = newIndexer();
  indexer.on("Token.Hello", { onError }, async ({ event, store, metrics, span }) => {
    const { value } = event.args;
    metrics
      .counter("hellos", { help: "Events that said hello.", labels: ["even"] })
      .add(1, { even: value % 2n === 0n });
    metrics.histogram("value_wei", { help: "Values.", buckets: [1, 10] }).observe(value);
    await span("look", async () => {
      await store.seen.get(value);
      if (value === 0n) throw new Error("nothing");
      store.seen.set({ id: value });
    });
  });
  return indexer;
}

test("what a skipped event counted before it threw is not counted", async () => {
  const tested = createTestIndexer(counting("skip"));
  for (const value of [2n, 0n, 5n, 4n]) tested.emit("Token.Hello", { args: { value }, block: 7 });
  await tested.process();
  expect(tested.skipped).toHaveLength(1);
  expect(await tested.metric("spindex_user_hellos_total", { even: true })).toBe(2);
  expect(await tested.metric("spindex_user_hellos_total", { even: false })).toBe(1);
  expect(await tested.metric("spindex_user_value_wei_bucket", { le: 10 })).toBe(3);
  expect(await tested.metric("spindex_user_value_wei_sum")).toBe(11);
  expect(await tested.metric("spindex_user_other_total")).toBe(0);
});

test("when a handler stops the indexer, what counts is what stays: the blocks before", async () => {
  const tested = createTestIndexer(counting("stop"));
  for (const [block, value] of [
    [7, 3n],
    [8, 5n],
    [8, 0n],
  ] as const) {
    tested.emit("Token.Hello", { args: { value }, block });
  }
  await expect(tested.process()).rejects.toThrow("nothing");
  expect(tested.rows("seen")).toEqual([{ id: 3n }]);
  expect(await tested.metric("spindex_user_hellos_total", { even: false })).toBe(1);
});

test("the set-up has spans, metrics and a log too", async () => {
  const indexer = counting("stop");
  const lines: unknown[] = [];
  indexer.onSetup(({ span, metrics, log, store }) => {
    span("seed", () => store.seen.set({ id: 1n }));
    metrics.counter("seeds", { help: "Rows that no event made." }).add(1);
    log.info("Seeded", { rows: 1 });
  });
  const log = { debug() {}, info: (...line: unknown[]) => void lines.push(line), warn() {}, error() {} };
  const tested = createTestIndexer(indexer, { log });
  await tested.process();
  expect(await tested.metric("spindex_user_seeds_total")).toBe(1);
  expect(lines).toEqual([["Seeded", { rows: 1 }]]);
});
