import { expect, test } from "vitest";
import { LoopAccount } from "../../../src/instrument/loop-account.ts";
import { LOOP_STATES } from "../../../src/instrument/names.ts";
import { HandlerWaits } from "../../../src/process/handler-waits.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { settled } from "../../support/world/steps.ts";

function benchOf() {
  const loop = new LoopAccount(new ManualClock(), LOOP_STATES.process, "handlers");
  const waits = new HandlerWaits(loop);
  const begin = (what: "reads" | "effects") => {
    const { promise, resolve } = Promise.withResolvers<void>();
    waits.during(what, () => promise).catch(() => {});
    return async () => {
      resolve();
      await settled();
    };
  };
  return { loop, begin };
}

test("the processing loop is in `effects` while only effects are awaited, in `reads` while a read is", async () => {
  const { loop, begin } = benchOf();
  const effect = begin("effects");
  expect(loop.state).toBe("effects");
  const read = begin("reads");
  expect(loop.state).toBe("reads");
  await read();
  expect(loop.state).toBe("effects");
  await effect();
  expect(loop.state).toBe("handlers");
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
