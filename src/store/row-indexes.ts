import { RowIndex } from "./row-index.ts";
import { rowComparator } from "./row-order.ts";
import type { RowRecord } from "./row-record.ts";
import type { ColumnModel } from "./table.ts";

/** The indexes over a table's records, a set a home. Each is built when it is first asked for and kept up to date since. */
export class RowIndexes {
  readonly #homes = new Map<number, Map<string, RowIndex>>();

  /** @param records all of the home */
  of(home: number, columns: readonly ColumnModel[], records: Iterable<RowRecord>): RowIndex {
    const indexes = this.#homes.get(home) ?? new Map<string, RowIndex>();
    this.#homes.set(home, indexes);
    const name = columns.map((column) => column.name).join(" ");
    const known = indexes.get(name);
    if (known !== undefined) return known;
    const rows = [];
    for (const record of records) {
      record.indexed = record.exists ? record.row : undefined;
      if (record.exists) rows.push(record.row);
    }
    const made = new RowIndex(rowComparator(columns.map((column) => ({ column, descending: false }))), rows);
    indexes.set(name, made);
    return made;
  }

  /** The record may have another row now, or none. */
  changed(record: RowRecord): void {
    this.#set(record, record.exists ? record.row : undefined);
  }

  removed(record: RowRecord): void {
    this.#set(record, undefined);
  }

  #set(record: RowRecord, after: RowRecord["indexed"]): void {
    const before = record.indexed;
    if (before === after) return;
    const indexes = this.#homes.get(record.home);
    if (indexes === undefined) return;
    for (const index of indexes.values()) {
      if (before === undefined) index.add(after as NonNullable<typeof after>);
      else if (after === undefined) index.remove(before);
      else index.replace(before, after);
    }
    record.indexed = after;
  }
}
