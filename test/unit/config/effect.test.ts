import { describe, expect, test } from "vitest";
import { type EffectDefinition, effectDefinitionOf } from "../../../src/config/effect.ts";
import { createEffect, entity, type SpindexError, t } from "../../../src/index.ts";

const account = entity({ id: t.address() });
const run = async (): Promise<bigint> => 0n;

/** Makes an effect of options that types would not let through. */
function make(options: object, given: unknown = run): EffectDefinition {
  const all = { name: "price", input: { token: t.address() }, output: t.uint256(), rateLimit: false, ...options };
  return effectDefinitionOf(createEffect(all as never, given as never));
}

test("an effect has defaults, and a bare type is one column", () => {
  expect(make({})).toEqual({
    name: "price",
    cache: false,
    rateLimit: false,
    concurrency: 16,
    timeoutMs: 30_000,
    run,
    input: { isRecord: true, columns: [expect.objectContaining({ name: "token", kind: "address" })] },
    output: { isRecord: false, columns: [expect.objectContaining({ name: "value", kind: "uint256" })] },
  });
});

describe("an effect is refused", () => {
  test.each<[string, object, string]>([
    ["without a name", { name: "" }, 'name: "" is no usable name'],
    ["with a name that is no label", { name: "a b" }, "is no usable name"],
    ["with an option that does not exist", { cached: true }, "cached: there is no such option"],
    ["without a rateLimit", { rateLimit: undefined }, "rateLimit: undefined is no limit"],
    ["with a rate of nothing", { rateLimit: { calls: 0, perMs: 10 } }, "is no limit"],
    ["with a concurrency of 0", { concurrency: 0 }, "concurrency: 0 is no usable value"],
    ["with a timeoutMs that is no count", { timeoutMs: 1.5 }, "timeoutMs: 1.5 is no usable value"],
    ["with a cache that is no boolean", { cache: 1 }, "cache: 1 is no boolean"],
    ["without an input", { input: undefined }, "input: undefined is no type"],
    ["with an output of something else", { output: { price: 5 } }, "is no type"],
    ["with a ref", { input: { account: t.ref(() => account) } }, "input.account: is a ref"],
    ["with a default", { output: t.int32().default(1) }, "output.value: has a default or an index"],
    ["with an enum without values", { output: t.enum([] as never) }, "is an enum without values"],
  ])("%s", (_, options, message) => {
    expect(() => make(options)).toThrow(message);
  });

  test("without a function", () => {
    expect(() => make({}, null)).toThrow("the function: is missing");
  });

  test("with everything that is wrong at once, and the place in the file", () => {
    let error: unknown;
    try {
      make({ name: "", rateLimit: 5 });
    } catch (thrown) {
      error = thrown;
    }
    expect((error as SpindexError).code).toBe("CONFIG_INVALID");
    expect((error as SpindexError).message).toMatch(
      /^test\/unit\/config\/effect\.test\.ts:\d+: createEffect: 2 problems/,
    );
  });
});
