import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { encodeAbiParameters, toEventSelector } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { parseEvents } from "../../src/abi/parse-abi.ts";
import { defineIndexer, entity, t } from "../../src/index.ts";
import { buildChain, type FakeChain, fakeAddress, forkChain, type LogSeed, tokenChain } from "../support/fake-chain.ts";
import { type FakeNode, startFakeNode } from "../support/fake-node.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { startIndexer } from "../support/run-indexer.ts";
import { viemArgs } from "../support/viem-oracle.ts";

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const ABI = [
  "event Transfer(address indexed from, address indexed to, uint256 value)",
  "event Approval(address indexed owner, address indexed spender, uint256 value)",
  "event Sync(uint112 reserve0, uint112 reserve1)",
  "event Swap(address indexed sender, uint256 amount0In, uint256 amount1In, uint256 amount0Out, uint256 amount1Out, address indexed to)",
  "event NameRegistered(string name, bytes32 indexed label, address indexed owner, uint256 cost, uint256 expires)",
  "event Named(string name)",
] as const;

function indexerOf(name: string, node: FakeNode, rawEvents = true) {
  const indexer = defineIndexer({
    name,
    schema: { seen: entity({ id: t.eventId() }, { appendOnly: true }) },
    chains: { local: { id: 1, sources: [{ rpc: node.url }], maxReorgDepth: 30, pollIntervalMs: 20 } },
    contracts: { Any: { abi: ABI, chains: { local: { address: "any" } } } },
    ...(rawEvents ? { rawEvents } : {}),
  });
  for (const event of ["Transfer", "Approval", "Sync", "Swap", "NameRegistered", "Named"] as const) {
    indexer.on(`Any.${event}`, ({ event: { id }, store }) => store.seen.insert({ id }));
  }
  return indexer;
}

function rawEventsOf(schema: string): Promise<Record<string, unknown>[]> {
  return database.query(
    `select chain_id::int, block::int, log_index, transaction_hash, address, contract, event, args,
       extract(epoch from "timestamp")::int as timestamp, _checkpoint::int
     from ${schema}_spindex.raw_events order by block, log_index`,
  );
}

/** What viem makes of the logs of a chain, as rows; without checkpoints. */
function expectedRows({ blocks }: FakeChain): object[] {
  const events = parseEvents(ABI, "abi");
  return blocks.flatMap(({ number, timestamp, logs }) =>
    logs.flatMap((log) => {
      const event = events.find(({ topic }) => topic === log.topics[0]);
      const indexed = event?.inputs.filter((input) => input.indexed).length;
      if (event === undefined || log.topics.length !== 1 + (indexed ?? 0)) return [];
      const args = viemArgs(event, log);
      if (args === undefined) return [];
      return {
        chain_id: 1,
        block: number,
        log_index: log.logIndex,
        transaction_hash: log.transactionHash,
        address: log.address,
        contract: "Any",
        event: event.name,
        args: JSON.parse(JSON.stringify(args, (_, value) => (typeof value === "bigint" ? String(value) : value))),
        timestamp,
      };
    }),
  );
}

/** Logs of real blocks, in made-up ones. */
function realLogs(): LogSeed[][] {
  const read = (file: string): unknown[] =>
    gunzipSync(readFileSync(new URL(`../data/${file}`, import.meta.url)))
      .toString("utf8")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
  const blocks = (read("etl-blocks.ndjson.gz") as { logs: LogSeed[] }[]).map(({ logs }) => logs);
  const odd = (read("edge-logs.ndjson.gz") as { log: LogSeed }[]).map(({ log }) => log);
  return [...blocks, odd];
}

test("raw events are what viem makes of the logs, with the checkpoints of their rows", async () => {
  const real = realLogs();
  const chain = buildChain({ blocks: real.length + 3, logs: (block) => real[block - 2] ?? [] });
  const node = await startFakeNode({ chain });
  try {
    expect(await startIndexer(indexerOf("real", node), database.url, { once: true }).ended).toBe("ended");
    const rows = await rawEventsOf("real");
    expect(rows.map(({ _checkpoint, ...row }) => row)).toEqual(expectedRows(chain));
    expect(rows.length).toBeGreaterThan(400);
    expect(new Set(rows.map(({ event }) => event)).size).toBe(5);
    // The same event made a row of the entity: at the same checkpoint.
    const [joined] = await database.query(
      `select count(*)::int, bool_and(r._checkpoint = s._checkpoint) as same from real_spindex.raw_events r
       join real.seen s on s.id = (r.block << 28) + (r.log_index << 10)`,
    );
    expect(joined).toEqual({ count: rows.length, same: true });
    const purposes = await database.query("select bytes::int > 0 as some from real_spindex.drain_runs");
    expect(purposes).not.toEqual([]);
  } finally {
    await node.close();
  }
});

test("texts in raw events that PostgreSQL cannot hold are escaped and counted, and others are as they were", async () => {
  const names = ["fine", "junk\0", "é"];
  const named = (name: string): LogSeed => ({
    address: fakeAddress(0xe5),
    topics: [toEventSelector("Named(string)")],
    data: encodeAbiParameters([{ type: "string" }], [name]),
  });
  const node = await startFakeNode({ chain: buildChain({ blocks: 3, logs: (block) => [named(names[block] ?? "")] }) });
  try {
    const running = startIndexer(indexerOf("escaped", node), database.url, { once: true });
    await running.ended;
    expect((await rawEventsOf("escaped")).map(({ args }) => args)).toEqual([
      { name: "fine" },
      { name: "junk\uFFFD" },
      { name: "é" },
    ]);
    expect(await running.metric("spindex_encoding_escapes_total", { table: "raw_events" })).toBe(1);
    expect(await running.metric("spindex_bytes_written_total", { purpose: "raw_event" })).toBeGreaterThan(100);
  } finally {
    await node.close();
  }
});

test("a rollback takes back the raw events of orphaned blocks", async () => {
  const main = tokenChain({ blocks: 30, transfersPerBlock: 2 });
  const node = await startFakeNode({ chain: main });
  try {
    const running = startIndexer(indexerOf("orphans", node), database.url);
    await running.until(({ chains: [chain] }) => chain?.committed === 29);
    const fork = forkChain(main, 24, { blocks: 8, logs: () => [] });
    node.setChain(fork);
    await running.until(({ chains: [chain] }) => chain?.committed === 32);
    await running.stop();
    expect((await rawEventsOf("orphans")).map(({ _checkpoint, ...row }) => row)).toEqual(expectedRows(fork));
  } finally {
    await node.close();
  }
});

test("without rawEvents nothing is kept, and switching it on asks for another schema", async () => {
  const node = await startFakeNode({ chain: tokenChain({ blocks: 5 }) });
  try {
    await startIndexer(indexerOf("off", node, false), database.url, { once: true }).ended;
    expect(await rawEventsOf("off")).toEqual([]);
    await expect(startIndexer(indexerOf("off", node), database.url, { once: true }).ended).rejects.toMatchObject({
      code: "DATABASE_INCOMPATIBLE",
    });
  } finally {
    await node.close();
  }
});
