import fc from "fast-check";
import { expect, test } from "vitest";
import { LoopAccount } from "../../../src/instrument/loop-account.ts";
import { ManualClock } from "../../support/manual-clock.ts";

const STATES = ["idle", "write", "sql_commit"] as const;

test("the parts of a loop's time sum to the wall time", () => {
  const step = fc.record({ state: fc.constantFrom(...STATES), ms: fc.integer({ min: 0, max: 5000 }) });
  fc.assert(
    fc.property(fc.array(step), (steps) => {
      const clock = new ManualClock(0);
      const account = new LoopAccount(clock, STATES, "idle");
      const expected = { idle: 0, write: 0, sql_commit: 0 };
      let state: (typeof STATES)[number] = "idle";
      for (const { state: next, ms } of steps) {
        expect(account.enter(next)).toBe(state);
        state = next;
        clock.advance(ms);
        expected[state] += ms;
      }
      expect(account.state).toBe(state);
      const seconds = Object.fromEntries(account.seconds());
      for (const name of STATES) expect(seconds[name]).toBeCloseTo(expected[name] / 1000, 6);
      const sum = Object.values(seconds).reduce((total, part) => total + part, 0);
      expect(sum).toBeCloseTo(clock.now() / 1000, 6);
    }),
  );
});

test("the time of the state that lasts is in the account", () => {
  const clock = new ManualClock(0);
  const account = new LoopAccount(clock, STATES, "idle");
  clock.advance(1500);
  expect([...account.seconds()]).toEqual([
    ["idle", 1.5],
    ["write", 0],
    ["sql_commit", 0],
  ]);
  clock.advance(500);
  expect(account.seconds().get("idle")).toBe(2);
});
