import { describe, expect, test } from "vitest";
import {
  eventIdOf,
  MAX_BLOCK_NUMBER,
  MAX_LOG_INDEX,
  MAX_SUB_INDEX,
  partsOfEventId,
} from "../../../src/chain/event-id.ts";

describe("eventIdOf", () => {
  test("packs block, log index and sub-index as documented: stored ids must not change", () => {
    expect(eventIdOf(0, 0)).toBe(0n);
    expect(eventIdOf(1, 0)).toBe(1n << 28n);
    expect(eventIdOf(0, 1)).toBe(1n << 10n);
    expect(eventIdOf(0, 0, 1)).toBe(1n);
    expect(eventIdOf(17_686_110, 731, 3)).toBe((17_686_110n << 28n) | (731n << 10n) | 3n);
  });

  test("the largest id is the largest int8 of PostgreSQL", () => {
    const largest = eventIdOf(MAX_BLOCK_NUMBER, MAX_LOG_INDEX, MAX_SUB_INDEX);
    expect(largest).toBe(2n ** 63n - 1n);
    expect(partsOfEventId(largest)).toEqual({
      block: MAX_BLOCK_NUMBER,
      logIndex: MAX_LOG_INDEX,
      subIndex: MAX_SUB_INDEX,
    });
  });

  test.each([
    [-1, 0, 0, "event id: the block number -1 is not an integer from 0 to 34359738367"],
    [MAX_BLOCK_NUMBER + 1, 0, 0, "event id: the block number 34359738368 is not an integer from 0 to 34359738367"],
    [1.5, 0, 0, "event id: the block number 1.5 is not an integer from 0 to 34359738367"],
    [Number.NaN, 0, 0, "event id: the block number NaN is not an integer from 0 to 34359738367"],
    [0, MAX_LOG_INDEX + 1, 0, "event id: the log index 262144 is not an integer from 0 to 262143"],
    [0, 0, MAX_SUB_INDEX + 1, "event id: the sub-index 1024 is not an integer from 0 to 1023"],
    [0, 0, -1, "event id: the sub-index -1 is not an integer from 0 to 1023"],
  ])("refuses (%d, %d, %d)", (block, logIndex, subIndex, message) => {
    expect(() => eventIdOf(block, logIndex, subIndex)).toThrow(new RangeError(message));
  });
});
