import type { Picture, Row } from "./picture.ts";
import { wordsOf } from "./span-words.ts";
import { isNamed, type TraceModel, type TraceSpan } from "./trace-model.ts";

/** How a part of the text is to look; the plain text is given back where there are no colours. */
export type Style = (look: "title" | "error" | "open" | "dim" | "bar", text: string) => string;

export interface PictureTextOptions {
  /** Columns that a line may have; undefined: as many as it needs. */
  readonly width: number | undefined;
  readonly style: Style;
}

/** Columns without a limit: bars need some measure. */
const USUAL_WIDTH = 120;
const MIN_WIDTH = 72;
const DURATION_WIDTH = 8;

/** A picture as text: its title, where a batch's time went, and a waterfall. */
export function pictureText(picture: Picture, model: TraceModel, options: PictureTextOptions): string {
  const { style } = options;
  const columns = columnsOf(picture, options.width);
  const scale = " ".repeat(columns.name + DURATION_WIDTH + 1);
  const span = `0${durationText(picture.endedAt - picture.startedAt).padStart(columns.bar - 1)}`;
  return [
    titleOf(picture.root, style),
    ...attributionOf(picture.root),
    cut(`  ${scale} ${style("dim", span)}`, undefined),
    ...picture.rows.flatMap((row) => linesOf(row, picture, model, columns, options)),
    ...(picture.leftOut > 0 ? [`  ▸ and ${picture.leftOut} more linked traces`] : []),
  ].join("\n");
}

interface Columns {
  readonly name: number;
  readonly bar: number;
}

function columnsOf({ rows }: Picture, width: number | undefined): Columns {
  const all = Math.max(MIN_WIDTH, width ?? USUAL_WIDTH);
  const longest = Math.max(...rows.map(({ span, branch }) => branch.length + span.name.length));
  const name = Math.min(longest, Math.floor(all * 0.4));
  return { name, bar: Math.max(16, Math.floor((all - name - DURATION_WIDTH) * 0.45)) };
}

function titleOf(root: TraceSpan, style: Style): string {
  const { attributes } = root;
  const name = isNamed(root, "spindex.batch") ? `batch ${attributes["spindex.batch.id"]}` : root.name;
  const chains = attributes["spindex.chain.name"] ?? attributes["spindex.chains"];
  const words = [
    durationText(root.durationMs),
    attributes["spindex.mode"],
    Array.isArray(chains) ? chains.join(", ") : chains,
    new Date(root.startedAt).toISOString(),
    `trace ${root.traceId}`,
  ];
  const rest = words.filter((word) => word !== undefined).join(" · ");
  return `${style("title", name)} · ${outcomeOf(root, style)}${rest}`;
}

function outcomeOf(span: TraceSpan, style: Style): string {
  if (span.isOpen) return `${style("open", "still open")} · `;
  const outcome = span.attributes["spindex.outcome"] ?? (span.isError ? "failed" : undefined);
  if (outcome === undefined) return "";
  return `${style(span.isError || outcome === "failed" ? "error" : "dim", String(outcome))} · `;
}

/** Where the time of a durable batch went. */
function attributionOf(root: TraceSpan): string[] {
  const part = (name: string, words: string): string[] => {
    const ms = root.attributes[`spindex.lag.${name}_ms`];
    return typeof ms === "number" && ms > 0 ? [`${words} ${durationText(ms)}`] : [];
  };
  const parts = [
    ...part("capacity", "waited for capacity"),
    ...part("process", "processed"),
    ...part("queue", "queued"),
    ...part("write", "written"),
  ];
  return parts.length === 0 ? [] : [`  ${parts.join(" · ")}`];
}

function linesOf(
  { span, branch }: Row,
  picture: Picture,
  model: TraceModel,
  { name, bar }: Columns,
  { width, style }: PictureTextOptions,
): string[] {
  const title = clipped(branch + span.name, name).padEnd(name);
  const duration = durationText(span.durationMs).padStart(DURATION_WIDTH);
  const look = span.isError ? "error" : span.isOpen ? "open" : "bar";
  const head = `  ${span.isError ? style("error", title) : title} ${duration} ${style(look, barOf(span, picture, bar))}`;
  const used = 2 + name + 1 + DURATION_WIDTH + 1 + bar + 1;
  const words = cut([...stateOf(span), ...wordsOf(span)].join(" · "), width === undefined ? undefined : width - used);
  const line = `${head} ${words}`.trimEnd();
  const message = errorOf(span, model);
  if (message === undefined) return [line];
  const indent = `  ${" ".repeat(branch.length)}`;
  const room = width === undefined ? undefined : width - indent.length - 2;
  return [line, `${indent}${style("error", `✗ ${cut(message, room)}`)}`];
}

function stateOf(span: TraceSpan): string[] {
  if (span.isOpen) return ["still open"];
  if (span.isError) return [String(span.attributes["error.type"] ?? "failed")];
  const outcome = span.attributes["spindex.outcome"];
  return outcome === undefined || outcome === "done" || outcome === "durable" ? [] : [String(outcome)];
}

/**
 * An error is told where it happened, and at the drain run, which knows the row and the event that it came from. The
 * spans between and around only say that there was one.
 */
function errorOf(span: TraceSpan, model: TraceModel): string | undefined {
  if (!span.isError || span.statusMessage === undefined) return undefined;
  if (isNamed(span, "spindex.drain_run")) return firstLine(span.statusMessage);
  const tells = (other: TraceSpan): boolean => other.isError;
  const runTells = isNamed(span, "spindex.batch.persist") && model.named("spindex.drain_run").some(tells);
  return runTells || model.childrenOf(span).some(tells) ? undefined : firstLine(span.statusMessage);
}

/** Where the span lies in the picture's time; at its edge when it lies outside. */
function barOf(span: TraceSpan, { startedAt, endedAt }: Picture, width: number): string {
  const scale = width / Math.max(endedAt - startedAt, 1e-6);
  if (span.endedAt < startedAt) return "◂".padEnd(width);
  if (span.startedAt > endedAt) return "▸".padStart(width);
  const from = Math.min(width - 1, Math.max(0, Math.floor((span.startedAt - startedAt) * scale)));
  const to = Math.min(width, Math.max(from + 1, Math.round((span.endedAt - startedAt) * scale)));
  return (" ".repeat(from) + "█".repeat(to - from)).padEnd(width);
}

/** `0.42 ms`, `12.3 ms`, `5.20 s`, `3 m 12 s`. */
function durationText(ms: number): string {
  if (ms < 0.995) return `${Math.round(ms * 1000)} µs`;
  if (ms < 999.5) return `${ms.toPrecision(3)} ms`;
  if (ms < 59_995) return `${(ms / 1000).toPrecision(3)} s`;
  const seconds = Math.round(ms / 1000);
  return `${Math.floor(seconds / 60)} m ${seconds % 60} s`;
}

export function firstLine(text: string): string {
  return text.split("\n", 1)[0] ?? "";
}

function cut(text: string, width: number | undefined): string {
  return width === undefined ? text : clipped(text, Math.max(8, width));
}

function clipped(text: string, width: number): string {
  return text.length <= width ? text : `${text.slice(0, width - 1)}…`;
}
