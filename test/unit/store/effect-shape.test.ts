import { describe, expect, test } from "vitest";
import { effectDefinitionOf } from "../../../src/config/effect.ts";
import { createEffect, t } from "../../../src/index.ts";
import { createEffectShape } from "../../../src/store/effect-shape.ts";

const ADDRESS = `0x${"ab".repeat(20)}` as const;

const everything = createEffect(
  {
    name: "everything",
    input: { token: t.address(), block: t.int64(), options: t.json() },
    output: {
      price: t.uint256(),
      delta: t.int256(),
      share: t.numeric(10, 4),
      ratio: t.float64(),
      ratios: t.float64().array(),
      amounts: t.uint256().array(),
      symbol: t.text().nullable(),
      raw: t.bytes(),
      at: t.timestamp(),
      extra: t.json(),
      isOpen: t.bool(),
      id: t.eventId(),
    },
    rateLimit: false,
  },
  () => {
    throw new Error("not called");
  },
);
const shape = createEffectShape(effectDefinitionOf(everything));

const OUTPUT = {
  price: 2n ** 256n - 1n,
  delta: -5n,
  share: "1.5000",
  ratio: Number.NaN,
  ratios: [-0, Number.NEGATIVE_INFINITY, 0.1],
  amounts: [0n, 1n],
  symbol: null,
  raw: "0x00ff",
  at: 1_700_000_000,
  extra: { deep: ["1n", null, { a: 1 }] },
  isOpen: true,
  id: 7n,
};

describe("inputs of effects", () => {
  test("are equal when their values are, in whatever order and case they are given", () => {
    const key = (input: unknown): string => shape.keyOf(shape.input(input));
    const first = key({ token: ADDRESS, block: 5n, options: { a: 1, b: [{ d: 1, c: 2 }] } });
    expect(first).toBe(`{"block":"5n","options":{"a":1,"b":[{"c":2,"d":1}]},"token":"${ADDRESS}"}`);
    expect(
      key({ options: { b: [{ c: 2, d: 1 }], a: 1 }, block: 5n, token: ADDRESS.toUpperCase().replace("0X", "0x") }),
    ).toBe(first);
    expect(key({ token: ADDRESS, block: 6n, options: { a: 1, b: [{ d: 1, c: 2 }] } })).not.toBe(first);
  });

  test("are refused where they are of another type, or not complete", () => {
    expect(() => shape.input({ token: "0x12", block: 5n, options: null })).toThrow("everything input.token");
    expect(() => shape.input({ token: ADDRESS, options: null })).toThrow("everything input.block is missing");
    expect(() => shape.input({ token: ADDRESS, block: 5n, options: {}, more: 1 })).toThrow("has no column more");
  });
});

describe("outputs of effects", () => {
  test("come back from JSON as they were", () => {
    const kept = shape.output(OUTPUT);
    const back = shape.fromJson(JSON.parse(JSON.stringify(shape.toJson(kept))));
    expect(back).toStrictEqual(kept);
    expect(Object.is((back.ratios as number[])[0], -0)).toBe(true);
  });

  test("are what a read gives back already when they are new: texts are escaped, and that is counted", () => {
    const kept = shape.output({ ...OUTPUT, symbol: "a\0b", extra: "\ud800" });
    expect([kept.symbol, kept.extra]).toEqual(["a\uFFFDb", "\uFFFD"]);
    expect([shape.takeEscapes(), shape.takeEscapes()]).toEqual([2, 0]);
  });

  test("of another type are those of another effect", () => {
    const typeOf = (output: ReturnType<typeof t.text> | { readonly value: ReturnType<typeof t.text> }): string =>
      createEffectShape(
        effectDefinitionOf(createEffect({ name: "one", input: t.text(), output, rateLimit: false }, () => "" as never)),
      ).outputType;
    const bare = typeOf(t.text());
    expect(typeOf(t.text())).toBe(bare);
    expect(typeOf({ value: t.text() })).not.toBe(bare);
    expect(new Set([bare, typeOf(t.text().nullable() as never), typeOf(t.hash() as never)]).size).toBe(3);
  });

  test("may be one bare value", () => {
    const doubled = createEffect(
      { name: "doubled", input: t.int32(), output: t.uint256(), rateLimit: false },
      () => 0n,
    );
    const bare = createEffectShape(effectDefinitionOf(doubled));
    const output = bare.output(8n);
    expect(bare.keyOf(bare.input(4))).toBe("4");
    expect(bare.valueOf("output", output)).toBe(8n);
    expect(bare.toJson(output)).toBe("8n");
    expect(bare.fromJson("8n")).toEqual(output);
  });
});
