import { expect, test } from "vitest";
import { LoopAccount } from "../../../src/instrument/loop-account.ts";
import { LOOP_STATES } from "../../../src/instrument/names.ts";
import type { WaitStart } from "../../../src/instrument/telemetry.ts";
import { HandlerWaits } from "../../../src/process/handler-waits.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { settled } from "../../support/world/steps.ts";

function benchOf() {
  const clock = new ManualClock();
  const loop = new LoopAccount(clock, LOOP_STATES.process, "handlers");
  const open: string[] = [];
  const waiting = ({ what }: WaitStart) => {
    open.push(what);
    return { end: () => void open.splice(open.indexOf(what), 1) };
  };
  const waits = new HandlerWaits({ processLoop: loop, waiting });
  const begin = (state: "reads" | "effects", what = "account") => {
    const { promise, resolve } = Promise.withResolvers<void>();
    waits.during({ state, what }, () => promise).catch(() => {});
    return async () => {
      resolve();
      await settled();
    };
  };
  return { loop, clock, open, begin };
}

test("the processing loop is in `effects` while an effect is awaited, in `reads` while only reads are", async () => {
  const { loop, clock, begin } = benchOf();
  const read = begin("reads");
  expect(loop.state).toBe("reads");
  clock.advance(100);
  const effect = begin("effects");
  expect(loop.state).toBe("effects");
  clock.advance(1_000);
  await effect();
  expect(loop.state).toBe("reads");
  clock.advance(10);
  await read();
  expect(loop.state).toBe("handlers");
  clock.advance(1);
  expect(Object.fromEntries(loop.seconds())).toMatchObject({ reads: 0.11, effects: 1, handlers: 0.001 });
});

test("what is waited for is open for as long as it is, whether it fails or not", async () => {
  const { open, begin } = benchOf();
  const [first, second] = [begin("reads", "account"), begin("effects", "price")];
  expect(open).toEqual(["account", "price"]);
  await first();
  expect(open).toEqual(["price"]);
  await second();
  expect(open).toEqual([]);
});

test("reads that overlap leave the state in which the first began, in whatever order they end", async () => {
  const { loop, begin } = benchOf();
  const [first, second] = [begin("reads"), begin("reads")];
  await first();
  expect(loop.state).toBe("reads");
  await second();
  expect(loop.state).toBe("handlers");
});

test("a loop that has gone on is not taken back", async () => {
  const { loop, begin } = benchOf();
  const effect = begin("effects");
  loop.enter("other");
  await effect();
  expect(loop.state).toBe("other");
});
