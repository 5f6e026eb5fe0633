/** What an attribute of a span means. Read through `names.ts`. */
export interface AttributeDefinition {
  readonly type: "string" | "int" | "double" | "boolean" | "string[]";
  readonly help: string;
}

export const ATTRIBUTES = {
  "spindex.mode": { type: "string", help: "`backfill` before the chain's head was first reached, `live` after." },
  "spindex.chain.name": { type: "string", help: "Name of the chain, as in the configuration." },
  "spindex.chain.id": { type: "int", help: "EIP-155 id of the chain." },
  "spindex.chains": { type: "string[]", help: "Names of the chains in the batch, when there are several." },
  "spindex.outcome": { type: "string", help: "How it ended; a batch: `durable`, `failed` or `aborted`." },
  "spindex.history_mode": { type: "string", help: "`keep` inside the reorg window, `final` behind it." },
  "spindex.checkpoint.from": { type: "int", help: "First checkpoint." },
  "spindex.checkpoint.to": { type: "int", help: "Last checkpoint." },

  "spindex.batch.id": { type: "int", help: "Number of the batch in this process." },
  "spindex.batch.items": { type: "int", help: "Events in the batch." },
  "spindex.batch.bound_by": {
    type: "string",
    help: "What ended the batch: `size`, `bytes` or `end` of what was fetched.",
  },
  "spindex.batch.fetches": {
    type: "int",
    help: "Fetches that supplied the batch; the first 32 sampled ones are linked.",
  },
  "spindex.lag.capacity_ms": { type: "double", help: "Part of the batch's time: waiting for capacity." },
  "spindex.lag.process_ms": { type: "double", help: "Part of the batch's time: creating and processing it." },
  "spindex.lag.queue_ms": { type: "double", help: "Part of the batch's time: queued until a drain run took it." },
  "spindex.lag.write_ms": { type: "double", help: "Part of the batch's time: from pick-up until durable." },

  "spindex.wait.reason": { type: "string", help: "Which limit was reached: `changes` or `bytes`." },
  "spindex.wait.limit": { type: "int", help: "That limit." },
  "spindex.wait.wake_ups": { type: "int", help: "How often the wait was woken before there was capacity." },
  "spindex.uncommitted.changes": { type: "int", help: "Changes in memory that were not durable." },
  "spindex.uncommitted.bytes": { type: "int", help: "Their bytes." },
  "spindex.queue.batches": { type: "int", help: "Batches in the queue at that moment." },

  "spindex.handler.calls": { type: "int", help: "Handler calls." },
  "spindex.handler.name": { type: "string", help: "`Contract.Event`." },
  "spindex.handler.total_ms": { type: "double", help: "Time in all calls of this handler within the batch." },
  "spindex.handler.max_ms": { type: "double", help: "Longest call." },
  "spindex.events.skipped": { type: "int", help: "Events that their handler's policy skipped." },
  "spindex.reads.storage": { type: "int", help: "Reads that asked PostgreSQL." },
  "spindex.block.number": { type: "int", help: "Block of the event." },
  "spindex.block.from": { type: "int", help: "First block, included." },
  "spindex.block.to": { type: "int", help: "Last block, included." },
  "spindex.log.index": { type: "int", help: "Index of the log in its block." },
  "spindex.transaction.hash": { type: "string", help: "Transaction of the event." },

  "spindex.commit.changes": { type: "int", help: "Changes that the batch put into memory." },
  "spindex.frontier.gap": { type: "int", help: "Processed minus committed checkpoint." },

  "spindex.drain.id": {
    type: "int",
    help: "Number of the drain run in this process; also in its row of `drain_runs`.",
  },
  "spindex.drain.trace_id": {
    type: "string",
    help: "Trace of the drain run: the link, repeated so that it can be searched.",
  },
  "spindex.drain.batches": { type: "int", help: "Batches merged into the run." },
  "spindex.drain.unsampled_batches": { type: "int", help: "Those without a trace of their own." },
  "spindex.batch.trace_ids": { type: "string[]", help: "Traces of the run's batches (first 32): the links, repeated." },
  "spindex.batch.ids": { type: "string[]", help: "Numbers of the run's batches (first 32)." },
  "spindex.fetch.trace_ids": { type: "string[]", help: "Traces of the fetches that supplied the batch (first 32)." },
  "spindex.drain.items": { type: "int", help: "Events in the run." },
  "spindex.drain.split_reason": { type: "string", help: "Why the run ended where it did." },
  "spindex.queue.batches_after": { type: "int", help: "Batches left in the queue after the run was taken." },
  "spindex.snapshot.tables": { type: "int", help: "Tables with changes." },
  "spindex.snapshot.changes": { type: "int", help: "Rows encoded." },
  "spindex.snapshot.bytes": { type: "int", help: "Bytes encoded." },

  "spindex.write.attempt": { type: "int", help: "1 for the first attempt." },
  "spindex.write.statements": { type: "int", help: "Statements sent, COMMIT not counted." },
  "spindex.write.rows": { type: "int", help: "Rows sent." },
  "spindex.write.bytes": { type: "int", help: "Bytes sent." },
  "spindex.write.failure_class": { type: "string", help: "How the failed attempt was classified." },
  "spindex.write.will_retry": { type: "boolean", help: "Whether another attempt follows." },
  "spindex.write.trace_id": { type: "string", help: "Trace of the write transaction: the link, repeated." },
  "spindex.write.merged_statements": { type: "int", help: "Short statements that this span stands for." },
  "spindex.statement.purpose": {
    type: "string",
    help: "What the rows are: entity, history, checkpoint, chain_meta, …",
  },
  "db.system.name": { type: "string", help: "`postgresql`." },
  "db.namespace": { type: "string", help: "Name of the database." },
  "db.query.summary": { type: "string", help: "Operation and table." },
  "db.operation.name": { type: "string", help: "`COPY`, `UPDATE`, …" },
  "db.collection.name": { type: "string", help: "Table." },
  "db.postgresql.backend_pid": { type: "int", help: "Process of the connection, as in `pg_stat_activity`." },

  "spindex.fetch.addresses": { type: "int", help: "Addresses asked for; 0 for any." },
  "spindex.fetch.logs": { type: "int", help: "Logs that came." },
  "spindex.fetch.bytes": { type: "int", help: "Bytes of the answers." },
  "spindex.fetch.retries": { type: "int", help: "Requests that were tried again." },
  "spindex.source": { type: "string", help: "Name of the source: the endpoint's host." },
  "spindex.request.calls": { type: "int", help: "JSON-RPC calls in the HTTP request." },
  "rpc.system.name": { type: "string", help: "`jsonrpc`." },
  "rpc.method": { type: "string", help: "Method, of the first call when there are several." },
  "rpc.response.status_code": { type: "string", help: "JSON-RPC error code, when the answer was an error." },
  "server.address": { type: "string", help: "Host of the endpoint, never its path or credentials." },
  "server.port": { type: "int", help: "Port of the endpoint." },
  "http.response.body.size": { type: "int", help: "Bytes of the answer." },

  "spindex.reason": { type: "string", help: "Why it was asked for." },
  "spindex.pending.batches": { type: "int", help: "Batches that were not durable at the start." },
  "spindex.retry.wait_ms": { type: "double", help: "How long is waited before the next attempt." },
  "error.type": { type: "string", help: "Code or name of the error." },
  "exception.type": { type: "string", help: "Code or name of the error." },
  "exception.message": { type: "string", help: "Message of the error, addresses reduced to their origin." },
  "exception.stacktrace": { type: "string", help: "Stack of the error." },
} as const;

export type AttributeName = keyof typeof ATTRIBUTES;
