import { SpindexError } from "../errors.ts";
import { columnCheck, show, type ValueCheck } from "./column-check.ts";
import { rowSizer } from "./row-size.ts";
import type { ColumnModel, KeyValue, Row, TableModel } from "./table.ts";

/**
 * What a row of one table looks like: checks what users hand in, fills defaults, brings hex to lower case, freezes.
 * Checked here, where the event is known, and not when the database refuses it.
 */
export interface RowShape {
  /**
   * A frozen row with every column. Values that are identical to those of `previous` are not checked again.
   * @throws SpindexError ROW_INVALID
   */
  row(input: Row, previous?: Row): Row;
  /** Memory that a row takes in a record, about: strings of fixed length are counted by their column's kind. */
  bytesOf(row: Row): number;
  /** The key of a row, or of an object with the key columns, or a bare value when the key has one column. */
  key(input: unknown): KeyValue;
  /** The key as it was handed in, not checked; undefined when it has several columns, or is missing. */
  keyAsGiven(input: unknown): KeyValue | undefined;
  /** An object with the key columns, checked. */
  keyRow(input: unknown): Row;
  /** How many texts in rows the storage could not hold as they were given, since the last call. */
  takeEscapes(): number;
}

export function createRowShape(table: TableModel): RowShape {
  let escapes = 0;
  const onEscape = (): void => {
    escapes++;
  };
  const columns = table.columns.map((column) => ({
    column,
    name: column.name,
    check: columnCheck(table.name, column, onEscape),
    defaultValue: storedDefault(table, column),
  }));
  const keyChecks = table.key.map((name) => {
    const column = table.columns.find((candidate) => candidate.name === name);
    if (column === undefined)
      throw new SpindexError("SCHEMA_INVALID", `entity ${table.name}: no column ${name} for its key`);
    return { name, check: columnCheck(table.name, column) };
  });
  const single = keyChecks.length === 1 ? keyChecks[0] : undefined;

  const row = (input: Row, previous?: Row): Row => {
    if (typeof input !== "object" || input === null) {
      throw invalid(table, `a row of ${table.name} must be an object, not ${show(input)}`);
    }
    let changed: Record<string, unknown> | undefined;
    let present = 0;
    for (const { column, name, check, defaultValue } of columns) {
      const given = input[name];
      if (given !== undefined) present++;
      if (given !== undefined && previous !== undefined && Object.is(previous[name], given)) continue;
      const value = given === undefined ? (defaultValue ?? absent(table, column)) : check(given);
      if (!Object.is(value, given)) {
        changed ??= {};
        changed[name] = value;
      }
    }
    if (changed === undefined) {
      if (countOf(input) === present) return Object.freeze(input);
      refuseUnknown(table, columns, input);
    }
    if (countOf(input) !== present) refuseUnknown(table, columns, input);
    const complete: Record<string, unknown> = {};
    for (const { name } of columns)
      complete[name] = changed !== undefined && name in changed ? changed[name] : input[name];
    return Object.freeze(complete);
  };

  const keyPart = (check: ValueCheck, name: string, input: unknown): KeyValue => {
    const given = single !== undefined && !isKeyObject(input) ? input : (input as Row)[name];
    if (given === undefined) {
      throw invalid(table, `the key of ${table.name} needs ${table.key.join(", ")}: ${name} is missing`);
    }
    return check(given) as KeyValue;
  };

  return {
    row,
    bytesOf: rowSizer(table),
    key: (input) => {
      if (single !== undefined) return keyPart(single.check, single.name, input);
      if (!isKeyObject(input))
        throw invalid(table, `the key of ${table.name} is an object of ${table.key.join(", ")}, not ${show(input)}`);
      let joined = "";
      for (const { name, check } of keyChecks) {
        const part = String(keyPart(check, name, input));
        // Parts may hold any character: with its length before it, a part cannot run into the next one.
        joined += `${part.length}:${part}`;
      }
      return joined;
    },
    keyAsGiven: (input) => {
      if (single === undefined) return undefined;
      return (isKeyObject(input) ? input[single.name] : input) as KeyValue | undefined;
    },
    keyRow: (input) =>
      Object.freeze(Object.fromEntries(keyChecks.map(({ name, check }) => [name, keyPart(check, name, input)]))),
    takeEscapes: () => {
      const taken = escapes;
      escapes = 0;
      return taken;
    },
  };
}

function isKeyObject(input: unknown): input is Row {
  return typeof input === "object" && input !== null;
}

/** A column's default as a row holds it. */
function storedDefault(table: TableModel, column: ColumnModel): unknown {
  const { defaultValue } = column;
  return defaultValue === undefined ? undefined : columnCheck(table.name, column)(defaultValue);
}

/** What a column that was left out without a default holds. */
function absent(table: TableModel, column: ColumnModel): null {
  if (column.defaultValue === null) return null;
  throw invalid(
    table,
    `${table.name}.${column.name} is missing`,
    `Give it${column.nullable ? " (null is allowed)" : ""}.`,
  );
}

/** Own enumerable properties that are not undefined: `{...row, memo: undefined}` leaves the column out. */
function countOf(input: Row): number {
  let count = 0;
  for (const name in input) if (input[name] !== undefined) count++;
  return count;
}

function refuseUnknown(table: TableModel, columns: readonly { name: string }[], input: Row): never {
  const unknown = Object.keys(input).filter((name) => !columns.some((column) => column.name === name));
  throw invalid(
    table,
    `${table.name} has no column ${unknown.join(", ")}`,
    `Its columns are ${columns.map(({ name }) => name).join(", ")}.`,
  );
}

function invalid(table: TableModel, message: string, fix?: string): SpindexError {
  return new SpindexError("ROW_INVALID", message, {
    details: { entity: table.name },
    ...(fix === undefined ? {} : { fix }),
  });
}
