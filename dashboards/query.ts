import { METRIC_PREFIX, type MetricName } from "../src/instrument/names.ts";

/** Labels that choose what the dashboard's variables say: on every query. */
const TARGET = 'job=~"$job",instance=~"$instance"';

/** A selector of one of our metrics. Its name is checked when the dashboards are type-checked. */
export function metric(name: MetricName, labels = ""): string {
  return select(`${METRIC_PREFIX}${name}`, labels);
}

/** A metric with a label `chain`, for the chains that are chosen. */
export function chainMetric(name: MetricName, labels = ""): string {
  return metric(name, ['chain=~"$chain"', labels].filter(Boolean).join(","));
}

/** One of the series of a histogram or a summary. */
export function part(name: MetricName, suffix: "bucket" | "sum" | "count", labels = ""): string {
  return select(`${METRIC_PREFIX}${name}_${suffix}`, labels);
}

/** Change per second, over a range that fits the panel's resolution. */
export function rate(selector: string): string {
  return `rate(${selector}[$__rate_interval])`;
}

/** A quantile of a histogram. */
export function quantile(q: number, name: MetricName, labels = ""): string {
  return `histogram_quantile(${q}, sum by (le) (${rate(part(name, "bucket", labels))}))`;
}

function select(name: string, labels: string): string {
  return `${name}{${labels === "" ? TARGET : `${TARGET},${labels}`}}`;
}
