import { describe, expect, test } from "vitest";
import { HeadTracker } from "../../../src/fetch/head-tracker.ts";
import { ManualClock } from "../../support/manual-clock.ts";

function tracker(more: { maxReorgDepth?: number; blockLag?: number; finalized?: number; live?: boolean } = {}) {
  const clock = new ManualClock(1_000_000);
  const head = new HeadTracker({ maxReorgDepth: 64, blockLag: 0, live: false, finalized: -1, clock, ...more });
  return { head, clock };
}
const NO_END = Number.POSITIVE_INFINITY;

describe("the head", () => {
  test("is unknown at first, and never falls", () => {
    const { head, clock } = tracker();
    expect([head.head, head.finalized, head.advancedAt, head.live]).toEqual([-1, -1, undefined, false]);
    head.observe(100, 90);
    clock.advance(10);
    head.observe(99, 80);
    expect(head.chainHead).toEqual({ number: 100, finalized: 90, live: false });
    expect(head.advancedAt).toBe(1_000_000);
  });

  test("is final up to what the node says, else up to the depth of the deepest reorg", () => {
    const { head } = tracker({ maxReorgDepth: 10 });
    head.observe(100, undefined);
    expect(head.finalized).toBe(90);
    head.observe(101, 95);
    expect(head.finalized).toBe(95);
    head.observe(103, undefined);
    expect(head.finalized).toBe(95);
  });

  test("cannot be final above itself", () => {
    const { head } = tracker();
    head.observe(100, 500);
    expect(head.finalized).toBe(100);
  });

  test("keeps what was final before the start", () => {
    const { head } = tracker({ finalized: 70, live: true });
    head.observe(100, 60);
    expect(head.chainHead).toEqual({ number: 100, finalized: 70, live: true });
  });

  test("is followed with the lag that is asked for", () => {
    const { head } = tracker({ blockLag: 5 });
    head.observe(100, 90);
    expect(head.target).toBe(95);
  });

  test("makes the chain live once it was reached", () => {
    const { head } = tracker();
    head.reachedHead();
    expect(head.live).toBe(true);
  });
});

describe("the commit lag", () => {
  test("is the age of the oldest block that was seen and is not durable", () => {
    const { head, clock } = tracker();
    head.observe(100, 90);
    clock.advance(2_000);
    head.observe(101, 90);
    clock.advance(3_000);
    expect(head.commitLagSeconds(99, NO_END)).toBe(5);
    expect(head.commitLagSeconds(100, NO_END)).toBe(3);
    expect(head.commitLagSeconds(101, NO_END)).toBe(0);
  });

  test("leaves out blocks that are not due: behind the lag, or after the end", () => {
    const { head, clock } = tracker({ blockLag: 5 });
    head.observe(100, 90);
    clock.advance(1_000);
    expect(head.commitLagSeconds(95, NO_END)).toBe(0);
    expect(head.commitLagSeconds(94, NO_END)).toBe(1);
    expect(head.commitLagSeconds(50, 50)).toBe(0);
  });

  test("is none before a head was seen", () => {
    expect(tracker().head.commitLagSeconds(0, NO_END)).toBe(0);
  });
});

describe("the time to durable", () => {
  test("of each head that was seen live is told once, from when it became due", () => {
    const { head, clock } = tracker({ live: true, blockLag: 1 });
    for (const number of [100, 101, 103]) {
      head.observe(number, undefined);
      clock.advance(1_000);
    }
    // Block 100 became due with the head 101.
    expect(head.durable(98)).toEqual([]);
    expect(head.durable(100)).toEqual([3, 2]);
    expect(head.durable(100)).toEqual([]);
    clock.advance(500);
    expect(head.durable(102)).toEqual([1.5]);
    expect(head.commitLagSeconds(102, NO_END)).toBe(0);
  });

  test("of heads that were seen in the backfill is not: they waited for the chain, not for us", () => {
    const { head, clock } = tracker();
    head.observe(100, undefined);
    clock.advance(3_600_000);
    head.reachedHead();
    head.observe(101, undefined);
    clock.advance(1_000);
    expect(head.durable(101)).toEqual([1]);
  });
});
