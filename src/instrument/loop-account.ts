import type { Clock } from "../lib/clock.ts";

/** Accounts a loop's time by state, without overlap: the parts sum to the wall time since it began. */
export class LoopAccount<State extends string> {
  readonly #clock: Clock;
  readonly #seconds = new Map<State, number>();
  #state: State;
  #since: number;

  constructor(clock: Clock, states: readonly State[], first: State) {
    this.#clock = clock;
    for (const state of states) this.#seconds.set(state, 0);
    this.#state = first;
    this.#since = clock.now();
  }

  get state(): State {
    return this.#state;
  }

  /** Enters a state and says which one was left, so that it can be entered again. */
  enter(state: State): State {
    const left = this.#state;
    const now = this.#clock.now();
    this.#seconds.set(left, (this.#seconds.get(left) ?? 0) + (now - this.#since) / 1000);
    this.#since = now;
    this.#state = state;
    return left;
  }

  /** Time that something synchronous takes from the loop, whatever it is doing. */
  interrupt<T>(state: State, run: () => T): T {
    const left = this.enter(state);
    try {
      return run();
    } finally {
      this.enter(left);
    }
  }

  /** Seconds in each state up to now. */
  seconds(): ReadonlyMap<State, number> {
    this.enter(this.#state);
    return this.#seconds;
  }
}
