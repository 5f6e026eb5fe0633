import type { WriteTransactionTelemetry } from "../instrument/drain-telemetry.ts";
import type { DrainRun } from "../store/drain-run.ts";
import type { RowOrigin } from "../store/event-log.ts";
import type { ChainMetadata } from "./chain-metadata.ts";

/** How the persistence loop reacts to a failed write. */
export type WriteFailureKind =
  /** Before COMMIT was sent: the same transaction may succeed later. */
  | "transient"
  /** COMMIT was sent and its answer is not known: write again; the guarded update tells what happened. */
  | "outcome_unknown"
  /** Another writer owns the shard. */
  | "fenced"
  /** The storage lost writes that it had confirmed. */
  | "went_back"
  /** No retry can help. */
  | "fatal";

export interface WriteFailureDetails {
  readonly statement?: string | undefined;
  readonly table?: string | undefined;
  readonly sqlState?: string | undefined;
  readonly row?: string | undefined;
  readonly origin?: RowOrigin | undefined;
  readonly cause?: unknown;
}

/** A failed write: what failed first, and where. */
export class WriteFailure extends Error {
  override readonly name = "WriteFailure";
  readonly kind: WriteFailureKind;
  /** Short text of the statement that failed first, e.g. `COPY transfer`. */
  readonly statement: string | undefined;
  readonly table: string | undefined;
  readonly sqlState: string | undefined;

  /** The row that cannot be written, as JSON, where it could be found. */
  readonly row: string | undefined;
  /** The event that the row came from. */
  readonly origin: RowOrigin | undefined;

  constructor(kind: WriteFailureKind, message: string, details: WriteFailureDetails = {}) {
    super(message, { cause: details.cause });
    this.kind = kind;
    this.statement = details.statement;
    this.table = details.table;
    this.sqlState = details.sqlState;
    this.row = details.row;
    this.origin = details.origin;
  }

  /** The same failure, with the row that made it. */
  causedBy(row: string | undefined, origin: RowOrigin | undefined): WriteFailure {
    const { kind, message, statement, table, sqlState, cause } = this;
    return new WriteFailure(kind, message, { statement, table, sqlState, row, origin, cause });
  }
}

export interface WriteOutcome {
  /** An earlier attempt had written the run, though its answer never came. */
  readonly alreadyDurable: boolean;
}

/** Rows of one table that nothing can need any more, to be deleted in steps. Made by a storage. */
export interface Pruning {
  /** Name of the table, without its schema. */
  readonly table: string;
  /**
   * Deletes up to `maxRows` of them in a guarded write of its own. Waits for nobody: rows that others have locked stay.
   * The caller ends `telemetry`.
   * @throws WriteFailure
   */
  step(maxRows: number, telemetry: WriteTransactionTelemetry): Promise<PruneOutcome>;
}

export interface PruneOutcome extends WriteOutcome {
  readonly rows: number;
  /** Nothing of it is left. */
  readonly isDone: boolean;
}

/** Where the rows go. One write is in flight at a time. */
export interface Storage {
  /**
   * Applies a run in one transaction: rows, history, progress, the run's own row. Resolves when it is durable, also
   * when an earlier attempt with the same run had been. The caller ends `telemetry`.
   * @param metadata what is known of the chains beside their rows
   * @throws WriteFailure
   */
  write(
    run: DrainRun,
    telemetry: WriteTransactionTelemetry,
    metadata?: readonly ChainMetadata[],
  ): Promise<WriteOutcome>;
  /**
   * Writes chain metadata alone. May be left undone after any failure: it is only ever replaced by newer metadata. The
   * caller ends `telemetry`.
   * @throws WriteFailure
   */
  writeMetadata(chains: readonly ChainMetadata[], telemetry: WriteTransactionTelemetry): Promise<WriteOutcome>;
  /**
   * What nothing can need any more; to be pruned in this order. Only reads.
   * @throws WriteFailure
   */
  planPruning(): Promise<readonly Pruning[]>;
}
