import type { Connection } from "./connection.ts";
import { qualified, type SchemaNames } from "./ddl.ts";

/** Who has a shard, as everyone can read it. */
export interface ShardHolder {
  /** Host and process. */
  readonly holder: string;
  /** Since when, in milliseconds since the epoch. */
  readonly since: number;
}

export interface RecordedHolder extends ShardHolder {
  /** It has not renewed its lease in time, by the database's clock. False where no lease was ever noted. */
  readonly isExpired: boolean;
  /** How often the shard has been taken, by that holder last. 0 where that was not counted yet. */
  readonly starts: number;
}

/** Reads who holds a shard; changes nothing. Undefined: nobody ever did, or its tables are just being made. */
export async function readHolder(
  connection: Connection,
  names: SchemaNames,
  shard: string,
): Promise<RecordedHolder | undefined> {
  const shards = qualified(names.internal, "shards");
  const leases = qualified(names.internal, "leases");
  const exist = await connection.query("select to_regclass($1) is not null, to_regclass($2) is not null", [
    shards,
    leases,
  ]);
  const [hasShards, hasLeases] = exist.rows[0] ?? [];
  if (hasShards !== "t") return undefined;
  // Version 1 of the tables knows no expiry, and counts no starts.
  const more =
    hasLeases === "t"
      ? `(select expires_at < clock_timestamp() from ${leases} l where l.shard = s.shard), starts`
      : "null, 0";
  const { rows } = await connection.query(
    `select holder, extract(epoch from acquired_at) * 1000, ${more} from ${shards} s where shard = $1`,
    [shard],
  );
  const [row] = rows;
  if (row === undefined) return undefined;
  const [holder, since, isExpired, starts] = row;
  return {
    holder: holder ?? "",
    since: Math.floor(Number(since)),
    isExpired: isExpired === "t",
    starts: Number(starts),
  };
}

/**
 * Ends the sessions of a holder whose lease has expired: its process hangs, maybe within a transaction. A process id may
 * belong to another session by now: only one that was there at the last renewal is meant.
 * @returns how many were ended
 */
export async function endExpiredSessions(connection: Connection, names: SchemaNames, shard: string): Promise<number> {
  const { rows } = await connection.query(
    `select count(*) filter (where pg_terminate_backend(a.pid)) from ${qualified(names.internal, "leases")} l
       join pg_stat_activity a on a.pid in (l.lease_pid, l.writer_pid)
     where l.shard = $1 and l.expires_at < clock_timestamp() and a.backend_start <= l.renewed_at
       and a.application_name like 'spindex %' and a.pid <> pg_backend_pid()`,
    [shard],
  );
  return Number(rows[0]?.[0]);
}
