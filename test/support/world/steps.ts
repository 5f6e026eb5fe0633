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
const STEP_MS = 20;

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
    const weight = this.#timers.length === 0 ? 0 : this.#timerWeight;
    if (this.#paused.length + weight === 0) return false;
    const picked = this.#pick(this.#paused.length + weight);
    const [entry] = picked < this.#paused.length ? this.#paused.splice(picked, 1) : [this.#dueFirst()];
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
      const timer: Timer = { owner, label: `sleep ${Math.round(ms)}`, at: this.#now + ms, go: () => resolve() };
      this.#timers.push(timer);
      const cancel = (): void => {
        this.#timers = this.#timers.filter((other) => other !== timer);
        resolve();
      };
      signal?.addEventListener("abort", cancel, { once: true });
    });
  }

  /** Takes the timer out that ends first. */
  #dueFirst(): Timer | undefined {
    let at = 0;
    for (let i = 1; i < this.#timers.length; i++) {
      if ((this.#timers[i] as Timer).at < (this.#timers[at] as Timer).at) at = i;
    }
    const [timer] = this.#timers.splice(at, 1);
    this.#now = Math.max(this.#now, timer?.at ?? 0);
    return timer;
  }
}

/** All promises that can settle have settled. */
export function settled(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
