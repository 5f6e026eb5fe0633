import { WriteFailure } from "../write/storage.ts";
import type { Connection } from "./connection.ts";
import { qualified, type SchemaNames } from "./ddl.ts";

/** Who writes, and the number of the write. */
export interface WriteClaim {
  readonly names: SchemaNames;
  readonly shard: string;
  readonly token: string;
  readonly writeSeq: number;
}

/** Where the write leaves the frontiers. Undefined: it takes one new checkpoint for itself. */
export interface FrontierAdvance {
  readonly committedCheckpoint: number;
  readonly nextCheckpoint: number;
}

/**
 * The guarded update that begins every write: it takes the shard's row lock and the next write number, so that a write
 * happens once however often it is tried. It waits for a forgotten backend of an earlier attempt, then tells what became
 * of it.
 * @throws WriteFailure `fenced`, `went_back`
 */
export async function claimWrite(
  connection: Connection,
  claim: WriteClaim,
  advance: FrontierAdvance | undefined,
  changes: number,
): Promise<"claimed" | "already_durable"> {
  const { names, shard, token, writeSeq } = claim;
  const shards = qualified(names.internal, "shards");
  const updated = await connection.query(
    `update ${shards} set write_seq = $3, next_checkpoint = coalesce($4::int8, next_checkpoint + 1),
       committed_checkpoint = coalesce($5::int8, next_checkpoint), changes = changes + $6, written_at = now()
     where shard = $1 and token = $2 and write_seq = $3::int8 - 1`,
    [shard, token, writeSeq, advance?.nextCheckpoint ?? null, advance?.committedCheckpoint ?? null, changes],
  );
  if (updated.rowCount === 1) return "claimed";
  const found = await connection.query(`select token, write_seq, holder from ${shards} where shard = $1`, [shard]);
  return explainUnclaimed(claim, found.rows[0]);
}

function explainUnclaimed(
  { shard, token, writeSeq }: WriteClaim,
  row: readonly (string | null)[] | undefined,
): "already_durable" {
  const place = { statement: "UPDATE shards", table: "shards" };
  if (row !== undefined && row[0] !== token) {
    throw new WriteFailure("fenced", `shard ${shard} is now written by ${row[2]}`, place);
  }
  const stored = row === undefined ? 0 : Number(row[1]);
  if (row !== undefined && stored === writeSeq) return "already_durable";
  if (stored < writeSeq - 1 || row === undefined) {
    throw new WriteFailure(
      "went_back",
      `the database went back: shard ${shard} is at write ${stored}, although write ${writeSeq - 1} was durable`,
      place,
    );
  }
  throw new WriteFailure("fatal", `shard ${shard} is at write ${stored}, unexpected before write ${writeSeq}`, place);
}
