import type { StatementStart, WriteTransactionTelemetry } from "../instrument/drain-telemetry.ts";
import { WriteFailure, type WriteOutcome } from "../write/storage.ts";
import type { Connection, StatementResult } from "./connection.ts";
import { type FailedStatement, writeFailureOf } from "./failure.ts";
import { quoteText } from "./sql.ts";
import { claimWrite, type WriteClaim } from "./write-claim.ts";

/** Runs one statement inside its span; what fails first is remembered. */
export type RunStatement = (
  start: StatementStart,
  text: string,
  values: readonly unknown[],
) => Promise<StatementResult>;

export interface GuardedWrite {
  /** Short: names the transaction in `pg_stat_activity`. */
  readonly name: string;
  /** How long it waits for a lock, and how long a statement may take; then it gives up. */
  readonly lockMs: number;
  readonly statementMs: number;
  readonly body: (run: RunStatement) => Promise<void>;
}

/**
 * A short write that is no run: claims the next write number without a checkpoint, so that it is fenced like every write
 * and happens at most once.
 * @throws WriteFailure; the connection is then in a failed transaction, or broken
 */
export async function guardedWrite(
  connection: Connection,
  claim: WriteClaim,
  telemetry: WriteTransactionTelemetry,
  { name, lockMs, statementMs, body }: GuardedWrite,
): Promise<WriteOutcome> {
  let current: FailedStatement = { summary: "BEGIN", table: undefined, commitSent: false };
  const statement = <T>(start: StatementStart, run: () => Promise<T>): Promise<T> => {
    current = { summary: start.summary, table: start.table, commitSent: false };
    return telemetry.statement(start, run);
  };
  try {
    const title = `spindex ${name}${telemetry.traceId === undefined ? "" : ` trace=${telemetry.traceId}`}`;
    await connection.run(
      `begin isolation level read committed read write; set local application_name = ${quoteText(title)};
       set local lock_timeout = ${lockMs}; set local statement_timeout = ${statementMs}`,
    );
    telemetry.began(connection.server);
    const claimed = await statement(CLAIM, () => claimWrite(connection, claim, "none", 0));
    if (claimed === "already_durable") {
      await connection.run("rollback");
      return { alreadyDurable: true };
    }
    await body((start, text, values) => statement(start, () => connection.query(text, values)));
    current = { summary: "COMMIT", table: undefined, commitSent: true };
    const { command } = await telemetry.commit(() => connection.query("commit"));
    if (command === "COMMIT") return { alreadyDurable: false };
    throw new WriteFailure("transient", `COMMIT was answered by ${command}`, { statement: "COMMIT" });
  } catch (error) {
    throw writeFailureOf(error, current);
  }
}

const CLAIM: StatementStart = {
  summary: "UPDATE shards",
  operation: "UPDATE",
  purpose: "checkpoint",
  table: "shards",
  rows: 1,
  bytes: 0,
};
