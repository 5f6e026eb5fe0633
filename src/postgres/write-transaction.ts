import type { StatementPurpose, StatementStart, WriteTransactionTelemetry } from "../instrument/drain-telemetry.ts";
import type { EncodedRows } from "../lib/byte-writer.ts";
import type { DrainRun, TableChanges } from "../store/drain-run.ts";
import type { TableModel } from "../store/table.ts";
import type { ChainMetadata } from "../write/chain-metadata.ts";
import { WriteFailure } from "../write/storage.ts";
import type { Connection } from "./connection.ts";
import { codecColumnsOf } from "./copy-codec.ts";
import { qualified, type SchemaNames } from "./ddl.ts";
import { type FailedStatement, writeFailureOf } from "./failure.ts";
import type { FailedChanges } from "./guilty-row.ts";
import { EFFECTS, RAW_EVENTS } from "./internal-tables.ts";
import { progressStatements, type Writer } from "./progress-statements.ts";
import { quoteText } from "./sql.ts";
import { copyInto, type Staging, type TableStatements } from "./table-statements.ts";
import { claimWrite } from "./write-claim.ts";

/** A connection that writes, and the temporary tables that it has by now. */
export interface WriterSession {
  readonly connection: Connection;
  readonly stagings: Set<string>;
}

export interface WriteContext extends Writer {
  readonly names: SchemaNames;
  readonly token: string;
  readonly durableSeq: number;
  readonly starts: number;
  readonly statementsOf: (table: TableModel) => TableStatements;
  readonly effectStatements: TableStatements;
}

/**
 * One attempt to write a run: one transaction that begins by taking the shard's row lock and number, so that it
 * happens once however often it is tried.
 */
export class WriteTransaction {
  readonly #session: WriterSession;
  readonly #context: WriteContext;
  readonly #telemetry: WriteTransactionTelemetry;
  /** What is being done: what failed first, when it fails. */
  #rows: FailedChanges | undefined;
  #current: FailedStatement = { summary: "BEGIN", table: undefined, commitSent: false };

  constructor(session: WriterSession, context: WriteContext, telemetry: WriteTransactionTelemetry) {
    this.#session = session;
    this.#context = context;
    this.#telemetry = telemetry;
  }

  /** The rows that the statement which failed was to write; undefined when it was about something else. */
  get failedRows(): FailedChanges | undefined {
    return this.#current.rows;
  }

  /**
   * @returns "durable" when this attempt did it, "already_durable" when an earlier one had
   * @throws WriteFailure; the session is then in a failed transaction, or broken
   */
  async write(run: DrainRun, metadata: readonly ChainMetadata[]): Promise<"durable" | "already_durable"> {
    try {
      for (const changes of run.tables) await this.#prepareStagings(changes);
      await this.#prepare(EFFECTS, run.effects, this.#context.effectStatements.upserts);
      await this.#begin(run);
      if ((await this.#claim(run)) === "already_durable") {
        await this.#session.connection.run("rollback");
        return "already_durable";
      }
      for (const changes of run.tables) await this.#writeTable(changes);
      await this.#writeEffects(run.effects);
      await this.#copy(RAW_EVENTS, this.#copyRawEvents, run.rawEvents, "raw_event");
      const { names } = this.#context;
      const progress = progressStatements(names, run, metadata, this.#context, this.#telemetry.traceId);
      for (const { start, text, values } of progress) {
        await this.#counted(start, async () => (await this.#session.connection.query(text, values)).rowCount);
      }
      await this.#commit();
      return "durable";
    } catch (error) {
      throw writeFailureOf(error, this.#current);
    }
  }

  async #begin(run: DrainRun): Promise<void> {
    const { traceId } = this.#telemetry;
    const name = `spindex run=${run.id}${traceId === undefined ? "" : ` trace=${traceId}`}`;
    await this.#session.connection.run(
      `begin isolation level read committed read write; set local application_name = ${quoteText(name)}`,
    );
    this.#telemetry.began(this.#session.connection.server);
  }

  #claim(run: DrainRun): Promise<"claimed" | "already_durable"> {
    const { to } = run.checkpoints;
    const advance = { committedCheckpoint: to, nextCheckpoint: to + 1 };
    return this.#statement(startOf("UPDATE", "shards", "checkpoint", 1), () =>
      claimWrite(this.#session.connection, this.#context, advance, run.changes),
    );
  }

  /** Order: before-images are settled while the table still holds what was before. */
  async #writeTable(changes: TableChanges): Promise<void> {
    const { table, inserts, updates, upserts, deletes, history, unknownHistory } = changes;
    const sql = this.#context.statementsOf(table);
    await this.#copy(table, sql.copyHistory, history, "history");
    if (unknownHistory.rows > 0) {
      await this.#copy(table, sql.unknowns.copy, unknownHistory, "history", "unknowns");
      const start = startOf("INSERT", `${table.sqlName}_history`, "history", unknownHistory.rows);
      await this.#counted(start, async () => (await this.#session.connection.query(sql.lookUpUnknowns)).rowCount);
    }
    this.#rows = { changes, kind: "upserts" };
    await this.#copy(table, sql.upserts.copy, upserts, "entity", "upserts");
    this.#rows = { changes, kind: "deletes" };
    await this.#copy(table, sql.deletes.copy, deletes, "entity", "deletes");
    if (deletes.rows > 0) await this.#apply(table, "DELETE", sql.applyDeletes, deletes.rows, "at most");
    this.#rows = { changes, kind: "upserts" };
    if (upserts.rows > 0) await this.#apply(table, "UPSERT", sql.applyUpserts, upserts.rows, "exactly");
    this.#rows = { changes, kind: "updates" };
    if (updates.rows > 0) {
      await this.#copy(table, sql.updates.copy, updates, "entity", "updates");
      await this.#apply(table, "UPDATE", sql.applyUpdates, updates.rows, "exactly");
    }
    this.#rows = { changes, kind: "inserts" };
    await this.#copy(table, sql.copyRows, inserts, "entity");
    this.#rows = undefined;
  }

  /** What is stored for an input with another output type is replaced. */
  async #writeEffects(rows: EncodedRows): Promise<void> {
    if (rows.rows === 0) return;
    const sql = this.#context.effectStatements;
    await this.#copy(EFFECTS, sql.upserts.copy, rows, "effect_cache", "upserts");
    const start = startOf("UPSERT", EFFECTS.sqlName, "effect_cache", rows.rows);
    await this.#counted(start, async () => (await this.#session.connection.query(sql.applyUpserts)).rowCount);
  }

  get #copyRawEvents(): string {
    return copyInto(qualified(this.#context.names.internal, RAW_EVENTS.sqlName), codecColumnsOf(RAW_EVENTS).row);
  }

  async #copy(
    table: TableModel,
    text: string,
    rows: EncodedRows,
    purpose: StatementPurpose,
    staged = "",
  ): Promise<void> {
    if (rows.rows === 0) return;
    const name = purpose === "history" ? `${table.sqlName}_history` : table.sqlName;
    const start: StatementStart = {
      summary: staged === "" ? `COPY ${name}` : `COPY ${name} (${staged})`,
      operation: "COPY",
      purpose,
      table: name,
      rows: rows.rows,
      bytes: rows.bytes,
    };
    await this.#counted(start, () => this.#session.connection.copy(text, rows));
  }

  async #apply(
    table: TableModel,
    operation: string,
    text: string,
    rows: number,
    expected: "exactly" | "at most",
  ): Promise<void> {
    const run = async (): Promise<number> => (await this.#session.connection.query(text)).rowCount;
    const start = startOf(operation, table.sqlName, "entity", rows);
    if (expected === "exactly") await this.#counted(start, run);
    else await this.#statement(start, run);
  }

  async #commit(): Promise<void> {
    this.#current = { summary: "COMMIT", table: undefined, commitSent: true };
    const { command } = await this.#telemetry.commit(() => this.#session.connection.query("commit"));
    if (command === "COMMIT") return;
    // The server answers the COMMIT of a failed transaction without an error.
    throw new WriteFailure("transient", `COMMIT was answered by ${command}`, { statement: "COMMIT" });
  }

  /** Temporary tables are made once a session, outside the transaction: a failed one would take them back. */
  async #prepareStagings({ table, updates, upserts, deletes, unknownHistory }: TableChanges): Promise<void> {
    const sql = this.#context.statementsOf(table);
    await this.#prepare(table, updates, sql.updates);
    await this.#prepare(table, upserts, sql.upserts);
    await this.#prepare(table, deletes, sql.deletes);
    await this.#prepare(table, unknownHistory, sql.unknowns);
  }

  async #prepare(table: TableModel, { rows }: EncodedRows, staging: Staging): Promise<void> {
    if (rows === 0 || this.#session.stagings.has(staging.name)) return;
    this.#current = { summary: "CREATE TEMP TABLE", table: table.sqlName, commitSent: false };
    await this.#session.connection.run(staging.create);
    this.#session.stagings.add(staging.name);
    this.#current = { summary: "BEGIN", table: undefined, commitSent: false };
  }

  #statement<T>(start: StatementStart, run: () => Promise<T>): Promise<T> {
    this.#current = { summary: start.summary, table: start.table, commitSent: false, rows: this.#rows };
    return this.#telemetry.statement(start, run);
  }

  /** A statement that must touch exactly the rows that it was given: rows are never lost in silence. */
  async #counted(start: StatementStart, run: () => Promise<number>): Promise<void> {
    await this.#statement(start, async () => {
      const touched = await run();
      if (touched === start.rows) return;
      throw new WriteFailure(
        "fatal",
        `${start.summary} touched ${touched} of ${start.rows} rows: the table is not as this writer left it`,
        { statement: start.summary, table: start.table },
      );
    });
  }
}

function startOf(operation: string, table: string, purpose: StatementPurpose, rows: number): StatementStart {
  return { summary: `${operation} ${table}`, operation, purpose, table, rows, bytes: 0 };
}
