import type { WriteTransactionTelemetry } from "../instrument/drain-telemetry.ts";
import type { ResumePoint } from "../postgres/resume.ts";
import type { RollbackOutcome, RollbackRequest } from "../reorg/rollback.ts";
import type { EffectCodec, EffectReader } from "../store/effect-table.ts";
import type { RowReader } from "../store/row-reader.ts";
import type { IndexModel, RowCodec, TableModel } from "../store/table.ts";
import type { RawEventCodec } from "../write/raw-events.ts";
import type { Storage } from "../write/storage.ts";

/** A storage that this process has taken, as sessions use it. */
export interface SessionStorage extends Storage, RowReader, EffectReader {
  /** Encodes rows as the storage takes them. */
  readonly codecOf: (table: TableModel) => RowCodec;
  readonly effectCodec: EffectCodec;
  readonly rawEventCodec: RawEventCodec;
  /** Aborts, with a SpindexError as its reason, when another process has taken the shard: nothing is written any more. */
  readonly lost: AbortSignal;
  /** The server's processes of the sessions that read now, and of the one that writes. Left out: it has none. */
  readonly readerPids?: readonly number[];
  readonly writerPid?: number | undefined;
  /** Handlers look rows up by this index: it has to be there, also while a chain is far behind. Left out: it has none. */
  needIndex?(table: TableModel, index: IndexModel): void;
  /** Nothing more will be written: an attempt that is under way fails at once, its outcome unknown to this process. */
  breakOff(): void;
  /**
   * What is durable now: where a new session goes on.
   * @throws WriteFailure
   */
  readResume(): Promise<ResumePoint>;
  /**
   * Takes a chain back after a reorg, in one transaction. May be called again with the same request after a failure whose
   * outcome is unknown.
   * @throws WriteFailure
   */
  rollBack(request: RollbackRequest, telemetry: WriteTransactionTelemetry): Promise<RollbackOutcome>;
}
