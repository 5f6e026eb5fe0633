import { CHAIN_METRICS } from "./chain-metrics.ts";
import type { MetricDefinition } from "./metric-definition.ts";
import { PROCESS_METRICS } from "./process-metrics.ts";
import { RUNTIME_METRICS } from "./runtime-metrics.ts";
import { STORE_METRICS } from "./store-metrics.ts";
import { WRITE_METRICS } from "./write-metrics.ts";

/** Every metric of ours, without the prefix `spindex_`. All carry the default labels `indexer` and `shard` too. */
export const METRICS: typeof CHAIN_METRICS &
  typeof STORE_METRICS &
  typeof PROCESS_METRICS &
  typeof WRITE_METRICS &
  typeof RUNTIME_METRICS = {
  ...CHAIN_METRICS,
  ...STORE_METRICS,
  ...PROCESS_METRICS,
  ...WRITE_METRICS,
  ...RUNTIME_METRICS,
};

export type MetricName = keyof typeof METRICS;
type NameOfType<T extends MetricDefinition["type"]> = {
  [N in MetricName]: (typeof METRICS)[N]["type"] extends T ? N : never;
}[MetricName];
export type CounterName = NameOfType<"counter">;
export type GaugeName = NameOfType<"gauge">;
export type HistogramName = NameOfType<"histogram">;
export type SummaryName = NameOfType<"summary">;

type LabelValue<V> = V extends readonly (infer One)[] ? One : string;
/** The labels of a metric: all of them, with values from their closed sets. */
export type LabelsOf<N extends MetricName> = {
  readonly [L in keyof (typeof METRICS)[N]["labels"]]: LabelValue<(typeof METRICS)[N]["labels"][L]>;
};
