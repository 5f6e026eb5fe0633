import { isNamed, type TraceModel, type TraceSpan } from "./trace-model.ts";

/** One trace, and beneath it the traces that it is linked with. */
export interface Picture {
  /** Its own root; the first of them when the real one is not there. */
  readonly root: TraceSpan;
  readonly rows: readonly Row[];
  /** Linked traces that are left out, since there are too many. */
  readonly leftOut: number;
  /** The time that is shown, in milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
}

export interface Row {
  readonly span: TraceSpan;
  /** The lines of the tree in front of its name. */
  readonly branch: string;
}

/** Linked traces in one picture. */
const MAX_LINKED = 8;

/**
 * The picture of a trace. A drain run that it is linked with is shown whole, its write transaction included: it is the
 * other half of what happened. Batches and fetches that it is linked with are one line each.
 */
export function pictureOf(model: TraceModel, traceId: string): Picture {
  const spans = model.spans.filter((span) => span.traceId === traceId);
  const roots = spans.filter((span) => model.parentOf(span) === undefined).toSorted(byStart);
  const linked = linkedRoots(model, spans);
  const shown = linked.slice(0, MAX_LINKED).toSorted(byStart);
  const whole = shown.filter((root) => isNamed(root, "spindex.drain_run"));
  const rows = roots.flatMap((root) => tree(model, root, "", ""));
  const main = [...rows, ...whole.flatMap((root) => tree(model, root, "", ""))].map(({ span }) => span);
  for (const root of shown) {
    if (whole.includes(root)) rows.push(...tree(model, root, "▸ ", "  "));
    else rows.push({ span: root, branch: "▸ " });
  }
  return {
    root: roots[0] as TraceSpan,
    rows,
    leftOut: linked.length - shown.length,
    startedAt: Math.min(...main.map(({ startedAt }) => startedAt)),
    endedAt: Math.max(...main.map(({ endedAt }) => endedAt)),
  };
}

/** Depth first, children in order of their start. */
function tree(model: TraceModel, span: TraceSpan, first: string, rest: string): Row[] {
  const children = model.childrenOf(span);
  return [
    { span, branch: first },
    ...children.flatMap((child, i) =>
      i === children.length - 1
        ? tree(model, child, `${rest}└ `, `${rest}  `)
        : tree(model, child, `${rest}├ `, `${rest}│ `),
    ),
  ];
}

/** Drain runs first, then the others, the longest first. */
function linkedRoots(model: TraceModel, spans: readonly TraceSpan[]): TraceSpan[] {
  const own = new Set(spans);
  const found = new Set<TraceSpan>();
  for (const span of spans) {
    const fetch = isNamed(span, "spindex.fetch") ? model.linkingTo(span) : [];
    for (const target of [...model.linkedFrom(span), ...fetch, ...linkedByNumber(model, span)]) {
      const root = rootOf(model, target);
      if (!own.has(root)) found.add(root);
    }
  }
  const rank = (span: TraceSpan): number => (isNamed(span, "spindex.drain_run") ? 0 : 1);
  return [...found].toSorted((a, b) => rank(a) - rank(b) || b.durationMs - a.durationMs);
}

function rootOf(model: TraceModel, span: TraceSpan): TraceSpan {
  let root = span;
  for (let parent = model.parentOf(root); parent !== undefined; parent = model.parentOf(root)) root = parent;
  return root;
}

/**
 * Spans that were not sampled have no links, which could lead nowhere; their numbers lead as far. Numbers begin again
 * with each process, and a trace file may hold several: the run of a batch is the one that began when it was picked up.
 */
function linkedByNumber(model: TraceModel, span: TraceSpan): readonly TraceSpan[] {
  const id = span.attributes["spindex.drain.id"];
  if (id === undefined || span.links.length > 0) return [];
  const sameRun = (other: TraceSpan): boolean => other.attributes["spindex.drain.id"] === id;
  if (isNamed(span, "spindex.batch.persist")) {
    return runs(model).filter((run) => sameRun(run) && run.startedAt === span.startedAt);
  }
  if (isNamed(span, "spindex.capacity_wait")) {
    return runs(model).filter((run) => sameRun(run) && run.startedAt <= span.endedAt && run.endedAt >= span.startedAt);
  }
  if (!isNamed(span, "spindex.drain_run")) return [];
  const persists = model.named("spindex.batch.persist");
  return persists.filter((persist) => sameRun(persist) && persist.startedAt === span.startedAt);
}

function runs(model: TraceModel): readonly TraceSpan[] {
  return model.named("spindex.drain_run");
}

function byStart(a: TraceSpan, b: TraceSpan): number {
  return a.startedAt - b.startedAt;
}
