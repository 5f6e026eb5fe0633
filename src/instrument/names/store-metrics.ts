/** The metrics of what is in memory between the two loops: frontiers, queue, capacity, cache; a part of `METRICS`. */
export const STORE_METRICS = {
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
  commit_lag_checkpoints: {
    type: "gauge",
    unit: "checkpoints",
    labels: {},
    help: "Processed minus committed checkpoint. High: PostgreSQL is behind.",
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
  queue_items: {
    type: "gauge",
    unit: "events",
    labels: {},
    help: "Events in those batches. Growing: PostgreSQL is slower than the handlers, see write_transaction_duration_seconds.",
  },
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
  capacity_limit_changes: {
    type: "gauge",
    unit: "changes",
    labels: {},
    help: "Changes at which processing waits: SPINDEX_CAPACITY_CHANGES. Compare uncommitted_changes.",
  },
  capacity_limit_bytes: {
    type: "gauge",
    unit: "bytes",
    labels: {},
    help: "Bytes at which processing waits: SPINDEX_CAPACITY_BYTES. Compare uncommitted_bytes.",
  },
  cache_bytes: {
    type: "gauge",
    unit: "bytes",
    labels: {},
    help: "Memory of rows, about. At cache_budget_bytes: rows are evicted, and reads go to the database.",
  },
  cache_budget_bytes: {
    type: "gauge",
    unit: "bytes",
    labels: {},
    help: "Bytes of rows kept for reads: SPINDEX_CACHE_BUDGET. Compare cache_bytes.",
  },
  cache_evicted_rows_total: {
    type: "counter",
    unit: "rows",
    labels: { tier: ["effects", "changed", "loaded"] },
    help: "Rows, and outputs of effects, that left the memory to keep to the budget. Rising together with storage reads: raise SPINDEX_CACHE_BUDGET.",
  },
} as const;
