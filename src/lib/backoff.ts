import type { Clock } from "./clock.ts";

export interface BackoffOptions {
  /** Upper bound of the first wait. */
  readonly firstMs: number;
  readonly maxMs: number;
}

/** How long to wait before attempt `attempt` (1 = the first retry): exponential, with full jitter above one half. */
export function backoffMs(attempt: number, options: BackoffOptions, clock: Pick<Clock, "random">): number {
  const ceiling = Math.min(options.maxMs, options.firstMs * 2 ** Math.min(attempt - 1, 30));
  return ceiling * (0.5 + clock.random() / 2);
}
