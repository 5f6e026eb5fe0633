/**
 * A wake-up call for waiting loops. A waiter takes the promise first, then checks its condition, then awaits:
 * so a call between the check and the await is not missed.
 */
export class Signal {
  #waiters: PromiseWithResolvers<void> | undefined;

  /** Resolves at the next `notify`. */
  next(): Promise<void> {
    this.#waiters ??= Promise.withResolvers<void>();
    return this.#waiters.promise;
  }

  /** Wakes everyone who waits. */
  notify(): void {
    this.#waiters?.resolve();
    this.#waiters = undefined;
  }
}
