import type { RowRecord } from "./row-record.ts";
import type { Row } from "./table.ts";

/** A table whose records the journal puts back. */
interface RecordTable {
  /** The record is as it was before the change: `created` and `imaged` as they were given to `record`. */
  undone(record: RowRecord, created: boolean, imaged: boolean): void;
}

/** A table that keeps its own marks. */
interface MarkedTable {
  undoEvent(): void;
  undoBlock(): void;
}

/** How a record was before a change. */
interface Entry {
  table: RecordTable;
  record: RowRecord;
  row: Row;
  exists: boolean;
  checkpoint: number;
  changedAt: number;
  event: number;
  /** The change made the record: undoing forgets it. */
  created: boolean;
  /** The change added a before-image to the table's history. */
  imaged: boolean;
}

/**
 * What the current block has changed, so that an event or the whole block can be undone. A handler that throws leaves
 * nothing behind. Entries are used again from block to block: a change allocates nothing here.
 */
export class Journal {
  #entries: Entry[] = [];
  #length = 0;
  #eventStart = 0;
  /** Counts up with each event and block; append tables remember at which one they last set their marks. */
  event = 0;
  block = 0;
  readonly #appends: MarkedTable[] = [];

  /** The table is told when to go back to its marks. */
  follow(table: MarkedTable): void {
    this.#appends.push(table);
  }

  beginBlock(): void {
    this.block++;
    this.event++;
    this.#length = 0;
    this.#eventStart = 0;
  }

  beginEvent(): void {
    this.event++;
    this.#eventStart = this.#length;
  }

  record(table: RecordTable, record: RowRecord, created: boolean, imaged: boolean): void {
    let entry = this.#entries[this.#length];
    if (entry === undefined) {
      entry = { table, record, row: record.row, exists: false, checkpoint: 0, changedAt: 0, event: 0, created, imaged };
      this.#entries.push(entry);
    }
    entry.table = table;
    entry.record = record;
    entry.row = record.row;
    entry.exists = record.exists;
    entry.checkpoint = record.checkpoint;
    entry.changedAt = record.changedAt;
    entry.event = record.event;
    entry.created = created;
    entry.imaged = imaged;
    this.#length++;
  }

  undoEvent(): void {
    this.#undoTo(this.#eventStart);
    for (const table of this.#appends) table.undoEvent();
  }

  undoBlock(): void {
    this.#undoTo(0);
    this.#eventStart = 0;
    for (const table of this.#appends) table.undoBlock();
  }

  #undoTo(length: number): void {
    while (this.#length > length) {
      this.#length--;
      const entry = this.#entries[this.#length] as Entry;
      const { record } = entry;
      record.row = entry.row;
      record.exists = entry.exists;
      record.checkpoint = entry.checkpoint;
      record.changedAt = entry.changedAt;
      record.event = entry.event;
      entry.table.undone(record, entry.created, entry.imaged);
    }
  }
}
