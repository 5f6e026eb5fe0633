import { backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import { RequestFailure } from "./request-failure.ts";

/** How long failed requests are tried again. */
export interface RetryOptions {
  /** From the first attempt of a request to the last. */
  readonly budgetMs: number;
  /** Upper bound of the first wait. Default 250. */
  readonly firstMs?: number;
  /** Upper bound of every wait that the node does not ask for. Default 10,000. */
  readonly maxMs?: number;
}

/**
 * An invalid answer is tried again for at most this long: another node behind the same address may do better, but a
 * node that lies for a minute will not stop by itself.
 */
const INVALID_BUDGET_MS = 60_000;

export interface RetryRun {
  readonly retries: RetryOptions;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** Said before each wait. */
  retrying(attempt: number, waitMs: number, failure: RequestFailure): void;
  /** The error to end with. */
  giveUp(failure: RequestFailure, attempts: number, elapsedMs: number): Error;
}

/** Runs `attempt` until it succeeds, cannot, or the budget is spent. Only a RequestFailure is tried again. */
export async function withRetries<T>(run: RetryRun, attempt: () => Promise<T>): Promise<T> {
  const { clock, signal, retries } = run;
  const startedAt = clock.now();
  for (let attempts = 1; ; attempts++) {
    signal.throwIfAborted();
    let failure: RequestFailure;
    try {
      return await attempt();
    } catch (error) {
      if (!(error instanceof RequestFailure)) throw error;
      failure = error;
    }
    const elapsedMs = clock.now() - startedAt;
    const waitMs = waitBefore(attempts, failure, budgetFor(failure, retries) - elapsedMs, run);
    if (waitMs === undefined) throw run.giveUp(failure, attempts, elapsedMs);
    run.retrying(attempts, waitMs, failure);
    await clock.sleep(waitMs, signal);
  }
}

function budgetFor(failure: RequestFailure, retries: RetryOptions): number {
  return failure.kind === "invalid" ? Math.min(INVALID_BUDGET_MS, retries.budgetMs) : retries.budgetMs;
}

/** Milliseconds to wait, or undefined when it is no use. The last wait is cut so that the whole budget is used. */
function waitBefore(attempts: number, failure: RequestFailure, leftMs: number, run: RetryRun): number | undefined {
  if (failure.kind === "refused" || leftMs <= 0) return undefined;
  const { firstMs = 250, maxMs = 10_000 } = run.retries;
  const own = Math.min(leftMs, backoffMs(attempts, { firstMs, maxMs }, run.clock));
  const asked = failure.retryAfterMs ?? 0;
  return asked > leftMs ? undefined : Math.max(own, asked);
}

/** The wait that a `Retry-After` header asks for: seconds, or a date. */
export function retryAfterMs(header: string | undefined, now: number): number | undefined {
  if (header === undefined) return undefined;
  if (/^\s*\d+(\.\d+)?\s*$/.test(header)) return Number(header) * 1000;
  const date = Date.parse(header);
  return Number.isNaN(date) ? undefined : Math.max(0, date - now);
}
