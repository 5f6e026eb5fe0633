import type { RowQuery } from "./row-query.ts";
import type { Row, StoredRow, TableModel } from "./table.ts";

/** Reads rows that are not in memory, each time those of one chain, or of all chains when they share the entity. */
export interface RowReader {
  /** Rows with these keys (rows or objects that hold the key columns), in any order; absent ones are left out. */
  rowsByKey(table: TableModel, chainId: number, keys: readonly Row[]): Promise<readonly StoredRow[]>;
  /** Rows that match, in the query's order. */
  rowsWhere(table: TableModel, chainId: number, query: RowQuery): Promise<readonly StoredRow[]>;
  /**
   * A page of a table: rows in the order of their keys.
   * @param after the last row of the page before; undefined: the first page
   * @returns fewer than `limit` rows: there are no more
   */
  rowsAfter(table: TableModel, chainId: number, after: Row | undefined, limit: number): Promise<readonly StoredRow[]>;
  /** About how many rows each table has, all chains together, by its name. Cheap: nothing is counted. */
  estimateRows(tables: readonly TableModel[]): Promise<ReadonlyMap<string, number>>;
}
