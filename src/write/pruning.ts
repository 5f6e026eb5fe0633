import type { PruneOutcome, Pruning } from "./storage.ts";

/** Rows of a step: at most, at least. */
const MOST_ROWS = 5_000;
const FEWEST_ROWS = 50;
/** A step that took longer is followed by a smaller one; a run that became due meanwhile has waited for it. */
const STEP_MS = 100;

/** Says when to prune, and how much in a step: passes over what there is to prune, in steps of about the same time. */
export class PruneSchedule {
  readonly #everyMs: number;
  #nextAt: number;
  #left: readonly Pruning[] | undefined;
  #maxRows = MOST_ROWS;

  constructor(everyMs: number, now: number) {
    this.#everyMs = everyMs;
    this.#nextAt = now + everyMs;
  }

  get nextAt(): number {
    return this.#nextAt;
  }

  get maxRows(): number {
    return this.#maxRows;
  }

  /** What is to be pruned next; undefined: a pass has not been planned. */
  get current(): Pruning | undefined {
    return this.#left?.[0];
  }

  /** Begins a pass. */
  planned(prunings: readonly Pruning[], now: number): void {
    this.#left = prunings;
    if (prunings.length === 0) this.#endPass(now);
  }

  /** A step of the current pruning is durable. */
  stepped(outcome: PruneOutcome, startedAt: number, now: number): void {
    if (now - startedAt > STEP_MS) this.#maxRows = Math.max(FEWEST_ROWS, this.#maxRows / 2);
    else this.#maxRows = Math.min(MOST_ROWS, this.#maxRows * 2);
    this.#maxRows = Math.floor(this.#maxRows);
    if (outcome.isDone) this.#left = this.#left?.slice(1);
    if (this.#left?.length === 0) this.#endPass(now);
  }

  /** Something stands in the way: the pass is given up, and the next one begins with smaller steps. */
  failed(now: number): void {
    this.#maxRows = Math.max(FEWEST_ROWS, Math.floor(this.#maxRows / 2));
    this.#endPass(now);
  }

  #endPass(now: number): void {
    this.#left = undefined;
    this.#nextAt = now + this.#everyMs;
  }
}
