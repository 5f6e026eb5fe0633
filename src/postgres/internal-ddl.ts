import { qualified, type SchemaNames } from "./ddl.ts";
import { quoteName } from "./sql.ts";

/**
 * Statements that make the internal tables and the status view. A change here needs a step in `migrations.ts`, for the
 * databases that exist.
 */
export function internalDdl(names: SchemaNames): readonly string[] {
  const of = (name: string): string => qualified(names.internal, name);
  return [
    `create table ${of("meta")} (
      singleton bool primary key default true check (singleton),
      version int4 not null,
      definition jsonb not null,
      created_at timestamptz not null default now()
    )`,
    `create table ${of("shards")} (
      shard text primary key,
      token text not null,
      holder text not null,
      acquired_at timestamptz not null default now(),
      write_seq int8 not null default 0,
      next_checkpoint int8 not null default 1,
      committed_checkpoint int8 not null default 0,
      changes int8 not null default 0,
      written_at timestamptz,
      starts int8 not null default 0
    )`,
    `create table ${of("leases")} (
      shard text primary key references ${of("shards")},
      token text not null,
      expires_at timestamptz not null,
      renewed_at timestamptz not null,
      lease_pid int4 not null,
      writer_pid int4
    )`,
    `create table ${of("chains")} (
      chain_id int8 primary key,
      shard text not null references ${of("shards")},
      name text not null,
      block int8,
      block_timestamp int8,
      checkpoint int8,
      head int8,
      finalized int8,
      live bool not null default false,
      history_floor int8,
      updated_at timestamptz,
      sources jsonb
    )`,
    `create table ${of("blocks")} (
      shard text not null,
      chain_id int8 not null,
      number int8 not null,
      hash text collate "C" not null,
      parent_hash text collate "C" not null,
      "timestamp" int8 not null,
      primary key (chain_id, number)
    )`,
    `create table ${of("checkpoints")} (
      shard text not null,
      checkpoint int8 not null,
      chain_id int8 not null,
      block int8 not null,
      primary key (shard, checkpoint)
    )`,
    `create index checkpoints_block_idx on ${of("checkpoints")} (chain_id, block, checkpoint)`,
    `create table ${of("drain_runs")} (
      shard text not null,
      write_seq int8 not null,
      from_checkpoint int8 not null,
      to_checkpoint int8 not null,
      start_id int8 not null,
      drain_id int8 not null,
      mode text not null,
      split_reason text not null,
      batches int4 not null,
      items int8 not null,
      changes int8 not null,
      bytes int8 not null,
      blocks jsonb not null,
      trace_id text,
      written_at timestamptz not null default now(),
      primary key (shard, write_seq)
    )`,
    `create unique index drain_runs_checkpoint_idx on ${of("drain_runs")} (shard, to_checkpoint)`,
    `create table ${of("skipped_events")} (
      id int8 generated always as identity primary key,
      shard text not null,
      chain_id int8 not null,
      block int8 not null,
      log_index int4 not null,
      checkpoint int8 not null,
      transaction_hash text not null,
      handler text not null,
      message text not null,
      skipped_at timestamptz not null default now()
    )`,
    `create table ${of("reorgs")} (
      id int8 generated always as identity primary key,
      shard text not null,
      write_seq int8 not null,
      chain_id int8 not null,
      ancestor_block int8 not null,
      orphaned_to_block int8 not null,
      first_checkpoint int8,
      last_checkpoint int8,
      orphaned_hashes text[] not null,
      found_block int8 not null,
      found_hash text not null,
      rows_restored int8 not null,
      rows_deleted int8 not null,
      trace_id text,
      rolled_back_at timestamptz not null default now()
    )`,
    `create table ${of("starts")} (
      id int8 generated always as identity primary key,
      shard text not null,
      token text not null,
      holder text not null,
      started_at timestamptz not null default now(),
      ended_at timestamptz,
      outcome text,
      exit_class text
    )`,
    `create table ${of("effects")} (
      effect text collate "C" not null,
      input_hash text collate "C" not null,
      output_type text collate "C" not null,
      input jsonb not null,
      output jsonb not null,
      chain_id int8 not null,
      _checkpoint int8 not null,
      primary key (effect, input_hash)
    )`,
    `create index effects_checkpoint_idx on ${of("effects")} (chain_id, _checkpoint)`,
    `create table ${of("raw_events")} (
      block int8 not null,
      log_index int4 not null,
      transaction_hash text collate "C" not null,
      address text collate "C" not null,
      contract text collate "C" not null,
      event text collate "C" not null,
      args jsonb not null,
      "timestamp" timestamptz not null,
      chain_id int8 not null,
      _checkpoint int8 not null,
      primary key (chain_id, block, log_index)
    )`,
    `create index raw_events_checkpoint_idx on ${of("raw_events")} using brin (_checkpoint) with (pages_per_range = 32)`,
    `create table ${of("factory_addresses")} (
      shard text not null,
      chain_id int8 not null,
      contract text collate "C" not null,
      address text collate "C" not null,
      block int8 not null,
      checkpoint int8 not null,
      primary key (chain_id, contract, address)
    )`,
    `create index factory_addresses_block_idx on ${of("factory_addresses")} (chain_id, block)`,
    ...statusViewDdl(names),
    ...commentDdl(names),
  ];
}

function statusViewDdl(names: SchemaNames): readonly string[] {
  const view = qualified(names.user, "spindex_status");
  return [
    `create view ${view} as
      select c.name as chain, c.chain_id, c.shard,
        c.block as processed_block, to_timestamp(c.block_timestamp) as processed_block_time, c.head as head_block, c.finalized as finalized_block, c.live,
        case when c.head > c.block then c.head - c.block when c.head <= c.block then 0 end as blocks_behind,
        c.checkpoint as committed_checkpoint,
        s.written_at as last_write_at,
        s.changes as shard_rows_written
      from ${qualified(names.internal, "chains")} c
      join ${qualified(names.internal, "shards")} s using (shard)
      order by c.chain_id`,
    `comment on view ${view} is 'Progress of each chain, as durable in this database.'`,
    `comment on column ${view}.processed_block is 'Everything up to this block is in the tables.'`,
    `comment on column ${view}.head_block is 'The highest block known at the last write.'`,
    `comment on column ${view}.blocks_behind is 'From processed_block to head_block; null while either is unknown.'`,
    `comment on column ${view}.live is 'The chain has once reached its head.'`,
    `comment on column ${view}.shard_rows_written is 'Rows inserted, changed and deleted by all writes of the shard.'`,
  ];
}

function commentDdl(names: SchemaNames): readonly string[] {
  const comments: readonly (readonly [string, string])[] = [
    ["meta", "Version of these tables, and the definition that the rows were made with."],
    ["shards", "Who owns each shard, and where its writes are: every write checks the token and advances write_seq."],
    ["leases", "Until when each shard is held, and by which sessions. Apart from shards: a write locks that row."],
    ["chains", "Progress and finality of each chain."],
    ["blocks", "Headers inside the reorg window and at the edges of scanned ranges."],
    ["checkpoints", "Where each checkpoint inside the reorg window lies."],
    ["drain_runs", "One row for each write transaction: its checkpoints, blocks and trace."],
    ["skipped_events", "Events that a handler with onError: skip left out."],
    ["reorgs", "Each rollback: what was orphaned, and what became of the rows."],
    [
      "effects",
      "Outputs of effects with cache: true, by effect and SHA-256 of the input, and the checkpoint that called.",
    ],
    ["raw_events", "Every handled event with its decoded arguments, when the indexer has rawEvents: true."],
    [
      "factory_addresses",
      "Addresses that factories and handlers brought to contracts: logs of each count from its block on.",
    ],
    ["starts", "Each start of an indexer, and how it ended."],
  ];
  return [
    `comment on schema ${quoteName(names.internal)} is 'Internal to Spindex: not for manual changes.'`,
    ...comments.map(([table, text]) => `comment on table ${qualified(names.internal, table)} is '${text}'`),
  ];
}
