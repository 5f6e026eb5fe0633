import { DatabaseError } from "pg";
import type { EncodedRows } from "../lib/byte-writer.ts";
import type { ChangeKind, DrainRun, TableChanges } from "../store/drain-run.ts";
import type { RowOrigin } from "../store/event-log.ts";
import type { Connection } from "./connection.ts";
import type { Staging, TableStatements } from "./table-statements.ts";
import { sliceTuples } from "./tuples.ts";

/** The rows that the failed statement was to write. */
export interface FailedChanges {
  readonly changes: TableChanges;
  readonly kind: ChangeKind;
}

/** The row that cannot be written, and the event that made it. */
export interface GuiltyRow {
  /** As JSON; undefined when not even its bytes can be read. */
  readonly row: string | undefined;
  readonly origin: RowOrigin | undefined;
}

/**
 * Finds the row that made a statement fail: COPY names its line; an UPDATE, UPSERT or DELETE is halved again and again. All
 * of it in a transaction that is taken back. Never throws: what cannot be found stays unknown.
 */
export async function findGuiltyRow(
  connection: Connection,
  run: DrainRun,
  failed: FailedChanges,
  sql: TableStatements,
  error: unknown,
): Promise<GuiltyRow | undefined> {
  const { changes, kind } = failed;
  const rows = changes[kind];
  const staging = kind === "deletes" ? sql.deletes : sql.updates;
  try {
    await connection.run(`begin; ${createIfMissing(staging)}; set constraints all immediate`);
    const at = lineOf(error) ?? (await halve(connection, rows, kind, sql));
    if (at === undefined || at >= rows.rows) return undefined;
    return {
      row: await shownRow(connection, sliceTuples(rows, at, at + 1), staging),
      origin: originOf(run, failed, at),
    };
  } catch {
    return undefined;
  } finally {
    await connection.run("rollback").catch(() => {});
  }
}

function originOf(run: DrainRun, { changes, kind }: FailedChanges, at: number): RowOrigin | undefined {
  const event = changes.origins[kind][at];
  return event === undefined ? undefined : run.origins.at(event);
}

/** COPY counts lines from 1, also in its binary format. */
function lineOf(error: unknown): number | undefined {
  const where = error instanceof DatabaseError ? error.where : undefined;
  const line = /^COPY .*?, line (\d+)/.exec(where ?? "")?.[1];
  return line === undefined ? undefined : Number(line) - 1;
}

/** The place of the first row without which the statement would not fail. */
async function halve(
  connection: Connection,
  rows: EncodedRows,
  kind: ChangeKind,
  sql: TableStatements,
): Promise<number | undefined> {
  if (!(await fails(connection, rows, kind, sql))) return undefined;
  let from = 0;
  let to = rows.rows;
  while (to - from > 1) {
    const middle = (from + to) >> 1;
    if (await fails(connection, sliceTuples(rows, 0, middle), kind, sql)) to = middle;
    else from = middle;
  }
  return from;
}

/** Whether these rows cannot be written; leaves nothing behind. */
async function fails(
  connection: Connection,
  rows: EncodedRows,
  kind: ChangeKind,
  sql: TableStatements,
): Promise<boolean> {
  await connection.run("savepoint attempt");
  try {
    if (kind === "inserts") return (await connection.copy(sql.copyRows, rows)) !== rows.rows;
    const [staging, apply] = STATEMENTS[kind](sql);
    await connection.run(createIfMissing(staging));
    await connection.copy(staging.copy, rows);
    const { rowCount } = await connection.query(apply);
    return kind !== "deletes" && rowCount !== rows.rows;
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    return true;
  } finally {
    await connection.run("rollback to savepoint attempt; release savepoint attempt");
  }
}

const STATEMENTS: Readonly<
  Record<Exclude<ChangeKind, "inserts">, (sql: TableStatements) => readonly [Staging, string]>
> = {
  updates: (sql) => [sql.updates, sql.applyUpdates],
  upserts: (sql) => [sql.upserts, sql.applyUpserts],
  deletes: (sql) => [sql.deletes, sql.applyDeletes],
};

async function shownRow(connection: Connection, row: EncodedRows, staging: Staging): Promise<string | undefined> {
  await connection.run("savepoint shown");
  try {
    await connection.copy(staging.copy, row);
    const { rows } = await connection.query(`select to_jsonb(s)::text from ${staging.name} s`);
    return rows[0]?.[0] ?? undefined;
  } catch (error) {
    if (!(error instanceof DatabaseError)) throw error;
    await connection.run("rollback to savepoint shown");
    return undefined;
  }
}

/** Temporary tables of the session are there or not: the failed attempt may have made them. */
function createIfMissing({ create }: Staging): string {
  return create.replace("create temp table", "create temp table if not exists");
}
