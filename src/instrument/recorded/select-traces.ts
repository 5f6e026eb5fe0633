import { isNamed, type TraceModel, type TraceSpan } from "./trace-model.ts";

export interface TraceSelection {
  /** The beginning of a trace id. */
  readonly trace?: string | undefined;
  /** Number of a batch. */
  readonly batch?: number | undefined;
  /** So many of the longest. */
  readonly slowest?: number | undefined;
}

export interface SelectedTraces {
  readonly traceIds: readonly string[];
  /** How many there were to choose from. */
  readonly of: number;
}

/** Without a choice: enough to see what happened, and no more than can be read. */
const SHOWN = 3;

/**
 * The traces to show. Without a choice those in which something failed come first, then the slowest. Batches are what is
 * late: the traces that they are linked with are shown beneath them, and those of start-up and upkeep only when
 * something failed in them, or when there are no batches.
 */
export function selectTraces(model: TraceModel, { trace, batch, slowest }: TraceSelection): SelectedTraces {
  const roots = rootsOf(model);
  if (trace !== undefined) return selected(roots.filter(({ traceId }) => traceId.startsWith(trace.toLowerCase())));
  const batches = roots.filter((root) => isNamed(root, "spindex.batch"));
  if (batch !== undefined) return selected(batches.filter((root) => root.attributes["spindex.batch.id"] === batch));
  const failed = new Set(model.spans.filter(({ isError }) => isError).map(({ traceId }) => traceId));
  const isFirst = (root: TraceSpan): boolean => failed.has(root.traceId) || isNamed(root, "spindex.reorg");
  const main = roots.filter((root) => isNamed(root, "spindex.batch") || (isFirst(root) && !isBeneath(root)));
  const candidates = (main.length > 0 ? main : roots).toSorted((a, b) => b.durationMs - a.durationMs);
  if (slowest !== undefined) return selected(candidates, slowest);
  return selected([...candidates.filter(isFirst), ...candidates.filter((root) => !isFirst(root))], SHOWN);
}

/** One for each trace: its root, or what comes first of it when that is not there. */
function rootsOf(model: TraceModel): readonly TraceSpan[] {
  const roots = new Map<string, TraceSpan>();
  for (const span of model.spans) {
    if (model.parentOf(span) !== undefined) continue;
    const known = roots.get(span.traceId);
    if (known === undefined || span.startedAt < known.startedAt) roots.set(span.traceId, span);
  }
  return [...roots.values()];
}

/** What batches link to. */
function isBeneath(root: TraceSpan): boolean {
  return isNamed(root, "spindex.fetch") || isNamed(root, "spindex.drain_run");
}

function selected(roots: readonly TraceSpan[], limit: number = roots.length): SelectedTraces {
  return { traceIds: roots.slice(0, limit).map(({ traceId }) => traceId), of: roots.length };
}
