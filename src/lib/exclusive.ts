/** Lets one piece of work run at a time, in the order in which they were given. */
export class Exclusive {
  #last: Promise<void> = Promise.resolve();
  #waiting = 0;

  /** Somebody waits for what is under way: it may want to end early. */
  get isWanted(): boolean {
    return this.#waiting > 0;
  }

  async run<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#last;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#last = promise;
    this.#waiting++;
    await before;
    this.#waiting--;
    try {
      return await work();
    } finally {
      resolve();
    }
  }
}
