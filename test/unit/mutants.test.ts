import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { mutants } from "../mutants/mutants.ts";

test("the list of mutants is long enough, and each has a name of its own", () => {
  expect(mutants.length).toBeGreaterThanOrEqual(30);
  expect(new Set(mutants.map(({ name }) => name)).size).toBe(mutants.length);
});

test.each(mutants)('the mutant "$name" applies, and its test is there', ({ file, find, replace, killedBy }) => {
  expect(file).toMatch(/^src\//);
  expect(replace).not.toBe(find);
  expect(readFileSync(file, "utf8").split(find).length - 1, `times that the text is in ${file}`).toBe(1);
  expect(readFileSync(killedBy.file, "utf8")).toContain(killedBy.name);
});
