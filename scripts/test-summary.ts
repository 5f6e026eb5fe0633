/**
 * `node scripts/test-summary.ts <vitest.json> …`: one line, `N passed, N failed, N skipped`, over the reports of the test
 * runner. Exit code 1 when a test failed, when a file could not be loaded, and when no test ran. A report that is missing
 * counts as a failure.
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

const paths = process.argv.slice(2);
const total = { passed: 0, failed: 0, skipped: 0 };
let isWell = true;
for (const path of paths.length === 0 ? ["test-results/vitest.json"] : paths) {
  const problem = addReport(path);
  if (problem === undefined) continue;
  console.error(`${path}: ${problem}`);
  isWell = false;
}
const { passed, failed, skipped } = total;
if (passed === 0) console.error("no test passed");
console.log(`${passed} passed, ${failed} failed${skipped > 0 ? `, ${skipped} skipped` : ""}`);
process.exitCode = isWell && passed > 0 && failed === 0 ? 0 : 1;

/** Adds a report to the total, and says what is wrong with it beyond its failed tests. */
function addReport(path: string): string | undefined {
  const report = readReport(path);
  if (report === undefined) {
    total.failed++;
    return "there is no readable report: the tests did not run to their end";
  }
  // A file that cannot be loaded, or whose set-up fails, counts as one failure.
  const broken = report.testResults.filter(
    (file) => file.status === "failed" && !file.assertionResults.some((result) => result.status === "failed"),
  );
  const failures = report.numFailedTests + broken.length;
  total.passed += report.numPassedTests;
  total.failed += failures;
  total.skipped += report.numPendingTests + report.numTodoTests;
  return !report.success && failures === 0 ? "an error outside of the tests" : undefined;
}

function readReport(file: string): VitestReport | undefined {
  try {
    return JSON.parse(readFileSync(file, "utf8")) as VitestReport;
  } catch {
    return undefined;
  }
}
