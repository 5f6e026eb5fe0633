import { Counter, collectDefaultMetrics, Gauge, Histogram, type OpenMetricsContentType, Registry } from "prom-client";
import { type Logger, logEvent } from "../log.ts";
import {
  BUCKETS,
  type CounterName,
  type GaugeName,
  type HistogramName,
  type LabelsOf,
  METRIC_PREFIX,
  METRICS,
  type MetricDefinition,
  type MetricName,
  type SummaryName,
} from "../names.ts";
import type { SpanRef } from "../tracing/tracing.ts";
import { type Exposition, type Family, renderClassic, renderOpenMetrics, wantsOpenMetrics } from "./exposition.ts";
import { HandlerMetricsStore } from "./handler-metrics.ts";
import { SumAndCount } from "./sum-and-count.ts";

export interface MetricsOptions {
  /** Labels of every series. */
  readonly indexer: string;
  readonly shard: string;
  /** The values of open labels that are known at the start: their series exist from the first scrape on. */
  readonly known: Readonly<Record<string, readonly string[]>>;
  /** Metrics of Node.js and the process too. */
  readonly processMetrics: boolean;
  readonly log: Logger;
}

/** Values of an open label that are kept apart; the others become `other`. */
const MAX_LABEL_VALUES = 100;

type Labels = Readonly<Record<string, string>>;

/** All metrics of one indexer. Names and labels are those of `names.ts`; anything else is a type error. */
export class Metrics {
  /** What handlers declare for themselves. */
  readonly handlers: HandlerMetricsStore;
  readonly #registry = new Registry<OpenMetricsContentType>();
  readonly #counters = new Map<string, Counter>();
  readonly #gauges = new Map<string, Gauge>();
  readonly #histograms = new Map<string, Histogram>();
  readonly #summaries = new Map<string, SumAndCount>();
  readonly #labelValues = new Map<string, Set<string>>();
  readonly #totals = new Map<string, number>();

  constructor(options: MetricsOptions) {
    // Only such a registry takes exemplars; pages are written in either format all the same.
    this.#registry.setContentType(Registry.OPENMETRICS_CONTENT_TYPE);
    this.#registry.setDefaultLabels({ indexer: options.indexer, shard: options.shard });
    const definitions: Readonly<Record<string, MetricDefinition>> = METRICS;
    for (const [name, definition] of Object.entries(definitions)) {
      if (definition.late === true) continue;
      this.#register(name, definition);
      for (const labels of seriesOf(definition, options.known)) this.#create(name, definition, this.#bounded(labels));
    }
    this.handlers = new HandlerMetricsStore(
      (metric) => this.#registry.registerMetric(metric),
      (event, fields) => logEvent(options.log, event, fields),
    );
    if (options.processMetrics) collectDefaultMetrics({ register: this.#registry });
  }

  add<N extends CounterName>(name: N, labels: LabelsOf<N>, by = 1, exemplar?: SpanRef): void {
    const bounded = this.#bounded(labels);
    const definition: MetricDefinition = METRICS[name];
    if (definition.late === true && !this.#counters.has(name)) this.#register(name, definition);
    const counter = this.#counters.get(name) as Counter;
    if (hasExemplar(name)) counter.inc({ labels: bounded, value: by, exemplarLabels: exemplarOf(exemplar) });
    else counter.inc(bounded, by);
  }

  /** Brings a counter to a total that is kept elsewhere. It only grows; a lower one was begun anew, as after a reorg. */
  raiseTo<N extends CounterName>(name: N, labels: LabelsOf<N>, total: number): void {
    const key = JSON.stringify([name, labels]);
    const before = this.#totals.get(key) ?? 0;
    if (total === before) return;
    this.#totals.set(key, total);
    this.add(name, labels, total > before ? total - before : total);
  }

  set<N extends GaugeName>(name: N, labels: LabelsOf<N>, value: number): void {
    (this.#gauges.get(name) as Gauge).set(this.#bounded(labels), value);
  }

  /** What is not known any more has no series. */
  unset<N extends GaugeName>(name: N, labels: LabelsOf<N>): void {
    (this.#gauges.get(name) as Gauge).remove(this.#bounded(labels));
  }

  observe<N extends HistogramName>(name: N, labels: LabelsOf<N>, value: number, exemplar?: SpanRef): void {
    const bounded = this.#bounded(labels);
    const histogram = this.#histograms.get(name) as Histogram;
    if (hasExemplar(name)) histogram.observe({ labels: bounded, value, exemplarLabels: exemplarOf(exemplar) });
    else histogram.observe(bounded, value);
  }

  /** Adds many observations at once, of which only the sum is known. */
  addObservations<N extends SummaryName>(name: N, labels: LabelsOf<N>, sum: number, count: number): void {
    (this.#summaries.get(name) as SumAndCount).add(this.#bounded(labels), sum, count);
  }

  /** The exposition that the client's `Accept` header asks for. */
  async scrape(accept: string): Promise<Exposition> {
    const families = (await this.#registry.getMetricsAsJSON()) as unknown as Family[];
    return wantsOpenMetrics(accept) ? renderOpenMetrics(families) : renderClassic(families);
  }

  #register(name: string, definition: MetricDefinition): void {
    const config = {
      name: METRIC_PREFIX + name,
      help: definition.help,
      labelNames: Object.keys(definition.labels),
      registers: [this.#registry],
      enableExemplars: definition.exemplar === true,
    };
    if (definition.type === "counter") this.#counters.set(name, new Counter(config));
    else if (definition.type === "gauge") this.#gauges.set(name, new Gauge(config));
    else if (definition.type === "summary") this.#summaries.set(name, new SumAndCount(config, this.#registry));
    else {
      const buckets = [...BUCKETS[definition.buckets ?? "duration"]];
      this.#histograms.set(name, new Histogram({ ...config, buckets }));
    }
  }

  /** Makes a series exist with the value 0, so that the first increase is seen as one. Gauges exist when they are set. */
  #create(name: string, definition: MetricDefinition, labels: Labels): void {
    const counter = this.#counters.get(name);
    if (definition.exemplar === true) counter?.inc({ labels, value: 0 });
    else counter?.inc(labels, 0);
    this.#histograms.get(name)?.zero(labels);
    this.#summaries.get(name)?.add(labels, 0, 0);
  }

  #bounded(given: Readonly<Record<never, string>>): Labels {
    const labels: Labels = given;
    let result = labels;
    for (const name in labels) {
      const value = labels[name] as string;
      const values = this.#labelValues.get(name) ?? new Set();
      this.#labelValues.set(name, values);
      if (values.has(value)) continue;
      if (values.size < MAX_LABEL_VALUES) values.add(value);
      else result = { ...result, [name]: "other" };
    }
    return result;
  }
}

function hasExemplar(name: MetricName): boolean {
  return "exemplar" in METRICS[name];
}

function exemplarOf(span: SpanRef | undefined): Labels {
  return span === undefined ? {} : { trace_id: span.traceId, span_id: span.spanId };
}

/** Every combination of label values that is known; none when a label's values are not. */
function seriesOf(definition: MetricDefinition, known: MetricsOptions["known"]): Labels[] {
  if (definition.series !== undefined) return [...definition.series];
  let series: Labels[] = [{}];
  for (const [label, closed] of Object.entries(definition.labels)) {
    const values = closed === "*" ? (known[label] ?? []) : closed;
    series = series.flatMap((labels) => values.map((value) => ({ ...labels, [label]: value })));
  }
  return series;
}
