import type { Metric, OpenMetricsContentType, Registry } from "prom-client";
import type { Family, Sample } from "./exposition.ts";

/**
 * A summary without quantiles: sum and count by labels, added in bulk. The library's own takes one observation at a
 * time, which is too dear for something that happens a hundred thousand times a second.
 */
export class SumAndCount {
  readonly #series = new Map<
    string,
    { readonly labels: Readonly<Record<string, string>>; sum: number; count: number }
  >();
  readonly #config: { readonly name: string; readonly help: string };

  constructor(config: { readonly name: string; readonly help: string }, registry: Registry<OpenMetricsContentType>) {
    this.#config = config;
    // What a registry needs of a metric: its name, and `get` for its values.
    const metric = { name: config.name, get: () => Promise.resolve(this.#family()) };
    registry.registerMetric(metric as unknown as Metric);
  }

  add(labels: Readonly<Record<string, string>>, sum: number, count: number): void {
    const key = Object.values(labels).join("\n");
    const series = this.#series.get(key);
    if (series === undefined) this.#series.set(key, { labels, sum, count });
    else {
      series.sum += sum;
      series.count += count;
    }
  }

  #family(): Family {
    const { name, help } = this.#config;
    const values: Sample[] = [];
    for (const { labels, sum, count } of this.#series.values()) {
      values.push(
        { metricName: `${name}_sum`, labels, value: sum },
        { metricName: `${name}_count`, labels, value: count },
      );
    }
    return { name, help, type: "summary", values };
  }
}
