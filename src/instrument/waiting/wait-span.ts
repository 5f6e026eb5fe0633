import { type Instruments, MAX_LINKED, traceIdsOf } from "../instruments.ts";
import type { SpanAttributes, WaitState } from "../names.ts";
import { BatchTrace } from "../traces/batch-trace.ts";
import { DrainTrace } from "../traces/drain-trace.ts";
import type { SpanRef } from "../tracing/tracing.ts";
import type { BackendWait } from "./backend-waits.ts";
import { isOfQueue, type OpenWork, openWorkOf, type ToldWait } from "./open-work.ts";
import type { Doing, Unfinished } from "./unfinished.ts";

type Attributes = SpanAttributes<"spindex.still_waiting">;

/** Makes the span that tells of something open, and counts it. */
export function tellOf(
  instruments: Instruments,
  unfinished: Unfinished,
  waits: ReadonlyMap<number, BackendWait>,
): ToldWait {
  const { clock, tracing, metrics, open } = instruments;
  const now = clock.now();
  const doing = unfinished.doing();
  const work = openWorkOf(unfinished, doing);
  const waitedMs = now - unfinished.since;
  const pid = doing.backendPids?.find((backend) => waits.has(backend)) ?? doing.backendPids?.[0];
  const wait = pid === undefined ? undefined : waits.get(pid);
  const { links, attributes } = otherLoop(open, work);
  const parent = doing.span ?? batchInHandlers(open, work);
  const span = tracing.start("spindex.still_waiting", {
    // Below a span that is not exported it would not be, either.
    parent: parent?.ref === undefined ? undefined : parent,
    startedAt: now,
    links,
    attributes: {
      "spindex.wait.loop": work.loop,
      "spindex.wait.state": work.state,
      "spindex.wait.what": work.what,
      "spindex.wait.waited_s": waitedMs / 1000,
      ...attributes,
      ...doing.attributes,
      ...(pid === undefined ? {} : backendAttributes(pid, wait)),
    },
  });
  span.end(clock.now());
  metrics.observe("waiting_seconds", { loop: work.loop, state: work.state }, waitedMs / 1000, span.ref);
  const backend = pid === undefined || wait === undefined ? undefined : { ...wait, pid };
  return { ...work, doing, waitedMs, backend, told: span };
}

/** What is not the write loop's, and may have to wait for what that writes. */
const AWAIT_RUNS: ReadonlySet<WaitState> = new Set<WaitState>(["capacity", "handlers", "flush"]);

/** What it has to do with in the other loop. */
function otherLoop(
  open: Instruments["open"],
  { loop, state }: OpenWork,
): { readonly links: readonly (SpanRef | undefined)[]; readonly attributes: Attributes } {
  const run = find(open, (unfinished) => (unfinished instanceof DrainTrace ? unfinished : undefined));
  const isAwaitingRun = isOfQueue(state) || AWAIT_RUNS.has(state);
  if (run === undefined || (loop !== "write" && !isAwaitingRun)) return { links: [], attributes: {} };
  const ids = { "spindex.drain.id": run.origin.id, "spindex.drain.trace_id": run.origin.ref?.traceId };
  if (isAwaitingRun) return { links: [run.origin.ref], attributes: ids };
  const batches = run.batchRefs.slice(0, MAX_LINKED);
  return { links: batches, attributes: { ...ids, "spindex.batch.trace_ids": traceIdsOf(batches) } };
}

/** What handlers wait for is told of in the batch that they handle. */
function batchInHandlers(open: Instruments["open"], { state }: OpenWork): Doing["span"] {
  if (state !== "reads" && state !== "effects") return undefined;
  return find(open, (unfinished) => (unfinished instanceof BatchTrace ? unfinished.handlersSpan : undefined));
}

function find<T>(open: Instruments["open"], match: (unfinished: Unfinished) => T | undefined): T | undefined {
  for (const unfinished of open) {
    const found = match(unfinished);
    if (found !== undefined) return found;
  }
  return undefined;
}

function backendAttributes(pid: number, wait: BackendWait | undefined): Attributes {
  const blocker = wait?.blocker;
  return {
    "db.system.name": "postgresql",
    "db.postgresql.backend_pid": pid,
    "spindex.wait.event": wait?.event,
    "spindex.blocker.pid": blocker?.pid,
    "spindex.blocker.count": blocker?.count,
    "spindex.blocker.state": blocker?.state,
    "spindex.blocker.since": blocker?.since,
    "spindex.blocker.query": blocker?.query,
    "spindex.blocker.application": blocker?.application,
  };
}
