/** Time, timers and randomness: the one way in, so that a simulation can drive them. */
export interface Clock {
  /** Milliseconds since the epoch, with fractions; never goes back. */
  now(): number;
  /** Resolves after `ms`, or at once when `signal` aborts: a cancelled sleep is no error. */
  sleep(ms: number, signal?: AbortSignal): Promise<void>;
  /** Lets the event loop turn once, so that sockets and timers get their share. */
  turn(): Promise<void>;
  /** From 0 up to, not including, 1. */
  random(): number;
}

export const systemClock: Clock = {
  now: () => performance.timeOrigin + performance.now(),
  sleep: (ms, signal) =>
    new Promise((resolve) => {
      if (signal?.aborted) return resolve();
      const done = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener("abort", done);
        resolve();
      };
      const timer = setTimeout(done, ms);
      signal?.addEventListener("abort", done, { once: true });
    }),
  turn: () => new Promise((resolve) => setImmediate(resolve)),
  random: () => Math.random(),
};
