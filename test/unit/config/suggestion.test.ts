import { expect, it } from "vitest";
import { didYouMean, nearest } from "../../../src/config/suggestion.ts";

it("suggests the nearest name, when one is near", () => {
  const names = ["handlers", "chains", "contracts", "schema"];
  expect(["handler", "chians", "Contracts", "shcema", "name"].map((word) => nearest(word, names))).toEqual([
    "handlers",
    "chains",
    "contracts",
    "schema",
    undefined,
  ]);
});

it("lists what there is otherwise", () => {
  expect(didYouMean("x", ["alpha", "beta"])).toBe("There are alpha, beta.");
  expect(didYouMean("x", ["alpha"])).toBe("There is alpha.");
  expect(didYouMean("x", [])).toBe("There is none.");
  expect(didYouMean("alpah", ["alpha"])).toBe('Did you mean "alpha"?');
});
