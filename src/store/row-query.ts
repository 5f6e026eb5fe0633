import type { ColumnModel } from "./table.ts";

export type Comparison = "eq" | "ne" | "gt" | "gte" | "lt" | "lte";

/**
 * What rows must be like. As in SQL, a null in a row matches nothing but a comparison with null itself, which is `eq` or
 * `ne`.
 */
export type Condition =
  | { readonly kind: "compare"; readonly column: ColumnModel; readonly op: Comparison; readonly value: unknown }
  /** Values are not null; none of them: no row matches. */
  | { readonly kind: "in"; readonly column: ColumnModel; readonly values: readonly unknown[] }
  /** All of none holds, any of none does not. */
  | { readonly kind: "and" | "or"; readonly conditions: readonly Condition[] };

/** Null is greater than every value, as in PostgreSQL. */
export interface RowOrder {
  readonly column: ColumnModel;
  readonly descending: boolean;
}

/** Which rows of one chain are read, and in what order: a checked `find`. */
export interface RowQuery {
  readonly where: Condition;
  /** Total: ends with the columns of the key. */
  readonly orderBy: readonly RowOrder[];
  /** Undefined: all. */
  readonly limit: number | undefined;
}

/** Names of the columns by which the query selects its rows; without a condition, of those that it orders them by. */
export function columnsOf({ where, orderBy }: RowQuery): readonly string[] {
  const named = conditionColumns(where);
  return [...new Set(named.length > 0 ? named : orderBy.map(({ column }) => column.name))].sort();
}

function conditionColumns(where: Condition): readonly string[] {
  return "conditions" in where ? where.conditions.flatMap(conditionColumns) : [where.column.name];
}
