import { expect, test } from "vitest";
import { type VitestReport, verdictOf } from "../../../scripts/mutant-verdict.ts";

const NAME = "is written once";

interface Assertion {
  readonly title: string;
  readonly status: string;
  readonly failureMessages?: readonly string[];
}

const reportOf = (assertionResults: readonly Assertion[], success = false, message = ""): VitestReport => ({
  success,
  testResults: [{ message, assertionResults }],
});
const failed = (message: string): VitestReport =>
  reportOf([{ title: NAME, status: "failed", failureMessages: [`${message}\n  at write.test.ts:1`] }]);

test.each<[string, VitestReport | undefined, ReturnType<typeof verdictOf>]>([
  ["no report", undefined, { kind: "unclear", reason: "the test runner wrote no report" }],
  [
    "a file that could not be loaded",
    reportOf([], false, "SyntaxError: unexpected"),
    { kind: "unclear", reason: "the test did not run: SyntaxError: unexpected" },
  ],
  [
    "another test's failure",
    reportOf([
      { title: "is read once", status: "failed", failureMessages: ["Error: no"] },
      { title: NAME, status: "skipped" },
    ]),
    { kind: "unclear", reason: "the test did not run" },
  ],
  [
    "the test's failure",
    failed("AssertionError: 1 is not 2"),
    { kind: "killed", reason: "AssertionError: 1 is not 2" },
  ],
  [
    "one failure among cases that pass",
    reportOf([
      { title: `${NAME}: 1`, status: "passed" },
      { title: `${NAME}: 2`, status: "failed", failureMessages: ["Error: no"] },
    ]),
    { kind: "killed", reason: "Error: no" },
  ],
  ["a name that is not there", failed("ReferenceError: x"), { kind: "unclear", reason: "ReferenceError: x" }],
  [
    "SQL that is malformed",
    failed("WriteFailure: it failed (SQLSTATE 42601)"),
    { kind: "unclear", reason: "WriteFailure: it failed (SQLSTATE 42601)" },
  ],
  ["success", reportOf([{ title: NAME, status: "passed" }], true), { kind: "survived", reason: "the test passed" }],
  [
    "an error outside of the test",
    reportOf([{ title: NAME, status: "passed" }]),
    { kind: "unclear", reason: "the test passed; an error outside of it failed the run" },
  ],
])("%s", (_, report, verdict) => {
  expect(verdictOf(report, NAME)).toEqual(verdict);
});
