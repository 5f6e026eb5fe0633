import type { Clock } from "../lib/clock.ts";

/** Lines of one event that are written within a window. */
export const STORM_LINES = 100;
export const STORM_WINDOW_MS = 10_000;
/** Events that are told apart. Handlers name as many as they like. */
const MAX_EVENTS = 1_000;

interface Window {
  readonly since: number;
  lines: number;
}

/** Lines of one event that were not written. */
export interface LeftOut {
  readonly of: string;
  readonly lines: number;
}

/** Limits how many lines an event writes, and counts those that it would have written beyond. */
export class LogStorm {
  readonly #clock: Clock;
  readonly #windows = new Map<string, Window>();
  /** When the first of them is over. */
  #overAt = Number.POSITIVE_INFINITY;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  /** Whether a line of the event may be written now. */
  admits(event: string): boolean {
    const window = this.#windows.get(event);
    if (window !== undefined) {
      window.lines++;
      return window.lines <= STORM_LINES;
    }
    // Nobody names so many events but a handler that writes values into its messages: these are not limited.
    if (this.#windows.size >= MAX_EVENTS) return true;
    const since = this.#clock.now();
    this.#windows.set(event, { since, lines: 1 });
    this.#overAt = Math.min(this.#overAt, since + STORM_WINDOW_MS);
    return true;
  }

  /** What windows that are over have left out; with `all`, also those that are not. Each line is told of once. */
  leftOut(all: boolean): LeftOut[] {
    const now = this.#clock.now();
    if (!all && now < this.#overAt) return [];
    const told: LeftOut[] = [];
    this.#overAt = Number.POSITIVE_INFINITY;
    for (const [of, window] of this.#windows) {
      const endsAt = window.since + STORM_WINDOW_MS;
      const isOver = now >= endsAt;
      const lines = window.lines - STORM_LINES;
      if (lines > 0 && (isOver || all)) {
        told.push({ of, lines });
        window.lines = STORM_LINES;
      }
      if (isOver) this.#windows.delete(of);
      else this.#overAt = Math.min(this.#overAt, endsAt);
    }
    return told;
  }
}
