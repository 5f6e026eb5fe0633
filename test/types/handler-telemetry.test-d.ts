import { defineIndexer, entity, type HandlerCounter, type HandlerHistogram, type HandlerSpan, t } from "spindex";
import { createTestIndexer } from "spindex/testing";
import { expectTypeOf } from "vitest";

const indexer = defineIndexer({
  name: "telling",
  schema: { account: entity({ id: t.address() }) },
  chains: { mainnet: { id: 1, sources: [{ rpc: "http://localhost" }] } },
  contracts: { Token: { abi: ["event Paused()"], chains: { mainnet: { address: `0x${"00".repeat(20)}` } } } },
});

indexer.on("Token.Paused", async ({ span, metrics, log }) => {
  expectTypeOf(span("sum", () => 3)).toEqualTypeOf<number>();
  expectTypeOf(span("price", async () => "a")).toEqualTypeOf<Promise<string>>();
  await span("outer", async (outer) => {
    expectTypeOf(outer).toEqualTypeOf<HandlerSpan>();
    outer.set({ text: "a", count: 1, big: 1n, yes: true, none: undefined });
    // @ts-expect-error objects are no values of attributes
    outer.set({ deep: {} });
    expectTypeOf(outer.span("inner", () => true)).toEqualTypeOf<boolean>();
  });
  const calls = metrics.counter("calls", { help: "Calls." });
  expectTypeOf(calls).toEqualTypeOf<HandlerCounter>();
  calls.add(1);
  // @ts-expect-error it has no labels
  calls.add(1, { pool: "a" });
  const swaps = metrics.counter("swaps", { help: "Swaps.", labels: ["pool", "side"] });
  expectTypeOf(swaps).toEqualTypeOf<HandlerCounter<"pool" | "side">>();
  swaps.add(1n, { pool: "0xab", side: 1 });
  // @ts-expect-error a label is missing
  swaps.add(1, { pool: "a" });
  // @ts-expect-error there is no such label
  swaps.add(1, { pool: "a", side: "b", more: "c" });
  // @ts-expect-error labels are missing
  swaps.add(1);
  const size = metrics.histogram("size_ether", { help: "Size.", labels: ["pool"], buckets: [1, 10] });
  expectTypeOf(size).toEqualTypeOf<HandlerHistogram<"pool">>();
  size.observe(1.5, { pool: "a" });
  // @ts-expect-error a metric says what it is for
  metrics.counter("mute", {});
  log.info("A line", { anything: [1] });
});
indexer.onSetup(({ span, metrics, log }) => {
  span("seed", () => metrics.counter("seeds", { help: "Seeds." }).add(1));
  log.debug("Seeded");
});

const tested = createTestIndexer(indexer);
expectTypeOf(tested.metric("spindex_user_calls_total")).toEqualTypeOf<Promise<number>>();
