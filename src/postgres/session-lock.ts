import { SpindexError } from "../errors.ts";
import type { Connection } from "./connection.ts";
import type { DatabaseUrl } from "./database-url.ts";
import type { SchemaNames } from "./ddl.ts";

/** Names the lock of a shard, among all advisory locks of the database. */
export function lockKeyOf(names: SchemaNames, shard: string): string {
  return `spindex ${JSON.stringify([names.user, shard])}`;
}

/**
 * Takes an advisory lock that ends with the session, however that ends. It only says at once that a holder has gone; what
 * keeps a former owner from writing is the token that every write checks.
 * @returns false when another session has it
 */
export async function tryLock(connection: Connection, key: string): Promise<boolean> {
  const { rows } = await connection.query("select pg_try_advisory_lock(hashtextextended($1, 0))", [key]);
  return rows[0]?.[0] === "t";
}

/** How often the two connections are compared: a busy pooler may lend two server sessions by chance. */
const ROUNDS = 3;

/**
 * Tells a server from a pooler in transaction mode, which lends one server session to several connections, and several
 * to one connection: a lock protects nobody there, and temporary tables come and go.
 * @throws SpindexError DATABASE_PROXY
 */
export async function requireOwnSessions(
  url: DatabaseUrl,
  key: string,
  one: Connection,
  other: Connection,
): Promise<void> {
  const probe = `${key} probe ${one.server.backendPid} ${other.server.backendPid}`;
  const lock = "select pg_try_advisory_lock(hashtextextended($1, 0)), pg_backend_pid()";
  for (let round = 0; round < ROUNDS; round++) {
    const first = (await one.query(lock, [probe])).rows[0];
    const second = (await other.query(lock, [probe])).rows[0];
    const isOwn = isBackendOf(one, first?.[1]) && isBackendOf(other, second?.[1]) && second?.[0] !== "t";
    if (!isOwn) throw behindPooler(url);
    await one.query("select pg_advisory_unlock(hashtextextended($1, 0))", [probe]);
  }
}

/** @param pid what the server answered for `pg_backend_pid()` */
export function isBackendOf(connection: Connection, pid: string | null | undefined): boolean {
  return Number(pid) === connection.server.backendPid;
}

export function behindPooler(url: DatabaseUrl): SpindexError {
  return new SpindexError(
    "DATABASE_PROXY",
    `${url.label} lends one server session to several connections (a pooler in transaction mode)`,
    { fix: "Point DATABASE_URL directly to PostgreSQL, or to a pooler in session mode." },
  );
}
