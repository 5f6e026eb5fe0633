import type { RowIndex } from "./row-index.ts";
import { RowIndexes } from "./row-indexes.ts";
import type { RowRecord } from "./row-record.ts";
import type { ColumnModel, KeyValue, Row } from "./table.ts";

/** What may be evicted now. */
export interface EvictionRequest {
  /** Bytes to free. */
  readonly bytes: number;
  /** Only rows that nothing later has changed: everything up to this run is durable, and no read is older. */
  readonly throughRun: number;
  /** Rows that were changed here, or rows that were only read. */
  readonly tier: "changed" | "loaded";
}

export interface Evicted {
  readonly rows: number;
  readonly bytes: number;
}

/**
 * The records of one table, a map a chain, and their size. Eviction goes round and round with one hand over all records,
 * oldest first, and passes over what was used since it last came by.
 */
export class RecordMap {
  readonly #sizeOf: (row: Row) => number;
  readonly #homes = new Map<number, Map<KeyValue, RowRecord>>();
  /** Where the last record was looked for: events come chain by chain. */
  #lastHome = -1;
  #lastRecords: Map<KeyValue, RowRecord> | undefined;
  /** What was found last: a row is read, and then set. */
  #last: RowRecord | undefined;
  #size = 0;
  #bytes = 0;
  #pendingBytes = 0;
  #hand: Iterator<RowRecord> | undefined;
  /** Undefined as long as no rows have been looked up by other columns than their keys. */
  #indexes: RowIndexes | undefined;

  constructor(sizeOf: (row: Row) => number) {
    this.#sizeOf = sizeOf;
  }

  get size(): number {
    return this.#size;
  }

  /** Memory of all records, about. */
  get bytes(): number {
    return this.#bytes;
  }

  /** Of those that hold a change which is in no sealed run. */
  get pendingBytes(): number {
    return this.#pendingBytes;
  }

  get(home: number, key: KeyValue): RowRecord | undefined {
    const last = this.#last;
    if (last !== undefined && last.key === key && last.home === home) return last;
    if (home !== this.#lastHome) {
      this.#lastRecords = this.#homes.get(home);
      // A home without records may get its map later.
      this.#lastHome = this.#lastRecords === undefined ? -1 : home;
    }
    const found = this.#lastRecords?.get(key);
    if (found !== undefined) this.#last = found;
    return found;
  }

  /** All records of a home, in any order. */
  of(home: number): Iterable<RowRecord> {
    return this.#homes.get(home)?.values() ?? [];
  }

  /** The existing rows of a home in the order of these columns, the key's among them. */
  indexOf(home: number, columns: readonly ColumnModel[]): RowIndex {
    this.#indexes ??= new RowIndexes();
    return this.#indexes.of(home, columns, this.of(home));
  }

  add(record: Omit<RowRecord, "bytes" | "isUsed" | "isPending" | "indexed">): RowRecord {
    const bytes = this.#sizeOf(record.row);
    const added: RowRecord = { ...record, bytes, isUsed: true, isPending: false, indexed: undefined };
    let records = this.#homes.get(record.home);
    if (records === undefined) {
      records = new Map();
      this.#homes.set(record.home, records);
    }
    records.set(record.key, added);
    this.#size++;
    this.#bytes += added.bytes;
    this.#indexes?.changed(added);
    return added;
  }

  delete(record: RowRecord): void {
    if (this.#homes.get(record.home)?.delete(record.key) !== true) return;
    if (this.#last === record) this.#last = undefined;
    this.setPending(record, false);
    this.#indexes?.removed(record);
    this.#size--;
    this.#bytes -= record.bytes;
  }

  /** The record got another row, or has none any more. */
  changed(record: RowRecord): void {
    this.#indexes?.changed(record);
    const bytes = this.#sizeOf(record.row);
    if (bytes === record.bytes) return;
    this.#bytes += bytes - record.bytes;
    if (record.isPending) this.#pendingBytes += bytes - record.bytes;
    record.bytes = bytes;
  }

  setPending(record: RowRecord, isPending: boolean): void {
    if (record.isPending === isPending) return;
    record.isPending = isPending;
    this.#pendingBytes += isPending ? record.bytes : -record.bytes;
  }

  evict(request: EvictionRequest): Evicted {
    let rows = 0;
    let bytes = 0;
    // Twice round at most: the first time may only find rows that were used.
    for (let looks = this.#size * 2; looks > 0 && bytes < request.bytes; looks--) {
      const record = this.#next();
      if (record === undefined) break;
      if (!mayGo(record, request)) continue;
      if (record.isUsed) {
        record.isUsed = false;
        continue;
      }
      rows++;
      bytes += record.bytes;
      this.delete(record);
    }
    return { rows, bytes };
  }

  #next(): RowRecord | undefined {
    for (let turn = 0; turn < 2; turn++) {
      this.#hand ??= this.#records();
      const { done, value } = this.#hand.next();
      if (done !== true) return value;
      this.#hand = undefined;
    }
    return undefined;
  }

  *#records(): Generator<RowRecord, undefined> {
    for (const records of this.#homes.values()) yield* records.values();
    return undefined;
  }
}

function mayGo(record: RowRecord, { throughRun, tier }: EvictionRequest): boolean {
  if (tier === "loaded") return record.changedAt === 0;
  return record.changedAt > 0 && record.run <= throughRun && !record.isPending;
}
