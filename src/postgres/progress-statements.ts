import type { StatementStart } from "../instrument/drain-telemetry.ts";
import { storedText } from "../lib/stored-text.ts";
import type { DrainRun } from "../store/drain-run.ts";
import type { ChainMetadata } from "../write/chain-metadata.ts";
import { qualified, type SchemaNames } from "./ddl.ts";

/** A statement that goes with the rows of a run. */
export interface ProgressStatement {
  readonly start: StatementStart;
  readonly text: string;
  readonly values: readonly unknown[];
}

/** Who writes. */
export interface Writer {
  readonly shard: string;
  /** The row of `starts` of this process. */
  readonly startId: string;
  readonly writeSeq: number;
}

/** Headers, checkpoints, the chains' progress, the run's own row and what was skipped. Each must touch `start.rows` rows. */
export function progressStatements(
  names: SchemaNames,
  run: DrainRun,
  metadata: readonly ChainMetadata[],
  writer: Writer,
  traceId: string | undefined,
): readonly ProgressStatement[] {
  return [
    chainsStatement(names, run, metadata, writer.shard),
    blocksStatement(names, run, writer),
    checkpointsStatement(names, run, writer),
    skippedStatement(names, run, writer),
    childrenStatement(names, run, writer),
    drainRunStatement(names, run, writer, traceId),
  ].filter((statement) => statement.start.rows > 0);
}

/**
 * What is known of chains: their progress, for those that have any in the run, and their metadata, for those of which
 * there is some.
 */
export function chainsStatement(
  names: SchemaNames,
  run: Pick<DrainRun, "mode" | "progress">,
  metadata: readonly ChainMetadata[],
  shard: string,
): ProgressStatement {
  const progressOf = new Map(run.progress.map((chain) => [chain.chainId, chain]));
  const metadataOf = new Map(metadata.map((chain) => [chain.chainId, chain]));
  const chains = [...new Set([...progressOf.keys(), ...metadataOf.keys()])].map((chainId) => {
    const [progress, known] = [progressOf.get(chainId), metadataOf.get(chainId)];
    return {
      chainId,
      block: progress?.block ?? null,
      checkpoint: progress?.checkpoint ?? null,
      // The metadata is of now, the progress of when the blocks were fetched.
      head: known?.head ?? progress?.head.number ?? null,
      finalized: progress?.head.finalized ?? null,
      live: known?.live === true || progress?.head.live === true,
      timestamp: progress?.timestamp ?? null,
      sources: known === undefined ? null : JSON.stringify(known.sources),
    };
  });
  return {
    start: {
      ...START,
      summary: "UPDATE chains",
      operation: "UPDATE",
      purpose: "chain_meta",
      table: "chains",
      rows: chains.length,
    },
    // Finality never falls, and comes with blocks only: that of metadata is not known to be of our chain. Of what was
    // written without before-images nothing can be rolled back.
    text: `update ${qualified(names.internal, "chains")} c set
        block = coalesce(p.block, c.block), block_timestamp = coalesce(p.block_timestamp, c.block_timestamp),
        checkpoint = coalesce(p.checkpoint, c.checkpoint), head = coalesce(p.head, c.head),
        finalized = greatest(c.finalized, p.finalized), live = c.live or p.live,
        history_floor = case when $2 then greatest(c.history_floor, p.block) else c.history_floor end,
        sources = coalesce(p.sources::jsonb, c.sources), updated_at = now()
      from unnest($3::int8[], $4::int8[], $5::int8[], $6::int8[], $7::int8[], $8::bool[], $9::int8[], $10::text[])
        as p (chain_id, block, checkpoint, head, finalized, live, block_timestamp, sources)
      where c.chain_id = p.chain_id and c.shard = $1`,
    values: [
      shard,
      run.mode === "final",
      chains.map(({ chainId }) => chainId),
      chains.map(({ block }) => block),
      chains.map(({ checkpoint }) => checkpoint),
      chains.map(({ head }) => head),
      chains.map(({ finalized }) => finalized),
      chains.map(({ live }) => live),
      chains.map(({ timestamp }) => timestamp),
      chains.map(({ sources }) => sources),
    ],
  };
}

function blocksStatement(names: SchemaNames, run: DrainRun, writer: Writer): ProgressStatement {
  // A header may come with several batches of the run: one row each, the newest.
  const newest = new Map(
    run.progress.flatMap(({ chainId, headers }) =>
      headers.map((header) => [`${chainId} ${header.number}`, { chainId, ...header }] as const),
    ),
  );
  const headers = [...newest.values()];
  return {
    start: {
      ...START,
      summary: "INSERT blocks",
      operation: "INSERT",
      purpose: "checkpoint",
      table: "blocks",
      rows: headers.length,
    },
    text: `insert into ${qualified(names.internal, "blocks")} (shard, chain_id, number, hash, parent_hash, "timestamp")
      select $1, * from unnest($2::int8[], $3::int8[], $4::text[], $5::text[], $6::int8[])
      on conflict (chain_id, number) do update set
        hash = excluded.hash, parent_hash = excluded.parent_hash, "timestamp" = excluded."timestamp"`,
    values: [
      writer.shard,
      headers.map((header) => header.chainId),
      headers.map((header) => header.number),
      headers.map((header) => header.hash),
      headers.map((header) => header.parentHash),
      headers.map((header) => header.timestamp),
    ],
  };
}

function checkpointsStatement(names: SchemaNames, run: DrainRun, writer: Writer): ProgressStatement {
  const { positions } = run;
  return {
    start: {
      ...START,
      summary: "INSERT checkpoints",
      operation: "INSERT",
      purpose: "checkpoint",
      table: "checkpoints",
      rows: positions.length,
    },
    text: `insert into ${qualified(names.internal, "checkpoints")} (shard, checkpoint, chain_id, block)
      select $1, * from unnest($2::int8[], $3::int8[], $4::int8[])`,
    values: [
      writer.shard,
      positions.map((position) => position.checkpoint),
      positions.map((position) => position.chainId),
      positions.map((position) => position.block),
    ],
  };
}

function skippedStatement(names: SchemaNames, run: DrainRun, writer: Writer): ProgressStatement {
  const { skipped } = run;
  return {
    start: {
      ...START,
      summary: "INSERT skipped_events",
      operation: "INSERT",
      purpose: "skipped_event",
      table: "skipped_events",
      rows: skipped.length,
    },
    text: `insert into ${qualified(names.internal, "skipped_events")}
        (shard, chain_id, block, log_index, checkpoint, transaction_hash, handler, message)
      select $1, * from unnest($2::int8[], $3::int8[], $4::int4[], $5::int8[], $6::text[], $7::text[], $8::text[])`,
    values: [
      writer.shard,
      skipped.map((event) => event.chainId),
      skipped.map((event) => event.block),
      skipped.map((event) => event.logIndex),
      skipped.map((event) => event.checkpoint),
      skipped.map((event) => event.transactionHash),
      skipped.map((event) => storedText(event.handler)),
      skipped.map((event) => storedText(event.message)),
    ],
  };
}

/** An address may come again with an earlier block: a handler has registered what a factory made later. */
function childrenStatement(names: SchemaNames, { children }: DrainRun, writer: Writer): ProgressStatement {
  return {
    start: {
      ...START,
      summary: "INSERT factory_addresses",
      operation: "INSERT",
      purpose: "checkpoint",
      table: "factory_addresses",
      rows: children.length,
    },
    text: `insert into ${qualified(names.internal, "factory_addresses")} as known
        (shard, chain_id, contract, address, block, checkpoint)
      select $1, * from unnest($2::int8[], $3::text[], $4::text[], $5::int8[], $6::int8[])
      on conflict (chain_id, contract, address) do update set
        block = least(known.block, excluded.block), checkpoint = least(known.checkpoint, excluded.checkpoint)`,
    values: [
      writer.shard,
      children.map((child) => child.chainId),
      children.map((child) => child.contract),
      children.map((child) => child.address),
      children.map((child) => child.block),
      children.map((child) => child.checkpoint),
    ],
  };
}

function drainRunStatement(
  names: SchemaNames,
  run: DrainRun,
  writer: Writer,
  traceId: string | undefined,
): ProgressStatement {
  return {
    start: {
      ...START,
      summary: "INSERT drain_runs",
      operation: "INSERT",
      purpose: "checkpoint",
      table: "drain_runs",
      rows: 1,
    },
    text: `insert into ${qualified(names.internal, "drain_runs")}
        (shard, write_seq, from_checkpoint, to_checkpoint, start_id, drain_id, mode, split_reason,
         batches, items, changes, bytes, blocks, trace_id)
      values ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14)`,
    values: [
      writer.shard,
      writer.writeSeq,
      run.checkpoints.from,
      run.checkpoints.to,
      writer.startId,
      run.id,
      run.mode,
      run.splitReason,
      run.batches.length,
      run.items,
      run.changes,
      run.bytes,
      JSON.stringify(run.blocks),
      traceId ?? null,
    ],
  };
}

const START = { bytes: 0 } as const;
