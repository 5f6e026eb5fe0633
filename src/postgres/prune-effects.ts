import { SpindexError } from "../errors.ts";
import type { Clock } from "../lib/clock.ts";
import { connect } from "./connect.ts";
import type { Connection } from "./connection.ts";
import { parseDatabaseUrl } from "./database-url.ts";
import { qualified, type SchemaNames, schemaNamesOf } from "./ddl.ts";
import { INTERNAL_VERSION } from "./migrations.ts";

export interface PruneEffectsOptions {
  readonly url: string;
  /** The indexer's schema: its tables must exist. */
  readonly schema: string;
  /** Left out: every effect. */
  readonly effect?: string | undefined;
  /** Only outputs that have been durable for so long. Left out: all. */
  readonly olderThanMs?: number | undefined;
  readonly clock: Clock;
}

/** Rows of one statement: short enough that a write which needs one of them waits for milliseconds. */
const STEP_ROWS = 5_000;
/** How long an unreachable database is tried. */
const BUDGET_MS = 10_000;

/**
 * Deletes stored outputs of effects: they are called for again when a handler asks. Needs no lease, since an output that
 * is gone is no other than one that was never made: a running indexer goes on with what it has in memory, and rows
 * that it is just writing are left.
 * @returns how many were deleted
 * @throws SpindexError DATABASE_URL_INVALID, DATABASE_REFUSED, DATABASE_UNREACHABLE, DATABASE_INCOMPATIBLE, DATABASE_NEWER
 */
export async function pruneEffects(options: PruneEffectsOptions): Promise<number> {
  const { clock, effect, olderThanMs } = options;
  const names = schemaNamesOf(options.schema);
  const connection = await connect(
    { url: parseDatabaseUrl(options.url), clock, applicationName: "spindex prune" },
    { budgetMs: BUDGET_MS },
  );
  try {
    await requireTables(connection, names);
    const effects = qualified(names.internal, "effects");
    const values = [effect ?? null, olderThanMs ?? null];
    let deleted = 0;
    for (;;) {
      const { rowCount } = await connection.query(
        `with durable_before as (
           select c.chain_id, max(r.to_checkpoint) as checkpoint
           from ${qualified(names.internal, "chains")} c join ${qualified(names.internal, "drain_runs")} r using (shard)
           where r.written_at <= clock_timestamp() - $2::float8 * interval '1 ms' group by c.chain_id)
         delete from ${effects} where (effect, input_hash) in (
           select effect, input_hash from ${effects} e
           where ($1::text is null or effect = $1) and ($2::float8 is null or exists (
             select from durable_before b where b.chain_id = e.chain_id and e._checkpoint <= b.checkpoint))
           limit ${STEP_ROWS} for update skip locked)`,
        values,
      );
      deleted += rowCount;
      if (rowCount < STEP_ROWS) return deleted;
    }
  } finally {
    await connection.end();
  }
}

async function requireTables(connection: Connection, names: SchemaNames): Promise<void> {
  const meta = qualified(names.internal, "meta");
  const exists = await connection.query("select to_regclass($1) is not null", [meta]);
  if (exists.rows[0]?.[0] !== "t") {
    throw new SpindexError("DATABASE_INCOMPATIBLE", `there are no tables of an indexer in the schema ${names.user}`, {
      fix: "Name the schema with --schema or DATABASE_SCHEMA, and the database with DATABASE_URL.",
    });
  }
  const { rows } = await connection.query(`select version from ${meta}`);
  const version = Number(rows[0]?.[0]);
  if (version === INTERNAL_VERSION) return;
  const what = `the tables in schema ${names.user} have internal version ${version}, and this Spindex knows ${INTERNAL_VERSION}`;
  throw version > INTERNAL_VERSION
    ? new SpindexError("DATABASE_NEWER", what, { fix: "Install that version or a later one." })
    : new SpindexError("DATABASE_INCOMPATIBLE", what, { fix: "Start the indexer once: it brings them up to date." });
}
