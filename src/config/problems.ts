import { type ErrorCode, SpindexError } from "../errors.ts";

/** One thing that is wrong with what the user gave: where, what, and how to mend it. */
export interface Problem {
  readonly code: ErrorCode;
  /** E.g. `chains.mainnet.id`, or `src/handlers/token.ts:3`. */
  readonly place: string;
  /** Names the value. */
  readonly message: string;
  readonly fix: string;
}

/** Collects problems, so that the user sees all of them at once. */
export class Problems {
  readonly #problems: Problem[] = [];

  add(code: ErrorCode, place: string, message: string, fix: string): void {
    this.#problems.push({ code, place, message, fix });
  }

  get count(): number {
    return this.#problems.length;
  }

  /**
   * Throws when there is a problem. The code is that of the problems when they agree, else `mixed`.
   * @param what what was checked, e.g. the name of a file
   */
  throwIfAny(what: string, mixed: ErrorCode): void {
    const [first, ...others] = this.#problems;
    if (first === undefined) return;
    const code = this.#problems.every((problem) => problem.code === first.code) ? first.code : mixed;
    const details = { problems: this.#problems.length };
    if (others.length === 0) {
      throw new SpindexError(code, `${what}: ${first.place}: ${first.message}`, { fix: first.fix, details });
    }
    const lines = this.#problems.map(
      ({ place, message, fix }, index) => `\n  ${index + 1}. ${place}: ${message}\n     ${fix}`,
    );
    throw new SpindexError(code, `${what}: ${this.#problems.length} problems${lines.join("")}`, {
      fix: "Mend each of them as said above.",
      details,
    });
  }
}

/** A short text of any value. */
export function show(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (typeof value === "function") return value.name === "" ? "a function" : `the function ${value.name}`;
  if (value === undefined || typeof value === "symbol") return String(value);
  let text: string;
  try {
    text = JSON.stringify(value, (_, item) => (typeof item === "bigint" ? `${item}n` : item)) ?? String(value);
  } catch {
    text = String(value);
  }
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}

/** `a.b[0].c` of a path. */
export function pathText(path: readonly PropertyKey[]): string {
  let text = "";
  for (const part of path) {
    if (typeof part === "number") text += `[${part}]`;
    else text += text === "" ? String(part) : `.${String(part)}`;
  }
  return text;
}
