import { SpindexError } from "../errors.ts";
import { backoffMs } from "../lib/backoff.ts";
import { Connection, type ConnectionOptions } from "./connection.ts";
import { describeError, isConnectionError, sqlStateOf } from "./failure.ts";

/** The oldest PostgreSQL that is tested. */
const MIN_VERSION = 150_000;

export interface ConnectPolicy {
  /** How long an unreachable server is tried again. */
  readonly budgetMs: number;
  /** Called before each wait. */
  readonly onRetry?: (attempt: number, waitMs: number, error: unknown) => void;
  /** Gives up waiting. */
  readonly signal?: AbortSignal;
}

/**
 * Connects to a server that can be written to. While it is unreachable, starting, full or read-only it is tried again
 * within the budget.
 * @throws SpindexError DATABASE_REFUSED (at once), DATABASE_UNREACHABLE (after the budget); the signal's reason
 */
export async function connect(options: ConnectionOptions, policy: ConnectPolicy): Promise<Connection> {
  const { clock, url } = options;
  const giveUpAt = clock.now() + policy.budgetMs;
  for (let attempt = 1; ; attempt++) {
    const outcome = await attemptOnce(options);
    if (outcome instanceof Connection) return outcome;
    policy.signal?.throwIfAborted();
    const waitMs = backoffMs(attempt, { firstMs: 200, maxMs: 5_000 }, clock);
    if (clock.now() + waitMs > giveUpAt) {
      throw new SpindexError(
        "DATABASE_UNREACHABLE",
        `the database at ${url.label} cannot be used (${attempt} attempts): ${outcome.reason}`,
        { fix: "Start the database, or point DATABASE_URL to one that runs.", cause: outcome.cause },
      );
    }
    policy.onRetry?.(attempt, waitMs, outcome.cause);
    await clock.sleep(waitMs, policy.signal);
  }
}

async function attemptOnce(options: ConnectionOptions): Promise<Connection | { reason: string; cause: unknown }> {
  let connection: Connection;
  try {
    connection = await Connection.open(options);
  } catch (error) {
    if (!isWorthWaiting(error)) throw refused(options, error);
    return { reason: describeError(error), cause: error };
  }
  if (connection.server.isStandby) {
    await connection.end();
    return { reason: "it is a standby, which cannot be written to", cause: undefined };
  }
  if (connection.server.version < MIN_VERSION) {
    await connection.end();
    throw new SpindexError(
      "DATABASE_REFUSED",
      `the database at ${options.url.label} is PostgreSQL ${Math.floor(connection.server.version / 10_000)}`,
      { fix: `Use PostgreSQL ${MIN_VERSION / 10_000} or later.` },
    );
  }
  return connection;
}

function isWorthWaiting(error: unknown): boolean {
  return isConnectionError(error) || (sqlStateOf(error)?.startsWith("53") ?? false);
}

const FIXES: Readonly<Record<string, string>> = {
  "28P01": "Check the user and the password in DATABASE_URL.",
  "28000": "Check the user in DATABASE_URL, and the server's pg_hba.conf.",
  "3D000": "Create the database, or name another one in DATABASE_URL.",
};

function refused(options: ConnectionOptions, error: unknown): SpindexError {
  return new SpindexError(
    "DATABASE_REFUSED",
    `the database at ${options.url.label} refused the connection: ${describeError(error)}`,
    {
      fix: FIXES[sqlStateOf(error) ?? ""] ?? "Check DATABASE_URL: user, password, database and sslmode.",
      cause: error,
    },
  );
}
