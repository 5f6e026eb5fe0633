import { describe, expect, onTestFinished, test } from "vitest";
import type { FetchedRange } from "../../../src/batch/batch.ts";
import type { BlockHeader } from "../../../src/chain/block.ts";
import { ChainFetcher, type ChainFetcherOptions } from "../../../src/fetch/chain-fetcher.ts";
import { ChildRegistry } from "../../../src/fetch/child-registry.ts";
import { HeadTracker } from "../../../src/fetch/head-tracker.ts";
import { LogSelection, type SelectedEvent } from "../../../src/fetch/log-selection.ts";
import { RangeBuffer } from "../../../src/fetch/range-buffer.ts";
import { RangeSizer } from "../../../src/fetch/range-sizer.ts";
import { Signal } from "../../../src/lib/signal.ts";
import { ReorgDetected, requireLinked } from "../../../src/reorg/chain-link.ts";
import { createJsonRpcSource } from "../../../src/source/json-rpc-source.ts";
import { type FakeChain, fakeAddress, forkChain, TRANSFER_TOPIC, tokenChain } from "../../support/fake-chain.ts";
import { type FakeNode, type FakeNodeOptions, startFakeNode } from "../../support/fake-node.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { silentTelemetry } from "../../support/silent-telemetry.ts";
import { settled } from "../../support/world/steps.ts";

const POLL_MS = 1_000;
const label = { name: "mainnet", id: 1 };

interface Bench {
  readonly node: FakeNode;
  readonly clock: ManualClock;
  readonly head: HeadTracker;
  readonly buffer: RangeBuffer;
  readonly fetcher: ChainFetcher;
  readonly stop: AbortController;
  /** Takes what the buffer holds, as [first block, last block, blocks of the events]. */
  taken(): [number, number, number[]][];
  ranges(): FetchedRange[];
}

interface BenchInput extends Partial<FakeNodeOptions> {
  readonly selected?: Partial<SelectedEvent>;
  readonly options?: Partial<ChainFetcherOptions>;
  readonly rangeBlocks?: number;
  readonly bufferItems?: number;
  readonly blockLag?: number;
}

/** A fetcher over a node that serves two transfers a block, and five in block 0. */
async function benchOf(input: BenchInput = {}): Promise<Bench> {
  const { selected, options, rangeBlocks = 10, bufferItems = 1_000, blockLag = 0, ...node } = input;
  const fakeNode = await startFakeNode({ chain: tokenChain({ blocks: 40 }), ...node });
  const clock = new ManualClock();
  const stop = new AbortController();
  const source = createJsonRpcSource({
    url: fakeNode.url,
    headers: {},
    timeoutMs: 1e9,
    maxConcurrency: 3,
    retries: { budgetMs: 1_000 },
    clock,
  });
  onTestFinished(async () => {
    stop.abort();
    await source.close();
    await fakeNode.close();
  });
  const event = {
    route: 0,
    label: "Token.Transfer",
    contract: "Token",
    topic: TRANSFER_TOPIC as `0x${string}`,
    topicCount: 3,
    addresses: [fakeAddress(0xee20) as `0x${string}`],
    startBlock: 0,
    endBlock: Number.POSITIVE_INFINITY,
    details: undefined,
    ...selected,
  };
  const selection = new LogSelection([event]);
  const head = new HeadTracker({ maxReorgDepth: 10, blockLag, live: false, finalized: -1, clock });
  const nextBlock = options?.nextBlock ?? selection.startBlock;
  const buffer = new RangeBuffer(1, nextBlock, { items: bufferItems, bytes: 1e9 }, new Signal());
  const fetcher = new ChainFetcher({
    chain: label,
    source,
    selection,
    registry: new ChildRegistry(),
    discovery: undefined,
    head,
    sizer: new RangeSizer(rangeBlocks),
    buffer,
    nextBlock,
    lastHeader: undefined,
    pollIntervalMs: POLL_MS,
    once: true,
    parallel: 3,
    checkLink: requireLinked,
    telemetry: silentTelemetry(clock),
    clock,
    ...options,
  });
  const ranges = (): FetchedRange[] => {
    const all: FetchedRange[] = [];
    for (
      let slice = buffer.take({ items: 1e6, bytes: 1e9 }, true);
      slice !== undefined;
      slice = buffer.take({ items: 1e6, bytes: 1e9 }, true)
    )
      all.push(slice.range);
    return all;
  };
  const taken = (): [number, number, number[]][] =>
    ranges().map(({ fromBlock, toBlock, page }) => [fromBlock, toBlock, [...page.blockNumber]]);
  return { node: fakeNode, clock, head, buffer, fetcher, stop, taken, ranges };
}

/** Lets requests come and go until `condition` holds. */
async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; !condition(); turn++) {
    if (turn > 100_000) throw new Error("it does not come to that");
    await settled();
  }
}

const headerOf = (chain: FakeChain, number: number): BlockHeader => {
  const { hash, parentHash, timestamp } = chain.blocks[number] as FakeChain["blocks"][number];
  return { number, hash: hash as `0x${string}`, parentHash: parentHash as `0x${string}`, timestamp };
};

const twice = (from: number, to: number): number[] =>
  Array.from({ length: (to - from + 1) * 2 }, (_, i) => from + Math.floor(i / 2));

describe("fetching once", () => {
  test("brings every range up to the head in order, then ends", async () => {
    const { fetcher, buffer, taken, stop } = await benchOf({ head: 24 });
    await fetcher.run(stop.signal);
    expect([buffer.isEnded, fetcher.fetched]).toEqual([true, 24]);
    expect(taken()).toEqual([
      [0, 9, [0, 0, 0, 0, 0, ...twice(1, 9)]],
      [10, 19, twice(10, 19)],
      [20, 24, twice(20, 24)],
    ]);
  });

  test("does not follow a head that moves meanwhile", async () => {
    const { fetcher, node, taken, stop } = await benchOf({ head: 24 });
    const change = (result: unknown): unknown => {
      node.setHead(30);
      return result;
    };
    node.misbehave({ kind: "result", change }, { method: "eth_getLogs" });
    await fetcher.run(stop.signal);
    expect(taken().map(([, to]) => to)).toEqual([9, 19, 24]);
  });

  test("begins and ends where events are wanted, and where it was left", async () => {
    const bench = await benchOf({ selected: { startBlock: 5, endBlock: 12 } });
    await bench.fetcher.run(bench.stop.signal);
    expect(bench.taken()).toEqual([[5, 12, twice(5, 12)]]);
    const resumed = await benchOf({ head: 20, options: { nextBlock: 18 } });
    await resumed.fetcher.run(resumed.stop.signal);
    expect(resumed.taken()).toEqual([[18, 20, twice(18, 20)]]);
  });

  test("is over at once when everything was fetched before", async () => {
    const { fetcher, buffer, stop, taken, node } = await benchOf({ head: 20, options: { nextBlock: 21 } });
    await fetcher.run(stop.signal);
    expect([buffer.isEnded, taken(), node.calls("eth_getLogs")]).toEqual([true, [], 0]);
  });

  test("stays behind the head by the lag", async () => {
    const { fetcher, stop } = await benchOf({ head: 20, blockLag: 6 });
    await fetcher.run(stop.signal);
    expect(fetcher.fetched).toBe(14);
  });
});

describe("a range", () => {
  test("has the times of its events, also when the node does not give them with logs", async () => {
    const { fetcher, stop, ranges } = await benchOf({ head: 3, logTimestamps: false });
    await fetcher.run(stop.signal);
    const [range] = ranges();
    const times = [...(range?.page.blockNumber ?? [])].map((block) => 1_700_000_000 + 12 * block);
    expect([...(range?.page.blockTimestamp ?? [])]).toEqual(times);
  });

  test("has the headers of its ends, of the last final block and of all after it", async () => {
    const { fetcher, stop, ranges, node } = await benchOf({ head: 24, finalized: 16 });
    const chain = tokenChain({ blocks: 40 });
    await fetcher.run(stop.signal);
    const numbers = [
      [0, 9],
      [10, 16, 17, 18, 19],
      [20, 21, 22, 23, 24],
    ];
    const all = ranges();
    expect(all.map(({ headers }) => headers)).toEqual(numbers.map((of) => of.map((n) => headerOf(chain, n))));
    expect(all.map(({ head }) => head)).toEqual(Array(3).fill({ number: 24, finalized: 16, live: false }));
    expect(node.calls("eth_getLogs")).toBe(3);
  });

  test("is smaller where the node refuses it, and what is left of it follows", async () => {
    const { fetcher, stop, taken, node } = await benchOf({ head: 24, rangeBlocks: 20 });
    node.limitRange({ maxBlocks: 6 });
    await fetcher.run(stop.signal);
    const ranges = taken();
    expect(Math.max(...ranges.map(([from, to]) => to - from + 1))).toBeLessThanOrEqual(6);
    expect(ranges.flatMap(([, , blocks]) => blocks)).toEqual([0, 0, 0, 0, 0, ...twice(1, 24)]);
  });

  test("is asked for again while the node contradicts itself", async () => {
    const { fetcher, clock, stop, taken, node } = await benchOf({ head: 9 });
    const otherHash = `0x${"ee".repeat(32)}`;
    const change = (result: unknown): unknown =>
      (result as { blockHash: string }[]).map((log) => ({ ...log, blockHash: otherHash }));
    node.misbehave({ kind: "result", change }, { method: "eth_getLogs", times: 2 });
    const run = fetcher.run(stop.signal);
    await until(() => {
      clock.advance(100);
      return fetcher.fetched === 9;
    });
    await run;
    expect(taken()).toEqual([[0, 9, [0, 0, 0, 0, 0, ...twice(1, 9)]]]);
    expect(node.calls("eth_getLogs")).toBe(3);
  });

  test("that never fits together ends the fetch with the contradiction", async () => {
    const { fetcher, clock, stop, node } = await benchOf({ head: 9, finalized: 9 });
    const change = (result: unknown): unknown => ({
      ...(result as object),
      ...((result as { number: string }).number === "0x9" ? { timestamp: "0x1" } : {}),
    });
    const isRange = (calls: readonly { readonly params: readonly unknown[] }[]): boolean =>
      calls.some(({ params }) => params[0] === "0x9");
    node.misbehave({ kind: "result", change }, { method: "eth_getBlockByNumber", when: isRange });
    let ended: unknown;
    fetcher.run(stop.signal).catch((error: unknown) => {
      ended = error;
    });
    await until(() => {
      clock.advance(1_000);
      return ended !== undefined;
    });
    expect(ended).toMatchObject({ code: "SOURCE_ANSWER_INVALID" });
    expect((ended as Error).message).toContain("logs of block 9 are of second 1700000108, its header of 1");
  });
});

describe("following the head", () => {
  test("asks for it now and then, and brings new blocks", async () => {
    const { fetcher, buffer, head, clock, node, stop, taken } = await benchOf({ head: 9, options: { once: false } });
    const run = fetcher.run(stop.signal);
    await until(() => buffer.isAtHead);
    expect([head.live, fetcher.fetched]).toEqual([true, 9]);
    node.setHead(11);
    clock.advance(POLL_MS - 1);
    await settled();
    expect(fetcher.fetched).toBe(9);
    clock.advance(1);
    await until(() => fetcher.fetched === 11 && buffer.isAtHead);
    expect(taken().map(([from, to]) => [from, to])).toEqual([
      [0, 9],
      [10, 11],
    ]);
    stop.abort();
    await run;
    expect(buffer.isEnded).toBe(false);
  });

  test("ends at the last block that is wanted", async () => {
    const { fetcher, buffer, clock, node, stop } = await benchOf({
      head: 9,
      options: { once: false },
      selected: { endBlock: 15 },
    });
    const run = fetcher.run(stop.signal);
    await until(() => buffer.isAtHead);
    node.setHead(30);
    clock.advance(POLL_MS);
    await run;
    expect([buffer.isEnded, fetcher.fetched]).toEqual([true, 15]);
  });

  test("finds that a block was replaced: by the parent of the next, or at its height", async () => {
    for (const forkAt of [8, 9]) {
      const { fetcher, buffer, clock, node, stop } = await benchOf({ head: 9, options: { once: false } });
      const run = fetcher.run(stop.signal);
      const failed = expect(run).rejects.toBeInstanceOf(ReorgDetected);
      await until(() => buffer.isAtHead);
      const fork = forkChain(tokenChain({ blocks: 40 }), 8, { blocks: 3 });
      node.setChain(fork, forkAt === 8 ? 9 : 11);
      clock.advance(POLL_MS);
      await failed;
      const known = headerOf(tokenChain({ blocks: 40 }), 9);
      await expect(run).rejects.toMatchObject({ link: { known, found: headerOf(fork, forkAt === 8 ? 9 : 10) } });
    }
  });
});

describe("a full buffer", () => {
  test("holds fetching back until something is taken", async () => {
    const { fetcher, buffer, node, stop, taken } = await benchOf({ head: 39, bufferItems: 30, rangeBlocks: 5 });
    const run = fetcher.run(stop.signal);
    await until(() => buffer.isFull);
    for (let i = 0; i < 20; i++) await settled();
    const asked = node.calls("eth_getLogs");
    // What was under way when it became full still comes.
    expect(fetcher.fetched).toBeLessThan(39);
    const blocks: number[] = [];
    await until(() => {
      blocks.push(...taken().flatMap(([, , of]) => of));
      return fetcher.fetched === 39;
    });
    await run;
    blocks.push(...taken().flatMap(([, , of]) => of));
    expect(blocks).toEqual([0, 0, 0, 0, 0, ...twice(1, 39)]);
    expect(asked).toBeLessThan(8);
    expect(node.calls("eth_getLogs")).toBe(8);
  });
});

test("stopping ends the fetch without an error, whatever it waits for", async () => {
  const full = await benchOf({ bufferItems: 1 });
  const waiting = full.fetcher.run(full.stop.signal);
  await until(() => full.buffer.isFull);
  full.stop.abort();
  await waiting;
  const hanging = await benchOf();
  hanging.node.misbehave({ kind: "hang" }, { method: "eth_getLogs" });
  const run = hanging.fetcher.run(hanging.stop.signal);
  await until(() => hanging.node.calls("eth_getLogs") > 0);
  hanging.stop.abort();
  await run;
  expect([full.buffer.isEnded, hanging.buffer.isEnded]).toEqual([false, false]);
});
