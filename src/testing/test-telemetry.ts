import type { BatchTelemetry } from "../instrument/batch-telemetry.ts";
import type { HandlerLog, HandlerTelemetry, LabelValue } from "../instrument/handler-telemetry.ts";
import type { Sample } from "../instrument/metrics/exposition.ts";
import { HandlerMetricsStore } from "../instrument/metrics/handler-metrics.ts";
import { MUTED_HANDLERS } from "../instrument/muted-handlers.ts";

interface Page {
  get(): Promise<unknown>;
}

/** What handlers say of themselves, in tests: lines go to the test's log, metrics are kept to be read, spans are not made. */
export class TestTelemetry {
  readonly batch: BatchTelemetry;
  /** What handlers are given. */
  readonly handlers: HandlerTelemetry;
  readonly #pages: Page[] = [];

  constructor(log: HandlerLog) {
    const metrics = new HandlerMetricsStore(
      (metric) => this.#pages.push(metric as unknown as Page),
      // Which value it cannot take, and that there are many series, is seen in what it counts.
      () => {},
    );
    const handlers: HandlerTelemetry = {
      ...MUTED_HANDLERS,
      log,
      metrics: metrics.metrics,
      beginBlock: () => metrics.beginBlock(),
      beginEvent: () => metrics.beginEvent(),
      undoEvent: () => metrics.undoEvent(),
      undoBlock: () => metrics.undoBlock(),
    };
    this.handlers = handlers;
    this.batch = {
      processing: () => {},
      handlers: () => handlers,
      processed: () => metrics.beginBlock(),
      effectAsked: () => ({ traceHeaders: () => ({}), ended: () => {} }),
      handlerFailed: () => {},
      committed: () => {},
      abandoned: () => {},
    };
  }

  /** The value of a line of the metrics page; 0 when there is none. */
  async metric(name: string, labels: Readonly<Record<string, LabelValue>>): Promise<number> {
    const families = (await Promise.all(this.#pages.map((page) => page.get()))) as {
      readonly name: string;
      readonly values: readonly Sample[];
    }[];
    const wanted = Object.entries(labels);
    const found = families
      .flatMap((family) => family.values.map((sample) => ({ ...sample, name: sample.metricName ?? family.name })))
      .find(
        (sample) =>
          sample.name === name &&
          Object.keys(sample.labels).length === wanted.length &&
          wanted.every(([label, value]) => String(sample.labels[label]) === String(value)),
      );
    return found?.value ?? 0;
  }
}
