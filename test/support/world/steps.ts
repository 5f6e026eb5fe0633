import type { Clock } from "../../../src/lib/clock.ts";

/** A whole number from 0 to below `bound`. */
export type Pick = (bound: number) => number;

/** Numbers that depend on the seed alone (mulberry32). */
export function pickFrom(seed: number): Pick {
  let state = seed >>> 0;
  return (bound) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % bound;
  };
}

interface Paused {
  readonly owner: number;
  readonly label: string;
  readonly go: () => void;
}

/**
 * Decides what happens next in a simulated world: everything that would take time pauses here, and goes on when it is
 * picked. Between two steps all promises settle, so a world with nothing paused and work left is a deadlock.
 */
export class Steps {
  readonly #pick: Pick;
  #now = 1_700_000_000_000;
  #paused: Paused[] = [];

  constructor(pick: Pick) {
    this.#pick = pick;
  }

  get now(): number {
    return this.#now;
  }

  /** What could happen next. */
  get labels(): readonly string[] {
    return this.#paused.map(({ label }) => label);
  }

  /** The clock of one process, and a place to pause. */
  clockOf(owner: number): Clock & { pause(label: string): Promise<void> } {
    const pause = (label: string, passed = 0, signal?: AbortSignal): Promise<void> =>
      new Promise((resolve) => {
        const entry: Paused = {
          owner,
          label,
          go: () => {
            this.#now += passed;
            resolve();
          },
        };
        const cancel = (): void => {
          this.#paused = this.#paused.filter((other) => other !== entry);
          resolve();
        };
        if (signal?.aborted === true) return resolve();
        this.#paused.push(entry);
        signal?.addEventListener("abort", cancel, { once: true });
      });
    return {
      now: () => this.#now,
      sleep: (ms, signal) => pause("sleep", ms, signal),
      turn: () => pause("turn"),
      random: () => this.#pick(1000) / 1000,
      pause: (label) => pause(label),
    };
  }

  /** The process is dead: nothing of it goes on, but for what `survives` names. */
  drop(owner: number, survives: (label: string) => boolean): void {
    this.#paused = this.#paused.filter((entry) => entry.owner !== owner || survives(entry.label));
  }

  /** Lets one thing go on, and everything settle; false when nothing is paused. */
  async next(): Promise<boolean> {
    if (this.#paused.length === 0) return false;
    const [entry] = this.#paused.splice(this.#pick(this.#paused.length), 1);
    entry?.go();
    await settled();
    return true;
  }
}

/** All promises that can settle have settled. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
