import { encodeAbiParameters, toEventSelector } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { defineIndexer, entity, t } from "../../src/index.ts";
import { buildChain, fakeAddress, type LogSeed } from "../support/fake-chain.ts";
import { type FakeNode, startFakeNode } from "../support/fake-node.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { startIndexer } from "../support/run-indexer.ts";

const REGISTRY = fakeAddress(0xe5) as `0x${string}`;

let database: TestDatabase;
let node: FakeNode;

beforeAll(async () => {
  database = await createTestDatabase();
  node = await startFakeNode({
    chain: buildChain({ blocks: 21, logs: (block) => [named(NAMES[block % 3] as string)] }),
  });
});
afterAll(async () => {
  await node.close();
  await database.drop();
});

/** What contracts name things. Two of them are the same once they are stored. */
const NAMES = ["fine", "junk\0", "junk\ufffd"];

function named(name: string): LogSeed {
  return {
    address: REGISTRY,
    topics: [toEventSelector("Named(string)")],
    data: encodeAbiParameters([{ type: "string" }], [name]),
  };
}

function indexerOf(name: string) {
  const label = entity({ id: t.text(), seen: t.int32(), data: t.json(), parts: t.text().array() });
  const schema = {
    label,
    sighting: entity({ id: t.eventId(), label: t.ref(() => label) }, { appendOnly: true }),
    untouched: entity({ id: t.eventId(), name: t.text() }),
  };
  const indexer = defineIndexer({
    name,
    schema,
    chains: { local: { id: 1, sources: [{ rpc: node.url }], pollIntervalMs: 20 } },
    contracts: { Registry: { abi: ["event Named(string name)"], chains: { local: { address: REGISTRY } } } },
  });
  indexer.on("Registry.Named", { onError: "skip" }, async ({ event, store }) => {
    const { name } = event.args;
    if (event.block.number === 4n) throw new Error(`cannot handle ${name} \ud800`);
    const known = await store.label.get(name);
    const data = { [name]: [{ name }] };
    store.label.set({ id: name, seen: (known?.seen ?? 0) + 1, data, parts: [name] });
    store.sighting.insert({ id: event.id, label: name });
    store.untouched.set({ id: event.id, name: "fine" });
  });
  return indexer;
}

test("NUL and lone surrogates are escaped and counted wherever they are, reads by such keys find the row, others are unaffected", async () => {
  node.setHead(10);
  const first = startIndexer(indexerOf("escapes"), database.url, { once: true });
  await first.ended;
  // Blocks 1, 7, 10 name the junk with NUL (4 is skipped): the key, two in the json, one in the list; and the reference.
  const escapes = (table: string): Promise<number> => first.metric("spindex_encoding_escapes_total", { table });
  expect(await Promise.all(["label", "sighting", "untouched", "skipped_events"].map(escapes))).toEqual([12, 3, 0, 1]);

  // A new process has none of the rows in memory.
  node.setHead(20);
  await startIndexer(indexerOf("escapes"), database.url, { once: true }).ended;
  const junk = "junk\ufffd";
  expect(await database.query("select id, seen, data, parts from escapes.label order by id")).toEqual([
    { id: "fine", seen: 7, data: { fine: [{ name: "fine" }] }, parts: ["fine"] },
    { id: junk, seen: 13, data: { [junk]: [{ name: junk }] }, parts: [junk] },
  ]);
  expect(await database.query("select label, count(*)::int from escapes.sighting group by 1 order by 1")).toEqual([
    { label: "fine", count: 7 },
    { label: junk, count: 13 },
  ]);
  expect(await database.query("select count(*)::int, min(name), max(name) from escapes.untouched")).toEqual([
    { count: 20, min: "fine", max: "fine" },
  ]);
  expect(await database.query("select block::int, message from escapes_spindex.skipped_events")).toEqual([
    { block: 4, message: `cannot handle ${junk} \ufffd` },
  ]);
});
