create schema "upgrade";
create schema "upgrade_spindex";
create table "upgrade"."account" (
  "id" text collate "C" not null,
  "balance" numeric(78,0) not null,
  "memo" text collate "C",
  "chain_id" int8 not null,
  "_checkpoint" int8 not null,
  primary key ("id", "chain_id")
);
comment on table "upgrade"."account" is 'Entity account (latest values, one row for each key and chain). Written by Spindex.';
comment on column "upgrade"."account"."id" is '20 bytes as lower-case hex; key';
comment on column "upgrade"."account"."balance" is 'whole number from -2^255 to 2^255-1';
comment on column "upgrade"."account"."memo" is 'text';
comment on column "upgrade"."account"."_checkpoint" is 'The checkpoint that wrote the row: leads to its drain run and trace.';
comment on column "upgrade"."account"."chain_id" is 'The chain''s id (EIP-155).';
create table "upgrade_spindex"."account_history" (
  "id" text collate "C" not null,
  "balance" numeric(78,0),
  "memo" text collate "C",
  "chain_id" int8 not null,
  "_checkpoint" int8,
  "_changed_at" int8 not null
);
create index "account_history_changed_at_idx" on "upgrade_spindex"."account_history" ("chain_id", "_changed_at");
comment on table "upgrade_spindex"."account_history" is 'Rows of account as they were before checkpoint _changed_at changed them. A null _checkpoint: there was no row.';
create table "upgrade"."last" (
  "id" text collate "C" not null,
  "block" int8 not null,
  "size" text collate "C" check ("size" in ('small', 'large')) not null,
  "chain_id" int8 not null,
  "_checkpoint" int8 not null,
  primary key ("id", "chain_id")
);
comment on table "upgrade"."last" is 'Entity last (latest values, one row for each key and chain). Written by Spindex.';
comment on column "upgrade"."last"."id" is '20 bytes as lower-case hex; key';
comment on column "upgrade"."last"."block" is 'int64';
comment on column "upgrade"."last"."size" is 'enum';
comment on column "upgrade"."last"."_checkpoint" is 'The checkpoint that wrote the row: leads to its drain run and trace.';
comment on column "upgrade"."last"."chain_id" is 'The chain''s id (EIP-155).';
create table "upgrade_spindex"."last_history" (
  "id" text collate "C" not null,
  "block" int8,
  "size" text collate "C",
  "chain_id" int8 not null,
  "_checkpoint" int8,
  "_changed_at" int8 not null
);
create index "last_history_changed_at_idx" on "upgrade_spindex"."last_history" ("chain_id", "_changed_at");
comment on table "upgrade_spindex"."last_history" is 'Rows of last as they were before checkpoint _changed_at changed them. A null _checkpoint: there was no row.';
create index "last_block_idx" on "upgrade"."last" ("block");
create table "upgrade"."transfer" (
  "id" int8 not null,
  "from" text collate "C" not null,
  "to" text collate "C" not null,
  "value" numeric(78,0) not null,
  "chain_id" int8 not null,
  "_checkpoint" int8 not null,
  primary key ("id", "chain_id")
);
comment on table "upgrade"."transfer" is 'Entity transfer (append-only, one row for each key and chain). Written by Spindex.';
comment on column "upgrade"."transfer"."id" is 'event id: block (35 bits), log index (18), sub-index (10); sorts in chain order; key';
comment on column "upgrade"."transfer"."from" is '20 bytes as lower-case hex';
comment on column "upgrade"."transfer"."to" is '20 bytes as lower-case hex';
comment on column "upgrade"."transfer"."value" is 'whole number from 0 to 2^256-1';
comment on column "upgrade"."transfer"."_checkpoint" is 'The checkpoint that wrote the row: leads to its drain run and trace.';
comment on column "upgrade"."transfer"."chain_id" is 'The chain''s id (EIP-155).';
create index "transfer_checkpoint_idx" on "upgrade"."transfer" using brin ("_checkpoint") with (pages_per_range = 32);
create table "upgrade_spindex"."meta" (
      singleton bool primary key default true check (singleton),
      version int4 not null,
      definition jsonb not null,
      created_at timestamptz not null default now()
    );
create table "upgrade_spindex"."shards" (
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
    );
create table "upgrade_spindex"."leases" (
      shard text primary key references "upgrade_spindex"."shards",
      token text not null,
      expires_at timestamptz not null,
      renewed_at timestamptz not null,
      lease_pid int4 not null,
      writer_pid int4
    );
create table "upgrade_spindex"."chains" (
      chain_id int8 primary key,
      shard text not null references "upgrade_spindex"."shards",
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
    );
create table "upgrade_spindex"."blocks" (
      shard text not null,
      chain_id int8 not null,
      number int8 not null,
      hash text collate "C" not null,
      parent_hash text collate "C" not null,
      "timestamp" int8 not null,
      primary key (chain_id, number)
    );
create table "upgrade_spindex"."checkpoints" (
      shard text not null,
      checkpoint int8 not null,
      chain_id int8 not null,
      block int8 not null,
      primary key (shard, checkpoint)
    );
create index checkpoints_block_idx on "upgrade_spindex"."checkpoints" (chain_id, block, checkpoint);
create table "upgrade_spindex"."drain_runs" (
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
    );
create unique index drain_runs_checkpoint_idx on "upgrade_spindex"."drain_runs" (shard, to_checkpoint);
create table "upgrade_spindex"."skipped_events" (
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
    );
create table "upgrade_spindex"."reorgs" (
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
    );
create table "upgrade_spindex"."starts" (
      id int8 generated always as identity primary key,
      shard text not null,
      token text not null,
      holder text not null,
      started_at timestamptz not null default now(),
      ended_at timestamptz,
      outcome text,
      exit_class text
    );
create table "upgrade_spindex"."effects" (
      effect text collate "C" not null,
      input_hash text collate "C" not null,
      output_type text collate "C" not null,
      input jsonb not null,
      output jsonb not null,
      chain_id int8 not null,
      _checkpoint int8 not null,
      primary key (effect, input_hash)
    );
create index effects_checkpoint_idx on "upgrade_spindex"."effects" (chain_id, _checkpoint);
create table "upgrade_spindex"."raw_events" (
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
    );
create index raw_events_checkpoint_idx on "upgrade_spindex"."raw_events" using brin (_checkpoint) with (pages_per_range = 32);
create view "upgrade"."spindex_status" as
      select c.name as chain, c.chain_id, c.shard,
        c.block as processed_block, to_timestamp(c.block_timestamp) as processed_block_time, c.head as head_block, c.finalized as finalized_block, c.live,
        case when c.head > c.block then c.head - c.block when c.head <= c.block then 0 end as blocks_behind,
        c.checkpoint as committed_checkpoint,
        s.written_at as last_write_at,
        s.changes as shard_rows_written
      from "upgrade_spindex"."chains" c
      join "upgrade_spindex"."shards" s using (shard)
      order by c.chain_id;
comment on view "upgrade"."spindex_status" is 'Progress of each chain, as durable in this database.';
comment on column "upgrade"."spindex_status".processed_block is 'Everything up to this block is in the tables.';
comment on column "upgrade"."spindex_status".head_block is 'The highest block known at the last write.';
comment on column "upgrade"."spindex_status".blocks_behind is 'From processed_block to head_block; null while either is unknown.';
comment on column "upgrade"."spindex_status".live is 'The chain has once reached its head.';
comment on column "upgrade"."spindex_status".shard_rows_written is 'Rows inserted, changed and deleted by all writes of the shard.';
comment on schema "upgrade_spindex" is 'Internal to Spindex: not for manual changes.';
comment on table "upgrade_spindex"."meta" is 'Version of these tables, and the definition that the rows were made with.';
comment on table "upgrade_spindex"."shards" is 'Who owns each shard, and where its writes are: every write checks the token and advances write_seq.';
comment on table "upgrade_spindex"."leases" is 'Until when each shard is held, and by which sessions. Apart from shards: a write locks that row.';
comment on table "upgrade_spindex"."chains" is 'Progress and finality of each chain.';
comment on table "upgrade_spindex"."blocks" is 'Headers inside the reorg window and at the edges of scanned ranges.';
comment on table "upgrade_spindex"."checkpoints" is 'Where each checkpoint inside the reorg window lies.';
comment on table "upgrade_spindex"."drain_runs" is 'One row for each write transaction: its checkpoints, blocks and trace.';
comment on table "upgrade_spindex"."skipped_events" is 'Events that a handler with onError: skip left out.';
comment on table "upgrade_spindex"."reorgs" is 'Each rollback: what was orphaned, and what became of the rows.';
comment on table "upgrade_spindex"."effects" is 'Outputs of effects with cache: true, by effect and SHA-256 of the input, and the checkpoint that called.';
comment on table "upgrade_spindex"."raw_events" is 'Every handled event with its decoded arguments, when the indexer has rawEvents: true.';
comment on table "upgrade_spindex"."starts" is 'Each start of an indexer, and how it ended.';
insert into upgrade_spindex.shards (shard, token, holder, acquired_at, write_seq, next_checkpoint, committed_checkpoint, changes, written_at, starts) values ('default', '8e8bfd3bf41e9d00b90d6db009a74f13', 'vm process 2311', '2026-11-25 14:33:08.766777+00', '6', '42', '41', '333', '2026-11-25 14:33:08.912012+00', '3');
insert into upgrade.account (id, balance, memo, chain_id, _checkpoint) values ('0x0000000000000000000000000000000000000000', '-5000000', 'to 0x0000000000000000000000000000000000000005', '1', '1');
insert into upgrade.account (id, balance, memo, chain_id, _checkpoint) values ('0x0000000000000000000000000000000000000001', '1000010', 'to 0x0000000000000000000000000000000000000002', '1', '41');
insert into upgrade.account (id, balance, memo, chain_id, _checkpoint) values ('0x0000000000000000000000000000000000000002', '1000050', 'to 0x0000000000000000000000000000000000000003', '1', '41');
insert into upgrade.account (id, balance, memo, chain_id, _checkpoint) values ('0x0000000000000000000000000000000000000003', '999950', 'to 0x0000000000000000000000000000000000000004', '1', '41');
insert into upgrade.account (id, balance, memo, chain_id, _checkpoint) values ('0x0000000000000000000000000000000000000004', '999990', 'to 0x0000000000000000000000000000000000000003', '1', '41');
insert into upgrade.account (id, balance, memo, chain_id, _checkpoint) values ('0x0000000000000000000000000000000000000005', '1000000', 'to 0x0000000000000000000000000000000000000004', '1', '40');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '1000048', 'to 0x0000000000000000000000000000000000000003', '1', '38', '39');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '1000050', 'to 0x0000000000000000000000000000000000000005', '1', '40', '41');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '1000062', 'to 0x0000000000000000000000000000000000000005', '1', '36', '37');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '1000062', 'to 0x0000000000000000000000000000000000000005', '1', '37', '38');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '1000076', 'to 0x0000000000000000000000000000000000000003', '1', '27', '28');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '1000093', 'to 0x0000000000000000000000000000000000000003', '1', '39', '40');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '1000093', 'to 0x0000000000000000000000000000000000000004', '1', '31', '33');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '1000093', 'to 0x0000000000000000000000000000000000000005', '1', '28', '30');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '1000095', 'to 0x0000000000000000000000000000000000000002', '1', '25', '26');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '1000095', 'to 0x0000000000000000000000000000000000000004', '1', '35', '36');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '1000099', 'to 0x0000000000000000000000000000000000000004', '1', '23', '24');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '1000109', 'to 0x0000000000000000000000000000000000000003', '1', '30', '31');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '1000112', 'to 0x0000000000000000000000000000000000000004', '1', '24', '25');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '1000126', 'to 0x0000000000000000000000000000000000000002', '1', '33', '34');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '1000130', 'to 0x0000000000000000000000000000000000000002', '1', '21', '22');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '1000133', 'to 0x0000000000000000000000000000000000000002', '1', '34', '35');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '1000148', 'to 0x0000000000000000000000000000000000000002', '1', '22', '23');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '1000148', 'to 0x0000000000000000000000000000000000000003', '1', '18', '19');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '1000150', 'to 0x0000000000000000000000000000000000000005', '1', '20', '21');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '1000162', 'to 0x0000000000000000000000000000000000000005', '1', '16', '17');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '1000173', 'to 0x0000000000000000000000000000000000000003', '1', '19', '20');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '1000192', 'to 0x0000000000000000000000000000000000000005', '1', '17', '18');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '1000000', 'to 0x0000000000000000000000000000000000000004', '1', '35', '36');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '1000017', 'to 0x0000000000000000000000000000000000000001', '1', '16', '18');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '1000017', 'to 0x0000000000000000000000000000000000000001', '1', '36', '38');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '1000017', 'to 0x0000000000000000000000000000000000000005', '1', '39', '41');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '1000019', 'to 0x0000000000000000000000000000000000000003', '1', '33', '34');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '1000025', 'to 0x0000000000000000000000000000000000000005', '1', '31', '32');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '1000033', 'to 0x0000000000000000000000000000000000000004', '1', '18', '19');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '1000033', 'to 0x0000000000000000000000000000000000000004', '1', '38', '39');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '1000036', 'to 0x0000000000000000000000000000000000000005', '1', '32', '33');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '1000050', 'to 0x0000000000000000000000000000000000000003', '1', '21', '22');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '1000056', 'to 0x0000000000000000000000000000000000000003', '1', '29', '30');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '1000067', 'to 0x0000000000000000000000000000000000000005', '1', '19', '21');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '1000069', 'to 0x0000000000000000000000000000000000000005', '1', '23', '24');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '1000072', 'to 0x0000000000000000000000000000000000000003', '1', '30', '31');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '1000074', 'to 0x0000000000000000000000000000000000000001', '1', '28', '29');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '1000085', 'to 0x0000000000000000000000000000000000000003', '1', '22', '23');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '1000086', 'to 0x0000000000000000000000000000000000000001', '1', '24', '25');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '1000095', 'to 0x0000000000000000000000000000000000000004', '1', '27', '28');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '1000114', 'to 0x0000000000000000000000000000000000000001', '1', '25', '26');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '999996', 'to 0x0000000000000000000000000000000000000004', '1', '34', '35');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '1000000', 'to 0x0000000000000000000000000000000000000001', '1', '31', '32');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '1000003', 'to 0x0000000000000000000000000000000000000004', '1', '38', '39');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '1000003', 'to 0x0000000000000000000000000000000000000005', '1', '34', '35');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '1000005', 'to 0x0000000000000000000000000000000000000002', '1', '36', '37');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '1000014', 'to 0x0000000000000000000000000000000000000004', '1', '30', '31');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '1000017', 'to 0x0000000000000000000000000000000000000002', '1', '32', '33');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '1000024', 'to 0x0000000000000000000000000000000000000005', '1', '35', '36');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '1000043', 'to 0x0000000000000000000000000000000000000002', '1', '33', '34');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '999809', 'to 0x0000000000000000000000000000000000000004', '1', '17', '18');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '999828', 'to 0x0000000000000000000000000000000000000001', '1', '19', '20');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '999853', 'to 0x0000000000000000000000000000000000000004', '1', '18', '19');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '999855', 'to 0x0000000000000000000000000000000000000002', '1', '16', '17');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '999867', 'to 0x0000000000000000000000000000000000000001', '1', '20', '21');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '999899', 'to 0x0000000000000000000000000000000000000005', '1', '22', '23');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '999900', 'to 0x0000000000000000000000000000000000000004', '1', '21', '22');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '999931', 'to 0x0000000000000000000000000000000000000005', '1', '23', '24');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '999948', 'to 0x0000000000000000000000000000000000000002', '1', '24', '26');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '999958', 'to 0x0000000000000000000000000000000000000001', '1', '39', '40');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '999967', 'to 0x0000000000000000000000000000000000000001', '1', '40', '41');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '999981', 'to 0x0000000000000000000000000000000000000004', '1', '29', '30');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '999989', 'to 0x0000000000000000000000000000000000000004', '1', '37', '38');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '999998', 'to 0x0000000000000000000000000000000000000001', '1', '27', '29');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '999810', 'to 0x0000000000000000000000000000000000000005', '1', '25', '26');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '999829', 'to 0x0000000000000000000000000000000000000002', '1', '27', '28');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '999850', 'to 0x0000000000000000000000000000000000000001', '1', '30', '31');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '999852', 'to 0x0000000000000000000000000000000000000001', '1', '22', '23');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '999854', 'to 0x0000000000000000000000000000000000000003', '1', '24', '25');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '999866', 'to 0x0000000000000000000000000000000000000002', '1', '28', '29');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '999866', 'to 0x0000000000000000000000000000000000000003', '1', '20', '21');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '999870', 'to 0x0000000000000000000000000000000000000003', '1', '21', '22');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '999880', 'to 0x0000000000000000000000000000000000000001', '1', '31', '32');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '999897', 'to 0x0000000000000000000000000000000000000002', '1', '15', '17');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '999897', 'to 0x0000000000000000000000000000000000000003', '1', '32', '34');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '999899', 'to 0x0000000000000000000000000000000000000002', '1', '19', '20');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '999899', 'to 0x0000000000000000000000000000000000000005', '1', '29', '30');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '999901', 'to 0x0000000000000000000000000000000000000001', '1', '23', '24');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '999913', 'to 0x0000000000000000000000000000000000000001', '1', '34', '35');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '999930', 'to 0x0000000000000000000000000000000000000005', '1', '17', '18');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '999930', 'to 0x0000000000000000000000000000000000000005', '1', '37', '38');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '999941', 'to 0x0000000000000000000000000000000000000005', '1', '18', '19');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '999947', 'to 0x0000000000000000000000000000000000000002', '1', '35', '37');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '999949', 'to 0x0000000000000000000000000000000000000002', '1', '39', '40');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '999961', 'to 0x0000000000000000000000000000000000000005', '1', '38', '39');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '999966', 'to 0x0000000000000000000000000000000000000003', '1', '40', '41');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '1000000', 'to 0x0000000000000000000000000000000000000003', '1', '23', '25');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '1000002', 'to 0x0000000000000000000000000000000000000001', '1', '37', '38');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '1000002', 'to 0x0000000000000000000000000000000000000002', '1', '31', '32');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '1000002', 'to 0x0000000000000000000000000000000000000003', '1', '27', '28');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '1000016', 'to 0x0000000000000000000000000000000000000002', '1', '22', '23');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '1000025', 'to 0x0000000000000000000000000000000000000002', '1', '18', '19');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '1000033', 'to 0x0000000000000000000000000000000000000001', '1', '25', '26');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '1000033', 'to 0x0000000000000000000000000000000000000002', '1', '19', '20');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '1000050', 'to 0x0000000000000000000000000000000000000004', '1', '20', '22');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '1000052', 'to 0x0000000000000000000000000000000000000001', '1', '17', '18');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '1000069', 'to 0x0000000000000000000000000000000000000003', '1', '16', '17');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '999915', 'to 0x0000000000000000000000000000000000000001', '1', '33', '34');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '999934', 'to 0x0000000000000000000000000000000000000003', '1', '35', '36');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '999955', 'to 0x0000000000000000000000000000000000000001', '1', '34', '35');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '999955', 'to 0x0000000000000000000000000000000000000002', '1', '30', '31');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '999955', 'to 0x0000000000000000000000000000000000000002', '1', '38', '39');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '999957', 'to 0x0000000000000000000000000000000000000004', '1', '32', '33');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '999969', 'to 0x0000000000000000000000000000000000000003', '1', '36', '37');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '999969', 'to 0x0000000000000000000000000000000000000004', '1', '28', '29');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '999971', 'to 0x0000000000000000000000000000000000000004', '1', '29', '30');
insert into upgrade_spindex.account_history (id, balance, memo, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '999983', 'to 0x0000000000000000000000000000000000000002', '1', '39', '40');
insert into upgrade.last (id, block, size, chain_id, _checkpoint) values ('0x0000000000000000000000000000000000000004', '39', 'small', '1', '40');
insert into upgrade.last (id, block, size, chain_id, _checkpoint) values ('0x0000000000000000000000000000000000000005', '39', 'large', '1', '40');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '15', 'small', '1', '16', '18');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '17', 'large', '1', '18', '20');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '19', 'small', '1', '20', '21');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '22', 'large', '1', '23', '25');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '25', 'large', '1', '26', '28');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '27', 'small', '1', '28', '30');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '29', 'large', '1', '30', '31');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '30', 'large', '1', '31', '33');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '34', 'large', '1', '35', '36');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '35', 'large', '1', '36', '38');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '37', 'small', '1', '38', '40');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', '39', 'large', '1', '40', '41');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', NULL, NULL, '1', NULL, '23');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', NULL, NULL, '1', NULL, '26');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000001', NULL, NULL, '1', NULL, '35');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '15', 'large', '1', '16', '18');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '17', 'small', '1', '18', '19');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '18', 'small', '1', '19', '21');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '22', 'small', '1', '23', '24');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '23', 'small', '1', '24', '26');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '25', 'large', '1', '26', '28');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '27', 'small', '1', '28', '29');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '30', 'large', '1', '31', '33');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '33', 'small', '1', '34', '36');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '35', 'small', '1', '36', '38');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '37', 'large', '1', '38', '39');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', '38', 'large', '1', '39', '41');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', NULL, NULL, '1', NULL, '23');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', NULL, NULL, '1', NULL, '31');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000002', NULL, NULL, '1', NULL, '34');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '15', 'large', '1', '16', '17');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '18', 'large', '1', '19', '21');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '21', 'small', '1', '22', '24');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '23', 'large', '1', '24', '26');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '26', 'small', '1', '27', '29');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '30', 'small', '1', '31', '32');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '31', 'small', '1', '32', '34');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '33', 'large', '1', '34', '36');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '35', 'small', '1', '36', '37');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', '38', 'large', '1', '39', '41');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', NULL, NULL, '1', NULL, '19');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', NULL, NULL, '1', NULL, '22');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', NULL, NULL, '1', NULL, '31');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000003', NULL, NULL, '1', NULL, '39');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '14', 'large', '1', '15', '17');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '18', 'large', '1', '19', '20');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '19', 'large', '1', '20', '22');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '21', 'small', '1', '22', '24');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '23', 'large', '1', '24', '25');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '26', 'small', '1', '27', '29');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '29', 'large', '1', '30', '32');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '31', 'large', '1', '32', '34');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '33', 'small', '1', '34', '35');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '34', 'small', '1', '35', '37');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', '38', 'small', '1', '39', '40');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', NULL, NULL, '1', NULL, '19');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', NULL, NULL, '1', NULL, '30');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000004', NULL, NULL, '1', NULL, '39');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '14', 'small', '1', '15', '17');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '17', 'large', '1', '18', '20');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '19', 'small', '1', '20', '22');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '21', 'large', '1', '22', '23');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '22', 'large', '1', '23', '25');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '26', 'large', '1', '27', '28');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '27', 'large', '1', '28', '30');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '29', 'small', '1', '30', '32');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '31', 'large', '1', '32', '33');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '34', 'small', '1', '35', '37');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', '37', 'large', '1', '38', '40');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', NULL, NULL, '1', NULL, '18');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', NULL, NULL, '1', NULL, '35');
insert into upgrade_spindex.last_history (id, block, size, chain_id, _checkpoint, _changed_at) values ('0x0000000000000000000000000000000000000005', NULL, NULL, '1', NULL, '38');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('0', '0x0000000000000000000000000000000000000000', '0x0000000000000000000000000000000000000001', '1000000', '1', '1');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('10200547328', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000005', '28', '1', '39');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('10200548352', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000001', '45', '1', '39');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('10200549376', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000002', '12', '1', '39');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('1024', '0x0000000000000000000000000000000000000000', '0x0000000000000000000000000000000000000002', '1000000', '1', '1');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('10468982784', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000003', '9', '1', '40');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('10468983808', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000004', '26', '1', '40');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('10468984832', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000005', '43', '1', '40');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('1073741824', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000005', '24', '1', '5');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('10737418240', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000002', '40', '1', '41');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('10737419264', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000003', '7', '1', '41');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('10737420288', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000004', '24', '1', '41');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('1073742848', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000001', '41', '1', '5');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('1073743872', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000002', '8', '1', '5');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('1342177280', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000003', '5', '1', '6');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('1342178304', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000004', '22', '1', '6');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('1342179328', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000005', '39', '1', '6');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('1610612736', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000001', '36', '1', '7');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('1610613760', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000002', '3', '1', '7');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('1610614784', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000003', '20', '1', '7');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('1879048192', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000004', '17', '1', '8');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('1879049216', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000005', '34', '1', '8');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('1879050240', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000001', '1', '1', '8');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('2048', '0x0000000000000000000000000000000000000000', '0x0000000000000000000000000000000000000003', '1000000', '1', '1');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('2147483648', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000003', '48', '1', '9');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('2147484672', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000004', '15', '1', '9');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('2147485696', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000005', '32', '1', '9');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('2415919104', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000001', '29', '1', '10');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('2415920128', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000002', '46', '1', '10');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('2415921152', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000003', '13', '1', '10');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('268435456', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000005', '31', '1', '2');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('2684354560', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000004', '10', '1', '11');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('2684355584', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000005', '27', '1', '11');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('2684356608', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000001', '44', '1', '11');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('268436480', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000001', '48', '1', '2');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('268437504', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000002', '15', '1', '2');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('2952790016', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000002', '41', '1', '12');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('2952791040', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000003', '8', '1', '12');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('2952792064', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000004', '25', '1', '12');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('3072', '0x0000000000000000000000000000000000000000', '0x0000000000000000000000000000000000000004', '1000000', '1', '1');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('3221225472', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000001', '22', '1', '13');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('3221226496', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000002', '39', '1', '13');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('3221227520', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000003', '6', '1', '13');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('3489660928', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000004', '3', '1', '14');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('3489661952', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000005', '20', '1', '14');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('3489662976', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000001', '37', '1', '14');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('3758096384', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000002', '34', '1', '15');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('3758097408', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000003', '1', '1', '15');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('3758098432', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000004', '18', '1', '15');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('4026531840', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000005', '15', '1', '16');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('4026532864', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000001', '32', '1', '16');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('4026533888', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000002', '49', '1', '16');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('4096', '0x0000000000000000000000000000000000000000', '0x0000000000000000000000000000000000000005', '1000000', '1', '1');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('4294967296', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000004', '46', '1', '17');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('4294968320', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000005', '13', '1', '17');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('4294969344', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000001', '30', '1', '17');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('4563402752', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000002', '27', '1', '18');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('4563403776', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000003', '44', '1', '18');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('4563404800', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000004', '11', '1', '18');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('4831838208', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000005', '8', '1', '19');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('4831839232', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000001', '25', '1', '19');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('4831840256', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000002', '42', '1', '19');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('5100273664', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000003', '39', '1', '20');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('5100274688', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000004', '6', '1', '20');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('5100275712', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000005', '23', '1', '20');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('536870912', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000003', '12', '1', '3');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('5368709120', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000002', '20', '1', '21');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('5368710144', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000003', '37', '1', '21');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('5368711168', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000004', '4', '1', '21');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('536871936', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000004', '29', '1', '3');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('536872960', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000005', '46', '1', '3');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('5637144576', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000005', '1', '1', '22');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('5637145600', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000001', '18', '1', '22');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('5637146624', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000002', '35', '1', '22');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('5905580032', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000003', '32', '1', '23');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('5905581056', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000004', '49', '1', '23');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('5905582080', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000005', '16', '1', '23');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('6174015488', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000001', '13', '1', '24');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('6174016512', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000002', '30', '1', '24');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('6174017536', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000003', '47', '1', '24');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('6442450944', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000005', '44', '1', '25');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('6442451968', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000001', '11', '1', '25');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('6442452992', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000002', '28', '1', '25');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('6710886400', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000003', '25', '1', '26');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('6710887424', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000004', '42', '1', '26');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('6710888448', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000005', '9', '1', '26');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('6979321856', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000001', '6', '1', '27');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('6979322880', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000002', '23', '1', '27');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('6979323904', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000003', '40', '1', '27');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('7247757312', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000004', '37', '1', '28');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('7247758336', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000005', '4', '1', '28');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('7247759360', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000001', '21', '1', '28');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('7516192768', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000003', '18', '1', '29');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('7516193792', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000004', '35', '1', '29');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('7516194816', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000005', '2', '1', '29');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('7784628224', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000001', '49', '1', '30');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('7784629248', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000002', '16', '1', '30');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('7784630272', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000003', '33', '1', '30');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('805306368', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000001', '43', '1', '4');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('8053063680', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000004', '30', '1', '31');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('8053064704', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000005', '47', '1', '31');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('8053065728', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000001', '14', '1', '31');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('805307392', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000002', '10', '1', '4');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('805308416', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000003', '27', '1', '4');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('8321499136', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000002', '11', '1', '32');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('8321500160', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000003', '28', '1', '32');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('8321501184', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000004', '45', '1', '32');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('8589934592', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000001', '42', '1', '33');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('8589935616', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000002', '9', '1', '33');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('8589936640', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000003', '26', '1', '33');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('8858370048', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000004', '23', '1', '34');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('8858371072', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000005', '40', '1', '34');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('8858372096', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000001', '7', '1', '34');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('9126805504', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000002', '4', '1', '35');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('9126806528', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000003', '21', '1', '35');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('9126807552', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000004', '38', '1', '35');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('9395240960', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000005', '35', '1', '36');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('9395241984', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000001', '2', '1', '36');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('9395243008', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000002', '19', '1', '36');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('9663676416', '0x0000000000000000000000000000000000000003', '0x0000000000000000000000000000000000000004', '16', '1', '37');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('9663677440', '0x0000000000000000000000000000000000000004', '0x0000000000000000000000000000000000000005', '33', '1', '37');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('9663678464', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000001', '0', '1', '37');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('9932111872', '0x0000000000000000000000000000000000000005', '0x0000000000000000000000000000000000000002', '47', '1', '38');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('9932112896', '0x0000000000000000000000000000000000000001', '0x0000000000000000000000000000000000000003', '14', '1', '38');
insert into upgrade.transfer (id, "from", "to", value, chain_id, _checkpoint) values ('9932113920', '0x0000000000000000000000000000000000000002', '0x0000000000000000000000000000000000000004', '31', '1', '38');
insert into upgrade_spindex.meta (singleton, version, definition, created_at) values ('true', '2', '{"config": {"tables": {"last": {"key": ["id"], "columns": {"id": {"kind": "address"}, "size": {"kind": "enum", "values": ["small", "large"]}, "block": {"kind": "int64"}}, "appendOnly": false, "crossChain": false}, "account": {"key": ["id"], "columns": {"id": {"kind": "address"}, "memo": {"kind": "text", "nullable": true}, "balance": {"kind": "int256", "default": "0n"}}, "appendOnly": false, "crossChain": false}, "transfer": {"key": ["id"], "columns": {"id": {"kind": "eventId"}, "to": {"kind": "address"}, "from": {"kind": "address"}, "value": {"kind": "uint256"}}, "appendOnly": true, "crossChain": false}}, "handlers": {"Token.Transfer": {"indexed": ["from", "to"], "signature": "Transfer(address,address,uint256)"}}, "contracts": {"Token": {"1": {"addresses": ["0x000000000000000000000000000000000000ee20"], "startBlock": 0}}}}, "tables": {"last": {"key": ["id"], "columns": {"id": "address not null", "size": "enum (small, large) not null", "block": "int64 not null"}, "appendOnly": false, "crossChain": false}, "account": {"key": ["id"], "columns": {"id": "address not null", "memo": "text", "balance": "int256 not null"}, "appendOnly": false, "crossChain": false}, "transfer": {"key": ["id"], "columns": {"id": "eventId not null", "to": "address not null", "from": "address not null", "value": "uint256 not null"}, "appendOnly": true, "crossChain": false}}}', '2026-11-25 14:33:07.84187+00');
insert into upgrade_spindex.leases (shard, token, expires_at, renewed_at, lease_pid, writer_pid) values ('default', '8e8bfd3bf41e9d00b90d6db009a74f13', '2026-11-25 14:33:09.059714+00', '2026-11-25 14:33:08.787304+00', '2534', '2536');
insert into upgrade_spindex.chains (chain_id, shard, name, block, block_timestamp, checkpoint, head, finalized, live, history_floor, updated_at, sources) values ('1', 'default', 'local', '40', '1700000480', '41', '40', '30', 'false', NULL, '2026-11-25 14:33:08.912012+00', '[{"name": "127.0.0.1:45517", "state": "ok"}]');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '0', '0xa07531ddcd1942abad1233bd4233842189e09ce62a31f90200882a83019cdc64', '0x201f883f2bfec9a0685ffc38e611945a57c7ddf68c93c97b17aa919b5bbbd365', '1700000000');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '15', '0xc0aafa092325f114123ec28bb123bc16cd333f52cf37fdd497cc25c06a941b7a', '0x56bebbc5e2f9956969b7bcffc6da08027821d2b4cd65dbe00b9f2954196320bf', '1700000180');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '16', '0x4b01efc72182110131c2bbe296b7ba0e4c6761ba6a6b6a770744c84484370499', '0xc0aafa092325f114123ec28bb123bc16cd333f52cf37fdd497cc25c06a941b7a', '1700000192');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '17', '0xcfab0842cbfb7f4ec15c5158322687025205ddcaee35a28e39cdc9806d78aac4', '0x4b01efc72182110131c2bbe296b7ba0e4c6761ba6a6b6a770744c84484370499', '1700000204');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '18', '0xd1dd2f2cc61335ae501be2ce220579e36af01e22e75e7f5917bba49f728a9f08', '0xcfab0842cbfb7f4ec15c5158322687025205ddcaee35a28e39cdc9806d78aac4', '1700000216');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '19', '0x4377d264b288f30dd03035d515d27bf937f848484dede3794b18b08fa612bfd7', '0xd1dd2f2cc61335ae501be2ce220579e36af01e22e75e7f5917bba49f728a9f08', '1700000228');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '20', '0x59965850635476fbe1616a46a70722b4cd3ad60a04c87ab83b92c824ceabb6ae', '0x4377d264b288f30dd03035d515d27bf937f848484dede3794b18b08fa612bfd7', '1700000240');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '21', '0xb8dde71b14029c6d3164124e25cf63252a935de2f4a5ecccb3d58dab37a829a9', '0x59965850635476fbe1616a46a70722b4cd3ad60a04c87ab83b92c824ceabb6ae', '1700000252');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '22', '0x2bdc7477b475a815b37ff16df88bc5d10169cc33610c0fb6726554106d68e45b', '0xb8dde71b14029c6d3164124e25cf63252a935de2f4a5ecccb3d58dab37a829a9', '1700000264');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '23', '0xa59de05cdfef7f144c32d3f32d79c401838b31f62ed024786ca7879bb2bca4be', '0x2bdc7477b475a815b37ff16df88bc5d10169cc33610c0fb6726554106d68e45b', '1700000276');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '24', '0x2db820bd452ed31fbfe65665a4ac36ad6405ee7f12ef82c3d2fa86c54fb5e281', '0xa59de05cdfef7f144c32d3f32d79c401838b31f62ed024786ca7879bb2bca4be', '1700000288');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '25', '0x5dea5cabb4731e7e0c8c16b176d149b39a1ac54040017924efa0e6bed965313b', '0x2db820bd452ed31fbfe65665a4ac36ad6405ee7f12ef82c3d2fa86c54fb5e281', '1700000300');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '26', '0x5994d1a9a318ef758f76a5633149ef4de8698ff5fb8a83962ff5d8cc975a7139', '0x5dea5cabb4731e7e0c8c16b176d149b39a1ac54040017924efa0e6bed965313b', '1700000312');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '27', '0xafa289029d0d1a12e772eca6f176d84c08d45d63016194c479a8c47ffa07047b', '0x5994d1a9a318ef758f76a5633149ef4de8698ff5fb8a83962ff5d8cc975a7139', '1700000324');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '28', '0x76ab8db706601c2ee1a5a3ca0ab29d44036048cebed605d202632856ed5d342e', '0xafa289029d0d1a12e772eca6f176d84c08d45d63016194c479a8c47ffa07047b', '1700000336');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '29', '0x62d4af55f4cb41dc8719565aa93827e5fcfad6b0f8b9bcd3a5be5782c16c481e', '0x76ab8db706601c2ee1a5a3ca0ab29d44036048cebed605d202632856ed5d342e', '1700000348');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '30', '0x766c2f8ad75870f56703e5eaf0724742b684f9aafd921ad1c19cdc1edb8d3b15', '0x62d4af55f4cb41dc8719565aa93827e5fcfad6b0f8b9bcd3a5be5782c16c481e', '1700000360');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '31', '0x11dae4905efdf564d8819d0470d6f11149f7ec4e4717ae10b613aec7b4dfc0d9', '0x766c2f8ad75870f56703e5eaf0724742b684f9aafd921ad1c19cdc1edb8d3b15', '1700000372');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '32', '0xae3e55ee7bdb9409fdceada80dbb808f2ad49835a6513b5ba36e6cb3adc9b49e', '0x11dae4905efdf564d8819d0470d6f11149f7ec4e4717ae10b613aec7b4dfc0d9', '1700000384');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '33', '0x0976b7196465357c8efc7206abec30919bd2e304ac2c4ef8faf8d3594c496250', '0xae3e55ee7bdb9409fdceada80dbb808f2ad49835a6513b5ba36e6cb3adc9b49e', '1700000396');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '34', '0xb8e72026967e70acd1652ab1d65a4707fbd84fcc8cff204b5a88cc77a2d3a764', '0x0976b7196465357c8efc7206abec30919bd2e304ac2c4ef8faf8d3594c496250', '1700000408');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '35', '0x9f04ed71478674333d701e4d4a1923978e614c3687c2ea1337e2a38f1439dc25', '0xb8e72026967e70acd1652ab1d65a4707fbd84fcc8cff204b5a88cc77a2d3a764', '1700000420');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '36', '0xbea923b4707e8629aa337ae87e532b7d8c81002f6216222329c95dbdd7b6be77', '0x9f04ed71478674333d701e4d4a1923978e614c3687c2ea1337e2a38f1439dc25', '1700000432');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '37', '0x7bc8aab2988ebca908ddf3a4c73e7a115f551f422c3c5bf33af702882aa9cf93', '0xbea923b4707e8629aa337ae87e532b7d8c81002f6216222329c95dbdd7b6be77', '1700000444');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '38', '0x56488a6a380fee6b947c3e04ef39ad2ad9f882d45e5fb820e51e5c393f3e34a6', '0x7bc8aab2988ebca908ddf3a4c73e7a115f551f422c3c5bf33af702882aa9cf93', '1700000456');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '39', '0x8a7310eb87578847a87ca536033eac71cd17a178cf97bf48bc99f439dabface1', '0x56488a6a380fee6b947c3e04ef39ad2ad9f882d45e5fb820e51e5c393f3e34a6', '1700000468');
insert into upgrade_spindex.blocks (shard, chain_id, number, hash, parent_hash, "timestamp") values ('default', '1', '40', '0xd1c608d22bd94a878cd1b0fb689296d5b9e22d83a9bf0fdf1feaa9971e9290a8', '0x8a7310eb87578847a87ca536033eac71cd17a178cf97bf48bc99f439dabface1', '1700000480');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '1', '1', '0');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '10', '1', '9');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '11', '1', '10');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '12', '1', '11');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '13', '1', '12');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '14', '1', '13');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '15', '1', '14');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '16', '1', '15');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '17', '1', '16');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '18', '1', '17');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '19', '1', '18');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '2', '1', '1');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '20', '1', '19');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '21', '1', '20');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '22', '1', '21');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '23', '1', '22');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '24', '1', '23');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '25', '1', '24');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '26', '1', '25');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '27', '1', '26');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '28', '1', '27');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '29', '1', '28');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '3', '1', '2');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '30', '1', '29');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '31', '1', '30');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '32', '1', '31');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '33', '1', '32');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '34', '1', '33');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '35', '1', '34');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '36', '1', '35');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '37', '1', '36');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '38', '1', '37');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '39', '1', '38');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '4', '1', '3');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '40', '1', '39');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '41', '1', '40');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '5', '1', '4');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '6', '1', '5');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '7', '1', '6');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '8', '1', '7');
insert into upgrade_spindex.checkpoints (shard, checkpoint, chain_id, block) values ('default', '9', '1', '8');
insert into upgrade_spindex.drain_runs (shard, write_seq, from_checkpoint, to_checkpoint, start_id, drain_id, mode, split_reason, batches, items, changes, bytes, blocks, trace_id, written_at) values ('default', '2', '1', '26', '1', '1', 'keep', 'drained', '1', '80', '164', '22325', '[{"to": 25, "from": 0, "chainId": 1}]', NULL, '2026-11-25 14:33:08.255855+00');
insert into upgrade_spindex.drain_runs (shard, write_seq, from_checkpoint, to_checkpoint, start_id, drain_id, mode, split_reason, batches, items, changes, bytes, blocks, trace_id, written_at) values ('default', '4', '27', '37', '2', '1', 'keep', 'drained', '1', '33', '117', '15311', '[{"to": 36, "from": 26, "chainId": 1}]', NULL, '2026-11-25 14:33:08.534638+00');
insert into upgrade_spindex.drain_runs (shard, write_seq, from_checkpoint, to_checkpoint, start_id, drain_id, mode, split_reason, batches, items, changes, bytes, blocks, trace_id, written_at) values ('default', '6', '38', '41', '3', '1', 'keep', 'drained', '1', '12', '52', '6554', '[{"to": 40, "from": 37, "chainId": 1}]', NULL, '2026-11-25 14:33:08.912012+00');
insert into upgrade_spindex.starts (id, shard, token, holder, started_at, ended_at, outcome, exit_class) overriding system value values ('1', 'default', '810565805f5eba04468d3e2736eda4e3', 'vm process 2311', '2026-11-25 14:33:07.84187+00', '2026-11-25 14:33:08.332673+00', 'stopped', 'ok');
insert into upgrade_spindex.starts (id, shard, token, holder, started_at, ended_at, outcome, exit_class) overriding system value values ('2', 'default', '83eeaa48bdfc658dc61d8d49b1a5a2bf', 'vm process 2311', '2026-11-25 14:33:08.411994+00', '2026-11-25 14:33:08.609366+00', 'stopped', 'ok');
insert into upgrade_spindex.starts (id, shard, token, holder, started_at, ended_at, outcome, exit_class) overriding system value values ('3', 'default', '8e8bfd3bf41e9d00b90d6db009a74f13', 'vm process 2311', '2026-11-25 14:33:08.750102+00', '2026-11-25 14:33:09.033736+00', 'stopped', 'ok');
select setval(pg_get_serial_sequence('upgrade_spindex.starts', 'id'), (select max(id) from upgrade_spindex.starts));
