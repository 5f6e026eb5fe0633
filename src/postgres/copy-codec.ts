import type { ByteWriter } from "../lib/byte-writer.ts";
import type { ColumnModel, Row, RowCodec, TableModel } from "../store/table.ts";
import { type ValueWriter, valueWriterOf, writeInt64, writeNull } from "./values.ts";

/** What begins the data of a binary COPY: the signature, no flags, no extension. */
export const COPY_HEADER: Buffer = Buffer.from("PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0", "latin1");
/** What ends it. */
export const COPY_TRAILER: Buffer = Buffer.from([0xff, 0xff]);

/** The columns that a codec writes, in its order: the names for COPY's column list. */
export interface CodecColumns {
  readonly row: readonly string[];
  readonly key: readonly string[];
  readonly beforeImage: readonly string[];
  readonly unknownImage: readonly string[];
}

export const CHAIN_COLUMN = "chain_id";
export const CHECKPOINT_COLUMN = "_checkpoint";
export const CHANGED_AT_COLUMN = "_changed_at";

/** The key columns, in key order. */
export function keyColumnsOf(table: TableModel): readonly ColumnModel[] {
  return table.key.map((name) => table.columns.find((column) => column.name === name) as ColumnModel);
}

/** Names of the columns that identify a row in SQL: its key, and its chain unless it is shared among chains. */
export function identityOf(table: TableModel): readonly string[] {
  const key = keyColumnsOf(table).map((column) => column.sqlName);
  return table.crossChain ? key : [...key, CHAIN_COLUMN];
}

export function codecColumnsOf(table: TableModel): CodecColumns {
  const chain = table.crossChain ? [] : [CHAIN_COLUMN];
  const row = [...table.columns.map((column) => column.sqlName), ...chain, CHECKPOINT_COLUMN];
  const key = identityOf(table);
  return { row, key, beforeImage: [...row, CHANGED_AT_COLUMN], unknownImage: [...key, CHANGED_AT_COLUMN] };
}

interface Field {
  readonly name: string;
  readonly write: ValueWriter;
}

/**
 * Rows as tuples of binary COPY, without COPY's header and trailer. NUL and lone surrogates in text and json become
 * U+FFFD. The fields are those of `codecColumnsOf`.
 */
export function createRowCodec(table: TableModel): RowCodec {
  const fields: readonly Field[] = table.columns.map((column) => ({ name: column.name, write: valueWriterOf(column) }));
  const keyNames = new Set(table.key);
  const keyFields = keyColumnsOf(table).map((column) => ({ name: column.name, write: valueWriterOf(column) }));
  const withChain = !table.crossChain;
  const keyCount = keyFields.length + (withChain ? 1 : 0);
  const rowCount = fields.length + (withChain ? 2 : 1);
  return {
    encodeRow(out: ByteWriter, chainId: number, checkpoint: number, row: Row): void {
      beginTuple(out, rowCount);
      for (const field of fields) field.write(out, row[field.name]);
      if (withChain) writeInt64(out, chainId);
      writeInt64(out, checkpoint);
      out.endRow();
    },
    encodeKey(out: ByteWriter, chainId: number, row: Row): void {
      beginTuple(out, keyCount);
      for (const field of keyFields) field.write(out, row[field.name]);
      if (withChain) writeInt64(out, chainId);
      out.endRow();
    },
    encodeBeforeImage(out: ByteWriter, chainId: number, changedAt: number, previousCheckpoint: number, row: Row): void {
      const isAbsent = previousCheckpoint === 0;
      beginTuple(out, rowCount + 1);
      for (const field of fields) {
        if (isAbsent && !keyNames.has(field.name)) writeNull(out);
        else field.write(out, row[field.name]);
      }
      if (withChain) writeInt64(out, chainId);
      if (isAbsent) writeNull(out);
      else writeInt64(out, previousCheckpoint);
      writeInt64(out, changedAt);
      out.endRow();
    },
    encodeUnknownImage(out: ByteWriter, chainId: number, changedAt: number, row: Row): void {
      beginTuple(out, keyCount + 1);
      for (const field of keyFields) field.write(out, row[field.name]);
      if (withChain) writeInt64(out, chainId);
      writeInt64(out, changedAt);
      out.endRow();
    },
  };
}

function beginTuple(out: ByteWriter, fields: number): void {
  out.reserve(2);
  out.buffer[out.at] = fields >> 8;
  out.buffer[out.at + 1] = fields;
  out.at += 2;
}
