import { type StepClock, settled } from "./steps.ts";

/** How long each pause of a name takes, in milliseconds: the first, the second, … and all after the last. */
export type Durations = Readonly<Record<string, readonly number[]>>;

interface Timer {
  readonly at: number;
  readonly go: () => void;
}

/**
 * A clock that runs by a script: everything that would take time takes what the script says, and whatever is due first
 * goes on first. So a world on it goes the same way each time, with times that mean something.
 */
export class ScriptedClock implements StepClock {
  readonly #durations: Map<string, number[]>;
  #now = Date.UTC(2026, 0, 1);
  /** In the order of their times, and of their making where those are equal. */
  #timers: Timer[] = [];

  constructor(durations: Durations) {
    this.#durations = new Map(Object.entries(durations).map(([name, times]) => [name, [...times]]));
  }

  now(): number {
    return this.#now;
  }

  sleep(ms: number, signal?: AbortSignal): Promise<void> {
    if (signal?.aborted === true) return Promise.resolve();
    return new Promise((resolve) => {
      const timer: Timer = { at: this.#now + ms, go: resolve };
      const later = this.#timers.findIndex(({ at }) => at > timer.at);
      this.#timers.splice(later < 0 ? this.#timers.length : later, 0, timer);
      const cancel = (): void => {
        this.#timers = this.#timers.filter((other) => other !== timer);
        resolve();
      };
      signal?.addEventListener("abort", cancel, { once: true });
    });
  }

  turn(): Promise<void> {
    return this.sleep(0);
  }

  random(): number {
    return 0.5;
  }

  pause(label: string): Promise<void> {
    const times = this.#durations.get(label) ?? [];
    return this.sleep((times.length > 1 ? times.shift() : times[0]) ?? 1);
  }

  /** Lets one thing go on, and everything settle. */
  async next(): Promise<void> {
    await settled();
    const timer = this.#timers.shift();
    if (timer === undefined) throw new Error("nothing can go on any more");
    this.#now = Math.max(this.#now, timer.at);
    timer.go();
    await settled();
  }
}
