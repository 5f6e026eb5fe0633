import type { ChainProgress } from "../batch/batch.ts";
import type { Checkpoint } from "../chain/checkpoint.ts";
import type { Clock } from "../lib/clock.ts";
import type { CacheLimits } from "./cache.ts";
import type { EffectCodec } from "./effect-table.ts";
import type { RunLimits } from "./open-run.ts";
import type { RowReader } from "./row-reader.ts";
import type { IndexModel, RowCodec, TableModel } from "./table.ts";

/** A `find` that had to look at every row of a big table. */
export interface TableScan {
  readonly handler: string;
  /** The entity's name. */
  readonly table: string;
  /** The columns that it looks at. */
  readonly columns: readonly string[];
}

export interface StoreOptions {
  readonly tables: readonly TableModel[];
  /** Tables that are empty in the storage: complete in memory from the start. */
  readonly emptyTables: ReadonlySet<string>;
  readonly codecOf: (table: TableModel) => RowCodec;
  readonly reader: RowReader;
  /** Left out: no effect is called whose output is to be written. */
  readonly effectCodec?: EffectCodec;
  /** Queued batches keep their slices, for raw events. Default false. */
  readonly keepSlices?: boolean;
  /** Runs that an earlier session of the process has numbered. Default 0. */
  readonly runsBefore?: number;
  /** Answers every read by a promise, also from memory, so that a test shows which one nobody awaits. Default false. */
  readonly asyncReads?: boolean;
  /** Handlers look rows up by this index, for the first time. */
  readonly onIndex?: (table: TableModel, index: IndexModel) => void;
  /** Called for each such `find`. */
  readonly onScan?: (scan: TableScan) => void;
  /** The last durable checkpoint, and the number that the next position takes: numbers are never reused. */
  readonly committed: Checkpoint;
  readonly nextCheckpoint: Checkpoint;
  readonly progress: readonly ChainProgress[];
  readonly limits: StoreLimits;
  readonly clock: Clock;
}

export interface StoreLimits extends RunLimits, CacheLimits {
  /** Allowed uncommitted changes (outputs of effects among them) and queued items. */
  readonly capacityChanges: number;
  /** Allowed bytes of both. */
  readonly capacityBytes: number;
}
