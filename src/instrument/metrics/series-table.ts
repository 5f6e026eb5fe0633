import type { Metric } from "prom-client";
import type { LabelValue } from "../handler-telemetry.ts";
import { redact } from "../redact.ts";
import { type DeclaredMetric, invalid } from "./declared-metric.ts";
import type { Family, Sample } from "./exposition.ts";

/** Values of a label that are kept apart; the others become `other`. */
const MAX_LABEL_VALUES = 100;
const MAX_TEXT = 128;
const OTHER = "other";

/** One series of a metric: a sum, and for a histogram how many values each bucket has. */
export class Series {
  readonly labels: Readonly<Record<string, string>>;
  sum = 0;
  count = 0;
  readonly #bounds: readonly number[];
  /** Not cumulated. The values above the last bound are in none. */
  readonly #counts: number[];

  constructor(labels: Readonly<Record<string, string>>, bounds: readonly number[]) {
    this.labels = labels;
    this.#bounds = bounds;
    this.#counts = bounds.map(() => 0);
  }

  take(value: number): void {
    this.sum += value;
    this.count++;
    const bucket = this.#bounds.findIndex((bound) => value <= bound);
    if (bucket >= 0) this.#counts[bucket] = (this.#counts[bucket] as number) + 1;
  }

  samples(family: string): Sample[] {
    const { labels, sum } = this;
    if (this.#bounds.length === 0) return [{ labels, value: sum }];
    let below = 0;
    const buckets = this.#bounds.map((le, i) => {
      below += this.#counts[i] as number;
      return { metricName: `${family}_bucket`, labels: { ...labels, le }, value: below };
    });
    return [
      ...buckets,
      { metricName: `${family}_bucket`, labels: { ...labels, le: "+Inf" }, value: this.count },
      { metricName: `${family}_sum`, labels, value: sum },
      { metricName: `${family}_count`, labels, value: this.count },
    ];
  }
}

/** Why a series is not kept apart. */
export type LimitReason = "label_values" | "lines";

/** The series of one metric that handlers declared, by the values of its labels. Their number is bounded. */
export class SeriesTable {
  readonly #declared: DeclaredMetric;
  readonly #room: { lines: number };
  readonly #onLimit: (reason: LimitReason) => void;
  readonly #series = new Map<LabelValue, Series>();
  readonly #values: ReadonlyMap<string, Set<string>>;
  #isLimited = false;

  /**
   * @param room lines of the page that all metrics share; a metric always has room for one series
   * @param onLimit called once, when the first series is not kept apart
   */
  constructor(declared: DeclaredMetric, room: { lines: number }, onLimit: (reason: LimitReason) => void) {
    this.#declared = declared;
    this.#room = room;
    this.#onLimit = onLimit;
    this.#values = new Map(declared.labels.map((label) => [label, new Set()]));
    if (room.lines < this.#linesOfOne) {
      throw invalid(`the metric ${declared.name} is one too many`, "Use fewer metrics, or labels of fewer values.");
    }
    if (declared.labels.length === 0) this.#series.set("", this.#made({}));
    // For what will not be kept apart.
    else room.lines -= this.#linesOfOne;
  }

  /** @throws SpindexError METRIC_INVALID when a label has no value */
  series(labels: Readonly<Record<string, LabelValue>> | undefined): Series {
    return this.#series.get(this.#keyOf(labels)) ?? this.#newSeries(labels ?? {});
  }

  /** What a registry needs of a metric: its name, and `get` for its values. */
  asMetric(): Metric {
    const { family, help, kind } = this.#declared;
    const get = (): Promise<Family> => {
      const values = [...new Set(this.#series.values())].flatMap((series) => series.samples(family));
      return Promise.resolve({ name: family, help, type: kind, values });
    };
    return { name: family, get } as unknown as Metric;
  }

  /** One label's value is the key itself, so that the usual case builds no text. */
  #keyOf(labels: Readonly<Record<string, LabelValue>> | undefined): LabelValue {
    const { labels: names } = this.#declared;
    if (names.length === 0 || labels === undefined) return "";
    if (names.length === 1) return labels[names[0] as string] as LabelValue;
    let key = "";
    for (const name of names) key += `${labels[name]}\n`;
    return key;
  }

  #newSeries(given: Readonly<Record<string, LabelValue>>): Series {
    this.#refuseOtherLabels(given);
    const labels: Record<string, string> = {};
    let isCut = false;
    for (const name of this.#declared.labels) {
      const text = redact(String(given[name])).slice(0, MAX_TEXT);
      const values = this.#values.get(name) as Set<string>;
      if (values.has(text) || values.size < MAX_LABEL_VALUES) labels[name] = text;
      else {
        labels[name] = OTHER;
        isCut = true;
      }
    }
    if (isCut) this.#limited("label_values");
    const key = this.#keyOf(labels);
    const known = this.#series.get(key);
    if (known !== undefined) return known;
    if (!this.#hasRoom(labels)) {
      this.#limited("lines");
      return this.#rest();
    }
    for (const [name, text] of Object.entries(labels)) this.#values.get(name)?.add(text);
    const series = this.#made(labels);
    this.#series.set(key, series);
    // A value that is no text is found by itself next time. Cut texts are not: they would never end.
    const isGiven = this.#declared.labels.every((name) => labels[name] === String(given[name]));
    if (isGiven) this.#series.set(this.#keyOf(given), series);
    return series;
  }

  #hasRoom(labels: Readonly<Record<string, string>>): boolean {
    return this.#isRest(labels) || this.#room.lines >= this.#linesOfOne;
  }

  /** The series of everything that is not kept apart. */
  #rest(): Series {
    const labels = Object.fromEntries(this.#declared.labels.map((name) => [name, OTHER]));
    const key = this.#keyOf(labels);
    const rest = this.#series.get(key) ?? this.#made(labels);
    this.#series.set(key, rest);
    return rest;
  }

  #isRest(labels: Readonly<Record<string, string>>): boolean {
    return Object.values(labels).every((value) => value === OTHER);
  }

  #made(labels: Readonly<Record<string, string>>): Series {
    // The room of the rest was kept free from the start.
    if (this.#declared.labels.length === 0 || !this.#isRest(labels)) this.#room.lines -= this.#linesOfOne;
    return new Series(labels, this.#declared.buckets);
  }

  /** With `+Inf`, sum and count. */
  get #linesOfOne(): number {
    const { kind, buckets } = this.#declared;
    return kind === "counter" ? 1 : buckets.length + 3;
  }

  #limited(reason: LimitReason): void {
    if (this.#isLimited) return;
    this.#isLimited = true;
    this.#onLimit(reason);
  }

  #refuseOtherLabels(given: Readonly<Record<string, LabelValue>>): void {
    const { name, labels } = this.#declared;
    const missing = labels.find((label) => given[label] === undefined || given[label] === null);
    const unknown = Object.keys(given).find((label) => !labels.includes(label));
    if (missing === undefined && unknown === undefined) return;
    const wrong = missing === undefined ? `has no label ${unknown}` : `got no value for its label ${missing}`;
    throw invalid(`the metric ${name} ${wrong}`, `Its labels are: ${labels.join(", ") || "none"}.`);
  }
}
