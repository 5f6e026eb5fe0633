import type { WriteTransactionTelemetry } from "../instrument/drain-telemetry.ts";
import type { RollbackOutcome, RollbackRequest } from "../reorg/rollback.ts";
import type { TableModel } from "../store/table.ts";
import { WriteFailure } from "../write/storage.ts";
import type { Connection, StatementResult } from "./connection.ts";
import { CHAIN_COLUMN, CHANGED_AT_COLUMN, CHECKPOINT_COLUMN, codecColumnsOf, identityOf } from "./copy-codec.ts";
import { historyTableOf, qualified, type SchemaNames } from "./ddl.ts";
import { writeFailureOf } from "./failure.ts";
import { guardedWrite } from "./guarded-write.ts";
import { quoteName, quoteNames } from "./sql.ts";
import type { WriteClaim } from "./write-claim.ts";

/** Runs a statement of the rollback inside its span. */
type Run = (operation: string, table: string, text: string, values: readonly unknown[]) => Promise<StatementResult>;

interface RollbackContext {
  readonly run: Run;
  readonly claim: WriteClaim;
  readonly tables: readonly TableModel[];
  readonly request: RollbackRequest;
  readonly traceId: string | undefined;
}

/**
 * Takes a chain back to a block, in one transaction: rows become what they were, and whatever is known of the orphaned
 * blocks is forgotten, but for one audit row.
 * @throws WriteFailure; the connection is then in a failed transaction, or broken
 */
export async function rollBackChain(
  connection: Connection,
  claim: WriteClaim,
  telemetry: WriteTransactionTelemetry,
  tables: readonly TableModel[],
  request: RollbackRequest,
): Promise<RollbackOutcome> {
  const { alreadyDurable } = await guardedWrite(connection, claim, telemetry, {
    name: "rollback",
    advance: "one checkpoint",
    body: async (statement) => {
      const run: Run = (operation, table, text, values) => {
        const summary = `${operation} ${table}`;
        const start = { summary, operation, purpose: "rollback", table, rows: 0, bytes: 0 } as const;
        return statement(start, text, values, ({ rowCount }) => rowCount);
      };
      await takeBack({ run, claim, tables, request, traceId: telemetry.traceId });
    },
  });
  return { alreadyDurable, ...(await readAudit(connection, claim)) };
}

async function takeBack({ run, claim, tables, request, traceId }: RollbackContext): Promise<void> {
  const { names, shard, writeSeq } = claim;
  const { chainId, toBlock } = request;
  const internal = (name: string): string => qualified(names.internal, name);
  // The first checkpoint that goes: positions are stored for everything that can be rolled back.
  const first = await run(
    "SELECT",
    "checkpoints",
    `select min(checkpoint) from ${internal("checkpoints")} where shard = $1 and chain_id = $2 and block > $3`,
    [shard, chainId, toBlock],
  );
  const firstOrphaned = first.rows[0]?.[0] ?? undefined;
  const last = await run(
    "SELECT",
    "chains",
    `select max(checkpoint) filter (where chain_id = $2), count(*) from ${internal("chains")} where shard = $1`,
    [shard, chainId],
  );
  const [lastCheckpoint, chains] = last.rows[0] ?? [];
  let rowsRestored = 0;
  let rowsDeleted = 0;
  if (firstOrphaned !== undefined) {
    for (const table of tables) {
      const scope = { names, table, chainId, firstOrphaned };
      if (table.crossChain && chains !== "1") await requireUntouched(run, scope);
      const deleted = table.appendOnly ? await deleteAppended(run, scope) : await restore(run, scope);
      rowsRestored += deleted.restored;
      rowsDeleted += deleted.deleted;
    }
    for (const table of ["checkpoints", "skipped_events"]) {
      await run(
        "DELETE",
        table,
        `delete from ${internal(table)} where shard = $1 and chain_id = $2 and checkpoint >= $3`,
        [shard, chainId, firstOrphaned],
      );
    }
    // Numbers of checkpoints are those of the shard, and a chain is in one shard.
    for (const table of ["effects", "raw_events"]) {
      await run(
        "DELETE",
        table,
        `delete from ${internal(table)} where ${quoteName(CHAIN_COLUMN)} = $1 and ${quoteName(CHECKPOINT_COLUMN)} >= $2`,
        [chainId, firstOrphaned],
      );
    }
  }
  // By block, not by checkpoint: one may have been stored with a later position than its own.
  for (const [table, column, above] of [
    ["factory_addresses", "block", request.childrenTo ?? toBlock],
    ["blocks", "number", toBlock],
  ] as const) {
    await run("DELETE", table, `delete from ${internal(table)} where chain_id = $1 and ${column} > $2`, [
      chainId,
      above,
    ]);
  }
  // The position of the ancestor; when it lies before everything that is stored, the last one before the orphaned.
  await run(
    "UPDATE",
    "chains",
    `update ${internal("chains")} set block = $3, updated_at = now(),
       block_timestamp = (select "timestamp" from ${internal("blocks")} where chain_id = $2 and number = $3),
       checkpoint = coalesce(
         (select max(checkpoint) from ${internal("checkpoints")} where shard = $1 and chain_id = $2),
         least(checkpoint, $4::int8 - 1))
     where shard = $1 and chain_id = $2`,
    [shard, chainId, toBlock, firstOrphaned ?? null],
  );
  await writeAudit(run, internal("reorgs"), [
    shard,
    writeSeq,
    chainId,
    toBlock,
    request.fromBlock,
    firstOrphaned ?? null,
    lastCheckpoint ?? null,
    request.orphaned.map(({ hash }) => hash),
    request.found.number,
    request.found.hash,
    rowsRestored,
    rowsDeleted,
    traceId ?? null,
  ]);
}

interface TableScope {
  readonly names: SchemaNames;
  readonly table: TableModel;
  readonly chainId: number;
  readonly firstOrphaned: string;
}

interface Deleted {
  readonly restored: number;
  readonly deleted: number;
}

/**
 * What one chain has done to rows that chains share may have gone on into the rows of the others: they would all have to
 * go back.
 */
async function requireUntouched(run: Run, { names, table, firstOrphaned }: TableScope): Promise<void> {
  const [target, name, column] = table.appendOnly
    ? [qualified(names.user, table.sqlName), table.sqlName, CHECKPOINT_COLUMN]
    : [qualified(names.internal, historyTableOf(table)), historyTableOf(table), CHANGED_AT_COLUMN];
  const text = `select exists (select from ${target} where ${quoteName(column)} >= $1)`;
  const touched = await run("SELECT", name, text, [firstOrphaned]);
  if (touched.rows[0]?.[0] !== "t") return;
  throw new WriteFailure(
    "fatal",
    `${table.name} is shared among chains and was changed at or after checkpoint ${firstOrphaned}: one chain alone cannot be taken back`,
    { statement: `SELECT ${name}`, table: table.sqlName },
  );
}

/** The rows of the chain; all rows where chains share them, since then there is but one. */
function ofChain(table: TableModel): string {
  return table.crossChain ? "$1::int8 is not null" : `${quoteName(CHAIN_COLUMN)} = $1`;
}

async function deleteAppended(run: Run, { names, table, chainId, firstOrphaned }: TableScope): Promise<Deleted> {
  const target = qualified(names.user, table.sqlName);
  const text = `delete from ${target} where ${quoteName(CHECKPOINT_COLUMN)} >= $2 and ${ofChain(table)}`;
  const { rowCount } = await run("DELETE", table.sqlName, text, [chainId, firstOrphaned]);
  return { restored: 0, deleted: rowCount };
}

/** The oldest before-image of each row since the first orphaned checkpoint is what the row was before all of them. */
async function restore(run: Run, { names, table, chainId, firstOrphaned }: TableScope): Promise<Deleted> {
  const identity = identityOf(table);
  const columns = quoteNames(codecColumnsOf(table).row);
  const target = qualified(names.user, table.sqlName);
  const history = qualified(names.internal, historyTableOf(table));
  const changedAt = quoteName(CHANGED_AT_COLUMN);
  const orphaned = `${ofChain(table)} and ${changedAt} >= $2`;
  const oldest = `select distinct on (${quoteNames(identity)}) * from ${history} where ${orphaned}
    order by ${quoteNames(identity)}, ${changedAt}`;
  const same = identity.map((name) => `t.${quoteName(name)} = h.${quoteName(name)}`).join(" and ");
  const scope = [chainId, firstOrphaned];
  const deleted = await run(
    "DELETE",
    table.sqlName,
    `delete from ${target} t using (${oldest}) h where ${same}`,
    scope,
  );
  const restored = await run(
    "INSERT",
    table.sqlName,
    `insert into ${target} (${columns}) select ${columns} from (${oldest}) h where ${quoteName(CHECKPOINT_COLUMN)} is not null`,
    scope,
  );
  await run("DELETE", historyTableOf(table), `delete from ${history} where ${orphaned}`, scope);
  return { restored: restored.rowCount, deleted: deleted.rowCount };
}

async function writeAudit(run: Run, reorgs: string, values: readonly unknown[]): Promise<void> {
  await run(
    "INSERT",
    "reorgs",
    `insert into ${reorgs} (shard, write_seq, chain_id, ancestor_block, orphaned_to_block, first_checkpoint,
       last_checkpoint, orphaned_hashes, found_block, found_hash, rows_restored, rows_deleted, trace_id)
     values ($1, $2, $3, $4, $5, $6, $7, $8::text[], $9, $10, $11, $12, $13)`,
    values,
  );
}

/** What the rollback of this number did: the answer of the attempt that did it may never have come. */
async function readAudit(
  connection: Connection,
  { names, shard, writeSeq }: WriteClaim,
): Promise<Omit<RollbackOutcome, "alreadyDurable">> {
  const text = `select first_checkpoint, last_checkpoint, rows_restored, rows_deleted
    from ${qualified(names.internal, "reorgs")} where shard = $1 and write_seq = $2`;
  const { rows } = await connection.query(text, [shard, writeSeq]).catch((error: unknown) => {
    // Another attempt will find it done.
    throw writeFailureOf(error, { summary: "SELECT reorgs", table: "reorgs", commitSent: false });
  });
  const [from, to, restored, deleted] = rows[0] ?? [];
  const checkpoints = from == null || to == null ? undefined : { from: Number(from), to: Number(to) };
  return { checkpoints, rowsRestored: Number(restored), rowsDeleted: Number(deleted) };
}
