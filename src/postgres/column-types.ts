import type { ColumnModel } from "../store/table.ts";

/** What a column's kind is in PostgreSQL. */
interface ColumnType {
  /** The type of a value, without its array brackets and collation. */
  readonly sql: string;
  /** Its object id, the same in every database. */
  readonly oid: number;
}

const TYPES: Readonly<Record<ColumnModel["kind"], ColumnType>> = {
  int32: { sql: "int4", oid: 23 },
  int64: { sql: "int8", oid: 20 },
  eventId: { sql: "int8", oid: 20 },
  uint256: { sql: "numeric(78,0)", oid: 1700 },
  int256: { sql: "numeric(78,0)", oid: 1700 },
  numeric: { sql: "numeric", oid: 1700 },
  float64: { sql: "float8", oid: 701 },
  bool: { sql: "bool", oid: 16 },
  text: { sql: "text", oid: 25 },
  enum: { sql: "text", oid: 25 },
  bytes: { sql: "bytea", oid: 17 },
  hash: { sql: "text", oid: 25 },
  address: { sql: "text", oid: 25 },
  timestamp: { sql: "timestamptz", oid: 1184 },
  json: { sql: "jsonb", oid: 3802 },
};

/** The type of one value of the column, e.g. `numeric(20,4)`. */
export function elementTypeOf(column: ColumnModel): string {
  if (column.kind !== "numeric") return TYPES[column.kind].sql;
  return `numeric(${column.precision ?? 78},${column.scale ?? 0})`;
}

/** The column's type in a CREATE TABLE, e.g. `text[] collate "C"`. Byte order makes text keys cheap to compare. */
export function columnTypeOf(column: ColumnModel): string {
  const collation = TYPES[column.kind].sql === "text" ? ' collate "C"' : "";
  return `${elementTypeOf(column)}${column.array ? "[]" : ""}${collation}`;
}

export function elementOidOf(column: ColumnModel): number {
  return TYPES[column.kind].oid;
}
