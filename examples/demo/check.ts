import type { Client } from "pg";
import { type Comparison, compareRows, type TextRow } from "./compare.ts";

/** What an independent program found in the same blocks, held against our tables. */
export interface Check extends Comparison {
  /** The table or tables that were compared. */
  readonly table: string;
  /** Where the expected values come from. */
  readonly origin: string;
}

export function isPassed(check: Check): boolean {
  return check.equal === check.expected && check.differences.length === 0;
}

/** Compares the rows of a query with the expected ones. */
export async function checkQuery(
  database: Client,
  check: {
    readonly table: string;
    readonly origin: string;
    readonly expected: readonly TextRow[];
    readonly sql: string;
    readonly keyOf: (row: TextRow) => string;
  },
): Promise<Check> {
  const rows = await textRows(database, check.sql);
  return { table: check.table, origin: check.origin, ...compareRows(check.expected, rows, check.keyOf) };
}

/** The rows of a query as texts: bytes in hex, times in unix seconds. */
export async function textRows(database: Client, sql: string): Promise<TextRow[]> {
  const { rows } = await database.query<Record<string, unknown>>(sql);
  return rows.map((row) => Object.fromEntries(Object.entries(row).map(([column, value]) => [column, textOf(value)])));
}

function textOf(value: unknown): string {
  if (Buffer.isBuffer(value)) return `0x${value.toString("hex")}`;
  if (value instanceof Date) return String(value.getTime() / 1000);
  return String(value);
}

/** Where a row's event is: the key of most comparisons. */
export function eventKey(row: TextRow): string {
  return `block ${row.block_number}, log ${row.log_index}`;
}
