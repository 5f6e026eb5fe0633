import type { LoopAccount } from "../instrument/loop-account.ts";
import type { ProcessState } from "../instrument/telemetry.ts";

type Awaited = "reads" | "effects";

/**
 * What handlers wait for, as states of the processing loop: `reads` while a read is under way, `effects` while only
 * effects are. They begin and end in any order.
 */
export class HandlerWaits {
  readonly #loop: LoopAccount<ProcessState>;
  readonly #underWay: Record<Awaited, number> = { reads: 0, effects: 0 };
  /** The state that the first of them interrupted. */
  #interrupted: ProcessState = "handlers";

  constructor(loop: LoopAccount<ProcessState>) {
    this.#loop = loop;
  }

  async during<T>(what: Awaited, run: () => Promise<T>): Promise<T> {
    const { state } = this.#loop;
    if (state !== "reads" && state !== "effects") this.#interrupted = state;
    this.#underWay[what]++;
    this.#enter();
    try {
      return await run();
    } finally {
      this.#underWay[what]--;
      // The loop may have gone on without them.
      if (this.#loop.state === "reads" || this.#loop.state === "effects") this.#enter();
    }
  }

  #enter(): void {
    const { reads, effects } = this.#underWay;
    const state = reads > 0 ? "reads" : effects > 0 ? "effects" : this.#interrupted;
    if (state !== this.#loop.state) this.#loop.enter(state);
  }
}
