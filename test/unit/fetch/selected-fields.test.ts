import { describe, expect, onTestFinished, test } from "vitest";
import type { FetchedRange } from "../../../src/batch/batch.ts";
import type { BlockHeader } from "../../../src/chain/block.ts";
import type { BlockField, TransactionField } from "../../../src/chain/fields.ts";
import { hexAt } from "../../../src/chain/log-page.ts";
import type { SelectedDetails } from "../../../src/fetch/detail-selection.ts";
import { HeadTracker } from "../../../src/fetch/head-tracker.ts";
import { LogSelection, type SelectedEvent } from "../../../src/fetch/log-selection.ts";
import { queryRange } from "../../../src/fetch/range-query.ts";
import { RangeSizer } from "../../../src/fetch/range-sizer.ts";
import { createJsonRpcSource } from "../../../src/source/json-rpc-source.ts";
import { buildChain, type FakeBlock, fakeAddress, TRANSFER_TOPIC, transferLog } from "../../support/fake-chain.ts";
import { blockFieldsOf, transactionFieldsOf } from "../../support/fake-fields.ts";
import { type FakeNodeOptions, startFakeNode } from "../../support/fake-node.ts";
import { silentTelemetry } from "../../support/silent-telemetry.ts";
import { recordingClock } from "../../support/source-doubles.ts";

const GOLD = fakeAddress(0x901d) as `0x${string}`;
const SILVER = fakeAddress(0x511e) as `0x${string}`;
const transfer = (token: string, value: number) =>
  transferLog({ token, from: fakeAddress(1), to: fakeAddress(2), value: BigInt(value) });

/** Gold moves three times in every fifth block, silver once in every third one. */
const chain = buildChain({
  blocks: 40,
  logs: (block) => [
    ...(block % 3 === 0 ? [transfer(SILVER, block)] : []),
    ...(block % 5 === 0 ? [transfer(GOLD, block), transfer(GOLD, 1), transfer(GOLD, 2)] : []),
  ],
});
const GOLD_BLOCKS = [0, 5, 10, 15, 20, 25, 30, 35];
const blockAt = (number: number): FakeBlock => chain.blocks[number] as FakeBlock;

function selecting(block: readonly BlockField[], transaction: readonly TransactionField[]): SelectedDetails {
  return { fields: { block, transaction }, accepts: () => true };
}

async function benchOf(details: SelectedDetails | undefined, options: Partial<FakeNodeOptions> = {}, finalized = 39) {
  const node = await startFakeNode({ chain, ...options });
  const clock = recordingClock();
  const source = createJsonRpcSource({
    url: node.url,
    headers: {},
    timeoutMs: 5_000,
    maxConcurrency: 3,
    retries: { budgetMs: 1_000 },
    clock,
  });
  onTestFinished(async () => {
    await source.close();
    await node.close();
  });
  const event = (route: number, address: `0x${string}`, of: SelectedDetails | undefined): SelectedEvent => ({
    route,
    label: `Token${route}.Transfer`,
    contract: `Token${route}`,
    topic: TRANSFER_TOPIC,
    topicCount: 3,
    addresses: [address],
    startBlock: 0,
    endBlock: Number.POSITIVE_INFINITY,
    details: of,
  });
  const selection = new LogSelection([event(0, SILVER, undefined), event(1, GOLD, details)]);
  const head = new HeadTracker({ maxReorgDepth: 10, blockLag: 0, live: false, finalized, clock });
  head.observe(39, finalized);
  const range = async (fromBlock = 0, toBlock = 38): Promise<FetchedRange> => {
    const telemetry = silentTelemetry(clock);
    const newest = blockAt(toBlock) as BlockHeader;
    const parts = { source, selection, head, newest, sizer: new RangeSizer(100), telemetry, clock };
    const all: FetchedRange[] = [];
    const signal = new AbortController().signal;
    for await (const part of queryRange({ chain: { id: 1, name: "mainnet" }, ...parts }, fromBlock, toBlock, signal)) {
      all.push(part);
    }
    expect(all).toHaveLength(1);
    return all[0] as FetchedRange;
  };
  /** Numbers of the blocks that were asked for, with whole transactions and without. */
  const asked = () => {
    const of = (full: boolean) =>
      node.log
        .filter(({ method, params }) => method === "eth_getBlockByNumber" && params[1] === full)
        .map(({ params }) => Number(params[0]));
    return { full: of(true), light: of(false) };
  };
  return { node, clock, range, asked };
}

describe("a range of events whose handlers select", () => {
  test("nothing asks for no more than both ends and the last block with events", async () => {
    const bench = await benchOf(undefined);
    expect((await bench.range()).details).toBe(undefined);
    expect(bench.asked()).toEqual({ full: [], light: [0, 36, 38] });
    expect(bench.node.httpRequests).toBe(2);
  });

  test("fields of the block asks for the header of each block with such events once, in one request", async () => {
    const bench = await benchOf(selecting(["baseFeePerGas", "miner"], []));
    const { details } = await bench.range();
    expect([...(details ?? [])]).toEqual(
      GOLD_BLOCKS.map((number) => {
        const { baseFeePerGas, miner } = blockFieldsOf(blockAt(number));
        const { hash, parentHash, timestamp } = blockAt(number);
        const header = { number, hash, parentHash, timestamp };
        return [number, { header, fields: { baseFeePerGas, miner }, transactions: new Map() }];
      }),
    );
    expect(bench.asked()).toEqual({
      full: [],
      light: [...GOLD_BLOCKS, ...[0, 36, 38].filter((n) => !GOLD_BLOCKS.includes(n))],
    });
    expect(bench.node.httpRequests).toBe(3);
  });

  test("fields of the transaction asks for those whole blocks, and keeps the events' transactions", async () => {
    const bench = await benchOf(selecting([], ["gasPrice", "input"]));
    const { page, routes, details } = await bench.range();
    const kept = new Map<number, number[]>();
    for (let row = 0; row < page.count; row++) {
      const block = page.blockNumber[row] as number;
      const index = page.transactionIndex[row] as number;
      const transaction = details?.get(block)?.transactions.get(index);
      if (routes[row] === 0) continue;
      kept.set(block, [...(kept.get(block) ?? []), index]);
      const { gasPrice, input } = transactionFieldsOf(blockAt(block).logs[index] as FakeBlock["logs"][number]);
      expect(transaction).toEqual({
        hash: hexAt(page, page.transactionHash[row] as number, 64),
        fields: { gasPrice, input },
      });
    }
    expect([...(details ?? [])].map(([number, { transactions }]) => [number, [...transactions.keys()]])).toEqual([
      ...kept,
    ]);
    expect(kept.get(15)).toEqual([1, 2, 3]);
    expect(bench.asked()).toEqual({ full: GOLD_BLOCKS, light: [0, 36, 38].filter((n) => !GOLD_BLOCKS.includes(n)) });
    expect(bench.node.httpRequests).toBe(3);
  });

  test("fields asks for nothing more when no such event is there", async () => {
    const bench = await benchOf(selecting(["miner"], ["gasPrice"]));
    expect((await bench.range(1, 4)).details).toEqual(new Map());
    expect(bench.asked()).toEqual({ full: [], light: [1, 3, 4] });
  });

  test("fields asks only for blocks with events that the handler takes", async () => {
    const details = selecting(["miner"], []);
    const bench = await benchOf({
      ...details,
      accepts: (page, row) => (page.blockNumber[row] as number) > 20 && page.transactionIndex[row] === 2,
    });
    expect([...((await bench.range()).details?.keys() ?? [])]).toEqual([25, 30, 35]);
    expect(bench.asked()).toEqual({ full: [], light: [25, 30, 35, 0, 36, 38] });
  });

  test("fields asks for no header twice, neither for times nor inside the reorg window", async () => {
    const bench = await benchOf(selecting(["miner"], []), { logTimestamps: false }, 30);
    const { headers, page } = await bench.range();
    const { light } = bench.asked();
    expect(light.toSorted((a, b) => a - b)).toEqual(
      Array.from({ length: 39 }, (_, number) => number).filter((n) => n >= 30 || n % 3 === 0 || n % 5 === 0),
    );
    expect([...page.blockTimestamp]).toEqual([...page.blockNumber].map((number) => blockAt(number).timestamp));
    expect(headers).toEqual(
      [chain.blocks[0] as FakeBlock, ...chain.blocks.slice(30, 39)].map(({ number, hash, parentHash, timestamp }) => ({
        number,
        hash,
        parentHash,
        timestamp,
      })),
    );
  });
});

describe("a block that does not fit its logs", () => {
  const swapped = (result: unknown): unknown => {
    const block = result as { transactions: unknown[] };
    return { ...block, transactions: block.transactions.toReversed() };
  };
  const onlyWhole = { when: (calls: readonly { params: readonly unknown[] }[]) => calls[0]?.params[1] === true };

  test("is asked for again, with its logs", async () => {
    const bench = await benchOf(selecting([], ["gasPrice"]));
    bench.node.misbehave({ kind: "result", change: swapped }, { ...onlyWhole, times: 1 });
    expect((await bench.range()).details?.size).toBe(8);
    expect(bench.clock.sleeps).toHaveLength(1);
    expect(bench.node.calls("eth_getLogs")).toBe(2);
  });

  test("ends the fetch when it stays so", async () => {
    const bench = await benchOf(selecting([], ["gasPrice"]));
    bench.node.misbehave({ kind: "result", change: swapped }, onlyWhole);
    const [gold, , last] = blockAt(5).logs;
    await expect(bench.range(1, 9)).rejects.toMatchObject({
      code: "SOURCE_ANSWER_INVALID",
      message: `127.0.0.1:${bench.node.port} contradicts itself: a log of block 5 is of transaction 0, ${gold?.transactionHash}, but the block has ${last?.transactionHash} there`,
    });
    expect(bench.node.calls("eth_getLogs")).toBe(5);
  });

  test("for want of the transaction, or of the block, ends it too", async () => {
    const bench = await benchOf(selecting([], ["gasPrice"]));
    const heal = bench.node.misbehave(
      { kind: "result", change: (block) => ({ ...(block as object), transactions: [] }) },
      onlyWhole,
    );
    await expect(bench.range(1, 9)).rejects.toThrow(
      `a log of block 5 is of transaction 0, ${blockAt(5).logs[0]?.transactionHash}, but the block has no such transaction`,
    );
    heal();
    bench.node.misbehave({ kind: "result", change: () => null }, { method: "eth_getBlockByNumber" });
    await expect(bench.range(1, 9)).rejects.toThrow("it has no block 1, though it is not above its head");
  });

  test("by its hash ends it too", async () => {
    const bench = await benchOf(selecting(["miner"], []));
    const hash = `0x${"12".repeat(32)}`;
    bench.node.misbehave(
      { kind: "result", change: (block) => ({ ...(block as object), hash }) },
      { method: "eth_getBlockByNumber" },
    );
    await expect(bench.range(1, 9)).rejects.toMatchObject({ code: "SOURCE_ANSWER_INVALID" });
  });
});
