import { type MetricDefinition, WAIT_SERIES } from "./metric-definition.ts";
import { WRITE_METRICS } from "./write-metrics.ts";

const OTHER_METRICS = {
  head_block: {
    type: "gauge",
    unit: "blocks",
    labels: { chain: "*" },
    help: "Newest block that the sources know. Standing still: the sources or the chain stand still.",
  },
  fetched_block: {
    type: "gauge",
    unit: "blocks",
    labels: { chain: "*" },
    help: "Block up to which logs are fetched. Far below head_block: the sources are the bottleneck.",
  },
  processed_block: {
    type: "gauge",
    unit: "blocks",
    labels: { chain: "*" },
    help: "Block up to which handlers have run. Far below fetched_block: handlers or capacity are the bottleneck.",
  },
  committed_block: {
    type: "gauge",
    unit: "blocks",
    labels: { chain: "*" },
    help: "Block up to which rows are durable. Far below processed_block: PostgreSQL is the bottleneck.",
  },
  finalized_block: {
    type: "gauge",
    unit: "blocks",
    labels: { chain: "*" },
    help: "Highest block that can no longer be orphaned.",
  },
  processed_checkpoint: {
    type: "gauge",
    unit: "checkpoints",
    labels: {},
    help: "Processed frontier: last checkpoint whose changes are in memory.",
  },
  committed_checkpoint: {
    type: "gauge",
    unit: "checkpoints",
    labels: {},
    help: "Committed frontier: last durable checkpoint. Standing still while processed_checkpoint moves: the writer is stuck, see its loop_state.",
  },
  commit_lag_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: { chain: "*" },
    help: "Age, since it was first seen here, of the oldest block due that is not durable; 0 if none. High when live: users read old data; the batch trace says which stage takes the time.",
  },
  commit_lag_blocks: {
    type: "gauge",
    unit: "blocks",
    labels: { chain: "*" },
    help: "Processed minus durable blocks. High: PostgreSQL is behind.",
  },
  commit_lag_checkpoints: {
    type: "gauge",
    unit: "checkpoints",
    labels: {},
    help: "Processed minus committed checkpoint. High: PostgreSQL is behind.",
  },
  data_age_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: { chain: "*" },
    help: "Now minus the timestamp of the newest durable block. Above freshness_objective_seconds when live: the objective is missed.",
  },
  head_age_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: { chain: "*" },
    help: "Since the head last moved. Many block times: the sources are stuck, or the chain is.",
  },
  freshness_objective_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: { chain: "*" },
    help: "Oldest that data may be when live.",
  },
  chain_live: {
    type: "gauge",
    unit: "",
    labels: { chain: "*" },
    help: "1 once the head was reached in this deployment, 0 while backfilling.",
  },
  oldest_uncommitted_batch_age_seconds: {
    type: "gauge",
    unit: "seconds",
    labels: {},
    help: "Age of the oldest processed batch that is not durable; 0 if none. Above a minute: the writer is stuck or PostgreSQL is slow.",
  },
  seconds_since_last_commit: {
    type: "gauge",
    unit: "seconds",
    labels: {},
    help: "Since a write last became durable, or since the start. High while batches are queued: the writer is stuck.",
  },
  queue_batches: {
    type: "gauge",
    unit: "batches",
    labels: {},
    help: "Processed batches that wait to be written. Growing: PostgreSQL is slower than the handlers.",
  },
  queue_items: { type: "gauge", unit: "events", labels: {}, help: "Events in those batches." },
  uncommitted_changes: {
    type: "gauge",
    unit: "changes",
    labels: {},
    help: "Changes in memory that are not durable. Near capacity_limit_changes: processing is about to wait.",
  },
  uncommitted_bytes: {
    type: "gauge",
    unit: "bytes",
    labels: {},
    help: "Bytes of those changes. Near capacity_limit_bytes: processing is about to wait.",
  },
  capacity_limit_changes: { type: "gauge", unit: "changes", labels: {}, help: "Changes at which processing waits." },
  capacity_limit_bytes: { type: "gauge", unit: "bytes", labels: {}, help: "Bytes at which processing waits." },
  cache_bytes: {
    type: "gauge",
    unit: "bytes",
    labels: {},
    help: "Memory of rows, about. At cache_budget_bytes: rows are evicted, and reads go to the database.",
  },
  cache_budget_bytes: { type: "gauge", unit: "bytes", labels: {}, help: "Bytes of durable rows kept for reads." },
  cache_evicted_rows_total: {
    type: "counter",
    unit: "rows",
    labels: { tier: ["effects", "changed", "loaded"] },
    help: "Rows, and outputs of effects, that left the memory to keep to the budget. Rising together with storage reads: raise SPINDEX_CACHE_BUDGET.",
  },
  capacity_wait_duration_seconds: {
    type: "histogram",
    unit: "seconds",
    labels: { reason: ["changes", "bytes"] },
    buckets: "duration",
    exemplar: true,
    help: "How long processing was blocked at the capacity limit. High when live: PostgreSQL cannot keep up, see write_transaction_duration_seconds.",
  },
  backpressure_active: {
    type: "gauge",
    unit: "",
    labels: {},
    help: "1 while processing is blocked at the capacity limit.",
  },
  batch_duration_seconds: {
    type: "histogram",
    unit: "seconds",
    labels: { outcome: ["durable", "failed", "aborted"] },
    buckets: "lag",
    exemplar: true,
    help: "From asking for capacity until the batch is durable. High: see batch_stage_duration_seconds for the stage.",
  },
  batch_stage_duration_seconds: {
    type: "histogram",
    unit: "seconds",
    labels: { stage: ["capacity", "process", "queue", "write"] },
    buckets: "duration",
    exemplar: true,
    help: "The parts of batch_duration_seconds of durable batches; they sum to the whole.",
  },
  persistence_failed: {
    type: "gauge",
    unit: "",
    labels: {},
    help: "1 after a write error that no retry can help: nothing is written any more.",
  },
  lease_held: {
    type: "gauge",
    unit: "",
    labels: {},
    help: "1 while this process may write its shard. 0 everywhere for long: nobody writes. Flapping: the database or the process stands still for more than 15 s.",
  },
  lease_standby: {
    type: "gauge",
    unit: "",
    labels: {},
    help: "1 while this process waits to take over a shard that another one has.",
  },
  events_processed_total: {
    type: "counter",
    unit: "events",
    labels: { chain: "*", handler: "*" },
    help: "Events given to handlers.",
  },
  handler_duration_seconds: {
    type: "summary",
    unit: "seconds",
    labels: { handler: "*" },
    help: "Time in handlers: sum and count. A high mean: the slowest calls have spans in the batch's trace.",
  },
  handler_failures_total: {
    type: "counter",
    unit: "number",
    labels: { handler: "*" },
    help: "Handler calls that failed for good. Any: the process has stopped, the log names the event.",
  },
  skipped_events_total: {
    type: "counter",
    unit: "events",
    labels: { handler: "*" },
    help: "Events skipped by their handler's policy. Any new: rows are missing for them, see the table skipped_events.",
  },
  undecodable_logs_total: {
    type: "counter",
    unit: "logs",
    labels: { chain: "*", reason: "*" },
    help: "Logs that match a topic but not the ABI. Any new: the ABI is wrong, or another contract uses the same topic.",
  },
  store_reads_total: {
    type: "counter",
    unit: "number",
    labels: { outcome: ["storage"] },
    help: "Reads by handlers that memory could not answer. Many: handlers wait for PostgreSQL.",
  },
  effect_calls_total: {
    type: "counter",
    unit: "number",
    labels: { effect: "*", outcome: ["memory", "shared", "stored", "called", "failed", "timeout"] },
    help: "Calls of effects by handlers. `called`, `failed` and `timeout` left the process; the others were answered from memory, by a call under way, or from the database. Many failed: the service behind it is away.",
  },
  effect_duration_seconds: {
    type: "histogram",
    unit: "seconds",
    labels: { effect: "*" },
    buckets: "duration",
    exemplar: true,
    help: "How long the functions of effects took. High: handlers wait for the service behind it.",
  },
  effect_queue_depth: {
    type: "gauge",
    unit: "number",
    labels: { effect: "*" },
    help: "Calls that wait for the effect's own limits. Never 0: its rateLimit or concurrency is the bottleneck.",
  },
  source_requests_total: {
    type: "counter",
    unit: "requests",
    labels: { chain: "*", source: "*", method: "*", outcome: ["ok", "rpc_error", "error", "cancelled"] },
    help: "HTTP requests to sources. Many errors: the provider limits or fails.",
  },
  source_request_duration_seconds: {
    type: "histogram",
    unit: "seconds",
    labels: { chain: "*", source: "*" },
    buckets: "duration",
    exemplar: true,
    help: "Answer time of sources. High: the provider is slow, or ranges are too large.",
  },
  logs_fetched_total: { type: "counter", unit: "logs", labels: { chain: "*" }, help: "Logs that fetches brought." },
  fetch_buffer_items: {
    type: "gauge",
    unit: "events",
    labels: { chain: "*" },
    help: "Events fetched and not yet processed. Always 0: the sources are the bottleneck. Always full: handlers or PostgreSQL are.",
  },
  fetch_range_blocks: {
    type: "gauge",
    unit: "blocks",
    labels: { chain: "*" },
    help: "Blocks asked for in one query. Shrinking: the provider refuses larger ranges.",
  },
  loop_seconds_total: {
    type: "counter",
    unit: "seconds",
    labels: { loop: "*", state: "*" },
    help: "Time of each loop by state, without overlap: it sums to the wall time. The largest share is the bottleneck.",
  },
  loop_state: {
    type: "gauge",
    unit: "",
    labels: { loop: "*", state: "*" },
    help: "1 for the state that the loop is in.",
  },
  waiting_seconds: {
    type: "histogram",
    unit: "seconds",
    labels: { loop: "*", state: "*" },
    buckets: "waiting",
    exemplar: true,
    series: WAIT_SERIES,
    help: "Waits that last: how long each has lasted so far, observed after 10 s and again every 30 s until it ends. Rising: something stands still now; the exemplar is a span that says what, and who holds the lock.",
  },
  reorgs_total: {
    type: "counter",
    unit: "number",
    labels: { chain: "*" },
    help: "Reorgs that ended with a rollback. Many: the chain or its endpoint is unstable.",
  },
  reorg_depth_blocks: {
    type: "histogram",
    unit: "blocks",
    labels: { chain: "*" },
    buckets: "count",
    help: "Durable blocks that a reorg orphaned. Near maxReorgDepth: raise it before a reorg stops the chain.",
  },
  indexes_missing: {
    type: "gauge",
    unit: "number",
    labels: {},
    help: "Secondary indexes that are not built yet. Above 0 long after the backfill: their build fails, see the log for index.failed.",
  },
  build_info: {
    type: "gauge",
    unit: "",
    labels: { version: "*", node: "*" },
    help: "Always 1; the labels say what runs.",
  },
  starts_total: {
    type: "counter",
    unit: "number",
    labels: {},
    late: true,
    help: "How often the shard was started, over all processes; no series before this process has the shard. Growing: it crashes or is moved, see last_exit_info.",
  },
  last_exit_info: {
    type: "gauge",
    unit: "",
    labels: { code: "*", class: ["ok", "retry", "fix", "bug", "killed"] },
    help: "Always 1; the labels say how the start before this one ended: stopped, an error's code, or killed (it wrote nothing: out of memory, kill -9, or the machine).",
  },
  start_time_seconds: {
    type: "gauge",
    unit: "unix_seconds",
    labels: {},
    help: "When this process started. Changes: it restarted.",
  },
  telemetry_spans_total: {
    type: "counter",
    unit: "spans",
    labels: { state: ["started", "ended", "exported", "failed", "dropped"] },
    help: "Spans by what became of them, summed over exporters. Failed or dropped: traces are incomplete, the collector is slow or away.",
  },
} as const;

/** Every metric of ours, without the prefix `spindex_`. All carry the default labels `indexer` and `shard` too. */
export const METRICS: typeof OTHER_METRICS & typeof WRITE_METRICS = { ...OTHER_METRICS, ...WRITE_METRICS };

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
