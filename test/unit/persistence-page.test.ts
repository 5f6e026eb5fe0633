import { existsSync, readFileSync } from "node:fs";
import { expect, test } from "vitest";

interface Rule {
  readonly title: string;
  readonly code: readonly string[];
  readonly tests: readonly { readonly file: string; readonly name: string }[];
}

const PAGE = "docs/persistence.md";

/** The rules of the page: what stands below each heading of the third order. */
function rulesOf(page: string): Rule[] {
  return page
    .split(/^### /m)
    .slice(1)
    .map((text) => {
      const [title = ""] = text.split("\n");
      const lines = text.split("\n").filter((line) => /^- (code|test):/.test(line));
      const code = lines.flatMap((line) => /^- code: `(src\/[^`]+)`$/.exec(line)?.[1] ?? []);
      const tests = lines.flatMap((line) => {
        const [, file, name] = /^- test: `(test\/[^`]+\.ts)` "(.+)"$/.exec(line) ?? [];
        return file === undefined || name === undefined ? [] : [{ file, name }];
      });
      expect(code.length + tests.length, `lines of "${title}" that can be read`).toBe(lines.length);
      return { title, code, tests };
    });
}

/** Whether a file has a test with exactly this title. */
function hasTest(file: string, name: string): boolean {
  if (!existsSync(file)) return false;
  const text = readFileSync(file, "utf8");
  return ['"', "'", "`"].some((quote) => new RegExp(`(^|[\\s(])${escaped(quote + name + quote)},`, "m").test(text));
}

function escaped(text: string): string {
  return text.replace(/[.*+?^${}()|[\]\\]/g, "\\$&");
}

const rules = rulesOf(readFileSync(PAGE, "utf8"));

test("the page has rules, and twelve invariants in their order", () => {
  expect(rules.length).toBeGreaterThan(50);
  const numbers = rules.flatMap(({ title }) => /^(\d+)\. /.exec(title)?.[1] ?? []);
  expect(numbers.map(Number)).toEqual(Array.from({ length: 12 }, (_, at) => at + 1));
});

test.each(rules)("$title: its code is there, and a test that proves it", ({ code, tests }) => {
  expect(code).not.toEqual([]);
  expect(tests).not.toEqual([]);
  expect(code.filter((file) => !existsSync(file))).toEqual([]);
  expect(tests.filter(({ file, name }) => !hasTest(file, name))).toEqual([]);
});

test("a title that is only part of one, or in no test, is found out", () => {
  const file = "test/unit/store/store.test.ts";
  expect(hasTest(file, "counts bytes, too")).toBe(true);
  expect(hasTest(file, "counts bytes")).toBe(false);
  expect(hasTest("test/unit/store/none.test.ts", "counts bytes, too")).toBe(false);
});
