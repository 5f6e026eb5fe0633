import { EXIT_CODES, messageOf, SpindexError } from "../errors.ts";
import { redact } from "../instrument/redact.ts";

/** Writes an error for a person to standard error, and says with which code the process shall end. */
export function reportError(error: unknown): number {
  process.stderr.write(redact(`${errorText(error)}\n`));
  return error instanceof SpindexError ? error.exitCode : EXIT_CODES.bug;
}

export function errorText(error: unknown): string {
  if (!(error instanceof SpindexError)) {
    const stack = error instanceof Error ? error.stack : undefined;
    return `error INTERNAL: ${stack ?? messageOf(error)}\n  fix: this should not happen, please report it`;
  }
  const lines = [`error ${error.code}: ${error.message}`];
  if (error.fix !== undefined) lines.push(`  fix: ${error.fix}`);
  // Its own stack shows the line that threw.
  if (error.reaction === "bug" && error.cause instanceof Error && error.cause.stack !== undefined) {
    lines.push(...error.cause.stack.split("\n").map((line) => `  | ${line}`));
  }
  return lines.join("\n");
}
