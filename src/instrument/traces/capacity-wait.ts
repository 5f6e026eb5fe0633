import type { CapacityWait } from "../batch-telemetry.ts";
import { type Instruments, idsOf, Origin } from "../instruments.ts";
import { logEvent } from "../log.ts";
import type { TracedSpan } from "../tracing/tracing.ts";

/** The span of a wait that has ended: its batch, and so the span above it, was not there while it lasted. */
export function traceCapacityWait(
  instruments: Instruments,
  batch: TracedSpan,
  batchId: number,
  wait: CapacityWait,
): void {
  const { tracing, metrics, log } = instruments;
  const drain = wait.drainOrigin instanceof Origin ? wait.drainOrigin : undefined;
  const span = tracing.start("spindex.capacity_wait", {
    parent: batch,
    startedAt: wait.startedAt,
    links: [drain?.ref],
    attributes: {
      "spindex.wait.reason": wait.reason,
      "spindex.wait.limit": wait.limit,
      "spindex.wait.wake_ups": wait.wakeUps,
      "spindex.uncommitted.changes": wait.uncommittedChanges,
      "spindex.uncommitted.bytes": wait.uncommittedBytes,
      "spindex.queue.batches": wait.queuedBatches,
      "spindex.drain.id": drain?.id,
      "spindex.drain.trace_id": drain?.ref?.traceId,
    },
  });
  span.end(wait.endedAt);
  const waitMs = wait.endedAt - wait.startedAt;
  metrics.observe("capacity_wait_duration_seconds", { reason: wait.reason }, waitMs / 1000, span.ref);
  logEvent(log, "capacity.wait", {
    ...idsOf(span),
    batch_id: batchId,
    drain_id: drain?.id,
    duration_ms: waitMs,
    reason: wait.reason,
  });
}
