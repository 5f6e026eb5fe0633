import type { Clock } from "../lib/clock.ts";
import { Signal } from "../lib/signal.ts";

export interface CallLimits {
  /** Most calls begun within any `perMs` milliseconds; false: no limit. */
  readonly rateLimit: { readonly calls: number; readonly perMs: number } | false;
  /** Most calls under way at once. */
  readonly concurrency: number;
}

/** Lets calls begin in the order in which they were asked for, as fast as the limits allow. */
export class CallLimiter {
  readonly #limits: CallLimits;
  readonly #clock: Clock;
  readonly #ended = new Signal();
  /** When the latest calls began, oldest first; as many as the rate allows. */
  readonly #begun: number[] = [];
  /** The last in line. */
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;
  #running = 0;

  constructor(limits: CallLimits, clock: Clock) {
    this.#limits = limits;
    this.#clock = clock;
  }

  /** Calls that wait to begin. */
  get waiting(): number {
    return this.#waiting;
  }

  async run<T>(call: () => Promise<T>): Promise<T> {
    this.#waiting++;
    const turn = this.#last.then(() => this.#admit());
    this.#last = turn;
    await turn;
    try {
      return await call();
    } finally {
      this.#running--;
      this.#ended.notify();
    }
  }

  /** Waits until one more call may begin. Never rejects; whoever is next in line comes after it. */
  async #admit(): Promise<void> {
    const { concurrency, rateLimit } = this.#limits;
    while (this.#running >= concurrency) await this.#ended.next();
    if (rateLimit !== false) await this.#awaitRate(rateLimit.calls, rateLimit.perMs);
    this.#waiting--;
    this.#running++;
  }

  async #awaitRate(calls: number, perMs: number): Promise<void> {
    const oldest = this.#begun.length < calls ? undefined : this.#begun.shift();
    if (oldest !== undefined) {
      for (let now = this.#clock.now(); now < oldest + perMs; now = this.#clock.now()) {
        await this.#clock.sleep(oldest + perMs - now);
      }
    }
    this.#begun.push(this.#clock.now());
  }
}
