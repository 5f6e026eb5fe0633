import { explainUnclaimed, type WriteNumber } from "../write/write-guard.ts";
import type { Connection, StatementResult } from "./connection.ts";
import { qualified, type SchemaNames } from "./ddl.ts";
import { sqlStateOf } from "./failure.ts";

/** Who writes, and the number of the write. */
export interface WriteClaim extends WriteNumber {
  readonly names: SchemaNames;
  readonly shard: string;
  readonly token: string;
}

/**
 * Where the write leaves the frontiers: at those of a run; one checkpoint on, which it takes for itself; or where they
 * are.
 */
export type FrontierAdvance =
  | { readonly committedCheckpoint: number; readonly nextCheckpoint: number }
  | "one checkpoint"
  | "none";

/** A table, or a schema, that does not exist. */
const UNDEFINED_TABLE = /^(42P01|3F000)$/;

/**
 * The guarded update that begins every write: it takes the shard's row lock and the next write number, so that a write
 * happens once however often it is tried. It waits for a forgotten backend of an earlier attempt, then tells what became
 * of it.
 * @throws WriteFailure `fenced`, `went_back`
 */
export async function claimWrite(
  connection: Connection,
  claim: WriteClaim,
  advance: FrontierAdvance,
  changes: number,
): Promise<"claimed" | "already_durable"> {
  const { names, shard, token, writeSeq, durableSeq } = claim;
  const shards = qualified(names.internal, "shards");
  let updated: StatementResult;
  try {
    updated = await connection.query(
      `update ${shards} set write_seq = $3${advanceSql(advance)}
       where shard = $1 and token = $2 and write_seq between $4::int8 and $3::int8 - 1`,
      [shard, token, writeSeq, durableSeq, ...advanceValues(advance, changes)],
    );
  } catch (error) {
    // A backup from before the tables were made.
    if (UNDEFINED_TABLE.test(sqlStateOf(error) ?? "")) return explainUnclaimed(shard, claim, undefined);
    throw error;
  }
  if (updated.rowCount === 1) return "claimed";
  const found = await connection.query(`select token, write_seq, starts, holder from ${shards} where shard = $1`, [
    shard,
  ]);
  const [row] = found.rows;
  return explainUnclaimed(
    shard,
    claim,
    row && { isOurs: row[0] === token, writeSeq: Number(row[1]), starts: Number(row[2]), holder: row[3] ?? "" },
  );
}

function advanceSql(advance: FrontierAdvance): string {
  if (advance === "none") return "";
  const frontiers =
    advance === "one checkpoint"
      ? "next_checkpoint = next_checkpoint + 1, committed_checkpoint = next_checkpoint"
      : "next_checkpoint = $6, committed_checkpoint = $7";
  return `, changes = changes + $5, written_at = now(), ${frontiers}`;
}

function advanceValues(advance: FrontierAdvance, changes: number): readonly number[] {
  if (advance === "none") return [];
  if (advance === "one checkpoint") return [changes];
  return [changes, advance.nextCheckpoint, advance.committedCheckpoint];
}
