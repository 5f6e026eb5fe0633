import { beforeEach, describe, expect, test } from "vitest";
import { effectDefinitionOf } from "../../../src/config/effect.ts";
import type { EffectContext, EffectOptions } from "../../../src/index.ts";
import { createEffect, type Effect, SpindexError, t } from "../../../src/index.ts";
import type { EffectCall, EffectCallTelemetry } from "../../../src/instrument/batch-telemetry.ts";
import { LoopAccount } from "../../../src/instrument/loop-account.ts";
import { LOOP_STATES } from "../../../src/instrument/names.ts";
import { EffectCalls } from "../../../src/process/effect-calls.ts";
import { HandlerWaits } from "../../../src/process/handler-waits.ts";
import type { EffectKey, StoredEffect } from "../../../src/store/effect-table.ts";
import type { Store } from "../../../src/store/store.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { silentTelemetry } from "../../support/silent-telemetry.ts";
import { batchOf, drain, storeOf } from "../../support/store-fixture.ts";
import { settled } from "../../support/world/steps.ts";

let clock: ManualClock;
let store: Store;
let loop: LoopAccount<(typeof LOOP_STATES.process)[number]>;
let effects: EffectCalls;
let reported: (EffectCall & Parameters<EffectCallTelemetry["ended"]>[0])[];
let queries: (readonly EffectKey[])[];
let stored: StoredEffect[];
let isAway: boolean;

beforeEach(() => {
  begin();
});

/** A process begins, with a batch in progress. */
function begin(asyncReads = false): void {
  clock = new ManualClock();
  store = storeOf({ clock, asyncReads });
  loop = new LoopAccount(clock, LOOP_STATES.process, "handlers");
  [reported, queries, stored, isAway] = [[], [], [], false];
  effects = new EffectCalls({
    store,
    reader: {
      effectsByKey: async (keys) => {
        queries.push(keys);
        if (isAway) throw new SpindexError("DATABASE_UNREACHABLE", "away");
        return stored.filter(({ inputHash }) => keys.some((key) => key.inputHash === inputHash));
      },
    },
    definitionOf: effectDefinitionOf,
    waits: new HandlerWaits({ ...silentTelemetry(clock), processLoop: loop }),
    clock,
  });
  effects.beginBatch({
    effectAsked: (call) => ({
      traceHeaders: () => ({ traceparent: `of ${call.effect}` }),
      ended: (end) => reported.push({ ...call, ...end }),
    }),
  });
  beginBatch(1);
}

function beginBatch(id: number): void {
  store.beginBatch(batchOf({ id, from: store.nextCheckpoint }));
  store.beginBlock(1, store.nextCheckpoint, store.nextCheckpoint, false);
}

function endBatch(id: number): void {
  store.commitBatch(batchOf({ id, from: store.nextCheckpoint }));
}

interface Counting {
  readonly effect: Effect<number, bigint>;
  readonly inputs: number[];
  readonly contexts: EffectContext[];
  /** Answers the oldest open call; without an answer, calls answer at once. */
  answer(value: unknown): Promise<void>;
  fail(error: Error): Promise<void>;
}

type Options = Partial<Pick<EffectOptions<never, never>, "cache" | "concurrency" | "timeoutMs" | "name" | "rateLimit">>;

/** An effect that notes its calls, and answers them when it is told to. */
function counting(options: Options = {}): Counting {
  const open: PromiseWithResolvers<never>[] = [];
  const inputs: number[] = [];
  const contexts: EffectContext[] = [];
  const effect = createEffect(
    { name: "square", rateLimit: false, cache: true, ...options, input: t.int32(), output: t.int256() },
    (input, context) => {
      inputs.push(input);
      contexts.push(context);
      const call = Promise.withResolvers<never>();
      open.push(call);
      return call.promise;
    },
  );
  const settle = async (how: (call: PromiseWithResolvers<never>) => void): Promise<void> => {
    await settled();
    const call = open.shift();
    if (call === undefined) throw new Error("no call is open");
    how(call);
    await settled();
  };
  return {
    effect,
    inputs,
    contexts,
    answer: (value) => settle((call) => call.resolve(value as never)),
    fail: (error) => settle((call) => call.reject(error)),
  };
}

describe("equal inputs", () => {
  test("are called for once within a batch, and over batches; what is in memory is given at once", async () => {
    const { effect, inputs, answer } = counting();
    const first = effects.call(effect, 3);
    await answer(9n);
    expect(await first).toBe(9n);
    expect(effects.call(effect, 3)).toBe(9n);
    endBatch(1);
    drain(store);
    beginBatch(2);
    expect(effects.call(effect, 3)).toBe(9n);
    expect(inputs).toEqual([3]);
    expect(effects.endBatch()).toEqual([
      { effect: "square", outcome: "called", calls: 1 },
      { effect: "square", outcome: "memory", calls: 2 },
    ]);
    expect(effects.endBatch()).toEqual([]);
  });

  test("share a call under way", async () => {
    const { effect, inputs, answer } = counting();
    const both = Promise.all([effects.call(effect, 3), effects.call(effect, 3), effects.call(effect, 4)]);
    await answer(9n);
    await answer(16n);
    expect(await both).toEqual([9n, 9n, 16n]);
    expect(inputs).toEqual([3, 4]);
  });

  test("of an effect without cache: true are called for once a batch", async () => {
    const { effect, inputs, answer } = counting({ cache: false });
    for (const id of [1, 2]) {
      const call = effects.call(effect, 3);
      await answer(9n);
      await call;
      expect(effects.call(effect, 3)).toBe(9n);
      endBatch(id);
      if (id === 1) beginBatch(2);
    }
    expect(inputs).toEqual([3, 3]);
    expect(queries).toEqual([]);
  });

  test("are given by promises when every read is", async () => {
    begin(true);
    const { effect, answer } = counting();
    const first = effects.call(effect, 3);
    await answer(9n);
    await first;
    const second = effects.call(effect, 3);
    expect(second).toBeInstanceOf(Promise);
    expect(effects.pending).toBe(1);
    expect(await second).toBe(9n);
  });
});

describe("outputs that were stored earlier", () => {
  test("are read in one query a turn, and not called for", async () => {
    const { effect, inputs, answer } = counting();
    const calls = Promise.all([effects.call(effect, 3), effects.call(effect, 4)]);
    await settled();
    expect(queries).toMatchObject([[{ effect: "square" }, { effect: "square" }]]);
    const [three] = queries[0] ?? [];
    await answer(9n);
    await answer(16n);
    await calls;
    begin();
    stored = [{ effect: "square", inputHash: three?.inputHash ?? "", output: "9n" }];
    expect(await effects.call(effect, 3)).toBe(9n);
    expect(inputs).toEqual([3, 4]);
    expect(effects.endBatch()).toEqual([{ effect: "square", outcome: "stored", calls: 1 }]);
    // It is durable already: nothing of it is written again.
    expect(store.uncommitted.changes).toBe(0);
  });

  test("cannot be read while the database is away: that is no failure of the handler", async () => {
    isAway = true;
    const { effect, inputs } = counting();
    await expect(effects.call(effect, 3)).rejects.toMatchObject({ code: "DATABASE_UNREACHABLE" });
    expect(inputs).toEqual([]);
  });
});

describe("a call that fails", () => {
  test("rejects everyone who waits for it, and is kept nowhere: the next one is made anew", async () => {
    const { effect, inputs, answer, fail } = counting();
    const calls = [effects.call(effect, 3), effects.call(effect, 3)];
    const failures = Promise.allSettled(calls);
    await fail(new Error("service down"));
    const [first, second] = await failures;
    expect(first).toMatchObject({
      reason: { code: "EFFECT_FAILED", message: 'the effect square failed for {"value":3}: service down' },
    });
    expect(second).toEqual(first);
    const again = effects.call(effect, 3);
    await answer(9n);
    expect(await again).toBe(9n);
    expect(inputs).toEqual([3, 3]);
    expect(reported.map(({ error }) => error !== undefined)).toEqual([true, false]);
  });

  test("by an answer of another type", async () => {
    const { effect, answer } = counting();
    const call = effects.call(effect, 3) as unknown as Promise<bigint>;
    const failure = expect(call).rejects.toThrow("square output.value = 9: a bigint");
    await answer(9);
    await failure;
  });

  test("by taking too long: its signal aborts, and a late answer is of no interest", async () => {
    const { effect, answer, contexts } = counting({ timeoutMs: 1_000 });
    const call = effects.call(effect, 3) as unknown as Promise<bigint>;
    const failure = expect(call).rejects.toThrow("no answer within 1000 ms");
    await settled();
    clock.advance(999);
    await settled();
    expect(contexts[0]?.signal.aborted).toBe(false);
    clock.advance(1);
    await failure;
    expect(contexts[0]?.signal.aborted).toBe(true);
    await answer(9n);
    expect(effects.call(effect, 3)).toBeInstanceOf(Promise);
    await settled();
    expect(effects.endBatch()).toEqual([{ effect: "square", outcome: "timeout", calls: 1 }]);
  });

  test("before it is made, when the input is wrong or it is no effect", () => {
    const { effect, inputs } = counting();
    expect(() => effects.call(effect, "3")).toThrow("square input.value");
    expect(() => effects.call({ name: "square" }, 3)).toThrow("is no effect");
    expect(inputs).toEqual([]);
  });

  test("when another effect has its name", async () => {
    const [one, other] = [counting(), counting()];
    const call = effects.call(one.effect, 3);
    await one.answer(9n);
    await call;
    expect(() => effects.call(other.effect, 3)).toThrow("two effects with the name square");
  });

  test("when its handler has returned", () => {
    endBatch(1);
    expect(() => effects.call(counting().effect, 3)).toThrow(/after its handler had returned/);
  });
});

describe("the figures", () => {
  test("say when a call was asked for, when its limits let it begin, and when it ended", async () => {
    const { effect, answer } = counting({ concurrency: 1 });
    const calls = Promise.all([effects.call(effect, 3), effects.call(effect, 4)]);
    await settled();
    expect(effects.status).toEqual([{ effect: "square", waiting: 1 }]);
    const start = clock.now();
    clock.advance(200);
    await answer(9n);
    clock.advance(50);
    await answer(16n);
    await calls;
    expect(reported).toEqual([
      { effect: "square", askedAt: start, calledAt: start, endedAt: start + 200, error: undefined },
      { effect: "square", askedAt: start, calledAt: start + 200, endedAt: start + 250, error: undefined },
    ]);
    expect(effects.status).toEqual([{ effect: "square", waiting: 0 }]);
  });

  test("give the loop the state `effects` while one is awaited", async () => {
    const { effect, answer } = counting();
    const call = effects.call(effect, 3);
    expect([loop.state, effects.pending]).toEqual(["effects", 1]);
    await answer(9n);
    await call;
    expect([loop.state, effects.pending]).toEqual(["handlers", 0]);
  });
});

describe("when the process is ending", () => {
  test("calls under way are told so and waited for no longer, and nothing of them is kept", async () => {
    const { effect, inputs, contexts, answer } = counting({ concurrency: 1 });
    const [running, waiting] = [effects.call(effect, 1), effects.call(effect, 2)] as Promise<bigint>[];
    await settled();
    expect([inputs, effects.pending]).toEqual([[1], 2]);
    effects.cancel();
    await effects.settle();
    expect(effects.pending).toBe(0);
    expect(contexts.map(({ signal }) => signal.reason)).toEqual([expect.objectContaining({ name: "Cancelled" })]);
    // The function answers all the same: too late.
    await answer(1n);
    expect(inputs).toEqual([1]);
    expect(store.effects.find("square", "1")).toBeUndefined();
    expect(store.effects.changes).toBe(0);
    expect(await Promise.race([running, waiting, Promise.resolve("none")])).toBe("none");
  });

  test("nothing is called any more, and what the storage answers is not kept", async () => {
    const { effect, inputs } = counting();
    const reading = effects.call(effect, 1) as Promise<bigint>;
    effects.cancel();
    const later = effects.call(effect, 2) as Promise<bigint>;
    await effects.settle();
    await settled();
    expect(await Promise.race([reading, later, Promise.resolve("none")])).toBe("none");
    expect([inputs, store.effects.keptBytes]).toEqual([[], 0]);
  });
});
