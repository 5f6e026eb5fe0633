import type { Metric } from "prom-client";
import type {
  CounterOptions,
  HandlerCounter,
  HandlerHistogram,
  HandlerMetrics,
  HistogramOptions,
  LabelValue,
} from "../handler-telemetry.ts";
import type { LogEvent } from "../names.ts";
import { type DeclaredMetric, declarationOf, invalid, isDeclaredAgain, type MetricKind } from "./declared-metric.ts";
import { type Series, SeriesTable } from "./series-table.ts";

type Labels = Readonly<Record<string, LabelValue>>;

interface Known {
  readonly declared: DeclaredMetric;
  readonly handle: Handle;
}

type Report = (event: LogEvent, fields: Readonly<Record<string, unknown>>) => void;
type Handle = HandlerCounter<string> & HandlerHistogram<string>;

/**
 * Metrics that handlers declare for themselves. A call adds to a list in memory; at the next block the list goes into the
 * totals, from which pages are made. So what is undone with an event or a block has never been counted.
 */
export class HandlerMetricsStore {
  readonly metrics: HandlerMetrics;
  readonly #register: (metric: Metric) => void;
  readonly #report: Report;
  readonly #known = new Map<string, Known>();
  /** Lines on the page that are left for new series. */
  readonly #room = { lines: MAX_LINES };
  /** Of the block in progress. */
  readonly #series: Series[] = [];
  readonly #values: number[] = [];
  /** How many of them are of the events before. */
  #ofEarlierEvents = 0;

  /**
   * @param register puts a metric on the page
   * @param report writes a line to the log
   */
  constructor(register: (metric: Metric) => void, report: Report) {
    this.#register = register;
    this.#report = report;
    this.metrics = {
      counter: (name, options) => this.#metric("counter", name, options) as HandlerCounter<never>,
      histogram: (name, options) => this.#metric("histogram", name, options) as HandlerHistogram<never>,
    };
  }

  beginBlock(): void {
    const { length } = this.#series;
    for (let i = 0; i < length; i++) (this.#series[i] as Series).take(this.#values[i] as number);
    this.undoBlock();
  }

  beginEvent(): void {
    this.#ofEarlierEvents = this.#series.length;
  }

  undoEvent(): void {
    this.#series.length = this.#ofEarlierEvents;
    this.#values.length = this.#ofEarlierEvents;
  }

  undoBlock(): void {
    this.#ofEarlierEvents = 0;
    this.undoEvent();
  }

  #metric(kind: MetricKind, name: string, options: CounterOptions<string> & HistogramOptions<string>): Handle {
    const known = this.#known.get(name);
    if (known === undefined) return this.#declare(kind, name, options);
    if (!isDeclaredAgain(known.declared, kind, options)) {
      throw invalid(
        `the metric ${name} is declared twice, in different ways`,
        "Declare it in one place, such as a function that gives it, or give it the same kind, help, labels and buckets.",
      );
    }
    return known.handle;
  }

  #declare(kind: MetricKind, name: string, options: CounterOptions<string> & HistogramOptions<string>): Handle {
    const declared = declarationOf(kind, name, options);
    for (const { declared: other } of this.#known.values()) {
      if (other.family !== declared.family) continue;
      throw invalid(`the metrics ${other.name} and ${name} are both ${other.family}`, "Rename one of them.");
    }
    const table = new SeriesTable(declared, this.#room, (reason) =>
      this.#report("handler.metric_limited", { metric: declared.family, reason }),
    );
    this.#register(table.asMetric());
    const take = (value: number | bigint, labels?: Labels): void => this.#add(table, declared, value, labels);
    const handle: Handle = { add: take, observe: take };
    this.#known.set(name, { declared, handle });
    return handle;
  }

  #add(table: SeriesTable, { kind, family }: DeclaredMetric, given: number | bigint, labels: Labels | undefined): void {
    const value = Number(given);
    // The data's fault, perhaps: it stops nobody.
    if (!Number.isFinite(value) || (kind === "counter" && value < 0)) {
      this.#report("handler.metric_refused", { metric: family, value: String(given) });
      return;
    }
    this.#series.push(table.series(labels));
    this.#values.push(value);
  }
}

/** On the page, for all metrics of a project together. */
const MAX_LINES = 1_000;
