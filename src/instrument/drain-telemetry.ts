import type { HistoryMode } from "../batch/batch.ts";
import type { CheckpointRange } from "../chain/checkpoint.ts";
import type { SplitReason } from "../store/drain-run.ts";

export interface DrainStart {
  readonly id: number;
  readonly mode: HistoryMode;
  readonly checkpoints: CheckpointRange;
  readonly items: number;
  readonly queuedBatchesBefore: number;
  readonly queuedBatchesAfter: number;
  readonly splitReason: SplitReason;
  /** Texts that were escaped, by table. */
  readonly escapes: ReadonlyMap<string, number>;
  /** `Batch.origin` of its batches, in order. */
  readonly batchOrigins: readonly unknown[];
  readonly snapshot: {
    readonly startedAt: number;
    readonly endedAt: number;
    readonly tables: number;
    readonly changes: number;
    readonly bytes: number;
  };
}

export interface RawEventsEncoded {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly events: number;
  readonly bytes: number;
  /** Texts in them that were escaped. */
  readonly escapes: number;
}

/** The life of one drain run. */
export interface DrainTelemetry {
  /** To link to it: opaque. */
  readonly origin: unknown;
  /** For the storage: hexadecimal trace id and span id of the run, undefined when it is not traced. */
  readonly traceId: string | undefined;
  /** Its raw events are encoded. */
  rawEventsEncoded(encoded: RawEventsEncoded): void;
  /** A new attempt to write it; linked to the failed one before it, and from each batch. */
  transaction(attempt: number): WriteTransactionTelemetry;
  /** A head of a live chain is durable with it, `seconds` after it became due. */
  blockDurable(chain: string, seconds: number): void;
  /** The run is durable: ends it and the roots of its batches. */
  durable(): void;
  /** The run will not become durable: ends it and the roots of its batches. */
  failed(error: unknown): void;
}

export type StatementPurpose =
  | "entity"
  | "history"
  | "checkpoint"
  | "raw_event"
  | "effect_cache"
  | "chain_meta"
  | "skipped_event"
  | "prune"
  | "rollback";

export interface StatementStart {
  /** Short, of few values: `COPY transfer`, `UPDATE account`. Names the span, and is `db.query.summary`. */
  readonly summary: string;
  /** `COPY`, `UPDATE`, … */
  readonly operation: string;
  readonly purpose: StatementPurpose;
  readonly table: string;
  /** Rows sent; 0 where only the server knows how many there are. */
  readonly rows: number;
  readonly bytes: number;
}

/** One attempt to write a drain run, or what is written while none is due: what the storage's adapter reports. */
export interface WriteTransactionTelemetry {
  /** 32 hexadecimal digits; undefined when it is not traced. For `application_name` and the run's row. */
  readonly traceId: string | undefined;
  /** The transaction has begun. */
  began(connection: { readonly backendPid: number; readonly database: string }): void;
  /**
   * Runs a statement inside its span.
   * @param rowsOf how many rows it was about, where only its result tells
   */
  statement<T>(start: StatementStart, run: () => Promise<T>, rowsOf?: (result: T) => number): Promise<T>;
  /** Sends COMMIT inside its own span. */
  commit<T>(run: () => Promise<T>): Promise<T>;
  /** Ends the attempt: durable. `alreadyDurable`: an earlier attempt had been. */
  succeeded(alreadyDurable: boolean): void;
  /** Ends the attempt. */
  failed(error: unknown, failure: { readonly kind: string; readonly willRetry: boolean }): void;
}
