import { DatabaseError } from "pg";
import { messageOf } from "../errors.ts";
import { WriteFailure, type WriteFailureKind } from "../write/storage.ts";
import type { FailedChanges } from "./guilty-row.ts";

/** Codes of Node's errors that say that the way to the database is broken, not that the request was wrong. */
const NETWORK_CODES: ReadonlySet<string> = new Set([
  "EAI_AGAIN",
  "ECONNABORTED",
  "ECONNREFUSED",
  "ECONNRESET",
  "EHOSTDOWN",
  "EHOSTUNREACH",
  "ENETDOWN",
  "ENETUNREACH",
  "ENOENT", // the Unix socket of a server that is not up
  "ENOTFOUND",
  "EPIPE",
  "ERR_STREAM_DESTROYED",
  "ERR_STREAM_PREMATURE_CLOSE",
  "ETIMEDOUT",
]);

/** SQLSTATEs after which the same transaction may succeed: persistence.md §5, and the ways a server drops a session. */
const TRANSIENT_STATES: ReadonlySet<string> = new Set([
  "57P01", // admin shutdown
  "57P02", // crash shutdown
  "57P03", // cannot connect now
  "57P05", // idle session timeout
  "25P03", // idle in transaction timeout
  "40001", // serialization failure
  "40P01", // deadlock
  "55P03", // lock not available
  "57014", // query canceled
  "25006", // read-only: a standby
]);
const TRANSIENT_CLASSES: readonly string[] = ["08", "53"];

/** Errors of `pg` itself that have no code. */
const BROKEN_CONNECTION =
  /^(Connection terminated|timeout expired|Client has encountered a connection error|Client was closed|The client has been closed)/;

/** The way leads to a standby: what it answers may be old, and nothing can be written there. */
export class StandbyServer extends Error {
  override readonly name = "StandbyServer";

  constructor() {
    super("the server is a standby, which cannot be written to");
  }
}

export function sqlStateOf(error: unknown): string | undefined {
  return error instanceof DatabaseError ? error.code : undefined;
}

/** Whether the connection, not the statement, failed. */
export function isConnectionError(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  if (error instanceof StandbyServer) return true;
  if (error instanceof AggregateError) return error.errors.length > 0 && error.errors.every(isConnectionError);
  if (error instanceof DatabaseError) {
    const state = error.code ?? "";
    return state.startsWith("08") || /^(57P0[1-5]|25P03)$/.test(state);
  }
  return NETWORK_CODES.has((error as NodeJS.ErrnoException).code ?? "") || BROKEN_CONNECTION.test(error.message);
}

/**
 * Whether another session may do what this one cannot: it is broken, or has settings (a statement timeout, read-only) that
 * are taken over when a session begins, and that somebody may have mended since.
 */
export function needsNewSession(error: unknown): boolean {
  return isConnectionError(error) || /^(57014|25006)$/.test(sqlStateOf(error) ?? "");
}

/** Whether the same request may succeed later, before COMMIT was sent. */
export function isTransient(error: unknown): boolean {
  const state = sqlStateOf(error);
  if (state === undefined) return isConnectionError(error);
  return TRANSIENT_STATES.has(state) || TRANSIENT_CLASSES.includes(state.slice(0, 2));
}

/** Whether the server has surely taken back the transaction when it answers COMMIT with this: a constraint, a conflict. */
function isRefusedCommit(error: unknown): boolean {
  return /^(22|23|40)/.test(sqlStateOf(error) ?? "") && sqlStateOf(error) !== "40003";
}

/** What of a write failed first. */
export interface FailedStatement {
  readonly summary: string;
  readonly table: string | undefined;
  /** COMMIT had been sent: an error of the connection leaves the outcome open. */
  readonly commitSent: boolean;
  /** The rows that it was to write. */
  readonly rows?: FailedChanges | undefined;
}

/** Any error of a write as the failure that the persistence loop reacts to. */
export function writeFailureOf(error: unknown, failed: FailedStatement): WriteFailure {
  if (error instanceof WriteFailure) return error;
  const sqlState = sqlStateOf(error);
  const table = failed.table ?? (error instanceof DatabaseError ? error.table : undefined);
  return new WriteFailure(kindOf(error, failed.commitSent), `${failed.summary} failed: ${describeError(error)}`, {
    statement: failed.summary,
    ...(table === undefined ? {} : { table }),
    ...(sqlState === undefined ? {} : { sqlState }),
    cause: error,
  });
}

function kindOf(error: unknown, commitSent: boolean): WriteFailureKind {
  if (commitSent && !isRefusedCommit(error)) return "outcome_unknown";
  return isTransient(error) ? "transient" : "fatal";
}

/** The message of an error with what PostgreSQL adds to it: SQLSTATE, detail, and COPY's line. */
export function describeError(error: unknown): string {
  if (error instanceof AggregateError && error.message === "") return error.errors.map(messageOf).join("; ");
  if (!(error instanceof DatabaseError)) return messageOf(error);
  const parts = [`${error.message}${error.code === undefined ? "" : ` (SQLSTATE ${error.code})`}`];
  if (error.detail) parts.push(error.detail);
  if (error.where) parts.push(error.where.split("\n")[0] as string);
  return parts.join("; ");
}
