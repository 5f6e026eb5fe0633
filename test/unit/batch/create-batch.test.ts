import { describe, expect, test } from "vitest";
import type { Batch } from "../../../src/batch/batch.ts";
import { createBatch, type SliceSupply, splitBatch } from "../../../src/batch/create-batch.ts";
import type { BlockHeader } from "../../../src/chain/block.ts";
import { pageBytesOf } from "../../../src/chain/log-page.ts";
import { RangeBuffer } from "../../../src/fetch/range-buffer.ts";
import { Signal } from "../../../src/lib/signal.ts";
import { sliceOf } from "../../support/store-fixture.ts";

/** A chain's buffer that begins at block 1, with these ranges: the blocks of their events, and where they end. */
function supplyOf(
  chainId: number,
  ranges: readonly (readonly [blocks: readonly number[], toBlock: number])[],
): SliceSupply {
  const buffer = new RangeBuffer(chainId, 1, { items: 1_000, bytes: 1e9 }, new Signal());
  let fromBlock = 1;
  for (const [blocks, toBlock] of ranges) {
    buffer.put(sliceOf({ chainId, blocks, fromBlock, toBlock }).range);
    fromBlock = toBlock + 1;
  }
  return buffer;
}

const batch = (
  supplies: readonly SliceSupply[],
  maxItems = 100,
  { maxBytes = 1e9, ...more }: { firstCheckpoint?: number; maxBytes?: number } = {},
): Batch | undefined =>
  createBatch({
    id: 1,
    firstCheckpoint: 1,
    room: { items: maxItems, bytes: maxBytes },
    supplies,
    shardInsideWindow: false,
    ...more,
  });

const slicesIn = (made: Batch | undefined): unknown =>
  made?.slices.map(({ range, fromRow, toRow, fromBlock, throughBlock }) => [
    range.chainId,
    [fromRow, toRow],
    [fromBlock, throughBlock],
  ]);

function header(number: number): BlockHeader {
  return { number, hash: `0x${number}`, parentHash: `0x${number - 1}`, timestamp: number * 10 };
}

describe("a batch", () => {
  test("is none when nothing was fetched", () => {
    expect(batch([supplyOf(1, []), supplyOf(2, [])])).toBeUndefined();
  });

  test("takes whole blocks up to its size, and the rest next time", () => {
    const supply = supplyOf(1, [[[2, 2, 3, 3, 3, 7], 9]]);
    expect(slicesIn(batch([supply], 4))).toEqual([[1, [0, 2], [1, 2]]]);
    expect(slicesIn(batch([supply], 4))).toEqual([[1, [2, 6], [3, 9]]]);
    expect(batch([supply])).toBeUndefined();
  });

  test("takes whole blocks up to its bytes, over chains, and one at least", () => {
    const supplies = [supplyOf(1, [[[1, 2, 3], 3]]), supplyOf(2, [[[5, 6], 6]])];
    const rowBytes = pageBytesOf(sliceOf({ blocks: [1], toBlock: 1 }).range.page, 1);
    const made = (rows: number): unknown => slicesIn(batch(supplies, 100, { maxBytes: rows * rowBytes }));
    expect(made(4)).toEqual([
      [1, [0, 3], [1, 3]],
      [2, [0, 1], [1, 5]],
    ]);
    expect(made(0.5)).toEqual([[2, [1, 2], [6, 6]]]);
  });

  test("takes a block that is larger than its size, alone", () => {
    const supplies = [supplyOf(1, [[[1, 1, 1, 2], 2]]), supplyOf(2, [[[5], 5]])];
    expect(slicesIn(batch(supplies, 2))).toEqual([[1, [0, 3], [1, 1]]]);
    expect(slicesIn(batch(supplies, 2))).toEqual([
      [1, [3, 4], [2, 2]],
      [2, [0, 1], [1, 5]],
    ]);
  });

  test("lets chains take turns, each chain in its order", () => {
    const supplies = [
      supplyOf(1, [
        [[1], 1],
        [[2], 2],
        [[3], 3],
      ]),
      supplyOf(2, [[[1], 1]]),
    ];
    expect(slicesIn(batch(supplies, 3))).toEqual([
      [1, [0, 1], [1, 1]],
      [2, [0, 1], [1, 1]],
      [1, [0, 1], [2, 2]],
    ]);
  });

  test("carries progress over ranges without events", () => {
    const made = batch([
      supplyOf(1, [
        [[], 5],
        [[], 8],
      ]),
    ]);
    expect(slicesIn(made)).toEqual([
      [1, [0, 0], [1, 5]],
      [1, [0, 0], [6, 8]],
    ]);
    expect(made).toMatchObject({ items: 0, checkpoints: { from: 1, to: 2 } });
    expect(made?.progress).toMatchObject([{ chainId: 1, block: 8, checkpoint: 2, timestamp: undefined }]);
  });

  test("numbers each block with events, and the end of a slice without", () => {
    const made = batch([supplyOf(1, [[[2, 2, 4], 4]]), supplyOf(2, [[[6], 9]])], 100, { firstCheckpoint: 11 });
    expect(made?.checkpoints).toEqual({ from: 11, to: 14 });
    expect(made?.progress.map(({ chainId, block, checkpoint }) => [chainId, block, checkpoint])).toEqual([
      [1, 4, 12],
      [2, 9, 14],
    ]);
  });

  test.each([
    ["final", 5, false],
    ["keep", 4, false],
    ["keep", -1, false],
    ["keep", 5, true],
  ] as const)("is of mode %s when %d is final (another chain inside its window: %s)", (mode, finalized, inside) => {
    const buffer = new RangeBuffer(1, 1, { items: 100, bytes: 1e9 }, new Signal());
    buffer.put(sliceOf({ blocks: [1], fromBlock: 1, toBlock: 5, head: { number: 5, finalized, live: true } }).range);
    const request = {
      id: 1,
      firstCheckpoint: 1,
      room: { items: 9, bytes: 1e9 },
      supplies: [buffer],
      shardInsideWindow: inside,
    };
    expect(createBatch(request)?.mode).toBe(mode);
  });

  test("keeps history as soon as one of its chains is inside its window", () => {
    const supplies = [5, 4].map((finalized, at) => {
      const buffer = new RangeBuffer(at + 1, 1, { items: 100, bytes: 1e9 }, new Signal());
      const head = { number: 5, finalized, live: true };
      buffer.put(sliceOf({ chainId: at + 1, blocks: [1], fromBlock: 1, toBlock: 5, head }).range);
      return buffer;
    });
    expect(
      createBatch({ id: 1, firstCheckpoint: 1, room: { items: 9, bytes: 1e9 }, supplies, shardInsideWindow: false }),
    ).toMatchObject({
      mode: "keep",
      slices: [{ range: { chainId: 1 } }, { range: { chainId: 2 } }],
    });
  });

  test("takes the headers of its own blocks along, and the newest time it knows", () => {
    const { range } = sliceOf({ blocks: [2, 4], fromBlock: 1, toBlock: 9 });
    const buffer = new RangeBuffer(1, 1, { items: 100, bytes: 1e9 }, new Signal());
    buffer.put({ ...range, headers: [2, 3, 4, 9].map(header) });
    expect(batch([buffer], 1)?.progress).toMatchObject([{ block: 2, headers: [header(2)], timestamp: 20 }]);
    expect(batch([buffer], 1)?.progress).toMatchObject([{ block: 9, headers: [3, 4, 9].map(header), timestamp: 90 }]);
    const bare = batch([
      supplyOf(1, [
        [[2], 2],
        [[], 7],
      ]),
    ]);
    expect(bare?.progress).toMatchObject([{ block: 7, timestamp: 20, headers: [] }]);
  });
});

test("addresses come with the blocks that brought them, older ones with the first; what is given back comes again", () => {
  const child = (block: number) => ({ contract: "Pair", address: `0x${block}`, block }) as const;
  const { range } = sliceOf({ blocks: [3, 4, 6], fromBlock: 3, toBlock: 9, children: [1, 4, 5, 9].map(child) });
  const buffer = new RangeBuffer(1, 3, { items: 100, bytes: 1e9 }, new Signal());
  buffer.put(range);
  const whole = batch([buffer]) as Batch;
  const { kept, rest } = splitBatch(whole, 0, 4);
  expect(whole.progress).toMatchObject([{ block: 9, children: [1, 4, 5, 9].map(child) }]);
  expect(kept?.progress).toMatchObject([{ block: 3, children: [child(1)] }]);
  buffer.giveBack(rest);
  expect([buffer.nextBlock, buffer.items]).toEqual([4, 2]);
  expect(batch([buffer], 1)?.progress).toMatchObject([{ block: 4, children: [child(4)] }]);
  expect(batch([buffer], 1)?.progress).toMatchObject([{ block: 9, children: [5, 9].map(child) }]);
});

describe("the leading part of a batch", () => {
  const supplies = (): SliceSupply[] => [supplyOf(1, [[[2, 2, 4, 6], 8]]), supplyOf(2, [[[5], 5]])];
  const whole = (): Batch => batch(supplies()) as Batch;
  const part = (slices: number, beforeBlock: number): unknown => {
    const kept = splitBatch(whole(), slices, beforeBlock).kept;
    return kept && [slicesIn(kept), kept.items, kept.checkpoints, kept.progress.map(({ block }) => block)];
  };

  test("ends before the block that failed", () => {
    expect(part(0, 6)).toEqual([[[1, [0, 3], [1, 5]]], 3, { from: 1, to: 3 }, [5]]);
    expect(part(0, 4)).toEqual([[[1, [0, 2], [1, 3]]], 2, { from: 1, to: 2 }, [3]]);
  });

  test("keeps blocks without events before it", () => {
    expect(part(0, 2)).toEqual([[[1, [0, 0], [1, 1]]], 0, { from: 1, to: 1 }, [1]]);
  });

  test("keeps the slices before", () => {
    expect(part(1, 1)).toEqual([[[1, [0, 4], [1, 8]]], 4, { from: 1, to: 4 }, [8]]);
    expect(part(1, 5)).toEqual([
      [
        [1, [0, 4], [1, 8]],
        [2, [0, 0], [1, 4]],
      ],
      4,
      { from: 1, to: 5 },
      [8, 4],
    ]);
  });

  test("is none when the first block failed", () => {
    expect(part(0, 1)).toBeUndefined();
  });
});
