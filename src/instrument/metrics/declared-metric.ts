import { SpindexError } from "../../errors.ts";
import type { CounterOptions, HistogramOptions } from "../handler-telemetry.ts";
import { BUCKETS, METRIC_PREFIX } from "../names.ts";

export type MetricKind = "counter" | "histogram";

/** A metric as handlers declared it, checked. */
export interface DeclaredMetric {
  readonly kind: MetricKind;
  /** As it was given. */
  readonly name: string;
  /** On the page. */
  readonly family: string;
  readonly help: string;
  readonly labels: readonly string[];
  /** Rising; none for a counter. */
  readonly buckets: readonly number[];
}

type Options = CounterOptions<string> & HistogramOptions<string>;

const PREFIX = `${METRIC_PREFIX}user_`;
const MAX_NAME = 80;
const MAX_LABELS = 5;
const MAX_BUCKETS = 20;
/** What the page, or whoever scrapes it, gives every series. */
const RESERVED_LABELS = new Set(["le", "quantile", "indexer", "shard", "job", "instance"]);
const NAME = /^[a-z][a-z0-9_]*$/;

/** @throws SpindexError METRIC_INVALID */
export function declarationOf(kind: MetricKind, name: string, options: Options): DeclaredMetric {
  const refuse = (what: string, fix: string): never => {
    throw invalid(`${kind} ${JSON.stringify(name)}: ${what}`, fix);
  };
  if (typeof name !== "string" || !NAME.test(name) || name.length > MAX_NAME) {
    refuse("no usable name", `Use lower-case letters, digits and underscores, a letter first, at most ${MAX_NAME}.`);
  }
  if (kind === "histogram" && /_(?:total|sum|count|bucket)$/.test(name)) {
    refuse("the ending is not for histograms", "End the name with the unit: order_size_bytes, reply_seconds.");
  }
  const { help, labels = [], buckets = BUCKETS.duration } = options ?? {};
  if (typeof help !== "string" || help.trim() === "") {
    refuse("help is missing", 'Say what a high value means: { help: "Swaps that paid no fee." }.');
  }
  const wrongLabel = labels.find((label) => !NAME.test(label) || RESERVED_LABELS.has(label));
  if (wrongLabel !== undefined) {
    const reserved = [...RESERVED_LABELS].join(", ");
    refuse(`the label ${JSON.stringify(wrongLabel)} cannot be`, `Name labels like metrics, and not ${reserved}.`);
  }
  if (labels.length > MAX_LABELS || new Set(labels).size !== labels.length) {
    refuse("too many labels, or the same one twice", `Use at most ${MAX_LABELS}, each once.`);
  }
  const rising = buckets.every((bound, i) => Number.isFinite(bound) && (i === 0 || bound > (buckets[i - 1] as number)));
  if (!rising || buckets.length === 0 || buckets.length > MAX_BUCKETS) {
    refuse("no usable buckets", `Give 1 to ${MAX_BUCKETS} numbers, each greater than the one before.`);
  }
  const suffix = kind === "counter" && !name.endsWith("_total") ? "_total" : "";
  return {
    kind,
    name,
    family: `${PREFIX}${name}${suffix}`,
    help,
    labels: [...labels],
    buckets: kind === "histogram" ? [...buckets] : [],
  };
}

/** Whether the options say what was declared before. Called for each event: it allocates nothing. */
export function isDeclaredAgain(declared: DeclaredMetric, kind: MetricKind, options: Options): boolean {
  return (
    declared.kind === kind &&
    declared.help === options?.help &&
    isSameList(declared.labels, options.labels ?? NONE) &&
    (kind === "counter" || isSameList(declared.buckets, options.buckets ?? BUCKETS.duration))
  );
}

const NONE: readonly string[] = [];

function isSameList(one: readonly unknown[], other: readonly unknown[]): boolean {
  if (one.length !== other.length) return false;
  for (let i = 0; i < one.length; i++) if (one[i] !== other[i]) return false;
  return true;
}

export function invalid(message: string, fix: string): SpindexError {
  return new SpindexError("METRIC_INVALID", message, { fix });
}
