import { describe, expect, test } from "vitest";
import { HeadTracker } from "../../../src/fetch/head-tracker.ts";
import { wasLive } from "../../../src/indexer/resumed-chain.ts";
import type { ChainResume } from "../../../src/postgres/resume.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const stored = (live: boolean): ChainResume => ({
  chainId: 1,
  block: 10,
  timestamp: undefined,
  checkpoint: 3,
  live,
  finalized: 5,
  floor: 5,
  children: [],
  headers: [],
});

function laneOf(id: number, live: boolean): Parameters<typeof wasLive>[2] {
  const head = new HeadTracker({ maxReorgDepth: 5, blockLag: 0, live, finalized: -1, clock: new ManualClock() });
  return [{ label: { name: "one", id }, head }];
}

describe("a chain that was live once stays it", () => {
  test("as the database says", () => {
    expect([wasLive([stored(true)], 1), wasLive([stored(false)], 1), wasLive([], 1)]).toEqual([true, false, false]);
    expect(wasLive([stored(true)], 2)).toBe(false);
  });

  test("as the session before a reorg knew, when the database does not know it yet", () => {
    expect(wasLive([stored(false)], 1, laneOf(1, true))).toBe(true);
    expect(wasLive([], 1, laneOf(1, true))).toBe(true);
    expect([wasLive([stored(false)], 1, laneOf(1, false)), wasLive([], 1, laneOf(2, true))]).toEqual([false, false]);
  });
});
