import type { ChainProgress } from "../batch/batch.ts";
import type { ResumePoint } from "../postgres/resume.ts";
import type { RollbackOutcome, RollbackRequest } from "../reorg/rollback.ts";
import { conditionTest } from "../store/condition.ts";
import type { CheckpointPosition, DrainRun, SkippedEvent, TableChanges } from "../store/drain-run.ts";
import type { EffectKey, StoredEffect } from "../store/effect-table.ts";
import { rowComparator } from "../store/row-order.ts";
import type { RowQuery } from "../store/row-query.ts";
import { createRowShape, type RowShape } from "../store/row-shape.ts";
import type { ColumnModel, Row, StoredRow, TableModel } from "../store/table.ts";
import type { ChainMetadata } from "../write/chain-metadata.ts";
import { WriteFailure } from "../write/storage.ts";
import { explainUnclaimed, type WriteNumber } from "../write/write-guard.ts";
import { decodedImages, decodedRows, type EncodedImage, type EncodedRow } from "./memory-codec.ts";
import { rolledBack } from "./memory-rollback.ts";
import {
  type Contents,
  type DurableRun,
  effectPlaceOf,
  emptyState,
  type MemoryState,
  resumePointOf,
  type StoredChain,
  withMetadata,
  withRun,
} from "./memory-state.ts";

/** Who writes, and which write it is: as the shard's row in PostgreSQL guards every transaction. */
export interface WriteClaim extends WriteNumber {
  readonly token: string;
}

export type WriteResult = "durable" | "already_durable";

interface MutableContents {
  readonly rows: Map<string, EncodedRow>;
  readonly history: Map<string, EncodedImage>;
}

/**
 * What is durable: it outlives the storages that are opened on it, as a database outlives a crash. A write is applied as
 * a whole or not at all, and refused where PostgreSQL would refuse it.
 */
export class MemoryDatabase {
  readonly tables: readonly TableModel[];
  readonly #shapes = new Map<string, RowShape>();
  #state: MemoryState;

  constructor(tables: readonly TableModel[]) {
    this.tables = tables;
    for (const table of tables) this.#shapes.set(table.name, createRowShape(table));
    this.#state = emptyState(tables.map(({ name }) => name));
  }

  /** Everything in it, at this moment. */
  get state(): MemoryState {
    return this.#state;
  }

  /** Makes it what it was at another moment, as a database that has lost its last writes. */
  restore(state: MemoryState): void {
    this.#state = state;
  }

  get committedCheckpoint(): number {
    return this.#state.committedCheckpoint;
  }

  get nextCheckpoint(): number {
    return this.#state.nextCheckpoint;
  }

  /** Where each chain stands, with all its stored headers. */
  get progress(): readonly ChainProgress[] {
    return [...this.#state.chains.values()].flatMap(progressOf);
  }

  /** Durable runs, oldest first. */
  get runs(): readonly DurableRun[] {
    return this.#state.runs;
  }

  get positions(): readonly CheckpointPosition[] {
    return this.#state.positions;
  }

  /** Names of the tables without a row. */
  get emptyTables(): ReadonlySet<string> {
    return this.resume.emptyTables;
  }

  /** Where a new session goes on. */
  get resume(): ResumePoint {
    return resumePointOf(this.#state);
  }

  get skipped(): readonly SkippedEvent[] {
    return this.#state.skipped;
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

  /** The rows of a chain that match, in the query's order. */
  rowsWhere(table: TableModel, chainId: number, { where, orderBy, limit }: RowQuery): readonly StoredRow[] {
    const test = conditionTest(where);
    const compare = rowComparator(orderBy);
    return this.#rowsOf(table, chainId)
      .filter(({ row }) => test(row))
      .toSorted((a, b) => compare(a.row, b.row))
      .slice(0, limit);
  }

  /** Rows of a chain after a row, in the order of their keys. */
  rowsAfter(table: TableModel, chainId: number, after: Row | undefined, limit: number): readonly StoredRow[] {
    const compare = rowComparator(
      table.key.map((name) => ({
        column: table.columns.find((column) => column.name === name) as ColumnModel,
        descending: false,
      })),
    );
    return this.#rowsOf(table, chainId)
      .filter(({ row }) => after === undefined || compare(row, after) > 0)
      .toSorted((a, b) => compare(a.row, b.row))
      .slice(0, limit);
  }

  /** Rows in each table, by its name. */
  countRows(tables: readonly TableModel[]): ReadonlyMap<string, number> {
    return new Map(tables.map(({ name }) => [name, this.#of(name).rows.size]));
  }

  /** A stored output of the type that the key names. */
  effect(key: EffectKey): StoredEffect | undefined {
    const found = this.#state.effects.get(effectPlaceOf(key));
    return found?.outputType === key.outputType ? found : undefined;
  }

  /** Makes `token` the one writer; whoever was it before is fenced from now on. */
  own(token: string): void {
    this.#state = { ...this.#state, token, starts: this.#state.starts + 1 };
  }

  /** @throws WriteFailure fenced, went_back, fatal: nothing was changed */
  write(run: DrainRun, claim: WriteClaim, metadata: readonly ChainMetadata[] = []): WriteResult {
    return this.#claimed(claim, (state) => {
      const { from } = run.checkpoints;
      require(from === state.nextCheckpoint, `checkpoint ${from} where ${state.nextCheckpoint} is next`);
      const tables = new Map(state.tables);
      for (const changes of run.tables) tables.set(changes.table.name, this.#changed(changes, run));
      return withRun(state, run, tables, metadata);
    });
  }

  /** Chain metadata alone. @throws WriteFailure as `write` */
  writeMetadata(chains: readonly ChainMetadata[], claim: WriteClaim): WriteResult {
    return this.change(claim, (state) => withMetadata(state, chains));
  }

  /** A write that is no run, of any kind. @throws WriteFailure as `write` */
  change(claim: WriteClaim, apply: (state: MemoryState) => MemoryState): WriteResult {
    return this.#claimed(claim, apply);
  }

  /** What the last rollback did. */
  get lastRollback(): Omit<RollbackOutcome, "alreadyDurable"> {
    const last = this.#state.rollbacks.at(-1);
    require(last !== undefined, "there was no rollback");
    const { firstOrphaned: from, lastOrphaned: to, rowsRestored, rowsDeleted } = last;
    return { checkpoints: from === undefined ? undefined : { from, to }, rowsRestored, rowsDeleted };
  }

  /** Takes a chain back. @throws WriteFailure as `write` */
  rollBack(request: RollbackRequest, claim: WriteClaim): WriteResult {
    return this.#claimed(claim, (state) =>
      rolledBack(state, this.tables, request, (table, { chainId, key }) => this.#placeOf(table, chainId, key)),
    );
  }

  /** The guarded update that begins every write, and the write. */
  #claimed({ token, ...number }: WriteClaim, apply: (state: MemoryState) => MemoryState): WriteResult {
    const state = this.#state;
    const isNext = state.writeSeq >= number.durableSeq && state.writeSeq < number.writeSeq;
    if (state.token !== token || !isNext) {
      const { writeSeq, starts } = state;
      return explainUnclaimed("memory", number, {
        isOurs: state.token === token,
        writeSeq,
        starts,
        holder: state.token ?? "nobody",
      });
    }
    this.#state = { ...apply(state), writeSeq: number.writeSeq };
    return "durable";
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

  #rowsOf({ name, crossChain }: TableModel, chainId: number): readonly StoredRow[] {
    return this.rows(name).flatMap(({ row, checkpoint, ...of }) =>
      crossChain || of.chainId === chainId ? { row, checkpoint } : [],
    );
  }

  #of(table: string): Contents {
    const contents = this.#state.tables.get(table);
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

function progressOf({ block, finalized, live, head, ...chain }: StoredChain): ChainProgress[] {
  if (block === undefined) return [];
  const { chainId, timestamp, checkpoint, headers } = chain;
  return [{ chainId, block, timestamp, checkpoint, head: { number: head, finalized, live }, headers }];
}
