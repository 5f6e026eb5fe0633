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

function summaryOf(text: string): { line: string; code: number | null } {
  const path = join(folder, "report.json");
  writeFileSync(path, text);
  const { stdout, status } = spawnSync(process.execPath, [script, path], { encoding: "utf8" });
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
  ["the report is no JSON", "{", "0 passed, 0 failed\n", 1],
])("%s", (_case, text, line, code) => {
  expect(summaryOf(text)).toEqual({ line, code });
});
