import type { RollbackRequest } from "../reorg/rollback.ts";
import type { TableModel } from "../store/table.ts";
import { WriteFailure } from "../write/storage.ts";
import type { Connection } from "./connection.ts";
import { CHAIN_COLUMN, CHANGED_AT_COLUMN, CHECKPOINT_COLUMN, codecColumnsOf, identityOf } from "./copy-codec.ts";
import { historyTableOf, qualified, type SchemaNames } from "./ddl.ts";
import { writeFailureOf } from "./failure.ts";
import { quoteName, quoteNames } from "./sql.ts";
import { claimWrite, type WriteClaim } from "./write-claim.ts";

/**
 * Takes a chain back to a block, in one transaction: rows become what they were, and whatever is known of the orphaned
 * blocks is forgotten, but for one audit row.
 * @throws WriteFailure; the connection is then in a failed transaction, or broken
 */
export async function rollBackChain(
  connection: Connection,
  claim: WriteClaim,
  tables: readonly TableModel[],
  request: RollbackRequest,
): Promise<void> {
  let commitSent = false;
  try {
    await connection.run("begin isolation level read committed read write");
    if ((await claimWrite(connection, claim, "one checkpoint", 0)) === "already_durable") {
      return await connection.run("rollback");
    }
    await takeBack(connection, claim, tables, request);
    commitSent = true;
    const { command } = await connection.query("commit");
    if (command !== "COMMIT") throw new WriteFailure("transient", `COMMIT was answered by ${command}`);
  } catch (error) {
    throw writeFailureOf(error, { summary: "ROLLBACK OF A REORG", table: undefined, commitSent });
  }
}

async function takeBack(
  connection: Connection,
  { names, shard, writeSeq }: WriteClaim,
  tables: readonly TableModel[],
  request: RollbackRequest,
): Promise<void> {
  const { chainId, toBlock } = request;
  const internal = (name: string): string => qualified(names.internal, name);
  // The first checkpoint that goes: positions are stored for everything that can be rolled back.
  const first = await connection.query(
    `select min(checkpoint) from ${internal("checkpoints")} where shard = $1 and chain_id = $2 and block > $3`,
    [shard, chainId, toBlock],
  );
  const firstOrphaned = first.rows[0]?.[0];
  const last = await connection.query(
    `select checkpoint from ${internal("chains")} where shard = $1 and chain_id = $2`,
    [shard, chainId],
  );
  let rowsRestored = 0;
  let rowsDeleted = 0;
  if (firstOrphaned !== null && firstOrphaned !== undefined) {
    const chains = await connection.query(`select count(*) from ${internal("chains")} where shard = $1`, [shard]);
    const isAlone = chains.rows[0]?.[0] === "1";
    for (const table of tables) {
      if (table.crossChain && !isAlone) await requireUntouched(connection, names, table, firstOrphaned);
      const deleted = table.appendOnly
        ? await deleteAppended(connection, names, table, chainId, firstOrphaned)
        : await restore(connection, names, table, chainId, firstOrphaned);
      rowsRestored += deleted.restored;
      rowsDeleted += deleted.deleted;
    }
    const scope = [shard, chainId, firstOrphaned];
    for (const table of ["checkpoints", "skipped_events"]) {
      await connection.query(
        `delete from ${internal(table)} where shard = $1 and chain_id = $2 and checkpoint >= $3`,
        scope,
      );
    }
    // Numbers of checkpoints are those of the shard, and a chain is in one shard.
    for (const table of ["effects", "raw_events"]) {
      await connection.query(
        `delete from ${internal(table)} where ${quoteName(CHAIN_COLUMN)} = $1 and ${quoteName(CHECKPOINT_COLUMN)} >= $2`,
        [chainId, firstOrphaned],
      );
    }
  }
  await connection.query(`delete from ${internal("blocks")} where chain_id = $1 and number > $2`, [chainId, toBlock]);
  // The position of the ancestor; when it lies before everything that is stored, the last one before the orphaned.
  await connection.query(
    `update ${internal("chains")} set block = $3, updated_at = now(),
       block_timestamp = (select "timestamp" from ${internal("blocks")} where chain_id = $2 and number = $3),
       checkpoint = coalesce(
         (select max(checkpoint) from ${internal("checkpoints")} where shard = $1 and chain_id = $2),
         least(checkpoint, $4::int8 - 1))
     where shard = $1 and chain_id = $2`,
    [shard, chainId, toBlock, firstOrphaned ?? null],
  );
  await writeAudit(connection, internal("reorgs"), [
    shard,
    writeSeq,
    chainId,
    toBlock,
    request.fromBlock,
    firstOrphaned ?? null,
    last.rows[0]?.[0] ?? null,
    request.orphaned.map(({ hash }) => hash),
    request.found.number,
    request.found.hash,
    rowsRestored,
    rowsDeleted,
  ]);
}

interface Deleted {
  readonly restored: number;
  readonly deleted: number;
}

/**
 * What one chain has done to rows that chains share may have gone on into the rows of the others: they would all have to
 * go back.
 */
async function requireUntouched(
  connection: Connection,
  names: SchemaNames,
  table: TableModel,
  firstOrphaned: string,
): Promise<void> {
  const [target, column] = table.appendOnly
    ? [qualified(names.user, table.sqlName), CHECKPOINT_COLUMN]
    : [qualified(names.internal, historyTableOf(table)), CHANGED_AT_COLUMN];
  const touched = await connection.query(`select exists (select from ${target} where ${quoteName(column)} >= $1)`, [
    firstOrphaned,
  ]);
  if (touched.rows[0]?.[0] !== "t") return;
  throw new WriteFailure(
    "fatal",
    `${table.name} is shared among chains and was changed at or after checkpoint ${firstOrphaned}: one chain alone cannot be taken back`,
    { statement: "ROLLBACK OF A REORG", table: table.sqlName },
  );
}

/** The rows of the chain; all rows where chains share them, since then there is but one. */
function ofChain(table: TableModel): string {
  return table.crossChain ? "$1::int8 is not null" : `${quoteName(CHAIN_COLUMN)} = $1`;
}

async function deleteAppended(
  connection: Connection,
  names: SchemaNames,
  table: TableModel,
  chainId: number,
  firstOrphaned: string,
): Promise<Deleted> {
  const target = qualified(names.user, table.sqlName);
  const { rowCount } = await connection.query(
    `delete from ${target} where ${quoteName(CHECKPOINT_COLUMN)} >= $2 and ${ofChain(table)}`,
    [chainId, firstOrphaned],
  );
  return { restored: 0, deleted: rowCount };
}

/** The oldest before-image of each row since the first orphaned checkpoint is what the row was before all of them. */
async function restore(
  connection: Connection,
  names: SchemaNames,
  table: TableModel,
  chainId: number,
  firstOrphaned: string,
): Promise<Deleted> {
  const identity = identityOf(table);
  const columns = quoteNames(codecColumnsOf(table).row);
  const target = qualified(names.user, table.sqlName);
  const history = qualified(names.internal, historyTableOf(table));
  const changedAt = quoteName(CHANGED_AT_COLUMN);
  const orphaned = `${ofChain(table)} and ${changedAt} >= $2`;
  const oldest = `select distinct on (${quoteNames(identity)}) * from ${history} where ${orphaned}
    order by ${quoteNames(identity)}, ${changedAt}`;
  const same = identity.map((name) => `t.${quoteName(name)} = h.${quoteName(name)}`).join(" and ");
  const deleted = await connection.query(`delete from ${target} t using (${oldest}) h where ${same}`, [
    chainId,
    firstOrphaned,
  ]);
  const restored = await connection.query(
    `insert into ${target} (${columns}) select ${columns} from (${oldest}) h where ${quoteName(CHECKPOINT_COLUMN)} is not null`,
    [chainId, firstOrphaned],
  );
  await connection.query(`delete from ${history} where ${orphaned}`, [chainId, firstOrphaned]);
  return { restored: restored.rowCount, deleted: deleted.rowCount };
}

async function writeAudit(connection: Connection, reorgs: string, values: readonly unknown[]): Promise<void> {
  await connection.query(
    `insert into ${reorgs} (shard, write_seq, chain_id, ancestor_block, orphaned_to_block, first_checkpoint,
       last_checkpoint, orphaned_hashes, found_block, found_hash, rows_restored, rows_deleted)
     values ($1, $2, $3, $4, $5, $6, $7, $8::text[], $9, $10, $11, $12)`,
    values,
  );
}
