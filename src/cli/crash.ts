import { messageOf, SpindexError } from "../errors.ts";
import { reportError } from "./report-error.ts";

/** Says an error, and with which code the process shall end. */
type Report = (error: SpindexError) => number | Promise<number>;

let report: Report = reportError;

/**
 * What nobody caught or awaited ends the process, but is said like any other error. Node.js itself would print whole
 * objects with it, such as the headers of a request.
 */
export function reportCrashes(): void {
  process.on("uncaughtException", (error) => {
    const crash = crashOf(error);
    Promise.resolve(report(crash)).then(
      (exitCode) => process.exit(exitCode),
      () => process.exit(reportError(crash)),
    );
  });
}

/** Crashes are reported by this from now on, until it is disposed of. */
export function reportCrashesBy(other: Report): { dispose(): void } {
  const before = report;
  report = other;
  return {
    dispose: () => {
      report = before;
    },
  };
}

function crashOf(error: unknown): SpindexError {
  if (error instanceof SpindexError) return error;
  return new SpindexError("INTERNAL", `an error that nobody caught: ${messageOf(error)}`, {
    cause: error,
    fix: "Await every promise that handlers start. When none of your files is in its stack, please report it.",
  });
}
