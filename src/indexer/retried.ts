import { backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import { WriteFailure } from "../write/storage.ts";
import { writeError } from "../write/write-error.ts";

const BACKOFF = { firstMs: 100, maxMs: 5_000 };

/**
 * Tries what is asked of the storage between two sessions, for as long as a write would be tried.
 * @param place in words, for the error
 * @param attempt attempts count from 1
 * @param onFailure told of each attempt that failed
 * @throws SpindexError when nothing can help any more; the signal's reason when it aborts before that
 */
export async function retried<T>(
  { clock, limits }: { readonly clock: Clock; readonly limits: { readonly writeRetryBudgetMs: number } },
  place: string,
  signal: AbortSignal,
  attempt: (number: number) => Promise<T>,
  onFailure?: (error: unknown, failure: { readonly kind: WriteFailure["kind"]; readonly willRetry: boolean }) => void,
): Promise<T> {
  const deadline = clock.now() + limits.writeRetryBudgetMs;
  for (let number = 1; ; number++) {
    try {
      return await attempt(number);
    } catch (error) {
      const kind = error instanceof WriteFailure ? error.kind : "fatal";
      const canHelp = kind === "transient" || kind === "outcome_unknown";
      const waitMs = backoffMs(number, BACKOFF, clock);
      const willRetry = canHelp && !signal.aborted && clock.now() + waitMs <= deadline;
      onFailure?.(error, { kind, willRetry });
      if (canHelp && signal.aborted) throw signal.reason;
      if (!willRetry) throw writeError(error, { place, attempt: number, traceId: undefined });
      await clock.sleep(waitMs, signal);
    }
  }
}
