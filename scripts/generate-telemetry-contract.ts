/** Writes telemetry/contract.json: the telemetry contract for whoever does not read TypeScript. */
import {
  ATTRIBUTES,
  BUCKETS,
  LOG_EVENTS,
  METRIC_PREFIX,
  METRICS,
  type MetricDefinition,
  SPAN_EVENTS,
  SPANS,
} from "../src/instrument/names.ts";
import { writeGenerated } from "./generated.ts";

/** As it is on the page: with the prefix, the bounds of its buckets, and what a scrape makes of it. */
function metricOf(name: string, { type, unit, labels, help, buckets, exemplar }: MetricDefinition): object {
  return {
    name: METRIC_PREFIX + name,
    type,
    unit,
    labels,
    help,
    ...(buckets === undefined ? {} : { buckets: BUCKETS[buckets] }),
    exemplar: exemplar === true,
  };
}

const metrics: Readonly<Record<string, MetricDefinition>> = METRICS;
const contract = {
  // Labels that every series carries; of the others `*` are those whose values are known at run time only.
  commonLabels: ["indexer", "shard"],
  metrics: Object.entries(metrics).map(([name, metric]) => metricOf(name, metric)),
  spans: SPANS,
  spanEvents: SPAN_EVENTS,
  attributes: ATTRIBUTES,
  logEvents: LOG_EVENTS,
};

writeGenerated({ "telemetry/contract.json": `${JSON.stringify(contract, null, 2)}\n` });
