/**
 * How a database of an older version becomes one of this version. The internal tables carry their version in `meta`;
 * a start takes its shard, applies the missing steps in order and checks the definition, all in one transaction.
 *
 * To change internal tables or `<entity>_history`:
 *  1. Change what new installs get: `internal-ddl.ts`, or `entityDdl` in `ddl.ts`.
 *  2. Append a step here. A step that was released never changes: its statements are written out, not made from code
 *     that moves on. The newest step may grow until then.
 *  3. Before that, when the newest step was released: write the fixture of its version (test/support/make-upgrade-fixture.ts).
 *     A test upgrades every fixture, compares its catalogue with that of a new install, and goes on indexing.
 * While a step is applied, a process of the older version may still be writing another shard of the same schema: add
 * columns with defaults, and remove nothing that a write uses.
 */
import type { TableModel } from "../store/table.ts";
import { qualified, type SchemaNames } from "./ddl.ts";

interface Migration {
  /** The version that the tables have afterwards. */
  readonly to: number;
  readonly what: string;
  readonly statements: (names: SchemaNames, tables: readonly TableModel[]) => readonly string[];
}

const MIGRATIONS: readonly Migration[] = [
  {
    to: 2,
    what: "leases with an expiry; starts are counted and classed; states of sources; positions are found by block; effects and raw events; unknown is not 0 blocks behind",
    statements: (names) => {
      const of = (name: string): string => qualified(names.internal, name);
      const status = qualified(names.user, "spindex_status");
      return [
        `create table ${of("leases")} (
          shard text primary key references ${of("shards")},
          token text not null,
          expires_at timestamptz not null,
          renewed_at timestamptz not null,
          lease_pid int4 not null,
          writer_pid int4
        )`,
        `comment on table ${of("leases")} is 'Until when each shard is held, and by which sessions. Apart from shards: a write locks that row.'`,
        `alter table ${of("shards")} drop column lease_pid, add column starts int8 not null default 0`,
        `update ${of("shards")} s set starts = (select count(*) from ${of("starts")} where shard = s.shard)`,
        `comment on table ${of("shards")} is 'Who owns each shard, and where its writes are: every write checks the token and advances write_seq.'`,
        `alter table ${of("chains")} add column sources jsonb`,
        `create index checkpoints_block_idx on ${of("checkpoints")} (chain_id, block, checkpoint)`,
        `alter table ${of("starts")} add column exit_class text`,
        `update ${of("starts")} set exit_class = case
          when outcome = 'stopped' then 'ok'
          when outcome = 'killed' then 'killed'
          when outcome in ('DATABASE_UNREACHABLE', 'SOURCE_UNREACHABLE', 'SOURCE_ANSWER_INVALID',
            'WRITE_RETRIES_EXHAUSTED', 'WRITER_FENCED', 'DATABASE_WENT_BACK') then 'retry'
          when outcome in ('HANDLER_FAILED', 'ROW_INVALID', 'ROW_MISSING', 'READ_PENDING', 'CONTEXT_REVOKED',
            'WRITE_FAILED', 'INTERNAL') then 'bug'
          else 'fix' end
        where outcome is not null`,
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
        `comment on table ${of("effects")} is 'Outputs of effects with cache: true, by effect and SHA-256 of the input, and the checkpoint that called.'`,
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
        `comment on table ${of("raw_events")} is 'Every handled event with its decoded arguments, when the indexer has rawEvents: true.'`,
        `create or replace view ${status} as
          select c.name as chain, c.chain_id, c.shard,
            c.block as processed_block, to_timestamp(c.block_timestamp) as processed_block_time, c.head as head_block, c.finalized as finalized_block, c.live,
            case when c.head > c.block then c.head - c.block when c.head <= c.block then 0 end as blocks_behind,
            c.checkpoint as committed_checkpoint,
            s.written_at as last_write_at,
            s.changes as shard_rows_written
          from ${of("chains")} c
          join ${of("shards")} s using (shard)
          order by c.chain_id`,
        `comment on column ${status}.blocks_behind is 'From processed_block to head_block; null while either is unknown.'`,
      ];
    },
  },
  {
    to: 3,
    what: "addresses that factories and handlers bring",
    statements: (names) => {
      const addresses = qualified(names.internal, "factory_addresses");
      return [
        `create table ${addresses} (
          shard text not null,
          chain_id int8 not null,
          contract text collate "C" not null,
          address text collate "C" not null,
          block int8 not null,
          checkpoint int8 not null,
          primary key (chain_id, contract, address)
        )`,
        `create index factory_addresses_block_idx on ${addresses} (chain_id, block)`,
        `comment on table ${addresses} is 'Addresses that factories and handlers brought to contracts: logs of each count from its block on.'`,
      ];
    },
  },
];

/** Version of the internal tables. A higher one in the database was written by a newer Spindex. */
export const INTERNAL_VERSION: number = MIGRATIONS.at(-1)?.to ?? 1;

/** The statements that are missing from tables of an older version; none when they are of this one. */
export function migrationsFrom(version: number, names: SchemaNames, tables: readonly TableModel[]): readonly string[] {
  const missing = MIGRATIONS.filter(({ to }) => to > version);
  if (missing.length === 0) return [];
  return [
    ...missing.flatMap(({ statements }) => statements(names, tables)),
    `update ${qualified(names.internal, "meta")} set version = ${INTERNAL_VERSION}`,
  ];
}
