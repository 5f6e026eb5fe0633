import { inspect, isDeepStrictEqual } from "node:util";

/** A simulated world is not as it must be. */
export class Violation extends Error {
  override readonly name = "Violation";
}

export function check(condition: boolean, what: string): asserts condition {
  if (!condition) throw new Violation(what);
}

/** @param what what is compared, in words */
export function checkSame(actual: unknown, expected: unknown, what: string | (() => string)): void {
  if (isDeepStrictEqual(actual, expected)) return;
  const text = typeof what === "string" ? what : what();
  throw new Violation(`${text}\n  is       ${shown(actual)}\n  expected ${shown(expected)}`);
}

function shown(value: unknown): string {
  return inspect(value, { depth: 8, breakLength: 200, maxArrayLength: 200 });
}
