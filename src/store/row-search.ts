import { conditionTest } from "./condition.ts";
import { type LookupPlan, lookupPlanOf, type SearchIndex, searchIndexesOf } from "./lookup-plan.ts";
import { createQueryShape } from "./query-shape.ts";
import type { RecordMap } from "./record-map.ts";
import { rowComparator } from "./row-order.ts";
import type { Condition, RowQuery } from "./row-query.ts";
import type { IndexModel, Row, StoredRow, TableModel } from "./table.ts";

/** Finds rows among the records of one table by their columns. */
export class RowSearch {
  /** Checks what a handler gives to `find`. */
  readonly queryOf: (input?: unknown) => RowQuery;
  readonly #records: RecordMap;
  readonly #indexes: readonly SearchIndex[];
  readonly #onIndex: (index: IndexModel) => void;
  readonly #used = new Set<IndexModel>();

  /** @param onIndex called when rows are looked up by a declared index for the first time */
  constructor(model: TableModel, records: RecordMap, onIndex: (index: IndexModel) => void) {
    this.queryOf = createQueryShape(model);
    this.#records = records;
    this.#indexes = searchIndexesOf(model);
    this.#onIndex = onIndex;
  }

  /** Whether the query has to look at every row of the table, and could do with an index. */
  isScan(query: RowQuery): boolean {
    return (hasCondition(query.where) || query.limit !== undefined) && this.#planOf(query) === undefined;
  }

  /** The existing rows of a home that match, in the query's order. */
  find(home: number, query: RowQuery): readonly Row[] {
    const plan = this.#planOf(query);
    const test = conditionTest(query.where);
    const limit = query.limit ?? Number.POSITIVE_INFINITY;
    if (plan?.order !== undefined) return firstOf(this.#candidates(home, plan), test, limit);
    const found = new Set<Row>();
    for (const row of this.#candidates(home, plan)) if (test(row)) found.add(row);
    const sorted = [...found].sort(rowComparator(query.orderBy));
    return sorted.length > limit ? sorted.slice(0, limit) : sorted;
  }

  *#candidates(home: number, plan: LookupPlan | undefined): Generator<Row, void> {
    if (plan === undefined) {
      for (const record of this.#records.of(home)) if (record.exists) yield record.row;
      return;
    }
    for (const { index, place } of plan.lookups) {
      this.#use(index);
      yield* this.#records.indexOf(home, index.columns).at(place, plan.order === "backward");
    }
  }

  #use({ declared }: SearchIndex): void {
    if (declared === undefined || this.#used.has(declared)) return;
    this.#used.add(declared);
    this.#onIndex(declared);
  }

  #planOf(query: RowQuery): LookupPlan | undefined {
    return lookupPlanOf(query, this.#indexes);
  }
}

/**
 * Whether rows found in memory are the whole answer, when memory holds everything that it knows better than the storage
 * and what the storage has answered.
 * @param stored the storage's answer to the query with the limit `asked`
 */
export function isWhole(
  query: RowQuery,
  found: readonly Row[],
  stored: readonly StoredRow[],
  asked: number | undefined,
): boolean {
  const lastStored = stored.at(-1);
  if (asked === undefined || lastStored === undefined || stored.length < asked) return true;
  const last = found.at(-1);
  if (last === undefined || found.length < (query.limit ?? 0)) return false;
  // Beyond the last row that the storage has given there may be others, before what memory has there.
  return rowComparator(query.orderBy)(last, lastStored.row) <= 0;
}

function firstOf(rows: Iterable<Row>, test: (row: Row) => boolean, limit: number): readonly Row[] {
  const found: Row[] = [];
  for (const row of rows) {
    if (!test(row)) continue;
    found.push(row);
    if (found.length >= limit) break;
  }
  return found;
}

function hasCondition(where: Condition): boolean {
  return where.kind !== "and" || where.conditions.length > 0;
}
