/** What a log line says. */
export interface LogEventDefinition {
  readonly level: "debug" | "info" | "warn" | "error" | "fatal";
  /** The constant message; values are fields. */
  readonly message: string;
  readonly help: string;
}

/** Every log line has one of these codes in its field `event`. */
export const LOG_EVENTS = {
  "indexer.starting": { level: "info", message: "Starting", help: "Version, indexer, chains." },
  "indexer.started": { level: "info", message: "The loops run", help: "Start-up is over." },
  "indexer.resumed": {
    level: "info",
    message: "Resuming from the committed checkpoint",
    help: "Per chain, where it goes on.",
  },
  "indexer.stopping": {
    level: "info",
    message: "Stopping: finishing what is processed",
    help: "A signal, or the end of the work.",
  },
  "indexer.stopped": { level: "info", message: "Stopped", help: "Everything processed is durable." },
  "indexer.failed": {
    level: "fatal",
    message: "Stopped by an error",
    help: "`err` says what failed first, and the fix.",
  },
  progress: {
    level: "info",
    message: "Progress",
    help: "Every 10 s: both frontiers; per chain its blocks, lag and rate; what is queued; the state of each loop, and its share of the time since the line before.",
  },
  "chain.live": { level: "info", message: "The chain's head is reached", help: "Backfill is over for this chain." },
  "chain.head_stalled": {
    level: "warn",
    message: "The chain's head does not move",
    help: "Sources or chain stand still.",
  },
  "reorg.detected": {
    level: "warn",
    message: "The source has replaced blocks of ours",
    help: "`evidence`: which block denies which.",
  },
  "reorg.rolled_back": {
    level: "info",
    message: "Rolled back to the common ancestor",
    help: "`block`: the newest one kept; `depth`: durable blocks that were orphaned.",
  },
  "log.limited": {
    level: "warn",
    message: "Lines of an event were left out: they came too fast",
    help: "`of`: which event; `left_out`: how many lines beyond the 100 that are written within 10 s. Lines of errors are never left out.",
  },
  "server.listening": { level: "info", message: "Serving metrics and status", help: "`url`." },
  "server.port_taken": {
    level: "warn",
    message: "The port is taken, using the next free one",
    help: "`wanted`, `port`.",
  },
  "server.request_failed": { level: "error", message: "A request could not be answered", help: "`path`, `err`." },
  "database.connecting": { level: "info", message: "Connecting to PostgreSQL", help: "Host and database." },
  "database.retry": {
    level: "warn",
    message: "PostgreSQL is not ready, trying again",
    help: "At start, within the budget.",
  },
  "database.embedded": {
    level: "info",
    message: "An embedded PostgreSQL runs",
    help: "`host` (the folder of its socket), `user` and `database` for psql: `psql -h … -U … …`; `data`: the folder of the data.",
  },
  "handler.log": {
    level: "info",
    message: "A handler's own line",
    help: "Level, message and further fields are the handler's; batch, chain, block and log index say where.",
  },
  "handler.metric_limited": {
    level: "warn",
    message: "A handler's metric has too many series: further ones are counted as other",
    help: "Once for each metric. `reason`: a label has more than 100 `label_values`, or there are too many `lines`.",
  },
  "handler.metric_refused": {
    level: "warn",
    message: "A handler's metric was given a value that it cannot take",
    help: "`metric`, `value`: no finite number, or a negative one for a counter.",
  },
  "database.prepared": {
    level: "info",
    message: "Tables are ready",
    help: "`tables`: they were `made`, `migrated` from an older version, or `ready`.",
  },
  "lease.standby": {
    level: "info",
    message: "Another process owns the shard: waiting to take over",
    help: "`holder`, `since`; both are missing while that process is just starting. Nothing is fetched or written.",
  },
  "lease.acquired": {
    level: "info",
    message: "This process owns the shard",
    help: "It may write. `starts`: how often the shard was started; `last_exit`: how the start before ended.",
  },
  "lease.renewal_failed": {
    level: "warn",
    message: "The lease could not be renewed, trying again",
    help: "Once for each outage. After 15 s nothing is written until a renewal has succeeded.",
  },
  "lease.renewed": { level: "info", message: "The lease is renewed again", help: "Nobody else took the shard." },
  "lease.lost": { level: "error", message: "Another process owns the shard", help: "Writing stops at once." },
  "capacity.wait": {
    level: "debug",
    message: "Processing waited for capacity",
    help: "`duration_ms`, `reason`: backpressure.",
  },
  "wait.long": {
    level: "warn",
    message: "Still waiting",
    help: "After 10 s, and while it lasts: `loop`, `state`, `what`, `waited_s`; `blocker` when another session holds a lock.",
  },
  "wait.ended": {
    level: "info",
    message: "A long wait is over",
    help: "Of what was told of as `wait.long`: `loop`, `state`, `what`, `waited_s`.",
  },
  "handler.skipped": {
    level: "warn",
    message: "An event was skipped by its handler's policy",
    help: "Also a row of `skipped_events`.",
  },
  "handler.failed": {
    level: "error",
    message: "A handler failed",
    help: "Handler, chain, block, transaction and log index.",
  },
  "write.retry": {
    level: "warn",
    message: "A write attempt failed and will be tried again",
    help: "Class, statement, attempt.",
  },
  "write.failed": { level: "error", message: "A write attempt failed for good", help: "Class, statement, attempt." },
  "cache.loaded": {
    level: "info",
    message: "Tables are loaded into memory",
    help: "At the start of a session. `tables`: those whose reads need no query now; `left_out`: those that do not fit into SPINDEX_CACHE_BUDGET; `rows`, `bytes`, `duration_ms`.",
  },
  "find.scan": {
    level: "warn",
    message: "A find goes through a whole table: no index has its columns",
    help: "Once for each handler and its columns, when the table is big or not all of it is in memory. `handler`, `table`, `columns`: declare `indexes: [[…]]` over them, the ones compared for equality first.",
  },
  "index.building": {
    level: "info",
    message: "A secondary index is being built, beside the writes",
    help: "`index`, `progress` (0 to 1, every 10 s), `done` of `total` indexes.",
  },
  "index.built": { level: "info", message: "A secondary index is built", help: "`index`, `duration_ms`." },
  "index.failed": {
    level: "warn",
    message: "A secondary index could not be built, trying again later",
    help: "Indexing goes on. `index`, `err`.",
  },
  "fetch.retry": { level: "warn", message: "A fetch failed and will be tried again", help: "Chain, attempt, wait." },
  "fetch.range_shrunk": {
    level: "debug",
    message: "The node wants fewer blocks in one query",
    help: "Chain, last block.",
  },
  "source.failing": {
    level: "warn",
    message: "A source fails",
    help: "Chain, source, `error`; once until it answers again. The next source is asked.",
  },
  "recorder.dumped": {
    level: "info",
    message: "The flight recorder has written a dump",
    help: "`reason`, `file`: `spindex trace show` prints it. `spans`, `open_spans`, `bytes`.",
  },
  "recorder.skipped": {
    level: "info",
    message: "No dump: the last one for this reason is less than a minute old",
    help: "`reason`.",
  },
  "recorder.failed": {
    level: "warn",
    message: "The flight recorder could not write a dump",
    help: "`reason`, `directory`, `problem`. Indexing goes on.",
  },
  "telemetry.started": {
    level: "info",
    message: "Traces are exported",
    help: "`to` a collector, `file`, `ratio`: the share that is.",
  },
  "telemetry.problem": {
    level: "warn",
    message: "Traces are not sent, or not whole",
    help: "`problem`: usually the collector is away. Once until it changes or has passed; indexing goes on.",
  },
  "telemetry.recovered": {
    level: "info",
    message: "Traces are sent again",
    help: "`failed`, `dropped`: spans lost since the start.",
  },
  "telemetry.flush_timeout": {
    level: "warn",
    message: "Traces could not be sent in time",
    help: "`spans`: the last ones, which are lost.",
  },
} as const;

export type LogEvent = keyof typeof LOG_EVENTS;
