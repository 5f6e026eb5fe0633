import { describe, expect, test } from "vitest";
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

describe("a range buffer", () => {
  test("takes ranges in order only", () => {
    const buffer = new RangeBuffer(1, 5, 10, new Signal());
    expect(() => buffer.put(range(6, 7))).toThrow("chain 1: block 5 is next, not 6");
    buffer.put(range(5, 7));
    expect(() => buffer.put(range(7, 9))).toThrow("chain 1: block 8 is next, not 7");
    buffer.put(range(8, 8));
    buffer.take(100, true);
    buffer.take(100, true);
    expect(() => buffer.put(range(8, 9))).toThrow("chain 1: block 9 is next, not 8");
  });

  test("is full at its number of events, and no more once some were taken", () => {
    const buffer = new RangeBuffer(1, 1, 3, new Signal());
    buffer.put(range(1, 4, [1, 2]));
    expect([buffer.items, buffer.isFull]).toEqual([2, false]);
    buffer.put(range(5, 9, [5, 6]));
    expect([buffer.items, buffer.isFull]).toEqual([4, true]);
    buffer.take(1, true);
    expect([buffer.items, buffer.isFull]).toEqual([3, true]);
    buffer.take(1, true);
    expect([buffer.items, buffer.isFull, buffer.isEmpty]).toEqual([2, false, false]);
    buffer.take(9, true);
    expect([buffer.items, buffer.isEmpty]).toEqual([0, true]);
  });

  test("is full with many ranges without events, too", () => {
    const buffer = new RangeBuffer(1, 0, 1, new Signal());
    for (let block = 0; !buffer.isFull; block++) {
      expect(block).toBeLessThan(1_000);
      buffer.put(range(block, block));
    }
    expect(buffer.items).toBe(0);
  });

  test("gives nothing where no whole block fits, unless it must", () => {
    const buffer = new RangeBuffer(1, 1, 10, new Signal());
    buffer.put(range(1, 5, [3, 3, 4]));
    expect(buffer.take(1, false)).toBeUndefined();
    expect(buffer.take(1, true)).toMatchObject({ fromRow: 0, toRow: 2, fromBlock: 1, throughBlock: 3 });
    expect(buffer.take(1, false)).toMatchObject({ fromRow: 2, toRow: 3, fromBlock: 4, throughBlock: 5 });
    expect(buffer.take(1, true)).toBeUndefined();
  });

  test("wakes processing when a range comes and when it ends, and fetching when something was taken", async () => {
    const arrived = new Signal();
    const buffer = new RangeBuffer(1, 1, 10, arrived);
    expect(await isNotified(arrived, () => buffer.put(range(1, 2)))).toBe(true);
    expect(await isNotified(buffer.changed, () => buffer.take(1, true))).toBe(true);
    expect([buffer.isEnded, await isNotified(arrived, () => buffer.end()), buffer.isEnded]).toEqual([
      false,
      true,
      true,
    ]);
  });
});
