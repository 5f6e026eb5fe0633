import { spawnSync } from "node:child_process";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, expect, test } from "vitest";

const script = fileURLToPath(new URL("../../../scripts/test-summary.ts", import.meta.url));
const folder = mkdtempSync(join(tmpdir(), "spindex-summary-"));
afterAll(() => rmSync(folder, { recursive: true }));

const file = (status: string, ...results: string[]): object => ({
  status,
  assertionResults: results.map((result) => ({ status: result })),
});

function summaryOf(...texts: string[]): { line: string; code: number | null } {
  const paths = texts.map((text, index) => {
    const path = join(folder, `report-${index}.json`);
    writeFileSync(path, text);
    return path;
  });
  const { stdout, status } = spawnSync(process.execPath, [script, ...paths], { encoding: "utf8" });
  return { line: stdout, code: status };
}

const report = (success: boolean, [passed, failed, pending]: [number, number, number], files: object[]): string =>
  JSON.stringify({
    success,
    numPassedTests: passed,
    numFailedTests: failed,
    numPendingTests: pending,
    numTodoTests: 0,
    testResults: files,
  });

test.each([
  ["all passed", report(true, [2, 0, 0], [file("passed", "passed", "passed")]), "2 passed, 0 failed\n", 0],
  ["some are skipped", report(true, [1, 0, 2], [file("passed", "passed")]), "1 passed, 0 failed, 2 skipped\n", 0],
  ["one failed", report(false, [1, 1, 0], [file("failed", "passed", "failed")]), "1 passed, 1 failed\n", 1],
  [
    "a file does not load",
    report(false, [1, 0, 0], [file("passed", "passed"), file("failed")]),
    "1 passed, 1 failed\n",
    1,
  ],
  ["a set-up fails", report(false, [1, 0, 1], [file("failed", "skipped")]), "1 passed, 1 failed, 1 skipped\n", 1],
  ["an error outside of the tests", report(false, [1, 0, 0], [file("passed", "passed")]), "1 passed, 0 failed\n", 1],
  ["no test ran", report(true, [0, 0, 0], []), "0 passed, 0 failed\n", 1],
  ["the report is no JSON", "{", "0 passed, 1 failed\n", 1],
])("%s", (_case, text, line, code) => {
  expect(summaryOf(text)).toEqual({ line, code });
});

const allPassed = report(true, [2, 0, 0], [file("passed", "passed", "passed")]);

test.each([
  [
    "the second was skipped",
    report(true, [0, 0, 3], [file("passed", "skipped")]),
    "2 passed, 0 failed, 3 skipped\n",
    0,
  ],
  ["the second failed", report(false, [1, 1, 0], [file("failed", "passed", "failed")]), "3 passed, 1 failed\n", 1],
  ["the second is not there", "", "2 passed, 1 failed\n", 1],
])("of two reports %s", (_case, text, line, code) => {
  expect(summaryOf(allPassed, text)).toEqual({ line, code });
});
