import type { Clock } from "../lib/clock.ts";

const WINDOW_MS = 300_000;
const STEP_MS = 5_000;
/** Below this nothing can be said. */
const LEAST_MS = 10_000;

/** How fast a chain catches up: by what was left of it over the last minutes, so that a head that moves on counts too. */
export class SyncPace {
  readonly #clock: Pick<Clock, "now">;
  #samples: { readonly at: number; readonly left: number }[] = [];

  constructor(clock: Pick<Clock, "now">) {
    this.#clock = clock;
  }

  /**
   * Seconds until nothing is left; +Inf without progress, undefined while it is too early to say. To be asked now and then:
   * it is from these calls that the pace is known.
   * @param left blocks that are due and not durable
   */
  etaSeconds(left: number): number | undefined {
    const at = this.#clock.now();
    const last = this.#samples.at(-1);
    if (last === undefined || at - last.at >= STEP_MS) this.#samples.push({ at, left });
    // The one before the window stays: the pace is over all of it.
    while ((this.#samples[1]?.at ?? at) < at - WINDOW_MS) this.#samples.shift();
    if (left <= 0) return 0;
    const first = this.#samples[0];
    if (first === undefined || at - first.at < LEAST_MS) return undefined;
    const perSecond = ((first.left - left) * 1000) / (at - first.at);
    return perSecond > 0 ? left / perSecond : Number.POSITIVE_INFINITY;
  }
}
