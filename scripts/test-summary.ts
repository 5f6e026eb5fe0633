/**
 * `node scripts/test-summary.ts <vitest.json>`: one line, `N passed, N failed`, from the report of the test runner.
 * Exit code 1 when a test failed, when a file could not be loaded, when no test ran, and when there is no report.
 */
import { readFileSync } from "node:fs";

interface VitestReport {
  readonly success: boolean;
  readonly numPassedTests: number;
  readonly numFailedTests: number;
  readonly numPendingTests: number;
  readonly numTodoTests: number;
  readonly testResults: readonly FileReport[];
}

interface FileReport {
  readonly status: string;
  readonly assertionResults: readonly { readonly status: string }[];
}

const [path = "test-results/vitest.json"] = process.argv.slice(2);
const report = readReport(path);
const passed = report?.numPassedTests ?? 0;
// A file that cannot be loaded, or whose set-up fails, counts as one failure.
const broken = report?.testResults.filter(
  (file) => file.status === "failed" && !file.assertionResults.some((result) => result.status === "failed"),
);
const failed = (report?.numFailedTests ?? 0) + (broken?.length ?? 0);
const skipped = (report?.numPendingTests ?? 0) + (report?.numTodoTests ?? 0);

if (report === undefined) console.error(`${path}: there is no readable report: the tests did not run to their end`);
else if (passed === 0) console.error(`${path}: no test passed`);
else if (!report.success && failed === 0) console.error(`${path}: an error outside of the tests`);
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = report?.success === true && passed > 0 && failed === 0 ? 0 : 1;

function readReport(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as VitestReport;
  } catch {
    return undefined;
  }
}
