import type { Place } from "./row-index.ts";
import { type Compare, comparatorOf, isComparable } from "./row-order.ts";
import type { Condition, RowOrder, RowQuery } from "./row-query.ts";
import type { ColumnModel, IndexModel, TableModel } from "./table.ts";

/** An order of rows in which they can be looked up. */
export interface SearchIndex {
  /** Those of the declared index, then those of the key: no two rows are equal. */
  readonly columns: readonly ColumnModel[];
  /** Undefined: the key's own. */
  readonly declared: IndexModel | undefined;
}

/** A stretch of an index. */
export interface Lookup {
  readonly index: SearchIndex;
  readonly place: Place;
}

/** How a query finds its rows: those of all lookups, of which some may not match. */
export interface LookupPlan {
  readonly lookups: readonly Lookup[];
  /** The rows of the one lookup come in the query's order, or in the opposite one. Undefined: they have to be sorted. */
  readonly order: "forward" | "backward" | undefined;
}

/** What the conditions that all rows must meet say of a column. */
interface Bounds {
  readonly column: ColumnModel;
  readonly compare: Compare;
  /** The values that it may have; undefined: not a list. */
  points: readonly unknown[] | undefined;
  readonly from: { readonly value: unknown; readonly isIncluded: boolean }[];
  readonly to: { readonly value: unknown; readonly isIncluded: boolean }[];
}

/** Beyond so many stretches of one index, the rows are gone through instead. */
const MAX_LOOKUPS = 1_000;

/** The indexes of a table that rows can be looked up in: its key, and those that were declared. */
export function searchIndexesOf(table: TableModel): readonly SearchIndex[] {
  const columnsOf = (names: readonly string[]): readonly ColumnModel[] =>
    names.map((name) => table.columns.find((column) => column.name === name) as ColumnModel);
  const key = columnsOf(table.key);
  const declared = table.indexes.flatMap((index): SearchIndex[] => {
    const columns = columnsOf(index.columns);
    const end = columns.findIndex((column) => !isComparable(column));
    const usable = end < 0 ? columns : columns.slice(0, end);
    if (usable.length === 0) return [];
    return [{ columns: [...usable, ...key.filter((column) => !usable.includes(column))], declared: index }];
  });
  return [{ columns: key, declared: undefined }, ...declared];
}

/** The lookups with which an index answers the query; undefined: every row has to be looked at. */
export function lookupPlanOf(query: RowQuery, indexes: readonly SearchIndex[]): LookupPlan | undefined {
  const best = bestLookups(query.where, indexes);
  if (best !== undefined) {
    const order = best.lookups.length === 1 ? orderOf(query.orderBy, best.index, best.fixed) : undefined;
    return { lookups: best.lookups, order };
  }
  if (query.where.kind === "or") return unionOf(query.where.conditions, indexes);
  if (query.limit === undefined) return undefined;
  // The whole of an index that has the order: the limit ends it.
  for (const index of indexes) {
    const order = orderOf(query.orderBy, index, NOTHING_FIXED);
    if (order !== undefined) return { lookups: [{ index, place: () => 0 }], order };
  }
  return undefined;
}

function unionOf(conditions: readonly Condition[], indexes: readonly SearchIndex[]): LookupPlan | undefined {
  const parts = conditions.map((condition) => bestLookups(condition, indexes));
  const lookups = parts.flatMap((part) => part?.lookups ?? []);
  return parts.includes(undefined) ? undefined : { lookups, order: undefined };
}

interface Lookups {
  readonly index: SearchIndex;
  readonly lookups: readonly Lookup[];
  /** Columns that have one and the same value in all of the rows. */
  readonly fixed: ReadonlySet<ColumnModel>;
  readonly score: number;
}

function bestLookups(where: Condition, indexes: readonly SearchIndex[]): Lookups | undefined {
  const bounds = boundsOf(where);
  let best: Lookups | undefined;
  for (const index of indexes) {
    const found = lookupsIn(index, bounds);
    if (found !== undefined && found.score > (best?.score ?? 0)) best = found;
  }
  return best;
}

/** The stretches of one index: its first columns by their values, then one by a range. */
function lookupsIn(index: SearchIndex, bounds: ReadonlyMap<string, Bounds>): Lookups | undefined {
  let prefixes: (readonly unknown[])[] = [[]];
  const fixed = new Set<ColumnModel>();
  let range: Bounds | undefined;
  let score = 0;
  for (const column of index.columns) {
    const bound = bounds.get(column.name);
    const points = bound?.points;
    if (points === undefined || prefixes.length * points.length > MAX_LOOKUPS) {
      range = bound !== undefined && bound.from.length + bound.to.length > 0 ? bound : undefined;
      break;
    }
    prefixes = prefixes.flatMap((prefix) => points.map((point) => [...prefix, point]));
    if (points.length === 1) fixed.add(column);
    score += 2;
  }
  if (range !== undefined) score++;
  if (score === 0) return undefined;
  const lookups = prefixes.map((prefix) => ({ index, place: placeOf(index.columns, prefix, range) }));
  return { index, lookups, fixed, score };
}

function placeOf(columns: readonly ColumnModel[], prefix: readonly unknown[], range: Bounds | undefined): Place {
  const parts = prefix.map((value, at) => {
    const column = columns[at] as ColumnModel;
    return { name: column.name, value, compare: comparatorOf(column) };
  });
  return (row) => {
    for (const { name, value, compare } of parts) {
      const order = compare(row[name], value);
      if (order !== 0) return order;
    }
    return range === undefined ? 0 : placeInRange(row[range.column.name], range);
  };
}

/** Null is no value of a range: it comes after all of them. */
function placeInRange(value: unknown, { compare, from, to }: Bounds): number {
  if (value === null) return 1;
  for (const bound of from) {
    const order = compare(value, bound.value);
    if (order < 0 || (order === 0 && !bound.isIncluded)) return -1;
  }
  for (const bound of to) {
    const order = compare(value, bound.value);
    if (order > 0 || (order === 0 && !bound.isIncluded)) return 1;
  }
  return 0;
}

/** What the conditions say of single columns; the rest is left to be tested. */
function boundsOf(where: Condition): ReadonlyMap<string, Bounds> {
  const found = new Map<string, Bounds>();
  const boundsFor = (column: ColumnModel): Bounds => {
    const known = found.get(column.name);
    if (known !== undefined) return known;
    const made: Bounds = { column, compare: comparatorOf(column), points: undefined, from: [], to: [] };
    found.set(column.name, made);
    return made;
  };
  const visit = (condition: Condition): void => {
    switch (condition.kind) {
      case "and":
        for (const part of condition.conditions) visit(part);
        return;
      case "or":
        return;
      case "in": {
        const bounds = boundsFor(condition.column);
        bounds.points ??= distinct(condition.values, bounds.compare);
        return;
      }
      case "compare": {
        const { column, op, value } = condition;
        const bounds = boundsFor(column);
        if (op === "eq") bounds.points = [value];
        else if (op === "gt" || op === "gte") bounds.from.push({ value, isIncluded: op === "gte" });
        else if (op === "lt" || op === "lte") bounds.to.push({ value, isIncluded: op === "lte" });
      }
    }
  };
  visit(where);
  return found;
}

function distinct(values: readonly unknown[], compare: Compare): readonly unknown[] {
  return values.toSorted(compare).filter((value, at, sorted) => at === 0 || compare(value, sorted[at - 1]) !== 0);
}

const NOTHING_FIXED: ReadonlySet<ColumnModel> = new Set();

/** How the rows of a lookup come, to the query's order. Columns with one value for all are no part of either. */
function orderOf(
  orderBy: readonly RowOrder[],
  { columns }: SearchIndex,
  fixed: ReadonlySet<ColumnModel>,
): LookupPlan["order"] {
  const wanted = orderBy.filter(({ column }) => !fixed.has(column));
  const given = columns.filter((column) => !fixed.has(column));
  if (!wanted.every(({ column }, at) => column === given[at])) return undefined;
  const [first] = wanted;
  if (!wanted.every(({ descending }) => descending === first?.descending)) return undefined;
  return first?.descending === true ? "backward" : "forward";
}
