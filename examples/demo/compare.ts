import { readFile } from "node:fs/promises";
import { promisify } from "node:util";
import { gunzip } from "node:zlib";

/** A row with everything as text, so that two sources can be compared exactly. */
export type TextRow = Readonly<Record<string, string>>;

export interface Comparison {
  /** Rows that should be there. */
  readonly expected: number;
  /** Of these: rows that are there and equal in every column. */
  readonly equal: number;
  /** One line about each of the first differences. */
  readonly differences: readonly string[];
}

const SHOWN_DIFFERENCES = 5;

/** Reads a gzipped CSV file with a header line and no quoted fields. */
export async function readCsv(path: string): Promise<TextRow[]> {
  const text = (await promisify(gunzip)(await readFile(path))).toString("utf8");
  const [header = "", ...lines] = text.trimEnd().split("\n");
  const columns = header.split(",");
  return lines.map((line) => {
    const fields = line.split(",");
    if (fields.length !== columns.length) throw new Error(`${path}: ${fields.length} fields in: ${line}`);
    return Object.fromEntries(columns.map((column, i) => [column, fields[i] as string]));
  });
}

/**
 * Compares every expected row, in every column that it has, with the actual row of the same key. A row that only one
 * side has is a difference.
 */
export function compareRows(
  expected: readonly TextRow[],
  actual: readonly TextRow[],
  keyOf: (row: TextRow) => string,
): Comparison {
  const differences: string[] = [];
  const report = (line: string): void => {
    if (differences.length < SHOWN_DIFFERENCES) differences.push(line);
  };
  const unmatched = new Map<string, TextRow>();
  for (const row of actual) {
    if (unmatched.has(keyOf(row))) report(`${keyOf(row)}: twice in the table`);
    unmatched.set(keyOf(row), row);
  }
  let equal = 0;
  for (const row of expected) {
    const key = keyOf(row);
    const found = unmatched.get(key);
    unmatched.delete(key);
    const difference = found === undefined ? "missing in the table" : columnDifference(row, found);
    if (difference === undefined) equal += 1;
    else report(`${key}: ${difference}`);
  }
  for (const key of unmatched.keys()) report(`${key}: not expected`);
  return { expected: expected.length, equal, differences };
}

function columnDifference(expected: TextRow, actual: TextRow): string | undefined {
  for (const [column, value] of Object.entries(expected)) {
    if (actual[column] !== value) return `${column} is ${actual[column] ?? "absent"}, expected ${value}`;
  }
  return undefined;
}
