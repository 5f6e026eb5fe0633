import { type Logger, logEvent } from "../instrument/log.ts";
import type { Status } from "../instrument/status.ts";
import type { Clock } from "../lib/clock.ts";

const EVERY_MS = 10_000;

/** One line every 10 s: how far each chain is, how fast, and what the loops are doing. */
export async function logProgress(log: Logger, status: () => Status, clock: Clock, signal: AbortSignal): Promise<void> {
  let before = status();
  while (!signal.aborted) {
    await clock.sleep(EVERY_MS, signal);
    if (signal.aborted) return;
    const now = status();
    // A standby makes none.
    if (now.standby !== undefined) continue;
    const seconds = (now.at - before.at) / 1000;
    logEvent(log, "progress", {
      events_per_second: Math.round((now.eventsProcessed - before.eventsProcessed) / seconds),
      uncommitted_batches: now.queue.batches,
      uncommitted_changes: now.queue.changes,
      process_loop: now.processLoop,
      write_loop: now.writeLoop,
      chains: Object.fromEntries(
        now.chains.map(({ name, head, fetched, processed, committed, commitLagSeconds }) => [
          name,
          { head, fetched, processed, committed, lag_seconds: Math.round(commitLagSeconds) },
        ]),
      ),
    });
    before = now;
  }
}
