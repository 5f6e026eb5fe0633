/** What the rows of a statement are. */
const PURPOSES = [
  "entity",
  "history",
  "checkpoint",
  "raw_event",
  "effect_cache",
  "chain_meta",
  "skipped_event",
  "prune",
] as const;

/** The metrics of drain runs, write transactions and pruning; a part of `METRICS`. */
export const WRITE_METRICS = {
  drain_runs_total: {
    type: "counter",
    unit: "number",
    labels: { outcome: ["durable", "failed", "aborted"] },
    help: "Drain runs by how they ended. Any failed: see the error of its trace.",
  },
  drain_run_duration_seconds: {
    type: "histogram",
    unit: "seconds",
    labels: {},
    buckets: "duration",
    exemplar: true,
    help: "From the snapshot until durable. High: PostgreSQL is slow, or retries.",
  },
  drain_run_batches: {
    type: "histogram",
    unit: "batches",
    labels: {},
    buckets: "count",
    help: "Batches merged into one run. Always 1: nothing is merged, see drain_splits_total.",
  },
  drain_splits_total: {
    type: "counter",
    unit: "number",
    labels: { reason: ["drained", "history_mode", "changes", "bytes", "batches"] },
    help: "Why runs ended where they did. Mostly history_mode: modes alternate and runs stay small.",
  },
  snapshot_duration_seconds: {
    type: "histogram",
    unit: "seconds",
    labels: {},
    buckets: "duration",
    help: "Synchronous encoding of a run. Above 0.1 s: everything else in the process stood still for that long.",
  },
  write_transaction_duration_seconds: {
    type: "histogram",
    unit: "seconds",
    labels: { outcome: ["durable", "already_durable", "failed"] },
    buckets: "duration",
    exemplar: true,
    help: "One attempt to write a run. High: compare with sql_commit_duration_seconds (disk) and write_statement_duration_seconds (work).",
  },
  sql_commit_duration_seconds: {
    type: "histogram",
    unit: "seconds",
    labels: {},
    buckets: "duration",
    exemplar: true,
    help: "The SQL COMMIT alone. High: the disk's flush or a synchronous replica is slow.",
  },
  write_statement_duration_seconds: {
    type: "histogram",
    unit: "seconds",
    labels: {
      op: "*",
      purpose: PURPOSES,
    },
    buckets: "duration",
    help: "SQL statements of write transactions. High: indexes, locks or a slow link.",
  },
  rows_written_total: {
    type: "counter",
    unit: "rows",
    labels: { table: "*", op: "*" },
    help: "Durable rows by table and operation.",
  },
  bytes_written_total: {
    type: "counter",
    unit: "bytes",
    labels: {
      purpose: PURPOSES,
    },
    help: "Durable bytes as sent to PostgreSQL.",
  },
  encoding_escapes_total: {
    type: "counter",
    unit: "number",
    labels: { table: "*" },
    help: "Texts in rows whose NUL or lone surrogates became U+FFFD, because PostgreSQL cannot hold them. Growing: a contract emits such texts; compare by hash or bytes where it matters.",
  },
  write_failures_total: {
    type: "counter",
    unit: "number",
    labels: { class: ["transient", "outcome_unknown", "fenced", "went_back", "fatal"], retriable: ["true", "false"] },
    exemplar: true,
    help: "Failed write attempts. Any fatal, fenced or went_back: the process has stopped; the exemplar leads to the attempt.",
  },
  write_retries_total: {
    type: "counter",
    unit: "number",
    labels: {},
    help: "Write attempts that will be tried again. Growing: connections or PostgreSQL are unstable.",
  },
  history_pruned_rows_total: {
    type: "counter",
    unit: "rows",
    labels: { table: "*" },
    help: "Rows deleted that no rollback can need any more. Standing still when live: history grows, see loop_state for what keeps the writer busy.",
  },
} as const;
