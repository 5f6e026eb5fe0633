import { describe, expect, test } from "vitest";
import type { BatchRoom } from "../../../src/batch/create-batch.ts";
import { pageBytesOf } from "../../../src/chain/log-page.ts";
import { RangeBuffer } from "../../../src/fetch/range-buffer.ts";
import { Signal } from "../../../src/lib/signal.ts";
import { sliceOf } from "../../support/store-fixture.ts";
import { settled } from "../../support/world/steps.ts";

const range = (
  fromBlock: number,
  toBlock: number,
  blocks: readonly number[] = [],
): ReturnType<typeof sliceOf>["range"] => sliceOf({ blocks, fromBlock, toBlock }).range;

/** Whether the signal is given while `action` runs. */
async function isNotified(signal: Signal, action: () => void): Promise<boolean> {
  let notified = false;
  const next = signal.next().then(() => {
    notified = true;
  });
  action();
  await Promise.race([next, settled()]);
  return notified;
}

const upTo = (items: number): BatchRoom => ({ items, bytes: 1e9 });

describe("a range buffer", () => {
  test("takes ranges in order only", () => {
    const buffer = new RangeBuffer(1, 5, upTo(10), new Signal());
    expect(() => buffer.put(range(6, 7))).toThrow("chain 1: block 5 is next, not 6");
    buffer.put(range(5, 7));
    expect(() => buffer.put(range(7, 9))).toThrow("chain 1: block 8 is next, not 7");
    buffer.put(range(8, 8));
    buffer.take(upTo(100), true);
    buffer.take(upTo(100), true);
    expect(() => buffer.put(range(8, 9))).toThrow("chain 1: block 9 is next, not 8");
  });

  test("is full at its number of events, and no more once some were taken", () => {
    const buffer = new RangeBuffer(1, 1, upTo(3), new Signal());
    buffer.put(range(1, 4, [1, 2]));
    expect([buffer.items, buffer.isFull]).toEqual([2, false]);
    buffer.put(range(5, 9, [5, 6]));
    expect([buffer.items, buffer.isFull]).toEqual([4, true]);
    buffer.take(upTo(1), true);
    expect([buffer.items, buffer.isFull]).toEqual([3, true]);
    buffer.take(upTo(1), true);
    expect([buffer.items, buffer.isFull, buffer.isEmpty]).toEqual([2, false, false]);
    buffer.take(upTo(9), true);
    expect([buffer.items, buffer.isEmpty]).toEqual([0, true]);
  });

  test("is full with many ranges without events, too", () => {
    const buffer = new RangeBuffer(1, 0, upTo(1), new Signal());
    for (let block = 0; !buffer.isFull; block++) {
      expect(block).toBeLessThan(1_000);
      buffer.put(range(block, block));
    }
    expect(buffer.items).toBe(0);
  });

  test("is full at its bytes, however few the events are", () => {
    const { page } = range(1, 4, [1, 2]);
    const buffer = new RangeBuffer(1, 1, { items: 100, bytes: pageBytesOf(page, 2) + 1 }, new Signal());
    buffer.put(range(1, 4, [1, 2]));
    expect(buffer.isFull).toBe(false);
    buffer.put(range(5, 9, [5]));
    expect(buffer.isFull).toBe(true);
  });

  test("gives whole blocks up to so many bytes, one at least where it must", () => {
    const buffer = new RangeBuffer(1, 1, upTo(10), new Signal());
    const { page } = range(1, 9, [3, 3, 4, 5]);
    buffer.put(range(1, 9, [3, 3, 4, 5]));
    const take = (rows: number, atLeastOne: boolean): unknown => {
      const slice = buffer.take({ items: 100, bytes: pageBytesOf(page, rows) }, atLeastOne);
      return slice && [slice.fromRow, slice.toRow, slice.throughBlock];
    };
    expect(take(1, false)).toBeUndefined();
    expect(take(1, true)).toEqual([0, 2, 3]);
    expect(take(1, false)).toEqual([2, 3, 4]);
    expect(take(9, false)).toEqual([3, 4, 9]);
  });

  test("gives nothing where no whole block fits, unless it must", () => {
    const buffer = new RangeBuffer(1, 1, upTo(10), new Signal());
    buffer.put(range(1, 5, [3, 3, 4]));
    expect(buffer.take(upTo(1), false)).toBeUndefined();
    expect(buffer.take(upTo(1), true)).toMatchObject({ fromRow: 0, toRow: 2, fromBlock: 1, throughBlock: 3 });
    expect(buffer.take(upTo(1), false)).toMatchObject({ fromRow: 2, toRow: 3, fromBlock: 4, throughBlock: 5 });
    expect(buffer.take(upTo(1), true)).toBeUndefined();
  });

  test("wakes processing when a range comes and when it ends, and fetching when something was taken", async () => {
    const arrived = new Signal();
    const buffer = new RangeBuffer(1, 1, upTo(10), arrived);
    expect(await isNotified(arrived, () => buffer.put(range(1, 2)))).toBe(true);
    expect(await isNotified(buffer.changed, () => buffer.take(upTo(1), true))).toBe(true);
    expect([buffer.isEnded, await isNotified(arrived, () => buffer.end()), buffer.isEnded]).toEqual([
      false,
      true,
      true,
    ]);
  });
});
