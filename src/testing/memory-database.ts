import type { ChainProgress } from "../batch/batch.ts";
import type { BlockHeader } from "../chain/block.ts";
import type { CheckpointPosition, DrainRun, SkippedEvent, TableChanges } from "../store/drain-run.ts";
import { createRowShape, type RowShape } from "../store/row-shape.ts";
import type { Row, StoredRow, TableModel } from "../store/table.ts";
import { WriteFailure } from "../write/storage.ts";
import { decodedImages, decodedRows, type EncodedImage, type EncodedRow } from "./memory-codec.ts";

/** A durable run, its rows apart. */
export type DurableRun = Omit<DrainRun, "tables">;

/** Who writes, and which write it is: as the shard's row in PostgreSQL guards every transaction. */
export interface WriteClaim {
  readonly token: string;
  /** Counts up from 1, over all owners. */
  readonly writeSeq: number;
}

/** Rows by key, before-images by key and checkpoint. */
interface Contents {
  readonly rows: ReadonlyMap<string, EncodedRow>;
  readonly history: ReadonlyMap<string, EncodedImage>;
}

interface MutableContents {
  readonly rows: Map<string, EncodedRow>;
  readonly history: Map<string, EncodedImage>;
}

/**
 * What is durable: it outlives the storages that are opened on it, as a database outlives a crash. A run is applied as a
 * whole or not at all, and refused where PostgreSQL would refuse it.
 */
export class MemoryDatabase {
  readonly tables: readonly TableModel[];
  readonly #shapes = new Map<string, RowShape>();
  #contents = new Map<string, Contents>();
  #token: string | undefined;
  #writeSeq = 0;
  #nextCheckpoint = 1;
  readonly #progress = new Map<number, ChainProgress>();
  readonly #headers = new Map<number, readonly BlockHeader[]>();
  readonly #runs: DurableRun[] = [];

  constructor(tables: readonly TableModel[]) {
    this.tables = tables;
    for (const table of tables) {
      this.#shapes.set(table.name, createRowShape(table));
      this.#contents.set(table.name, { rows: new Map(), history: new Map() });
    }
  }

  get writeSeq(): number {
    return this.#writeSeq;
  }

  get nextCheckpoint(): number {
    return this.#nextCheckpoint;
  }

  get committedCheckpoint(): number {
    return this.#nextCheckpoint - 1;
  }

  /** Where each chain stands, with all its stored headers. */
  get progress(): readonly ChainProgress[] {
    return [...this.#progress.values()].map((progress) => ({
      ...progress,
      headers: this.#headers.get(progress.chainId) ?? [],
    }));
  }

  /** Durable runs, oldest first. */
  get runs(): readonly DurableRun[] {
    return this.#runs;
  }

  get skipped(): readonly SkippedEvent[] {
    return this.#runs.flatMap((run) => run.skipped);
  }

  get positions(): readonly CheckpointPosition[] {
    return this.#runs.flatMap((run) => run.positions);
  }

  /** Names of the tables without a row. */
  get emptyTables(): ReadonlySet<string> {
    return new Set(this.tables.filter(({ name }) => this.#of(name).rows.size === 0).map(({ name }) => name));
  }

  /** A table's rows, in the order in which their keys were first written. */
  rows(table: string): readonly EncodedRow[] {
    return [...this.#of(table).rows.values()];
  }

  /** A table's before-images, in the order in which they were written. */
  history(table: string): readonly EncodedImage[] {
    return [...this.#of(table).history.values()];
  }

  /** @param key an object that holds the key columns, or the bare value of a key of one column */
  row(table: TableModel, chainId: number, key: unknown): StoredRow | undefined {
    const found = this.#of(table.name).rows.get(this.#placeOf(table, chainId, key));
    return found === undefined ? undefined : { row: found.row, checkpoint: found.checkpoint };
  }

  /** Makes `token` the one writer; whoever was it before is fenced from now on. */
  own(token: string): void {
    this.#token = token;
  }

  /** @throws WriteFailure fenced, went_back, fatal: nothing was changed */
  write(run: DrainRun, claim: WriteClaim): "durable" | "already_durable" {
    if (claim.token !== this.#token) throw new WriteFailure("fenced", `the writer is now ${this.#token}`);
    if (claim.writeSeq === this.#writeSeq) return "already_durable";
    if (claim.writeSeq > this.#writeSeq + 1) {
      throw new WriteFailure("went_back", `the database is at write ${this.#writeSeq}, before ${claim.writeSeq - 1}`);
    }
    require(claim.writeSeq === this.#writeSeq + 1, `write ${claim.writeSeq} after write ${this.#writeSeq}`);
    const { from } = run.checkpoints;
    require(from === this.#nextCheckpoint, `checkpoint ${from} where ${this.#nextCheckpoint} is next`);
    const contents = new Map(this.#contents);
    for (const changes of run.tables) contents.set(changes.table.name, this.#changed(changes, run));
    this.#contents = contents;
    this.#note(run);
    this.#writeSeq = claim.writeSeq;
    return "durable";
  }

  #note(run: DrainRun): void {
    const { tables, ...durable } = run;
    this.#runs.push(durable);
    this.#nextCheckpoint = run.checkpoints.to + 1;
    for (const progress of run.progress) {
      this.#progress.set(progress.chainId, progress);
      const headers = new Map(this.#headers.get(progress.chainId)?.map((header) => [header.number, header]));
      for (const header of progress.headers) headers.set(header.number, header);
      this.#headers.set(
        progress.chainId,
        [...headers.values()].toSorted((a, b) => a.number - b.number),
      );
    }
  }

  /** The table as the run leaves it. Before-images are taken while it still holds what was before. */
  #changed(changes: TableChanges, run: DrainRun): Contents {
    const { table } = changes;
    const before = this.#of(table.name);
    const after: MutableContents = { rows: new Map(before.rows), history: new Map(before.history) };
    const place = ({ chainId }: { readonly chainId: number }, key: Row): string => this.#placeOf(table, chainId, key);
    const isInRun = (checkpoint: number): boolean =>
      checkpoint >= run.checkpoints.from && checkpoint <= run.checkpoints.to;
    const remember = (image: EncodedImage): void => {
      const at = `${place(image, image.key)} ${image.changedAt}`;
      require(run.mode === "keep", `${table.name}: a before-image in a run of mode ${run.mode}`);
      require(isInRun(image.changedAt), `${table.name}: a before-image of checkpoint ${image.changedAt}`);
      require(!after.history.has(at), `${table.name}: two before-images of ${at}`);
      after.history.set(at, image);
    };
    for (const image of decodedImages(changes.history)) remember(image);
    for (const image of decodedImages(changes.unknownHistory)) {
      const found = before.rows.get(place(image, image.key));
      remember({ ...image, before: found && { row: found.row, checkpoint: found.checkpoint } });
    }
    const put = (row: EncodedRow): void => {
      require(isInRun(row.checkpoint), `${table.name}: a row of checkpoint ${row.checkpoint}`);
      after.rows.set(place(row, row.row), row);
    };
    for (const key of decodedRows(changes.deletes)) after.rows.delete(place(key, key.row));
    for (const row of decodedRows(changes.upserts)) put(row);
    for (const row of decodedRows(changes.updates)) {
      require(after.rows.has(place(row, row.row)), `${table.name}: no row ${place(row, row.row)} to update`);
      put(row);
    }
    for (const row of decodedRows(changes.inserts)) {
      require(!after.rows.has(place(row, row.row)), `${table.name}: there is a row ${place(row, row.row)} already`);
      put(row);
    }
    return after;
  }

  #of(table: string): Contents {
    const contents = this.#contents.get(table);
    require(contents !== undefined, `there is no table ${table}`);
    return contents;
  }

  #placeOf(table: TableModel, chainId: number, key: unknown): string {
    const shape = this.#shapes.get(table.name);
    require(shape !== undefined, `there is no table ${table.name}`);
    return `${table.crossChain ? 0 : chainId}/${shape.key(key)}`;
  }
}

function require(condition: boolean, what: string): asserts condition {
  if (!condition) throw new WriteFailure("fatal", what);
}
