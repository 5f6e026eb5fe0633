import { expect, test } from "vitest";
import { defineIndexer, entity, t } from "../../../src/index.ts";
import { collectTraces, createTestIndexer, expectTrace } from "../../../src/testing/index.ts";

const address = `0x${"00".repeat(20)}` as const;

/** An indexer whose handler keeps values, and fails at 13. */
const indexer = defineIndexer({
  name: "counting",
  schema: { entry: entity({ id: t.eventId(), value: t.uint256() }, { appendOnly: true }) },
  chains: { mainnet: { id: 1, sources: [{ rpc: "http://localhost" }] } },
  contracts: { Token: { abi: ["event Minted(uint256 value)"], chains: { mainnet: { address } } } },
});
indexer.on("Token.Minted", async ({ event, store, span }) => {
  await span("price", async (open) => open.set({ value: event.args.value }));
  if (event.args.value === 13n) throw new RangeError("unlucky");
  store.entry.insert({ id: event.id, value: event.args.value });
});

test("a test indexer has the traces of a real one: batches, what handlers do in them, and their writes", async () => {
  const traces = await collectTraces();
  const tested = createTestIndexer(indexer, { traces });
  tested.emit("Token.Minted", { args: { value: 5n } });
  await tested.process();
  tested.emit("Token.Minted", { args: { value: 6n } });
  await tested.process();
  const [first, second] = expectTrace(await traces.traces())
    .whole()
    .all("spindex.batch", 2);
  const handled = first?.has({ "spindex.outcome": "durable" }).child("spindex.batch.process");
  expect(handled?.child("{handler.span}").has({ "spindex.handler.name": "Token.Minted" }).span.name).toBe("price");
  const write = second?.child("spindex.batch.persist").linksTo("spindex.write_transaction");
  expect(write?.parent("spindex.drain_run").has({ "spindex.drain.id": 2 }).linksTo("spindex.batch").span).toBe(
    second?.span,
  );
  expect(traces.problems).toEqual([]);
  await traces.close();
});

test("a handler that throws is in the trace of its batch", async () => {
  const traces = await collectTraces();
  const tested = createTestIndexer(indexer, { traces });
  tested.emit("Token.Minted", { args: { value: 13n } });
  await expect(tested.process()).rejects.toThrow("unlucky");
  const batch = expectTrace(await traces.traces())
    .one("spindex.batch")
    .failed()
    .has({ "spindex.outcome": "failed" });
  batch.child("spindex.batch.process").failed("RangeError").hasEvent("exception");
  await traces.close();
});
