/** What vitest's JSON report says of a run; only what is needed here. */
export interface VitestReport {
  readonly success: boolean;
  readonly testResults: readonly {
    readonly message?: string;
    readonly assertionResults: readonly {
      readonly title: string;
      readonly status: string;
      readonly failureMessages?: readonly string[];
    }[];
  }[];
}

export interface Verdict {
  /**
   * `killed`: the named test ran, and failed for what it asserts. `survived`: it passed. `unclear`: it did not run, or
   * failed because the broken code is no program any more; that says nothing about the test.
   */
  readonly kind: "killed" | "survived" | "unclear";
  readonly reason: string;
}

/** Errors of code, or SQL, that is malformed: any test at all would see them. */
const MALFORMED =
  /\b(?:ReferenceError|SyntaxError)\b|SQLSTATE (?:42601|42703|42P02|42P18)|syntax error at or near|could not determine data type/;

/** What a test run with broken code says about the named test. */
export function verdictOf(report: VitestReport | undefined, testName: string): Verdict {
  if (report === undefined) return { kind: "unclear", reason: "the test runner wrote no report" };
  const named = report.testResults
    .flatMap((file) => file.assertionResults)
    .filter(({ title, status }) => title.includes(testName) && (status === "passed" || status === "failed"));
  if (named.length === 0) {
    const broken = report.testResults.find(({ message }) => message);
    return { kind: "unclear", reason: `the test did not run${broken ? `: ${firstLine(broken.message)}` : ""}` };
  }
  const failed = named.find(({ status }) => status === "failed");
  if (failed !== undefined) {
    const message = failed.failureMessages?.join("\n") ?? "";
    return { kind: MALFORMED.test(message) ? "unclear" : "killed", reason: firstLine(message) };
  }
  if (report.success) return { kind: "survived", reason: "the test passed" };
  return { kind: "unclear", reason: "the test passed; an error outside of it failed the run" };
}

function firstLine(text = ""): string {
  return text.split("\n").find((line) => line.trim() !== "") ?? "";
}
