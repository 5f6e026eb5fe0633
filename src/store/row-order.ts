import type { RowOrder } from "./row-query.ts";
import type { ColumnModel, Row } from "./table.ts";

/** Less than, equal to, greater than 0: as PostgreSQL orders the column. Null is greater than every value. */
export type Compare = (a: unknown, b: unknown) => number;

/** Whether the column's values have an order that memory and PostgreSQL share. */
export function isComparable({ kind, array }: ColumnModel): boolean {
  return !array && kind !== "json";
}

export function comparatorOf(column: ColumnModel): Compare {
  const compare = valueComparator(column);
  return (a, b) => {
    if (a === b) return 0;
    if (a === null) return 1;
    return b === null ? -1 : compare(a, b);
  };
}

/** Compares rows by columns, one after the other. */
export function rowComparator(orderBy: readonly RowOrder[]): (a: Row, b: Row) => number {
  const parts = orderBy.map(({ column, descending }) => ({
    name: column.name,
    compare: comparatorOf(column),
    sign: descending ? -1 : 1,
  }));
  return (a, b) => {
    for (const { name, compare, sign } of parts) {
      const order = compare(a[name], b[name]);
      if (order !== 0) return order * sign;
    }
    return 0;
  };
}

function valueComparator({ kind, scale = 0 }: ColumnModel): Compare {
  switch (kind) {
    case "text":
    case "enum":
      return (a, b) => compareTexts(a as string, b as string);
    case "numeric":
      return (a, b) => natural(unscaled(a as string, scale), unscaled(b as string, scale));
    case "float64":
      return (a, b) => compareFloats(a as number, b as number);
    default:
      // Hex in lower case is ordered as its bytes are.
      return (a, b) => natural(a as number, b as number);
  }
}

function natural<T extends number | bigint | string | boolean>(a: T, b: T): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** NaN equals itself and is greater than every number. */
function compareFloats(a: number, b: number): number {
  if (Number.isNaN(a)) return Number.isNaN(b) ? 0 : 1;
  return Number.isNaN(b) ? -1 : natural(a, b);
}

/** A row's decimals have all digits of their column's scale. */
function unscaled(text: string, scale: number): bigint {
  return BigInt(scale === 0 ? text : text.slice(0, -scale - 1) + text.slice(-scale));
}

/** By code points, which is the order of UTF-8's bytes and so of collation "C"; JavaScript's own is by code units. */
function compareTexts(a: string, b: string): number {
  const length = Math.min(a.length, b.length);
  for (let at = 0; at < length; at++) {
    const [one, other] = [a.charCodeAt(at), b.charCodeAt(at)];
    if (one !== other) return rankOf(one) - rankOf(other);
  }
  return a.length - b.length;
}

/** Surrogates stand for code points beyond all others. */
function rankOf(codeUnit: number): number {
  return codeUnit >= 0xd800 && codeUnit <= 0xdfff ? codeUnit + 0x1_0000 : codeUnit;
}
