import { SpindexError } from "../errors.ts";
import { columnCheck, show } from "./column-check.ts";
import { isComparable } from "./row-order.ts";
import type { Comparison, Condition, RowOrder, RowQuery } from "./row-query.ts";
import type { ColumnModel, TableModel } from "./table.ts";

const COMPARISONS: readonly string[] = ["eq", "ne", "gt", "gte", "lt", "lte"] satisfies Comparison[];
const OPTIONS: readonly string[] = ["where", "orderBy", "limit"];

/**
 * A function that checks what a handler gives to `find`, and brings its values to the form that rows hold.
 * @throws SpindexError FIND_INVALID naming entity, place and value; ROW_INVALID for a value that the column cannot hold
 */
export function createQueryShape(table: TableModel): (input?: unknown) => RowQuery {
  const columns = new Map(table.columns.map((column) => [column.name, column]));

  const columnOf = (place: string, name: string): ColumnModel => {
    const column = columns.get(name);
    if (column === undefined) {
      throw invalid(
        table,
        `${place}: there is no column ${name}`,
        `Its columns are ${[...columns.keys()].join(", ")}.`,
      );
    }
    if (isComparable(column)) return column;
    throw invalid(table, `${place}: ${name} is ${column.array ? "an array" : "json"}, which has no order`, KEEP_APART);
  };

  const where = (place: string, input: unknown): Condition => {
    const conditions = entriesOf(table, place, input).map(([name, value]): Condition => {
      const at = `${place}.${name}`;
      if ((name === "and" || name === "or") && !columns.has(name)) {
        if (!Array.isArray(value)) throw invalid(table, `${at}: a list is expected, not ${show(value)}`);
        return { kind: name, conditions: value.map((part, number) => where(`${at}[${number}]`, part)) };
      }
      return comparisons(table, at, columnOf(place, name), value);
    });
    return conditions.length === 1 ? (conditions[0] as Condition) : { kind: "and", conditions };
  };

  const orderBy = (input: unknown): RowOrder[] => {
    const order = entriesOf(table, "orderBy", input).map(([name, direction]) => {
      if (direction === "asc" || direction === "desc") {
        return { column: columnOf("orderBy", name), descending: direction === "desc" };
      }
      throw invalid(table, `orderBy.${name}: "asc" or "desc" is expected, not ${show(direction)}`);
    });
    // Ties run in the same direction: an index serves it from either end.
    const descending = order.at(-1)?.descending ?? false;
    const named = new Set(order.map(({ column }) => column.name));
    const ties = table.key.filter((name) => !named.has(name));
    return [...order, ...ties.map((name) => ({ column: columns.get(name) as ColumnModel, descending }))];
  };

  return (input = {}) => {
    const given = Object.fromEntries(entriesOf(table, "find", input, OPTIONS));
    const { limit } = given;
    if (limit !== undefined && !(Number.isSafeInteger(limit) && (limit as number) > 0)) {
      throw invalid(table, `limit: a whole number from 1 is expected, not ${show(limit)}`);
    }
    return {
      where: where("where", given.where ?? {}),
      orderBy: orderBy(given.orderBy ?? {}),
      limit: limit as number | undefined,
    };
  };
}

const KEEP_APART = "Keep what you look for in a column of its own.";

/** A bare value is compared for equality; an object has operators, which must all hold. */
function comparisons(table: TableModel, place: string, column: ColumnModel, input: unknown): Condition {
  if (typeof input !== "object" || input === null) return comparison(table, place, column, "eq", input);
  const conditions = entriesOf(table, place, input).map(([op, value]): Condition => {
    if (COMPARISONS.includes(op)) return comparison(table, `${place}.${op}`, column, op as Comparison, value);
    if (op !== "in") throw invalid(table, `${place}: there is no operator ${op}`, `Use ${COMPARISONS.join(", ")}, in.`);
    if (!Array.isArray(value)) throw invalid(table, `${place}.in: a list is expected, not ${show(value)}`);
    return { kind: "in", column, values: value.map((one) => checked(table, `${place}.in`, column, one)) };
  });
  return conditions.length === 1 ? (conditions[0] as Condition) : { kind: "and", conditions };
}

function comparison(table: TableModel, place: string, column: ColumnModel, op: Comparison, value: unknown): Condition {
  const isOfNull = value === null && column.nullable && (op === "eq" || op === "ne");
  return { kind: "compare", column, op, value: isOfNull ? null : checked(table, place, column, value) };
}

function checked(table: TableModel, place: string, column: ColumnModel, value: unknown): unknown {
  if (value === undefined) throw invalid(table, `${place} is undefined`, "Leave it out, or give the value.");
  if (value === null) {
    const fix = column.nullable
      ? `Compare ${column.name} with null itself, or with { ne: null }.`
      : `${column.name} is never null.`;
    throw invalid(table, `${place}: nothing is equal to, less or greater than null`, fix);
  }
  return columnCheck(table.name, column)(value);
}

/** @param allowed names that the object may have; left out: any */
function entriesOf(
  table: TableModel,
  place: string,
  input: unknown,
  allowed?: readonly string[],
): readonly (readonly [string, unknown])[] {
  if (typeof input !== "object" || input === null || Array.isArray(input)) {
    throw invalid(table, `${place}: an object is expected, not ${show(input)}`);
  }
  const entries = Object.entries(input);
  const unknown = entries.find(([name]) => allowed?.includes(name) === false);
  if (unknown !== undefined) {
    throw invalid(table, `${place}: there is no option ${unknown[0]}`, `Its options are ${allowed?.join(", ")}.`);
  }
  return entries;
}

function invalid(table: TableModel, message: string, fix?: string): SpindexError {
  return new SpindexError("FIND_INVALID", `store.${table.name}.find: ${message}`, {
    details: { entity: table.name },
    ...(fix === undefined ? {} : { fix }),
  });
}
