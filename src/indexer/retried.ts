import { backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import { WriteFailure } from "../write/storage.ts";
import { writeError } from "../write/write-error.ts";

const BACKOFF = { firstMs: 100, maxMs: 5_000 };

/**
 * Tries what is asked of the storage between two sessions, for as long as a write would be tried.
 * @param place in words, for the error
 * @throws SpindexError when nothing can help any more; the signal's reason when it aborts before that
 */
export async function retried<T>(
  { clock, limits }: { readonly clock: Clock; readonly limits: { readonly writeRetryBudgetMs: number } },
  place: string,
  signal: AbortSignal,
  attempt: () => Promise<T>,
): Promise<T> {
  const deadline = clock.now() + limits.writeRetryBudgetMs;
  for (let number = 1; ; number++) {
    try {
      return await attempt();
    } catch (error) {
      const canHelp = error instanceof WriteFailure && (error.kind === "transient" || error.kind === "outcome_unknown");
      const waitMs = backoffMs(number, BACKOFF, clock);
      if (canHelp && signal.aborted) throw signal.reason;
      if (!canHelp || clock.now() + waitMs > deadline) {
        throw writeError(error, { place, attempt: number, traceId: undefined });
      }
      await clock.sleep(waitMs, signal);
    }
  }
}
