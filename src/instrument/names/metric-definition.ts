/** Any value: the label's set is only known at run time. */
type Open = "*";

/** What a metric says. */
export interface MetricDefinition {
  readonly type: "counter" | "gauge" | "histogram" | "summary";
  readonly unit:
    | "seconds"
    | "bytes"
    | "blocks"
    | "checkpoints"
    | "events"
    | "rows"
    | "batches"
    | "requests"
    | ""
    | "changes"
    | "logs"
    | "spans"
    | "unix_seconds"
    | "number";
  /** Label → its values. */
  readonly labels: Readonly<Record<string, readonly string[] | Open>>;
  /** What a high value means, and where to look. */
  readonly help: string;
  readonly buckets?: keyof typeof BUCKETS;
  /** Carries the trace and span id of a sampled span. */
  readonly exemplar?: true;
  /** A counter that goes on from an earlier process's total: it has no series before that is known, since 0 would be a reset. */
  readonly late?: true;
  /** The series that exist from the first scrape on, where not every combination of label values can be. */
  readonly series?: readonly Readonly<Record<string, string>>[];
}

/** Upper bounds of histogram buckets. */
export const BUCKETS = {
  duration: [0.001, 0.003, 0.01, 0.03, 0.1, 0.3, 1, 3, 10, 30, 60],
  lag: [0.1, 0.3, 1, 3, 10, 30, 60, 180, 600, 1800, 3600],
  /** Of what lasts longer than 10 s already. */
  waiting: [15, 30, 60, 180, 600, 1800, 3600],
  count: [1, 2, 4, 8, 16, 32, 64, 128, 256, 512],
} as const;

export const METRIC_PREFIX = "spindex_";

/** States of each loop: one list for the metric, `/status` and the types. */
export const LOOP_STATES = {
  process: [
    "fetch",
    "capacity",
    "handlers",
    "reads",
    "effects",
    "flush",
    "rollback",
    "blocked",
    "other",
    "idle_at_head",
  ],
  write: ["idle", "snapshot", "write", "sql_commit", "retry_backoff", "metadata", "prune"],
} as const;

/**
 * What may last so long that it is told of while it does, by the loop that it belongs to: one list for the metric, the
 * spans and the log. `queued` and `persist` are batches that no run has taken, or whose run is being written. No state
 * is in two loops.
 */
export const WAIT_STATES = {
  process: ["capacity", "handlers", "reads", "effects", "rollback"],
  write: ["queued", "persist", "run", "retry_backoff", "transaction", "statement", "sql_commit"],
  fetch: ["fetch", "request"],
  lifecycle: ["startup", "standby", "flush", "shutdown"],
} as const;

export type WaitLoop = keyof typeof WAIT_STATES;
export type WaitState = (typeof WAIT_STATES)[WaitLoop][number];

/** Each state with its loop. */
export const WAIT_SERIES: readonly { readonly loop: WaitLoop; readonly state: WaitState }[] = Object.entries(
  WAIT_STATES,
).flatMap(([loop, states]) => states.map((state) => ({ loop: loop as WaitLoop, state })));
