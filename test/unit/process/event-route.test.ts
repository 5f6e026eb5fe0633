import { expect, test } from "vitest";
import { argumentFilter } from "../../../src/process/event-route.ts";

test("without a filter there is nothing to ask", () => {
  expect(argumentFilter(undefined)).toBeUndefined();
});

test("all arguments of a clause must match, one of their values each; one clause is enough", () => {
  const accepts = argumentFilter([{ from: ["0xa", "0xb"], kind: [1n] }, { to: ["0xc"] }]);
  const accepted = [
    { from: "0xa", to: "0x0", kind: 1n },
    { from: "0xb", to: "0x0", kind: 1n },
    { from: "0xb", to: "0x0", kind: 2n },
    { from: "0xd", to: "0x0", kind: 1n },
    { from: "0xd", to: "0xc", kind: 2n },
  ].map((args) => accepts?.(args));
  expect(accepted).toEqual([true, true, false, false, true]);
});

test("a clause without arguments takes every event, no clause takes none", () => {
  expect(argumentFilter([{}])?.({ a: 1 })).toBe(true);
  expect(argumentFilter([])?.({ a: 1 })).toBe(false);
});
