/**
 * At most so many at once. A request takes its permit before its clock starts, so that its timeout and its span
 * measure the node and not our own queue.
 */
export class Permits {
  #free: number;
  readonly #waiting: (() => void)[] = [];

  constructor(count: number) {
    this.#free = count;
  }

  /** Runs `task` with a permit. A wait that `signal` aborts ends with the signal's reason. */
  async run<T>(signal: AbortSignal, task: () => Promise<T>): Promise<T> {
    await this.#acquire(signal);
    try {
      return await task();
    } finally {
      this.#release();
    }
  }

  async #acquire(signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    if (this.#free > 0) {
      this.#free--;
      return;
    }
    const turn = Promise.withResolvers<void>();
    const grant = (): void => turn.resolve();
    const cancel = (): void => {
      const place = this.#waiting.indexOf(grant);
      if (place < 0) return;
      this.#waiting.splice(place, 1);
      turn.reject(signal.reason);
    };
    this.#waiting.push(grant);
    signal.addEventListener("abort", cancel, { once: true });
    try {
      await turn.promise;
    } finally {
      signal.removeEventListener("abort", cancel);
    }
  }

  #release(): void {
    const next = this.#waiting.shift();
    if (next === undefined) this.#free++;
    else next();
  }
}
