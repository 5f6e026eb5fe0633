import type { Logger } from "pino";
import { SpindexError } from "../errors.ts";
import { logEvent } from "../instrument/log.ts";
import type { Clock } from "../lib/clock.ts";
import type { TableModel } from "../store/table.ts";
import { awaitShard } from "./await-shard.ts";
import { PostgresBackendWaits } from "./backend-waits.ts";
import { connect } from "./connect.ts";
import { Connection } from "./connection.ts";
import { type DatabaseUrl, parseDatabaseUrl } from "./database-url.ts";
import { type SchemaNames, schemaNamesOf } from "./ddl.ts";
import { StandbyServer } from "./failure.ts";
import { IndexBuilder } from "./index-builder.ts";
import { type KeptRows, readKeptRows } from "./kept-rows.ts";
import { Lease } from "./lease.ts";
import { checkTables } from "./prepare-tables.ts";
import { PostgresRowReader } from "./row-reader.ts";
import { lockKeyOf, requireOwnSessions } from "./session-lock.ts";
import type { ShardHolder } from "./shard-holder.ts";
import { PostgresStorage } from "./storage.ts";
import { type TakenShard, takeShard } from "./take-shard.ts";

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
  /** How long an unreachable database is tried at start. Default ten minutes. */
  readonly budgetMs?: number;
  /** How long a read is tried again later. Default the same. */
  readonly readBudgetMs?: number;
  /**
   * Waits while another process has the shard, and is told by whom at the first look and at each change. Left out:
   * SHARD_TAKEN at once.
   */
  readonly onStandby?: (holder: ShardHolder | undefined) => void;
  /** A connection that is silent for so long while an answer is due is given up. Default 60 s. */
  readonly silenceMs?: number;
  /** Called for each read of rows, with the seconds that it waited for a connection. */
  readonly onReadTurn?: (seconds: number) => void;
  /** Gives up waiting, for the database and for the shard. */
  readonly signal?: AbortSignal;
}

const DEFAULT_BUDGET_MS = 600_000;
/** Renewals have to fail long before the lease expires. */
const LEASE_SILENCE_MS = 4_000;

/**
 * Takes a shard, makes its tables when they are new, and checks and migrates them when they are not. While another
 * process has the shard nothing is created or changed.
 * @throws SpindexError DATABASE_URL_INVALID, DATABASE_REFUSED, DATABASE_UNREACHABLE, DATABASE_PROXY, SHARD_TAKEN,
 * DATABASE_INCOMPATIBLE, DATABASE_NEWER, SCHEMA_INVALID; the signal's reason when it aborts in the meantime
 */
export async function openStorage(options: OpenStorageOptions): Promise<PostgresStorage> {
  const { shard, clock, log } = options;
  const place: Place = { url: parseDatabaseUrl(options.url), names: schemaNamesOf(options.schema) };
  const { connection, hasLock, taken } = await awaitShard({
    names: place.names,
    shard,
    clock,
    signal: options.signal,
    connect: () => reachOwnSession(place, options),
    check: async (session) => {
      await checkTables(session, place.names, options.tables, options.fingerprint);
    },
    take: (session, withLock) => attemptTake(place, options, session.server.backendPid, withLock),
    onTaken: standbyReporter(place.names, options),
  });
  const { prepared, starts } = taken;
  logEvent(log, "database.prepared", { database: place.url.label, schema: place.names.user, tables: prepared });
  logEvent(log, "lease.acquired", {
    shard,
    holder: options.holder,
    starts: starts.count,
    last_exit: starts.lastExit?.code,
  });
  return storageOf(place, options, { ...taken, connection, hasLock });
}

/**
 * Who keeps sessions of this database waiting. It connects when it is asked for the first time.
 * @throws SpindexError DATABASE_URL_INVALID
 */
export function openBackendWaits({ url, clock }: Pick<OpenStorageOptions, "url" | "clock">): PostgresBackendWaits {
  const place = parseDatabaseUrl(url);
  const connect = (): Promise<Connection> =>
    Connection.open({ url: place, clock, applicationName: "spindex waits", silenceMs: 2_000 });
  return new PostgresBackendWaits({ connect, clock });
}

/** The building of an index may be silent for a day. */
const PATIENT_MS = 86_400_000;

/** Where a shard lies. */
interface Place {
  readonly url: DatabaseUrl;
  readonly names: SchemaNames;
}

interface Taken extends TakenShard {
  readonly writer: Connection;
  readonly heldSince: number;
  readonly kept: KeptRows;
}

async function attemptTake(
  { url, names }: Place,
  options: OpenStorageOptions,
  leasePid: number,
  hasLock: boolean,
): Promise<Taken | undefined> {
  const writer = await reach(url, "writer", options);
  const heldSince = options.clock.now();
  try {
    const taken = await takeShard(writer, { ...options, names, leasePid, hasLock });
    if (taken !== undefined) {
      return { ...taken, writer, heldSince, kept: await readKeptRows(writer, names, options.tables) };
    }
  } catch (error) {
    writer.destroy();
    throw error;
  }
  await writer.end();
  return undefined;
}

function storageOf(
  { url, names }: Place,
  options: OpenStorageOptions,
  taken: Taken & { readonly connection: Connection; readonly hasLock: boolean },
): PostgresStorage {
  const { shard, tables, clock, log } = options;
  const closed = new AbortController();
  const brokenOff = new AbortController();
  const writing = AbortSignal.any([closed.signal, brokenOff.signal]);
  taken.connection.cutBy(closed.signal);
  taken.writer.cutBy(writing);
  const open = async (role: string, silenceMs = options.silenceMs, signal = closed.signal): Promise<Connection> => {
    const connection = await Connection.open({
      url,
      clock,
      signal,
      applicationName: `spindex ${role}`,
      ...(silenceMs === undefined ? {} : { silenceMs }),
    });
    if (!connection.server.isStandby) return connection;
    await connection.end();
    throw new StandbyServer();
  };
  const reader = new PostgresRowReader({
    names,
    connect: () => open("reader"),
    clock,
    ...(options.onReadTurn === undefined ? {} : { onTurn: options.onReadTurn }),
    budgetMs: options.readBudgetMs ?? options.budgetMs ?? DEFAULT_BUDGET_MS,
    onRetry: (attempt, waitMs, error) => logEvent(log, "database.retry", { attempt, wait_ms: waitMs, err: error }),
  });
  const lease = new Lease({
    ...taken,
    starts: taken.starts.count,
    url,
    names,
    shard,
    connect: () => open("lease", leaseSilenceMs(options)),
    writerPid: () => storage.writerPid,
    clock,
    log,
  });
  const storage = new PostgresStorage({
    ...taken,
    names,
    shard,
    tables,
    lease,
    reader,
    connectWriter: () => open("writer", options.silenceMs, writing),
    connect: () => open("side"),
    closed,
    brokenOff,
    clock,
    indexes: new IndexBuilder({
      names,
      tables,
      connect: (isPatient) => open("indexes", isPatient ? PATIENT_MS : undefined),
      clock,
      log,
    }),
  });
  lease.start();
  return storage;
}

/** Says who has the shard, once for each holder; without anybody to tell, it is an error. */
function standbyReporter(names: SchemaNames, options: OpenStorageOptions): (holder: ShardHolder | undefined) => void {
  const { shard, log, onStandby } = options;
  let seen: string | undefined;
  return (holder) => {
    if (onStandby === undefined) throw shardTaken(names, shard, holder);
    const now = holder === undefined ? "starting" : `${holder.holder} ${holder.since}`;
    if (now === seen) return;
    seen = now;
    const since = holder === undefined ? undefined : new Date(holder.since).toISOString();
    logEvent(log, "lease.standby", { shard, holder: holder?.holder, since });
    onStandby(holder === undefined ? undefined : { holder: holder.holder, since: holder.since });
  };
}

function shardTaken(names: SchemaNames, shard: string, holder: ShardHolder | undefined): SpindexError {
  const by =
    holder === undefined
      ? "an indexer that is just starting"
      : `${holder.holder} since ${new Date(holder.since).toISOString()}`;
  return new SpindexError("SHARD_TAKEN", `shard ${shard} of schema ${names.user} is taken by ${by}`, {
    fix: "Stop that indexer, leave out --no-wait to take over when it ends, or give this one another --schema.",
  });
}

/** A connection whose session nobody else is lent. */
async function reachOwnSession({ url, names }: Place, options: OpenStorageOptions): Promise<Connection> {
  const session = await reach(url, "lease", { ...options, silenceMs: leaseSilenceMs(options) });
  try {
    const other = await reach(url, "start", options);
    try {
      await requireOwnSessions(url, lockKeyOf(names, options.shard), session, other);
    } finally {
      await other.end();
    }
    return session;
  } catch (error) {
    session.destroy();
    throw error;
  }
}

function leaseSilenceMs({ silenceMs }: OpenStorageOptions): number {
  return Math.min(silenceMs ?? LEASE_SILENCE_MS, LEASE_SILENCE_MS);
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
