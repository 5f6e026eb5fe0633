import type { ColumnKind, Row, TableModel } from "./table.ts";

/** A record, its place in the map and the row's own object. */
const RECORD_BYTES = 250;
/** Values of these kinds have about the same size whatever they are. Addresses are strings that rows share. */
const FIXED_BYTES: Readonly<Partial<Record<ColumnKind, number>>> = {
  int32: 8,
  int64: 24,
  uint256: 40,
  int256: 40,
  float64: 16,
  bool: 8,
  hash: 96,
  address: 24,
  timestamp: 16,
  enum: 8,
  eventId: 24,
};
const VALUE_BYTES = 24;

/** A function that tells about how many bytes of memory a row of the table takes in a record. */
export function rowSizer(table: TableModel): (row: Row) => number {
  let fixed = RECORD_BYTES;
  const variable: string[] = [];
  for (const { name, kind, array } of table.columns) {
    const bytes = array ? undefined : FIXED_BYTES[kind];
    if (bytes === undefined) variable.push(name);
    else fixed += bytes;
  }
  if (variable.length === 0) return () => fixed;
  return (row) => variable.reduce((sum, name) => sum + valueBytes(row[name]), fixed);
}

function valueBytes(value: unknown): number {
  if (typeof value === "string") return VALUE_BYTES + value.length;
  if (Array.isArray(value)) return value.reduce<number>((sum, item) => sum + valueBytes(item), VALUE_BYTES);
  if (typeof value !== "object" || value === null) return VALUE_BYTES;
  return Object.entries(value).reduce((sum, [name, item]) => sum + name.length + valueBytes(item), VALUE_BYTES);
}
