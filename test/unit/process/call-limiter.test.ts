import { describe, expect, test } from "vitest";
import { CallLimiter } from "../../../src/process/call-limiter.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { settled } from "../../support/world/steps.ts";

interface Bench {
  readonly clock: ManualClock;
  readonly limiter: CallLimiter;
  /** Numbers of the calls that have begun. */
  readonly begun: number[];
  /** Asks for a call; it ends when it is told to. */
  ask(): { end(): void };
}

function benchOf(limits: ConstructorParameters<typeof CallLimiter>[0]): Bench {
  const clock = new ManualClock();
  const limiter = new CallLimiter(limits, clock);
  const begun: number[] = [];
  let asked = 0;
  return {
    clock,
    limiter,
    begun,
    ask: () => {
      const number = ++asked;
      const { promise, resolve } = Promise.withResolvers<void>();
      limiter
        .run(async () => {
          begun.push(number);
          await promise;
        })
        .catch(() => {});
      return { end: resolve };
    },
  };
}

describe("calls of an effect", () => {
  test("begin at once when there is no limit", async () => {
    const { ask, begun } = benchOf({ rateLimit: false, concurrency: 100 });
    for (let i = 0; i < 3; i++) ask();
    await settled();
    expect(begun).toEqual([1, 2, 3]);
  });

  test("are no more at once than its concurrency, in the order in which they were asked for", async () => {
    const { ask, begun, limiter } = benchOf({ rateLimit: false, concurrency: 2 });
    const [first] = [ask(), ask(), ask(), ask()];
    await settled();
    expect([begun, limiter.waiting]).toEqual([[1, 2], 2]);
    first?.end();
    await settled();
    expect([begun, limiter.waiting]).toEqual([[1, 2, 3], 1]);
  });

  test("are no more in any interval than its rate", async () => {
    const { ask, begun, clock, limiter } = benchOf({ rateLimit: { calls: 2, perMs: 1000 }, concurrency: 100 });
    ask();
    await settled();
    clock.advance(600);
    for (let i = 0; i < 4; i++) ask();
    await settled();
    expect([begun, limiter.waiting]).toEqual([[1, 2], 3]);
    clock.advance(399);
    await settled();
    expect(begun).toEqual([1, 2]);
    // A second after the first call; the next one is due a second after the second.
    clock.advance(1);
    await settled();
    expect(begun).toEqual([1, 2, 3]);
    clock.advance(600);
    await settled();
    expect(begun).toEqual([1, 2, 3, 4]);
    clock.advance(1000);
    await settled();
    expect([begun, limiter.waiting]).toEqual([[1, 2, 3, 4, 5], 0]);
  });

  test("that fail make room for the next", async () => {
    const { limiter } = benchOf({ rateLimit: false, concurrency: 1 });
    await expect(limiter.run(() => Promise.reject(new Error("no")))).rejects.toThrow("no");
    expect(await limiter.run(async () => 5)).toBe(5);
  });
});
