import { expect, test } from "vitest";
import { SyncPace } from "../../../src/indexer/sync-pace.ts";
import { ManualClock } from "../../support/manual-clock.ts";

function pace(): { clock: ManualClock; eta: (left: number, afterMs?: number) => number | undefined } {
  const clock = new ManualClock();
  const sync = new SyncPace(clock);
  const eta = (left: number, afterMs = 0): number | undefined => {
    clock.advance(afterMs);
    return sync.etaSeconds(left);
  };
  return { clock, eta };
}

test("too early nothing is said; then by the pace at which less and less was left", () => {
  const { eta } = pace();
  expect(eta(10_000)).toBeUndefined();
  expect(eta(9_990, 5_000)).toBeUndefined();
  expect(eta(9_900, 5_000)).toBe(990);
});

test("the pace is that of the last minutes, not of the whole life", () => {
  const { eta } = pace();
  eta(100_000);
  for (let left = 90_000; left >= 50_000; left -= 10_000) eta(left, 10_000);
  for (let step = 0; step < 60; step++) eta(50_000 - step * 10, 10_000);
  expect(eta(49_400, 10_000)).toBe(49_400);
});

test("nothing is left: 0; no progress, or more left than before: never", () => {
  const { eta } = pace();
  eta(100);
  expect(eta(100, 60_000)).toBe(Number.POSITIVE_INFINITY);
  expect(eta(200, 60_000)).toBe(Number.POSITIVE_INFINITY);
  expect(eta(0, 1)).toBe(0);
});

test("asking often keeps few samples, and says the same", () => {
  const { eta } = pace();
  eta(100_000);
  let last: number | undefined;
  for (let ms = 100; ms <= 600_000; ms += 100) last = eta(100_000 - ms / 10, 100);
  expect(last).toBeCloseTo(400, 0);
});
