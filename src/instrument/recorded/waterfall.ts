import type { AttributeValue, RecordedAttributes, TraceModel, TraceSpan } from "./trace-model.ts";

export interface WaterfallOptions {
  /** Only these traces; default: all. */
  readonly traces?: ReadonlySet<string> | undefined;
  /** The real trace ids too, which differ from run to run. Default true. */
  readonly ids?: boolean;
}

/** Lines are broken before they are longer than this. */
const WIDTH = 120;
const NAME_WIDTH = 48;
const BAR_WIDTH = 24;
/** As long as all others together, and of no use beside the message. */
const OMITTED: ReadonlySet<string> = new Set(["exception.stacktrace"]);
/** Known for every span of its kind. */
const OWN_PREFIX = "spindex.";

/**
 * Spans as text: a tree a trace, each span with its start (from that of its trace), its length, its attributes, events
 * and links. Traces are called A, B, … in the order of their starts, and spans by their trace and number, also where a
 * link or an attribute names one. Our own attributes go without their `spindex.`.
 */
export function waterfall(model: TraceModel, options: WaterfallOptions = {}): string {
  const traces = tracesOf(model);
  const labels = new Labels(traces);
  const shown = traces.filter(({ id }) => options.traces?.has(id) ?? true);
  const startedAt = Math.min(...shown.map((trace) => trace.startedAt));
  return shown
    .map((trace) => {
      const id = options.ids === false ? "" : `  ${trace.id}`;
      const head = `── trace ${labels.trace(trace.id)} ── +${number(trace.startedAt - startedAt)} ms${id}`;
      return [head, ...trace.lines.flatMap((line) => linesOf(line, trace, model, labels))].join("\n");
    })
    .join("\n\n");
}

interface Line {
  readonly span: TraceSpan;
  readonly depth: number;
}

interface Trace {
  readonly id: string;
  readonly startedAt: number;
  readonly endedAt: number;
  /** Depth first. */
  readonly lines: readonly Line[];
}

/** In order of their starts, then of their export. */
function tracesOf(model: TraceModel): readonly Trace[] {
  const byTrace = Map.groupBy(model.spans, ({ traceId }) => traceId);
  const traces = [...byTrace].map(([id, spans]): Trace => {
    const lines: Line[] = [];
    const visit = (span: TraceSpan, depth: number): void => {
      lines.push({ span, depth });
      for (const child of model.childrenOf(span)) if (child.traceId === id) visit(child, depth + 1);
    };
    const isRoot = (span: TraceSpan): boolean => model.parentOf(span)?.traceId !== id;
    for (const span of spans.filter(isRoot).toSorted((a, b) => a.startedAt - b.startedAt)) visit(span, 0);
    const startedAt = Math.min(...spans.map((span) => span.startedAt));
    return { id, startedAt, endedAt: Math.max(...spans.map((span) => span.endedAt)), lines };
  });
  return traces.toSorted((a, b) => a.startedAt - b.startedAt);
}

/** Short names for traces and spans. */
class Labels {
  readonly #traces = new Map<string, string>();
  readonly #spans = new Map<string, string>();

  constructor(traces: readonly Trace[]) {
    for (const [at, { id, lines }] of traces.entries()) {
      const label = lettersOf(at);
      this.#traces.set(id, label);
      for (const [line, { span }] of lines.entries()) this.#spans.set(span.spanId, `${label}${line + 1}`);
    }
  }

  trace(id: string): string | undefined {
    return this.#traces.get(id);
  }

  span(id: string): string | undefined {
    return this.#spans.get(id);
  }
}

/** A to Z, then AA. */
function lettersOf(at: number): string {
  const letter = String.fromCharCode(65 + (at % 26));
  return at < 26 ? letter : `${lettersOf(Math.floor(at / 26) - 1)}${letter}`;
}

function linesOf({ span, depth }: Line, trace: Trace, model: TraceModel, labels: Labels): string[] {
  const label = labels.span(span.spanId) ?? "";
  const name = `${label.padEnd(4)} ${"  ".repeat(depth)}${span.name}${span.isError ? " ✗" : ""}`;
  const times = `+${number(span.startedAt - trace.startedAt)}`.padStart(9) + number(span.durationMs).padStart(9);
  const head = `${name.padEnd(NAME_WIDTH)}${times} ms ${bar(span, trace)}`;
  const indent = " ".repeat(7 + 2 * depth);
  const details = wrapped(wordsOf(span.attributes, labels), indent);
  const status = span.statusMessage === undefined ? [] : [`${indent}✗ ${oneLine(span.statusMessage)}`];
  const events = span.events.map(({ name: event, at, attributes }) => {
    const words = wordsOf(attributes, labels).join("  ");
    return `${indent}• +${number(at - trace.startedAt)} ${event}${words === "" ? "" : `  ${words}`}`;
  });
  const links = span.links.map(({ spanId }) => {
    const target = model.span(spanId);
    return target === undefined
      ? `${indent}→ a span that is not there`
      : `${indent}→ ${labels.span(spanId)} ${target.name}`;
  });
  return [head, ...details, ...status, ...events, ...links];
}

function bar(span: TraceSpan, { startedAt, endedAt }: Trace): string {
  const scale = BAR_WIDTH / Math.max(endedAt - startedAt, 1e-6);
  const from = Math.min(BAR_WIDTH - 1, Math.floor((span.startedAt - startedAt) * scale));
  const to = Math.max(from + 1, Math.min(BAR_WIDTH, Math.round((span.endedAt - startedAt) * scale)));
  return `|${"█"
    .repeat(to - from)
    .padStart(to, " ")
    .padEnd(BAR_WIDTH, " ")}|`;
}

function wordsOf(attributes: RecordedAttributes, labels: Labels): string[] {
  return Object.entries(attributes)
    .filter(([name]) => !OMITTED.has(name))
    .toSorted(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => {
      const short = name.startsWith(OWN_PREFIX) ? name.slice(OWN_PREFIX.length) : name;
      return `${short}=${textOf(value, labels)}`;
    });
}

function textOf(value: AttributeValue, labels: Labels): string {
  if (typeof value === "number") return number(value);
  if (typeof value === "string") {
    const text = labels.trace(value) ?? value;
    return /^[\w.:/@-]+$/.test(text) ? text : JSON.stringify(text);
  }
  return typeof value === "boolean" ? String(value) : `[${value.map((item) => textOf(item, labels)).join(", ")}]`;
}

function wrapped(words: readonly string[], indent: string): string[] {
  const lines: string[] = [];
  for (const word of words) {
    const last = lines.at(-1);
    if (last === undefined || last.length + 2 + word.length > WIDTH) lines.push(indent + word);
    else lines[lines.length - 1] = `${last}  ${word}`;
  }
  return lines;
}

/** At most three decimals. */
function number(value: number): string {
  return String(Math.round(value * 1000) / 1000);
}

function oneLine(text: string): string {
  return text.split("\n")[0] ?? "";
}
