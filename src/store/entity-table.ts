import { ByteWriter } from "../lib/byte-writer.ts";
import type { ChangeScope } from "./change-scope.ts";
import type { ChangeKind, TableChanges } from "./drain-run.ts";
import { type BeforeImage, type Image, imageOf } from "./image.ts";
import type { Journal } from "./journal.ts";
import { type Evicted, type EvictionRequest, RecordMap } from "./record-map.ts";
import type { RowQuery } from "./row-query.ts";
import type { RowRecord } from "./row-record.ts";
import { RowSearch } from "./row-search.ts";
import { createRowShape, type RowShape } from "./row-shape.ts";
import type { IndexModel, KeyValue, Row, RowCodec, StoredRow, TableModel } from "./table.ts";

/** Reads by what answered them. */
export interface ReadCounts {
  readonly memory: number;
  readonly storage: number;
}

export interface EntityTableOptions {
  /** The storage has no row of this table that is not in memory: a miss needs no read. */
  readonly isComplete: boolean;
  /** The number of the first run, as the store counts runs: what may be evicted is told by it. */
  readonly firstRun: number;
  /** Called when rows are looked up by a declared index for the first time. */
  readonly onIndex?: (index: IndexModel) => void;
}

const SHARED = 0;

/** How a row that exists is written, by what is known of it in the storage. */
const KIND_OF = { absent: "inserts", present: "updates", unknown: "upserts" } as const;

/**
 * An entity's rows in memory: one map a chain, and what has changed since the last sealed run. Changes pass through
 * three places: the batch in progress, the open run (committed batches, not yet encoded) and a sealed run (encoded).
 */
export class EntityTable {
  readonly model: TableModel;
  readonly #shape: RowShape;
  readonly #codec: RowCodec;
  readonly #journal: Journal;
  readonly #records: RecordMap;
  /** Finds rows by other columns than their keys. */
  readonly search: RowSearch;
  #complete: boolean;
  /** Records that the batch in progress changed. May hold a record twice, or one whose change was undone. */
  #batchChanges: RowRecord[] = [];
  #batchHistory: BeforeImage[] = [];
  #runChanges: RowRecord[] = [];
  #runHistory: BeforeImage[] = [];
  /** Values of the open run that the batch in progress has overwritten since. */
  readonly #aside = new Map<RowRecord, Image>();
  #imageBytes = 0;
  #openRun: number;
  #reads = { memory: 0, storage: 0 };
  #batch = 0;

  constructor(model: TableModel, codec: RowCodec, journal: Journal, options: EntityTableOptions) {
    this.model = model;
    this.#shape = createRowShape(model);
    this.#codec = codec;
    this.#journal = journal;
    this.#complete = options.isComplete;
    this.#openRun = options.firstRun;
    this.#records = new RecordMap((row) => this.#shape.bytesOf(row));
    this.search = new RowSearch(model, this.#records, options.onIndex ?? (() => {}));
  }

  /** Every row of the table that is in the storage is in memory: a miss needs no read. Ends with the first eviction. */
  get isComplete(): boolean {
    return this.#complete;
  }

  /** Records in memory, and their bytes, about. */
  get records(): number {
    return this.#records.size;
  }

  get recordBytes(): number {
    return this.#records.bytes;
  }

  /** Memory of what is in no sealed run, about: changed rows, before-images, and values that were overwritten since. */
  get pendingBytes(): number {
    return this.#records.pendingBytes + this.#imageBytes;
  }

  /** Memory of the rows that are sealed or were loaded, about. */
  get keptBytes(): number {
    return this.#records.bytes - this.#records.pendingBytes;
  }

  /** Changed rows and before-images that are in no sealed run. */
  get changes(): number {
    return this.#batchChanges.length + this.#batchHistory.length + this.#runChanges.length + this.#runHistory.length;
  }

  /** A handler has read a row, and memory had the answer or had not. */
  countRead(outcome: keyof ReadCounts): void {
    this.#reads[outcome]++;
  }

  /** Reads by handlers since the last call. */
  takeReads(): ReadCounts {
    const taken = this.#reads;
    this.#reads = { memory: 0, storage: 0 };
    return taken;
  }

  /** Texts of its rows that were escaped since the last call. */
  takeEscapes(): number {
    return this.#shape.takeEscapes();
  }

  keyOf(input: unknown): KeyValue {
    return this.#shape.key(input);
  }

  keyRowOf(input: unknown): Row {
    return this.#shape.keyRow(input);
  }

  /** A checked, frozen row with defaults. */
  rowOf(input: Row): Row {
    return this.#shape.row(input);
  }

  /**
   * The row; "absent" when it is known that there is none; undefined when only the storage can tell.
   * @param keyInput the key as a handler gives it: checked, unless it is that of a record
   */
  peek(chainId: number, keyInput: unknown): Row | "absent" | undefined {
    const home = this.#home(chainId);
    return this.#known(this.#asGiven(home, keyInput) ?? this.#records.get(home, this.#shape.key(keyInput)));
  }

  /** As `peek`, by the key itself. */
  known(chainId: number, key: KeyValue): Row | "absent" | undefined {
    return this.#known(this.#records.get(this.#home(chainId), key));
  }

  #known(record: RowRecord | undefined): Row | "absent" | undefined {
    if (record === undefined) return this.#complete ? "absent" : undefined;
    record.isUsed = true;
    return record.exists ? record.row : "absent";
  }

  /** Rows in memory that match, in the query's order: the whole answer when the table is complete. */
  find(chainId: number, query: RowQuery): readonly Row[] {
    const home = this.#home(chainId);
    const rows = this.search.find(home, query);
    for (const row of rows) {
      const record = this.#records.get(home, this.#shape.key(row));
      if (record !== undefined) record.isUsed = true;
    }
    return rows;
  }

  set(scope: ChangeScope, input: Row): Row {
    const home = this.#home(scope.chainId);
    const given = this.#asGiven(home, input);
    const key = given?.key ?? this.#shape.key(input);
    const record = given ?? this.#records.get(home, key);
    const row = this.#shape.row(input, record?.exists === true ? record.row : undefined);
    this.#change(scope, key, record, row, true);
    return row;
  }

  delete(scope: ChangeScope, keyInput: unknown): void {
    const key = this.#shape.key(keyInput);
    const record = this.#records.get(this.#home(scope.chainId), key);
    if (record?.exists === false || (record === undefined && this.#complete)) return;
    this.#change(scope, key, record, record?.row ?? this.#shape.keyRow(keyInput), false);
  }

  /** Takes what a read brought for a key. A record that was made meanwhile is newer and stays. */
  loaded(chainId: number, key: KeyValue, keyRow: Row, stored: StoredRow | undefined): void {
    const home = this.#home(chainId);
    if (this.#records.get(home, key) !== undefined) return;
    this.#records.add({
      home,
      key,
      row: stored?.row ?? keyRow,
      exists: stored !== undefined,
      checkpoint: stored?.checkpoint ?? 0,
      changedAt: 0,
      event: 0,
      durability: stored === undefined ? "absent" : "present",
      run: 0,
    });
  }

  /** Every row of the table that is in the storage has been loaded. */
  loadedWhole(): void {
    this.#complete = true;
  }

  /** Drops rows that are durable, oldest first. The table is not complete any more when one has gone. */
  evict(request: EvictionRequest): Evicted {
    const evicted = this.#records.evict(request);
    if (evicted.rows > 0) this.#complete = false;
    return evicted;
  }

  /** A change was undone (called by the journal, newest first). */
  undone(record: RowRecord, created: boolean, imaged: boolean): void {
    if (imaged) this.#imageBytes -= this.#batchHistory.pop()?.bytes ?? 0;
    if (created) this.#records.delete(record);
    else this.#records.changed(record);
    if (record.changedAt === this.#batch) return;
    this.#takeBack(record);
    if (record.run !== this.#openRun) this.#records.setPending(record, false);
  }

  /** The batch in progress joins the open run. Returns how many changes it brings. */
  commit(batch: number): number {
    const changes = this.#batchChanges.length + this.#batchHistory.length;
    for (const record of this.#batchChanges) {
      // Not of this batch any more: its change was undone.
      if (record.changedAt !== batch || record.run === this.#openRun) continue;
      record.run = this.#openRun;
      this.#runChanges.push(record);
    }
    if (this.#batchHistory.length > 0) {
      this.#runHistory =
        this.#runHistory.length === 0 ? this.#batchHistory : this.#runHistory.concat(this.#batchHistory);
      this.#batchHistory = [];
    }
    this.#batchChanges = [];
    for (const record of this.#aside.keys()) this.#takeBack(record);
    return changes;
  }

  /** Encodes the open run as it was when its last batch was committed, whatever the batch in progress did since. */
  seal(): Omit<TableChanges, "table"> {
    const inserts = new ByteWriter();
    const updates = new ByteWriter();
    const upserts = new ByteWriter();
    const deletes = new ByteWriter();
    const history = new ByteWriter();
    const unknownHistory = new ByteWriter();
    const origins: Record<ChangeKind, number[]> = { inserts: [], updates: [], upserts: [], deletes: [] };
    for (const record of this.#runChanges) {
      const { row, exists, checkpoint, event } = this.#aside.get(record) ?? record;
      if (exists) {
        const kind = KIND_OF[record.durability];
        const out = kind === "inserts" ? inserts : kind === "updates" ? updates : upserts;
        this.#codec.encodeRow(out, record.home, checkpoint, row);
        origins[kind].push(event);
      } else if (record.durability !== "absent") {
        this.#codec.encodeKey(deletes, record.home, row);
        origins.deletes.push(event);
      }
      // Runs are written strictly in order: whatever is sealed next finds the storage as this run leaves it.
      record.durability = exists ? "present" : "absent";
      if (!this.#aside.has(record)) this.#records.setPending(record, false);
      this.#takeBack(record);
    }
    for (const image of this.#runHistory) {
      const { home } = image.record;
      this.#imageBytes -= image.bytes;
      if (!image.isKnown) {
        this.#codec.encodeUnknownImage(unknownHistory, home, image.changedAt, image.row);
        continue;
      }
      const previous = image.exists ? image.checkpoint : 0;
      this.#codec.encodeBeforeImage(history, home, image.changedAt, previous, image.row);
    }
    this.#runChanges = [];
    this.#runHistory = [];
    this.#openRun++;
    return {
      inserts: inserts.take(),
      updates: updates.take(),
      upserts: upserts.take(),
      deletes: deletes.take(),
      history: history.take(),
      unknownHistory: unknownHistory.take(),
      origins,
    };
  }

  #change(scope: ChangeScope, key: KeyValue, known: RowRecord | undefined, row: Row, exists: boolean): void {
    const record = known ?? this.#newRecord(scope.chainId, key, row);
    this.#batch = scope.batch;
    // The first change in a checkpoint keeps what the row was before it.
    const keep = this.model.crossChain ? scope.keepSharedHistory : scope.keepHistory;
    const imaged = keep && record.checkpoint !== scope.checkpoint;
    if (imaged) {
      const isKnown = known !== undefined || this.#complete;
      this.#batchHistory.push({ ...imageOf(record), changedAt: scope.checkpoint, isKnown });
      this.#imageBytes += record.bytes;
    }
    this.#journal.record(this, record, known === undefined, imaged);
    if (record.changedAt !== scope.batch) {
      if (record.run === this.#openRun) this.#putAside(record);
      this.#batchChanges.push(record);
      record.changedAt = scope.batch;
    }
    record.row = row;
    record.exists = exists;
    record.checkpoint = scope.checkpoint;
    record.event = scope.event;
    this.#records.changed(record);
    this.#records.setPending(record, true);
  }

  #putAside(record: RowRecord): void {
    this.#aside.set(record, imageOf(record));
    this.#imageBytes += record.bytes;
  }

  /** What was put aside of the record is not needed any more. */
  #takeBack(record: RowRecord): void {
    this.#imageBytes -= this.#aside.get(record)?.bytes ?? 0;
    this.#aside.delete(record);
  }

  /** The record that has the very key that was handed in, which is then a checked one. */
  #asGiven(home: number, input: unknown): RowRecord | undefined {
    const key = this.#shape.keyAsGiven(input);
    return key === undefined ? undefined : this.#records.get(home, key);
  }

  #newRecord(chainId: number, key: KeyValue, row: Row): RowRecord {
    const durability = this.#complete ? "absent" : "unknown";
    const home = this.#home(chainId);
    return this.#records.add({
      home,
      key,
      row,
      exists: false,
      checkpoint: 0,
      changedAt: 0,
      event: 0,
      durability,
      run: 0,
    });
  }

  #home(chainId: number): number {
    return this.model.crossChain ? SHARED : chainId;
  }
}
