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
  /** An object with the key columns, checked. */
  keyRow(input: unknown): Row;
}

export function createRowShape(table: TableModel): RowShape {
  const columns = table.columns.map((column) => ({
    column,
    name: column.name,
    check: columnCheck(table.name, column),
  }));
  const keyChecks = table.key.map((name) => {
    const found = columns.find((column) => column.name === name);
    if (found === undefined)
      throw new SpindexError("SCHEMA_INVALID", `entity ${table.name}: no column ${name} for its key`);
    return found;
  });
  const single = keyChecks.length === 1 ? keyChecks[0] : undefined;

  const row = (input: Row, previous?: Row): Row => {
    if (typeof input !== "object" || input === null) {
      throw invalid(table, `a row of ${table.name} must be an object, not ${show(input)}`);
    }
    let changed: Record<string, unknown> | undefined;
    let present = 0;
    for (const { column, name, check } of columns) {
      const given = input[name];
      if (given !== undefined) present++;
      if (given !== undefined && previous !== undefined && previous[name] === given) continue;
      const value = given === undefined ? defaultOf(table, column) : check(given);
      if (value !== given) {
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
    keyRow: (input) =>
      Object.freeze(Object.fromEntries(keyChecks.map(({ name, check }) => [name, keyPart(check, name, input)]))),
  };
}

function isKeyObject(input: unknown): input is Row {
  return typeof input === "object" && input !== null;
}

function defaultOf(table: TableModel, column: ColumnModel): unknown {
  if (column.defaultValue !== undefined) return column.defaultValue;
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
