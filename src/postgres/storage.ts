import { assert } from "../errors.ts";
import type { WriteTransactionTelemetry } from "../instrument/drain-telemetry.ts";
import type { StartsStatus } from "../instrument/status.ts";
import type { Clock } from "../lib/clock.ts";
import type { RollbackOutcome, RollbackRequest } from "../reorg/rollback.ts";
import type { DrainRun } from "../store/drain-run.ts";
import type { EffectCodec, EffectKey, EffectReader, StoredEffect } from "../store/effect-table.ts";
import type { RowQuery } from "../store/row-query.ts";
import type { RowReader } from "../store/row-reader.ts";
import type { IndexModel, Row, RowCodec, StoredRow, TableModel } from "../store/table.ts";
import type { ChainMetadata } from "../write/chain-metadata.ts";
import type { RawEventCodec } from "../write/raw-events.ts";
import type { Pruning, Storage, WriteOutcome } from "../write/storage.ts";
import { WriteFailure } from "../write/storage.ts";
import { WriteGuard, type WriteNumber } from "../write/write-guard.ts";
import type { Connection } from "./connection.ts";
import { createRowCodec } from "./copy-codec.ts";
import { qualified, type SchemaNames } from "./ddl.ts";
import { PostgresEffectReader } from "./effect-reader.ts";
import { needsNewSession, writeFailureOf } from "./failure.ts";
import { type GuardedWrite, guardedWrite } from "./guarded-write.ts";
import { type FailedChanges, findGuiltyRow } from "./guilty-row.ts";
import type { IndexBuilder } from "./index-builder.ts";
import { createEffectCodec, createRawEventCodec, EFFECTS } from "./internal-tables.ts";
import { KeptRowCounts, type KeptRows, readKeptRows } from "./kept-rows.ts";
import type { Lease } from "./lease.ts";
import { chainsStatement } from "./progress-statements.ts";
import { PostgresPruner } from "./pruning.ts";
import { type ResumePoint, readResumePoint } from "./resume.ts";
import { rollBackChain } from "./rollback.ts";
import type { PostgresRowReader } from "./row-reader.ts";
import { type TableStatements, tableStatementsOf } from "./table-statements.ts";
import { exitClassOf, type Outcome } from "./take-shard.ts";
import { type WriterSession, WriteTransaction } from "./write-transaction.ts";

export interface PostgresStorageParts {
  readonly names: SchemaNames;
  readonly shard: string;
  readonly token: string;
  readonly startId: string;
  /** The number of the last durable write. */
  readonly writeSeq: number;
  readonly tables: readonly TableModel[];
  readonly resume: ResumePoint;
  readonly kept: KeptRows;
  readonly starts: StartsStatus;
  readonly lease: Lease;
  readonly reader: PostgresRowReader;
  readonly indexes: IndexBuilder;
  readonly writer: Connection;
  readonly connectWriter: () => Promise<Connection>;
  /** For what is no write of a run. */
  readonly connect: () => Promise<Connection>;
  /** Cuts every connection. */
  readonly closed: AbortController;
  /** Cuts those of `connectWriter`. */
  readonly brokenOff: AbortController;
  readonly clock: Clock;
}

/** How long the end of a storage may take. */
const CLOSE_MS = 5_000;

/** The tables of one indexer's shard in PostgreSQL, owned by this process. Made by `openStorage`. */
export class PostgresStorage implements Storage, RowReader, EffectReader {
  /** What the database knew when it was opened. */
  readonly resume: ResumePoint;
  /** How often the shard was started, and how the start before this one ended. */
  readonly starts: StartsStatus;
  readonly codecOf: (table: TableModel) => RowCodec = createRowCodec;
  readonly effectCodec: EffectCodec = createEffectCodec();
  readonly rawEventCodec: RawEventCodec = createRawEventCodec();
  /** Builds the secondary indexes; stopped when the storage is closed. */
  readonly indexes: IndexBuilder;
  readonly #parts: PostgresStorageParts;
  readonly #statements: ReadonlyMap<string, TableStatements>;
  readonly #effectStatements: TableStatements;
  readonly #guard: WriteGuard;
  readonly #pruner: PostgresPruner;
  readonly #effectReader: PostgresEffectReader;
  readonly #kept: KeptRowCounts;
  #writer: WriterSession | undefined;
  #closing: Promise<void> | undefined;

  constructor(parts: PostgresStorageParts) {
    this.#parts = parts;
    this.resume = parts.resume;
    this.indexes = parts.indexes;
    this.starts = parts.starts;
    this.#guard = new WriteGuard({ writeSeq: parts.writeSeq, starts: parts.starts.count });
    this.#effectReader = new PostgresEffectReader(parts.names, parts.reader);
    this.#kept = new KeptRowCounts(parts.kept);
    this.#pruner = new PostgresPruner({
      ...parts,
      onHistoryDeleted: (table, rows) => this.#kept.addHistory(table, -rows),
      write: (write, telemetry) => this.#maintain(write, telemetry),
    });
    this.#writer = { connection: parts.writer, stagings: new Set() };
    const { names, tables } = parts;
    this.#statements = new Map(
      tables.map((table, position) => [table.name, tableStatementsOf(names.user, names.internal, table, position)]),
    );
    this.#effectStatements = tableStatementsOf(names.internal, names.internal, EFFECTS, tables.length);
  }

  /** This process may write the shard. */
  get isHeld(): boolean {
    return this.#parts.lease.isHeld;
  }

  /** Aborts, with a SpindexError as its reason, when another process has taken the shard: nothing is written any more. */
  get lost(): AbortSignal {
    return this.#parts.lease.lost;
  }

  /** The server's process of the session that writes. */
  get writerPid(): number | undefined {
    const connection = this.#writer?.connection;
    return connection === undefined || connection.isBroken ? undefined : connection.server.backendPid;
  }

  /** The server's processes of the sessions that read now. */
  get readerPids(): readonly number[] {
    return this.#parts.reader.busyPids;
  }

  /** Rows beside the entities, about. */
  get kept(): KeptRows {
    return this.#kept.now;
  }

  /** The connections on which rows are read. */
  get readConnections(): { readonly busy: number; readonly idle: number } {
    return this.#parts.reader.connections;
  }

  async write(
    run: DrainRun,
    telemetry: WriteTransactionTelemetry,
    metadata: readonly ChainMetadata[] = [],
  ): Promise<WriteOutcome> {
    const outcome = await this.#guard.run(run, (number) => this.#attempt(run, number, telemetry, metadata));
    for (const { table, history, unknownHistory } of run.tables) {
      this.#kept.addHistory(table.sqlName, history.rows + unknownHistory.rows);
    }
    this.#kept.addEffects(run.effects.rows);
    return outcome;
  }

  writeMetadata(chains: readonly ChainMetadata[], telemetry: WriteTransactionTelemetry): Promise<WriteOutcome> {
    const { names, shard } = this.#parts;
    const { start, text, values } = chainsStatement(names, { mode: "keep", progress: [] }, chains, shard);
    const body: GuardedWrite["body"] = async (run) => {
      await run(start, text, values);
    };
    return this.#maintain({ name: "metadata", lockMs: 1_000, statementMs: 5_000, body }, telemetry);
  }

  async planPruning(): Promise<readonly Pruning[]> {
    const session = await this.#session();
    try {
      return await this.#pruner.plan(session.connection);
    } catch (error) {
      await this.#leaveTransaction(session, error);
      throw error;
    }
  }

  /**
   * Takes a chain back after a reorg, in one transaction. May be called again with the same request after a failure whose
   * outcome is unknown.
   * @throws WriteFailure
   */
  rollBack(request: RollbackRequest, telemetry: WriteTransactionTelemetry): Promise<RollbackOutcome> {
    const { names, shard, token, tables } = this.#parts;
    return this.#guard.rollback(async (number) => {
      const session = await this.#session();
      try {
        const claim = { names, shard, token, ...number };
        return await rollBackChain(session.connection, claim, telemetry, tables, request);
      } catch (error) {
        await this.#leaveTransaction(session, error);
        throw error;
      }
    });
  }

  /**
   * What the database knows now: where a new session goes on.
   * @throws WriteFailure
   */
  async readResume(): Promise<ResumePoint> {
    const session = await this.#session();
    const { names, shard, tables } = this.#parts;
    try {
      // A rollback has taken some of them.
      this.#kept.are(await readKeptRows(session.connection, names, tables));
      return await readResumePoint(session.connection, names, shard, tables);
    } catch (error) {
      await this.#leaveTransaction(session, error);
      throw writeFailureOf(error, { summary: "READ OF THE RESUME POINT", table: undefined, commitSent: false });
    }
  }

  rowsByKey(table: TableModel, chainId: number, keys: readonly Row[]): Promise<readonly StoredRow[]> {
    return this.#parts.reader.rowsByKey(table, chainId, keys);
  }

  rowsWhere(table: TableModel, chainId: number, query: RowQuery): Promise<readonly StoredRow[]> {
    return this.#parts.reader.rowsWhere(table, chainId, query);
  }

  rowsAfter(table: TableModel, chainId: number, after: Row | undefined, limit: number): Promise<readonly StoredRow[]> {
    return this.#parts.reader.rowsAfter(table, chainId, after, limit);
  }

  estimateRows(tables: readonly TableModel[]): Promise<ReadonlyMap<string, number>> {
    return this.#parts.reader.estimateRows(tables);
  }

  needIndex(table: TableModel, index: IndexModel): void {
    this.indexes.need(table, index);
  }

  effectsByKey(keys: readonly EffectKey[]): Promise<readonly StoredEffect[]> {
    return this.#effectReader.effectsByKey(keys);
  }

  /** Rows in each entity's table, by the entity's name. Counts them: slow on big tables. */
  async rowCounts(): Promise<ReadonlyMap<string, number>> {
    const { names, tables, connect } = this.#parts;
    const connection = await connect();
    try {
      const counts = new Map<string, number>();
      for (const table of tables) {
        const { rows } = await connection.query(`select count(*) from ${qualified(names.user, table.sqlName)}`);
        counts.set(table.name, Number(rows[0]?.[0]));
      }
      return counts;
    } finally {
      await connection.end();
    }
  }

  breakOff(): void {
    this.#parts.brokenOff.abort();
  }

  /**
   * Records how this start ended (a successor that took over may have taken it for killed), lets the shard go and ends every
   * connection; by force after 5 s, when the database is silent. The first outcome counts; never throws.
   */
  close(outcome: Outcome): Promise<void> {
    this.#closing ??= this.#close(outcome);
    return this.#closing;
  }

  async #close(outcome: Outcome): Promise<void> {
    const { closed, clock, lease, reader } = this.#parts;
    const done = new AbortController();
    const cut = clock.sleep(CLOSE_MS, done.signal).then(() => closed.abort());
    await this.indexes.stop();
    await this.#recordEnd(outcome);
    await Promise.all([lease.release(), reader.close()]);
    done.abort();
    await cut;
  }

  async #recordEnd(outcome: Outcome): Promise<void> {
    const { names, startId, connect } = this.#parts;
    const writer = this.#writer?.connection;
    this.#writer = undefined;
    try {
      const connection = writer === undefined || writer.isBroken ? await connect() : writer;
      try {
        await connection.query(
          `update ${qualified(names.internal, "starts")} set ended_at = now(), outcome = $2, exit_class = $3
           where id = $1 and (ended_at is null or outcome = 'killed')`,
          [startId, outcome, exitClassOf(outcome)],
        );
      } finally {
        await connection.end();
      }
    } catch {
      // The database is away: the next start will note that this one ended without a word.
    }
  }

  /** A write that is no run. */
  #maintain(write: GuardedWrite, telemetry: WriteTransactionTelemetry): Promise<WriteOutcome> {
    const { names, shard, token } = this.#parts;
    return this.#guard.maintenance(async (number) => {
      const session = await this.#session();
      try {
        return await guardedWrite(session.connection, { names, shard, token, ...number }, telemetry, write);
      } catch (error) {
        await this.#leaveTransaction(session, error);
        throw error;
      }
    });
  }

  async #attempt(
    run: DrainRun,
    number: WriteNumber,
    telemetry: WriteTransactionTelemetry,
    metadata: readonly ChainMetadata[],
  ): Promise<WriteOutcome> {
    const session = await this.#session();
    const { names, shard, token, startId } = this.#parts;
    const statementsOf = (table: TableModel): TableStatements => this.#statementsOf(table);
    const transaction = new WriteTransaction(
      session,
      { names, shard, token, startId, ...number, statementsOf, effectStatements: this.#effectStatements },
      telemetry,
    );
    try {
      const outcome = await transaction.write(run, metadata);
      return { alreadyDurable: outcome === "already_durable" };
    } catch (error) {
      await this.#leaveTransaction(session, error);
      throw await this.#explained(run, error, session, transaction.failedRows);
    }
  }

  /** A failure that no retry can help gets the row that made it, and the event that made the row. */
  async #explained(
    run: DrainRun,
    error: unknown,
    { connection }: WriterSession,
    rows: FailedChanges | undefined,
  ): Promise<unknown> {
    const isFatal = error instanceof WriteFailure && error.kind === "fatal";
    if (!isFatal || rows === undefined || connection.isBroken) return error;
    const sql = this.#statementsOf(rows.changes.table);
    const guilty = await findGuiltyRow(connection, run, rows, sql, error.cause);
    return guilty === undefined ? error : error.causedBy(guilty.row, guilty.origin);
  }

  /** The writer's connection, made again when it was lost. */
  async #session(): Promise<WriterSession> {
    await this.#parts.lease.require();
    if (this.#writer !== undefined && !this.#writer.connection.isBroken) return this.#writer;
    try {
      this.#writer = { connection: await this.#parts.connectWriter(), stagings: new Set() };
    } catch (error) {
      throw writeFailureOf(error, { summary: "CONNECT", table: undefined, commitSent: false });
    }
    return this.#writer;
  }

  /** After a failure: the transaction is taken back, or the connection thrown away. */
  async #leaveTransaction(session: WriterSession, error: unknown): Promise<void> {
    const cause = error instanceof WriteFailure ? error.cause : error;
    if (error instanceof WriteFailure && error.kind === "fenced") this.#parts.lease.fenced(error);
    if (!session.connection.isBroken && !needsNewSession(cause)) {
      try {
        return await session.connection.run("rollback");
      } catch {
        // Not usable any more.
      }
    }
    session.connection.destroy();
  }

  #statementsOf(table: TableModel): TableStatements {
    const statements = this.#statements.get(table.name);
    assert(statements !== undefined, `the storage was opened without the table ${table.name}`);
    return statements;
  }
}
