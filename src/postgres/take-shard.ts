import { randomBytes } from "node:crypto";
import { ERROR_CODES, SpindexError } from "../errors.ts";
import type { ExitClass, StartsStatus } from "../instrument/status.ts";
import type { TableModel } from "../store/table.ts";
import type { Connection } from "./connection.ts";
import { qualified, type SchemaNames } from "./ddl.ts";
import { sqlStateOf } from "./failure.ts";
import { LEASE_MS } from "./lease.ts";
import { type Prepared, prepareTables } from "./prepare-tables.ts";
import { type ResumePoint, readResumePoint } from "./resume.ts";

/** How an indexer ended: `stopped`, the code of an error, or `killed` when it wrote nothing. */
export type Outcome = string;
export function exitClassOf(outcome: Outcome): ExitClass {
  if (outcome === "stopped") return "ok";
  if (outcome in ERROR_CODES) return ERROR_CODES[outcome as keyof typeof ERROR_CODES];
  return outcome === "killed" ? "killed" : "bug";
}

export interface TakeRequest {
  readonly names: SchemaNames;
  readonly shard: string;
  readonly holder: string;
  readonly tables: readonly TableModel[];
  readonly fingerprint: unknown;
  readonly chains: readonly { readonly id: number; readonly name: string }[];
  /** The session that will renew the lease. */
  readonly leasePid: number;
  /** It has the shard's lock: nobody else's session has. Without it, only an expired lease may be taken. */
  readonly hasLock: boolean;
}

/** A shard that this process owns. */
export interface TakenShard {
  readonly token: string;
  readonly startId: string;
  /** The number of the last durable write. */
  readonly writeSeq: number;
  readonly starts: StartsStatus;
  readonly prepared: Prepared;
  /** Where the last owner left it, read after its last write. */
  readonly resume: ResumePoint;
}

/**
 * How long one attempt waits for what others have locked: the last write of the owner before, another start, a reader of a
 * table to be migrated.
 */
const LOCK_MS = 2_000;

/**
 * Makes this process the shard's owner, in one transaction: waits for the last write of the owner before, makes or
 * migrates the tables, replaces the token and reads where to go on. Nothing has changed when it fails.
 * @returns undefined when others have locked something for too long, or the owner before has renewed its lease after all
 * @throws SpindexError DATABASE_INCOMPATIBLE, DATABASE_NEWER, DATABASE_REFUSED
 */
export async function takeShard(writer: Connection, request: TakeRequest): Promise<TakenShard | undefined> {
  await writer.run(`begin isolation level read committed read write; set local lock_timeout = ${LOCK_MS}`);
  try {
    const taken = await take(writer, request);
    await writer.run("commit");
    return taken;
  } catch (error) {
    await writer.run("rollback").catch(() => {});
    if (error instanceof StillHeld || sqlStateOf(error) === "55P03") return undefined;
    throw error;
  }
}

class StillHeld extends Error {}

async function take(writer: Connection, request: TakeRequest): Promise<TakenShard> {
  const { names, shard, holder, tables, fingerprint, chains } = request;
  const prepared = await prepareTables(writer, names, tables, fingerprint, () => lockShard(writer, names, shard));
  const token = randomBytes(16).toString("hex");
  await requireFree(writer, request);
  const { rows } = await writer.query(
    `insert into ${qualified(names.internal, "shards")} as s (shard, token, holder, starts) values ($1, $2, $3, 1)
     on conflict (shard) do update set
       token = excluded.token, holder = excluded.holder, starts = s.starts + 1, acquired_at = clock_timestamp()
     returning write_seq, starts`,
    [shard, token, holder],
  );
  const lastExit = await endPredecessor(writer, names, shard);
  const start = await writer.query(
    `insert into ${qualified(names.internal, "starts")} (shard, token, holder) values ($1, $2, $3) returning id`,
    [shard, token, holder],
  );
  await nameChains(writer, names, shard, chains);
  const resume = await readResumePoint(writer, names, shard, tables);
  await writeLease(writer, request, token);
  return {
    token,
    startId: start.rows[0]?.[0] ?? "",
    writeSeq: Number(rows[0]?.[0]),
    starts: { count: Number(rows[0]?.[1]), lastExit },
    prepared,
    resume,
  };
}

/** Every write begins by locking this row: so this waits for the write that is under way. */
async function lockShard(writer: Connection, names: SchemaNames, shard: string): Promise<void> {
  await writer.query(`select from ${qualified(names.internal, "shards")} where shard = $1 for update`, [shard]);
}

/** Between the decision to take it and the row's lock, the owner may have renewed. */
async function requireFree(writer: Connection, { names, shard, hasLock }: TakeRequest): Promise<void> {
  const { rows } = await writer.query(
    `select expires_at < clock_timestamp() from ${qualified(names.internal, "leases")} where shard = $1 for update`,
    [shard],
  );
  if (!hasLock && rows[0]?.[0] !== "t") throw new StillHeld();
}

/** A predecessor that wrote nothing of its end was killed. */
async function endPredecessor(
  writer: Connection,
  names: SchemaNames,
  shard: string,
): Promise<StartsStatus["lastExit"]> {
  const starts = qualified(names.internal, "starts");
  await writer.query(
    `update ${starts} set ended_at = now(), outcome = 'killed', exit_class = 'killed' where shard = $1 and ended_at is null`,
    [shard],
  );
  const { rows } = await writer.query(
    `select outcome, exit_class from ${starts} where shard = $1 order by id desc limit 1`,
    [shard],
  );
  const [row] = rows;
  return row === undefined ? undefined : { code: row[0] ?? "killed", class: (row[1] ?? "killed") as ExitClass };
}

/** Last of all, so that its time runs from the end of what may have taken long. */
async function writeLease(writer: Connection, { names, shard, leasePid }: TakeRequest, token: string): Promise<void> {
  await writer.query(
    `insert into ${qualified(names.internal, "leases")} (shard, token, expires_at, renewed_at, lease_pid, writer_pid)
     values ($1, $2, clock_timestamp() + interval '${LEASE_MS} ms', clock_timestamp(), $3, pg_backend_pid())
     on conflict (shard) do update set token = excluded.token, expires_at = excluded.expires_at,
       renewed_at = excluded.renewed_at, lease_pid = excluded.lease_pid, writer_pid = excluded.writer_pid`,
    [shard, token, leasePid],
  );
}

async function nameChains(
  writer: Connection,
  names: SchemaNames,
  shard: string,
  chains: TakeRequest["chains"],
): Promise<void> {
  const values = [shard, chains.map((chain) => chain.id), chains.map((chain) => chain.name)];
  const named = await writer.query(
    `insert into ${qualified(names.internal, "chains")} as c (shard, chain_id, name)
     select $1, * from unnest($2::int8[], $3::text[])
     on conflict (chain_id) do update set name = excluded.name where c.shard = excluded.shard`,
    values,
  );
  if (named.rowCount === chains.length) return;
  throw new SpindexError("DATABASE_INCOMPATIBLE", `a chain of shard ${shard} belongs to another shard in this schema`, {
    fix: "Give the chain to one shard only, or use another --schema.",
  });
}
