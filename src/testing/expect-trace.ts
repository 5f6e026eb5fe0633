import { AssertionError } from "node:assert";
import { isDeepStrictEqual } from "node:util";
import type { EventAttributes, EventOf, SpanAttributes, SpanName } from "../instrument/names.ts";
import {
  isNamed,
  type RecordedAttributes,
  type TraceModel,
  type TraceSpan,
} from "../instrument/recorded/trace-model.ts";
import { waterfall } from "../instrument/recorded/waterfall.ts";

/** Bounds in milliseconds, both included. */
export interface Duration {
  readonly min?: number;
  readonly max?: number;
}

/** What is expected of traces. Each method throws, with the waterfall that was seen, when it does not hold. */
export interface TraceExpectation {
  /** No link and no parent leads nowhere. */
  whole(): TraceExpectation;
  /** The one span of this name, with these attributes at least. */
  one<N extends SpanName>(name: N, attributes?: SpanAttributes<N>): SpanExpectation<N>;
  /** All of them, in order of their start; at least one, or exactly `count`. */
  all<N extends SpanName>(name: N, count?: number): readonly SpanExpectation<N>[];
  none(name: SpanName): TraceExpectation;
}

/** What is expected of one span. Those that lead to another span return what is expected of that one. */
export interface SpanExpectation<N extends SpanName> {
  readonly span: TraceSpan;
  /** It has these attributes, among others; `undefined`: it has none of this name. */
  has(attributes: SpanAttributes<N>): SpanExpectation<N>;
  hasEvent<E extends EventOf<N>>(name: E, attributes?: EventAttributes<E>): SpanExpectation<N>;
  /** Its status is an error; with `type`, of this `error.type`. */
  failed(type?: string): SpanExpectation<N>;
  /** Its status is no error. */
  ok(): SpanExpectation<N>;
  lasts(duration: Duration): SpanExpectation<N>;
  /** It has no parent. */
  isRoot(): SpanExpectation<N>;
  parent<P extends SpanName>(name: P): SpanExpectation<P>;
  /** The one child of this name, with these attributes at least. */
  child<C extends SpanName>(name: C, attributes?: SpanAttributes<C>): SpanExpectation<C>;
  /** All children of this name, in order of their start; exactly `count`, where it is given. */
  children<C extends SpanName>(name: C, count?: number): readonly SpanExpectation<C>[];
  /** The one span of this name that it links to: it must have been exported. */
  linksTo<L extends SpanName>(name: L, attributes?: SpanAttributes<L>): SpanExpectation<L>;
  /** All of this name that it links to, in the order of the links. */
  allLinkedTo<L extends SpanName>(name: L, count?: number): readonly SpanExpectation<L>[];
  /** The one span of this name that links to it. */
  linkedFrom<L extends SpanName>(name: L, attributes?: SpanAttributes<L>): SpanExpectation<L>;
}

/** Checks traces. Names of spans, attributes and events are those of the telemetry contract; others are type errors. */
export function expectTrace(model: TraceModel): TraceExpectation {
  const expectation: TraceExpectation = {
    whole: () => {
      const dangling = model.dangling();
      if (dangling.length > 0) fail(model, undefined, dangling.join("\n"));
      return expectation;
    },
    one: (name, attributes) => theOne(model, undefined, model.spans, name, attributes, "span"),
    all: (name, count) => several(model, undefined, inOrder(model.spans), name, count, "spans", 1),
    none: (name) => {
      const found = model.named(name).length;
      if (found > 0) fail(model, undefined, `expected no span ${name}, found ${found}`);
      return expectation;
    },
  };
  return expectation;
}

function expectSpan<N extends SpanName>(model: TraceModel, span: TraceSpan): SpanExpectation<N> {
  const require = (holds: boolean, what: () => string): SpanExpectation<N> => {
    if (!holds) fail(model, span, `${span.name}: ${what()}`);
    return expectation;
  };
  const expectation: SpanExpectation<N> = {
    span,
    has: (attributes) => require(agree(span.attributes, attributes), () => differences(span.attributes, attributes)),
    hasEvent: (event, attributes = {}) =>
      require(span.events.some((seen) => seen.name === event && agree(seen.attributes, attributes)), () =>
        `expected the event ${event} ${JSON.stringify(attributes)}`),
    failed: (type) =>
      require(span.isError && (type === undefined || span.attributes["error.type"] === type), () =>
        `expected an error${type === undefined ? "" : ` of type ${type}`}`),
    ok: () => require(!span.isError, () => `expected no error, found ${span.statusMessage}`),
    lasts: ({ min = 0, max = Number.POSITIVE_INFINITY }) =>
      require(span.durationMs >= min && span.durationMs <= max, () =>
        `expected ${min} to ${max} ms, took ${span.durationMs} ms`),
    isRoot: () => require(span.parentSpanId === undefined, () => "expected no parent"),
    parent: (parentName) => {
      const parent = model.parentOf(span);
      require(parent !== undefined && isNamed(parent, parentName), () =>
        `expected the parent ${parentName}, found ${parent?.name ?? "none"}`);
      return expectSpan(model, parent as TraceSpan);
    },
    child: (child, attributes) => theOne(model, span, model.childrenOf(span), child, attributes, "child"),
    children: (child, count) => several(model, span, model.childrenOf(span), child, count, "children", 0),
    linksTo: (target, attributes) => theOne(model, span, targetsOf(model, span), target, attributes, "link to"),
    allLinkedTo: (target, count) => several(model, span, targetsOf(model, span), target, count, "links to", 1),
    linkedFrom: (source, attributes) => theOne(model, span, model.linkingTo(span), source, attributes, "link from"),
  };
  return expectation;
}

/** What it links to: every target must be there, or nobody could follow the link. */
function targetsOf(model: TraceModel, span: TraceSpan): readonly TraceSpan[] {
  return span.links.map(({ traceId, spanId }) => {
    const target = model.span(spanId);
    if (target?.traceId !== traceId) fail(model, span, `${span.name} links to ${spanId}, which was not exported`);
    return target;
  });
}

function theOne<N extends SpanName>(
  model: TraceModel,
  from: TraceSpan | undefined,
  spans: readonly TraceSpan[],
  name: N,
  attributes: SpanAttributes<N> | undefined,
  what: string,
): SpanExpectation<N> {
  const found = spans.filter((span) => isNamed(span, name) && agree(span.attributes, attributes ?? {}));
  const [span] = found;
  if (span === undefined || found.length > 1) {
    const wanted = attributes === undefined ? name : `${name} ${JSON.stringify(attributes)}`;
    fail(model, from, `${prefixOf(from)}expected one ${what} ${wanted}, found ${found.length}`);
  }
  return expectSpan(model, span);
}

function several<N extends SpanName>(
  model: TraceModel,
  from: TraceSpan | undefined,
  spans: readonly TraceSpan[],
  name: N,
  count: number | undefined,
  what: string,
  least: number,
): readonly SpanExpectation<N>[] {
  const found = spans.filter((span) => isNamed(span, name));
  if (count === undefined ? found.length < least : found.length !== count) {
    fail(
      model,
      from,
      `${prefixOf(from)}expected ${count ?? `at least ${least}`} ${what} ${name}, found ${found.length}`,
    );
  }
  return found.map((span) => expectSpan(model, span));
}

function prefixOf(from: TraceSpan | undefined): string {
  return from === undefined ? "" : `${from.name}: `;
}

function inOrder(spans: readonly TraceSpan[]): readonly TraceSpan[] {
  return spans.toSorted((a, b) => a.startedAt - b.startedAt);
}

function agree(seen: RecordedAttributes, expected: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(expected).every(([name, value]) => isDeepStrictEqual(seen[name], value));
}

function differences(seen: RecordedAttributes, expected: Readonly<Record<string, unknown>>): string {
  return Object.entries(expected)
    .filter(([name, value]) => !isDeepStrictEqual(seen[name], value))
    .map(([name, value]) => `expected ${name} ${JSON.stringify(value)}, found ${JSON.stringify(seen[name])}`)
    .join("; ");
}

/** More traces than anyone reads at once. */
const MOST_TRACES = 10;

function fail(model: TraceModel, span: TraceSpan | undefined, message: string): never {
  const ids = [...new Set(model.spans.map(({ traceId }) => traceId))];
  const near = span === undefined ? ids : nearTo(model, span);
  const shown = near.slice(0, MOST_TRACES);
  const left = near.length > shown.length ? `\n\n… and ${near.length - shown.length} more traces` : "";
  const seen = ids.length === 0 ? "nothing was traced" : waterfall(model, { traces: new Set(shown) });
  throw new AssertionError({ message: `${message}\n\n${seen}${left}\n`, stackStartFn: fail });
}

/** The span's own trace, and those that it is linked with. */
function nearTo(model: TraceModel, span: TraceSpan): string[] {
  const own = model.spans.filter(({ traceId }) => traceId === span.traceId);
  const linked = own.flatMap((one) => [...model.linkedFrom(one), ...model.linkingTo(one)]);
  return [...new Set([span, ...linked].map(({ traceId }) => traceId))];
}
