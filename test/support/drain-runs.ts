import type { StatementStart, WriteTransactionTelemetry } from "../../src/instrument/drain-telemetry.ts";
import { ByteWriter, type EncodedRows, NO_ROWS } from "../../src/lib/byte-writer.ts";
import { createRowCodec } from "../../src/postgres/copy-codec.ts";
import type { DrainRun, TableChanges } from "../../src/store/drain-run.ts";
import type { Row, TableModel } from "../../src/store/table.ts";

/** Rows of a table, each with the checkpoint that wrote it. */
export type Written = readonly (readonly [checkpoint: number, row: Row])[];

export interface ChangesInput {
  readonly inserts?: Written;
  readonly updates?: Written;
  readonly upserts?: Written;
  readonly deletes?: readonly Row[];
  /** Changed at, previous checkpoint (0: there was no row), the row before. */
  readonly history?: readonly (readonly [changedAt: number, previous: number, row: Row])[];
  /** Changed at, key. */
  readonly unknownHistory?: readonly (readonly [changedAt: number, key: Row])[];
}

/** Encoded changes of a table, all of one chain. */
export function changesOf(table: TableModel, input: ChangesInput, chainId = 1): TableChanges {
  const codec = createRowCodec(table);
  const rows = (written: Written = []): EncodedRows =>
    encoded((out) => {
      for (const [checkpoint, row] of written) codec.encodeRow(out, chainId, checkpoint, row);
    });
  // Rows of a kind came from events 1, 2, …
  const numbers = (count: number): number[] => Array.from({ length: count }, (_, at) => at + 1);
  return {
    table,
    origins: {
      inserts: numbers(input.inserts?.length ?? 0),
      updates: numbers(input.updates?.length ?? 0),
      upserts: numbers(input.upserts?.length ?? 0),
      deletes: numbers(input.deletes?.length ?? 0),
    },
    inserts: rows(input.inserts),
    updates: rows(input.updates),
    upserts: rows(input.upserts),
    deletes: encoded((out) => {
      for (const row of input.deletes ?? []) codec.encodeKey(out, chainId, row);
    }),
    history: encoded((out) => {
      for (const [changedAt, previous, row] of input.history ?? []) {
        codec.encodeBeforeImage(out, chainId, changedAt, previous, row);
      }
    }),
    unknownHistory: encoded((out) => {
      for (const [changedAt, key] of input.unknownHistory ?? []) {
        codec.encodeUnknownImage(out, chainId, changedAt, key);
      }
    }),
  };
}

function encoded(fill: (out: ByteWriter) => void): EncodedRows {
  const out = new ByteWriter();
  fill(out);
  return out.rows === 0 ? NO_ROWS : out.take();
}

/** A run of one checkpoint on chain 1, with plain values of everything that is not given. */
export function runOf(checkpoint: number, input: Partial<DrainRun> = {}): DrainRun {
  const tables = input.tables ?? [];
  const rows = tables.flatMap((t) => [t.inserts, t.updates, t.upserts, t.deletes, t.history, t.unknownHistory]);
  return {
    id: checkpoint,
    mode: "final",
    batches: [],
    checkpoints: { from: checkpoint, to: checkpoint },
    items: 1,
    changes: rows.reduce((sum, { rows: count }) => sum + count, 0),
    bytes: rows.reduce((sum, { bytes }) => sum + bytes, 0),
    heldBytes: 0,
    effects: NO_ROWS,
    rawEvents: NO_ROWS,
    progress: [],
    blocks: [],
    positions: [],
    tables,
    origins: {
      at: (event) => ({ chainId: 1, block: 100 + event, checkpoint, logIndex: event, handler: "Token.Transfer" }),
    },
    skipped: [],
    children: [],
    escapes: new Map(),
    splitReason: "drained",
    ...input,
  };
}

export interface RecordingTelemetry extends WriteTransactionTelemetry {
  readonly statements: readonly StatementStart[];
  /** The backend of the transaction, once it has begun. */
  readonly backendPid: number | undefined;
}

/** Runs statements as they are and keeps what was said about them; the hooks see them first. */
export function recordingWriteTelemetry(
  hooks: {
    readonly traceId?: string;
    readonly beforeStatement?: (start: StatementStart, backendPid: number) => Promise<void>;
    readonly commit?: <T>(run: () => Promise<T>) => Promise<T>;
  } = {},
): RecordingTelemetry {
  const statements: StatementStart[] = [];
  let backendPid: number | undefined;
  return {
    traceId: hooks.traceId,
    statements,
    get backendPid() {
      return backendPid;
    },
    began(connection) {
      backendPid = connection.backendPid;
    },
    async statement(start, run) {
      statements.push(start);
      await hooks.beforeStatement?.(start, backendPid as number);
      return run();
    },
    commit: (run) => (hooks.commit === undefined ? run() : hooks.commit(run)),
    succeeded() {},
    failed() {},
  };
}
