import fc from "fast-check";
import { expect, test } from "vitest";
import { eventIdOf, MAX_BLOCK_NUMBER, MAX_LOG_INDEX, MAX_SUB_INDEX, partsOfEventId } from "../../src/chain/event-id.ts";

const parts = fc.record({
  block: fc.oneof(
    fc.nat({ max: 40 }),
    fc.maxSafeNat().map((value) => value % (MAX_BLOCK_NUMBER + 1)),
  ),
  logIndex: fc.nat({ max: MAX_LOG_INDEX }),
  subIndex: fc.nat({ max: MAX_SUB_INDEX }),
});

test("an event id gives its parts back", () => {
  fc.assert(
    fc.property(parts, (given) => {
      expect(partsOfEventId(eventIdOf(given.block, given.logIndex, given.subIndex))).toEqual(given);
    }),
  );
});

test("event ids sort in chain order", () => {
  fc.assert(
    fc.property(parts, parts, (a, b) => {
      const order = a.block - b.block || a.logIndex - b.logIndex || a.subIndex - b.subIndex;
      const difference = eventIdOf(a.block, a.logIndex, a.subIndex) - eventIdOf(b.block, b.logIndex, b.subIndex);
      expect(Math.sign(Number(difference))).toBe(Math.sign(order));
    }),
  );
});
