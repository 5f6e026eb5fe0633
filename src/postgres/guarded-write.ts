import type { StatementStart, WriteTransactionTelemetry } from "../instrument/drain-telemetry.ts";
import { WriteFailure, type WriteOutcome } from "../write/storage.ts";
import type { Connection, StatementResult } from "./connection.ts";
import { type FailedStatement, writeFailureOf } from "./failure.ts";
import { quoteText } from "./sql.ts";
import { claimWrite, type FrontierAdvance, type WriteClaim } from "./write-claim.ts";

/** Runs one statement inside its span; what fails first is remembered. */
export type RunStatement = (
  start: StatementStart,
  text: string,
  values: readonly unknown[],
  /** How many rows it was about, where only its result tells. */
  rowsOf?: (result: StatementResult) => number,
) => Promise<StatementResult>;

export interface GuardedWrite {
  /** Short: names the transaction in `pg_stat_activity`. */
  readonly name: string;
  /** How long it waits for a lock, and how long a statement may take; then it gives up. Left out: as every session does. */
  readonly lockMs?: number;
  readonly statementMs?: number;
  /** Where it leaves the frontiers. Default: where they are. */
  readonly advance?: FrontierAdvance;
  readonly body: (run: RunStatement) => Promise<void>;
}

/**
 * A write that is no run: claims the next write number, so that it is fenced like every write and happens at most once.
 * @throws WriteFailure; the connection is then in a failed transaction, or broken
 */
export async function guardedWrite(
  connection: Connection,
  claim: WriteClaim,
  telemetry: WriteTransactionTelemetry,
  { name, lockMs, statementMs, advance = "none", body }: GuardedWrite,
): Promise<WriteOutcome> {
  let current: FailedStatement = { summary: "BEGIN", table: undefined, commitSent: false };
  const statement = <T>(start: StatementStart, run: () => Promise<T>, rowsOf?: (result: T) => number): Promise<T> => {
    current = { summary: start.summary, table: start.table, commitSent: false };
    return telemetry.statement(start, run, rowsOf);
  };
  try {
    const title = `spindex ${name}${telemetry.traceId === undefined ? "" : ` trace=${telemetry.traceId}`}`;
    const limits = [
      ...(lockMs === undefined ? [] : [`; set local lock_timeout = ${lockMs}`]),
      ...(statementMs === undefined ? [] : [`; set local statement_timeout = ${statementMs}`]),
    ];
    await connection.run(
      `begin isolation level read committed read write; set local application_name = ${quoteText(title)}${limits.join("")}`,
    );
    telemetry.began(connection.server);
    const claimed = await statement(CLAIM, () => claimWrite(connection, claim, advance, 0));
    if (claimed === "already_durable") {
      await connection.run("rollback");
      return { alreadyDurable: true };
    }
    await body((start, text, values, rowsOf) => statement(start, () => connection.query(text, values), rowsOf));
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
