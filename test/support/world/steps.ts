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

/** The clock of one owner of steps, and a place to pause. */
export interface StepClock extends Clock {
  /** Until it is picked: for what takes an unknown time. */
  pause(label: string): Promise<void>;
}

interface Paused {
  readonly owner: number;
  readonly label: string;
  readonly go: () => void;
}

interface Timer extends Paused {
  readonly at: number;
}

/** What a step that is no timer takes, at most. */
const STEP_MS = 40;
/** While there is something else to do, time does not run further ahead than this. */
const HORIZON_MS = 300;

/**
 * Decides what happens next in a simulated world: everything that would take time pauses here, and goes on when it is
 * picked; sleeps end in the order of their time. Between two steps all promises settle, so a world with nothing paused
 * and work left is a deadlock.
 */
export class Steps {
  readonly #pick: Pick;
  readonly #timerWeight: number;
  readonly #onStep: ((owner: number, label: string) => void) | undefined;
  #now = 1_700_000_000_000;
  #paused: Paused[] = [];
  #timers: Timer[] = [];

  /** @param timerWeight how often the next sleep ends, in comparison to each other thing that could happen */
  constructor(pick: Pick, timerWeight = 1, onStep?: (owner: number, label: string) => void) {
    this.#pick = pick;
    this.#timerWeight = timerWeight;
    this.#onStep = onStep;
  }

  get now(): number {
    return this.#now;
  }

  /** What could happen next. */
  get labels(): readonly string[] {
    return [...this.#paused, ...this.#timers].map(({ owner, label }) => `${owner} ${label}`);
  }

  clockOf(owner: number): StepClock {
    return {
      now: () => this.#now,
      sleep: (ms, signal) => this.#sleep(owner, ms, signal),
      turn: () => this.#pause(owner, "turn"),
      random: () => this.#pick(1000) / 1000,
      pause: (label) => this.#pause(owner, label),
    };
  }

  /** The owner is dead: nothing of it goes on, but for what `survives` names. */
  drop(owner: number, survives: (label: string) => boolean = () => false): void {
    this.#paused = this.#paused.filter((entry) => entry.owner !== owner || survives(entry.label));
    this.#timers = this.#timers.filter((entry) => entry.owner !== owner);
  }

  /** Lets one thing go on, and everything settle; false when nothing is paused. */
  async next(): Promise<boolean> {
    if (this.#paused.length + this.#timers.length === 0) await settled();
    const timer = this.#firstTimer();
    const isNear = timer !== undefined && (timer.at <= this.#now + HORIZON_MS || this.#paused.length === 0);
    const picked = this.#pick(Math.max(1, this.#paused.length + (isNear ? this.#timerWeight : 0)));
    const entry = picked < this.#paused.length ? this.#paused.splice(picked, 1)[0] : timer;
    if (entry === undefined) return false;
    this.#onStep?.(entry.owner, entry.label);
    entry.go();
    await settled();
    return true;
  }

  #pause(owner: number, label: string): Promise<void> {
    return new Promise((resolve) => {
      const go = (): void => {
        this.#now += this.#pick(STEP_MS);
        resolve();
      };
      this.#paused.push({ owner, label, go });
    });
  }

  #sleep(owner: number, ms: number, signal: AbortSignal | undefined): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const end = (): void => {
        this.#timers = this.#timers.filter((other) => other !== timer);
        resolve();
      };
      const go = (): void => {
        this.#now = Math.max(this.#now, timer.at);
        end();
      };
      const timer: Timer = { owner, label: `sleep ${Math.round(ms)}`, at: this.#now + ms, go };
      this.#timers.push(timer);
      signal?.addEventListener("abort", end, { once: true });
    });
  }

  #firstTimer(): Timer | undefined {
    let first = this.#timers[0];
    for (const timer of this.#timers) if (timer.at < (first as Timer).at) first = timer;
    return first;
  }
}

/** All promises that can settle have settled. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
