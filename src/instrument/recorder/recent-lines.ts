import { cutText } from "../../lib/cut-text.ts";

const MAX_LINES = 500;
const MAX_CHARACTERS = 1024 * 1024;
/** A longer line is cut: it is then no JSON any more, and kept as a text. */
const MAX_LINE = 16 * 1024;

/** The last lines of the log, as they were written: redacted. */
export class RecentLines {
  readonly #lines: string[] = [];
  #characters = 0;

  write(line: string): void {
    const kept = line.length > MAX_LINE ? `${cutText(line, MAX_LINE)}…` : line;
    this.#lines.push(kept);
    this.#characters += kept.length;
    while (this.#lines.length > MAX_LINES || this.#characters > MAX_CHARACTERS) {
      this.#characters -= this.#lines.shift()?.length ?? 0;
    }
  }

  /** Oldest first; each an object, or a text when it is none. */
  all(): readonly unknown[] {
    return this.#lines.map(parsed);
  }
}

function parsed(line: string): unknown {
  try {
    return JSON.parse(line);
  } catch {
    return line.trimEnd();
  }
}
