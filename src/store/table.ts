import type { ByteWriter } from "../lib/byte-writer.ts";

export type ColumnKind =
  | "int32"
  | "int64"
  | "uint256"
  | "int256"
  | "numeric"
  | "float64"
  | "bool"
  | "text"
  | "bytes"
  | "hash"
  | "address"
  | "timestamp"
  | "json"
  | "enum"
  | "eventId";

/**
 * A column as the store and the storage see it. Values in rows, by kind: int32, float64 and timestamp (unix seconds)
 * are numbers; int64, uint256, int256 and eventId are bigints; numeric is an exact decimal text; bytes, hash and
 * address are lower-case hex texts with `0x`; json is any JSON value, deeply frozen; array columns hold frozen arrays
 * of these; null only where `nullable`.
 */
export interface ColumnModel {
  /** The property's name in a row. */
  readonly name: string;
  readonly sqlName: string;
  readonly kind: ColumnKind;
  readonly nullable: boolean;
  readonly array: boolean;
  /** Used when an insert leaves the column out; undefined: it must be given. */
  readonly defaultValue: unknown;
  /** For numeric. */
  readonly precision?: number;
  readonly scale?: number;
  /** For enum. */
  readonly values?: readonly string[];
  /** The entity that the column refers to. */
  readonly references?: string;
}

export interface IndexModel {
  readonly columns: readonly string[];
}

/** An entity as the store and the storage see it. */
export interface TableModel {
  /** The entity's name, as in `store.<name>`. */
  readonly name: string;
  readonly sqlName: string;
  readonly columns: readonly ColumnModel[];
  /** Names of the key columns, in order. */
  readonly key: readonly string[];
  readonly appendOnly: boolean;
  /** Shared among the chains of a shard: no `chain_id` in its key. */
  readonly crossChain: boolean;
  readonly indexes: readonly IndexModel[];
  readonly hidden: boolean;
}

/** A frozen row: column name → value. */
export type Row = Readonly<Record<string, unknown>>;

/** A key as a Map key: the value itself for one column, a joined text for several. */
export type KeyValue = string | number | bigint;

/** A row as it was read from the storage. */
export interface StoredRow {
  readonly row: Row;
  /** The checkpoint that wrote it. */
  readonly checkpoint: number;
}

/**
 * Turns rows of one table into the bytes that the storage takes. Implemented by the storage's adapter, called by the
 * store: append-only rows when they are inserted, others when a drain run is sealed. Each call reserves, writes and
 * ends one row.
 */
export interface RowCodec {
  encodeRow(out: ByteWriter, chainId: number, checkpoint: number, row: Row): void;
  /** Only the key columns of `row` are read. */
  encodeKey(out: ByteWriter, chainId: number, row: Row): void;
  /**
   * What `row` was before checkpoint `changedAt` changed it. With `previousCheckpoint` 0 there was no such row, and only
   * the key columns of `row` are read.
   */
  encodeBeforeImage(out: ByteWriter, chainId: number, changedAt: number, previousCheckpoint: number, row: Row): void;
  /**
   * Checkpoint `changedAt` changed a row of which the store did not know what it was, or whether it was at all. Only the
   * key columns of `row` are read.
   */
  encodeUnknownImage(out: ByteWriter, chainId: number, changedAt: number, row: Row): void;
}
