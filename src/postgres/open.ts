import { randomBytes } from "node:crypto";
import type { Logger } from "pino";
import { SpindexError } from "../errors.ts";
import { logEvent } from "../instrument/log.ts";
import type { Clock } from "../lib/clock.ts";
import type { TableModel } from "../store/table.ts";
import { connect } from "./connect.ts";
import { Connection } from "./connection.ts";
import { type DatabaseUrl, parseDatabaseUrl } from "./database-url.ts";
import { qualified, type SchemaNames, schemaNamesOf } from "./ddl.ts";
import { describeError } from "./failure.ts";
import { Lease } from "./lease.ts";
import { prepareTables } from "./prepare-tables.ts";
import { readResumePoint } from "./resume.ts";
import { PostgresRowReader } from "./row-reader.ts";
import { PostgresStorage } from "./storage.ts";

export interface OpenStorageOptions {
  readonly url: string;
  /** The PostgreSQL schema of the entities' tables; the internal ones lie in `<schema>_spindex`. */
  readonly schema: string;
  readonly shard: string;
  readonly tables: readonly TableModel[];
  /** Everything else that decides what rows hold, as a JSON value: contracts, events, addresses, start blocks. */
  readonly fingerprint: unknown;
  readonly chains: readonly { readonly id: number; readonly name: string }[];
  readonly clock: Clock;
  readonly log: Logger;
  /** Who opens it, for whoever finds the shard taken: host and process. */
  readonly holder: string;
  /** How long an unreachable database is tried at start, and reads later. Default ten minutes. */
  readonly budgetMs?: number;
  /** How long to wait for a former owner's session to end. Default one second. */
  readonly leaseWaitMs?: number;
  /** A connection that is silent for so long while an answer is due is given up. Default 60 s. */
  readonly silenceMs?: number;
  /** Gives up waiting for the database. */
  readonly signal?: AbortSignal;
}

const DEFAULT_BUDGET_MS = 600_000;
const DEFAULT_LEASE_WAIT_MS = 1_000;

/**
 * Takes a shard, makes its tables when they are new and checks them when they are not.
 * @throws SpindexError DATABASE_URL_INVALID, DATABASE_REFUSED, DATABASE_UNREACHABLE, DATABASE_PROXY, SHARD_TAKEN,
 * DATABASE_INCOMPATIBLE, DATABASE_NEWER, SCHEMA_INVALID
 */
export async function openStorage(options: OpenStorageOptions): Promise<PostgresStorage> {
  const url = parseDatabaseUrl(options.url);
  const names = schemaNamesOf(options.schema);
  const lease = await acquireLease(url, names, options);
  let writer: Connection | undefined;
  try {
    writer = await reach(url, "writer", options);
    if (await lease.isShared(writer)) throw behindPooler(url);
    return await take(options, url, names, lease, writer);
  } catch (error) {
    await Promise.all([lease.release(), writer?.end()]);
    throw error;
  }
}

async function take(
  options: OpenStorageOptions,
  url: DatabaseUrl,
  names: SchemaNames,
  lease: Lease,
  writer: Connection,
): Promise<PostgresStorage> {
  const { shard, tables, clock, log } = options;
  const made = await inTransaction(writer, () => prepareTables(writer, names, tables, options.fingerprint));
  logEvent(log, "database.prepared", { database: url.label, schema: names.user, made });
  const token = randomBytes(16).toString("hex");
  const taken = await inTransaction(writer, () => takeShard(writer, names, options, token, lease.backendPid));
  logEvent(log, "lease.acquired", { shard, holder: options.holder });
  const connection = { url, clock, ...(options.silenceMs === undefined ? {} : { silenceMs: options.silenceMs }) };
  const reader = new PostgresRowReader({
    names,
    connect: () => Connection.open({ ...connection, applicationName: "spindex reader" }),
    clock,
    budgetMs: options.budgetMs ?? DEFAULT_BUDGET_MS,
    onRetry: (attempt, waitMs, error) => logEvent(log, "database.retry", { attempt, wait_ms: waitMs, err: error }),
  });
  return new PostgresStorage({
    ...taken,
    names,
    shard,
    token,
    tables,
    lease,
    reader,
    writer,
    connectWriter: () => Connection.open({ ...connection, applicationName: "spindex writer" }),
  });
}

/** Makes this process the shard's owner and reads where the last one left it. The row lock waits for its last write. */
async function takeShard(
  writer: Connection,
  names: SchemaNames,
  options: OpenStorageOptions,
  token: string,
  leasePid: number,
): Promise<Pick<PostgresStorage, "resume"> & { startId: string; writeSeq: number }> {
  const { shard, holder, chains, tables } = options;
  const { rows } = await writer.query(
    `insert into ${qualified(names.internal, "shards")} as s (shard, token, holder, lease_pid) values ($1, $2, $3, $4)
     on conflict (shard) do update set
       token = excluded.token, holder = excluded.holder, lease_pid = excluded.lease_pid, acquired_at = now()
     returning write_seq`,
    [shard, token, holder, leasePid],
  );
  const starts = qualified(names.internal, "starts");
  await writer.query(
    `update ${starts} set ended_at = now(), outcome = 'killed' where shard = $1 and ended_at is null`,
    [shard],
  );
  const start = await writer.query(`insert into ${starts} (shard, token, holder) values ($1, $2, $3) returning id`, [
    shard,
    token,
    holder,
  ]);
  await nameChains(writer, names, shard, chains);
  return {
    startId: start.rows[0]?.[0] ?? "",
    writeSeq: Number(rows[0]?.[0]),
    resume: await readResumePoint(writer, names, shard, tables),
  };
}

async function nameChains(
  writer: Connection,
  names: SchemaNames,
  shard: string,
  chains: OpenStorageOptions["chains"],
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

async function acquireLease(url: DatabaseUrl, names: SchemaNames, options: OpenStorageOptions): Promise<Lease> {
  const { clock, shard } = options;
  const lease = await Lease.acquire({
    key: `spindex ${JSON.stringify([names.user, shard])}`,
    connect: () => reach(url, "lease", options),
    clock,
    waitMs: options.leaseWaitMs ?? DEFAULT_LEASE_WAIT_MS,
  });
  if (lease !== undefined) return lease;
  throw new SpindexError(
    "SHARD_TAKEN",
    `shard ${shard} of schema ${names.user} is taken by ${await holderOf(url, names, options)}`,
    { fix: "Stop that indexer, or give this one another --schema." },
  );
}

async function holderOf(url: DatabaseUrl, names: SchemaNames, options: OpenStorageOptions): Promise<string> {
  const connection = await reach(url, "start", options);
  try {
    const shards = qualified(names.internal, "shards");
    const { rows } = await connection.query(
      `select holder, to_char(acquired_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS"Z"') from ${shards} where shard = $1`,
      [options.shard],
    );
    const [row] = rows;
    return row === undefined ? "an indexer that is just starting" : `${row[0]} since ${row[1]}`;
  } catch (error) {
    return `an indexer that is just starting (${describeError(error)})`;
  } finally {
    await connection.end();
  }
}

function reach(url: DatabaseUrl, role: string, options: OpenStorageOptions): Promise<Connection> {
  const { clock, log, silenceMs, signal, budgetMs } = options;
  return connect(
    { url, clock, applicationName: `spindex ${role}`, ...(silenceMs === undefined ? {} : { silenceMs }) },
    {
      budgetMs: budgetMs ?? DEFAULT_BUDGET_MS,
      ...(signal === undefined ? {} : { signal }),
      onRetry: (attempt, waitMs, error) =>
        logEvent(log, "database.retry", { database: url.label, attempt, wait_ms: waitMs, err: error }),
    },
  );
}

async function inTransaction<T>(connection: Connection, run: () => Promise<T>): Promise<T> {
  await connection.run("begin isolation level read committed read write");
  try {
    const value = await run();
    await connection.run("commit");
    return value;
  } catch (error) {
    await connection.run("rollback").catch(() => {});
    throw error;
  }
}

function behindPooler(url: DatabaseUrl): SpindexError {
  return new SpindexError(
    "DATABASE_PROXY",
    `${url.label} lends one server session to several connections (a pooler in transaction mode)`,
    { fix: "Point DATABASE_URL directly to PostgreSQL, or to a pooler in session mode." },
  );
}
