import type { SessionStorage } from "../indexer/session-storage.ts";
import type { WriteTransactionTelemetry } from "../instrument/drain-telemetry.ts";
import type { ResumePoint } from "../postgres/resume.ts";
import type { RollbackOutcome, RollbackRequest } from "../reorg/rollback.ts";
import type { DrainRun } from "../store/drain-run.ts";
import type { EffectCodec, EffectKey, StoredEffect } from "../store/effect-table.ts";
import type { RowQuery } from "../store/row-query.ts";
import type { Row, RowCodec, StoredRow, TableModel } from "../store/table.ts";
import type { ChainMetadata } from "../write/chain-metadata.ts";
import type { RawEventCodec } from "../write/raw-events.ts";
import type { Pruning } from "../write/storage.ts";
import { WriteFailure, type WriteFailureKind, type WriteOutcome } from "../write/storage.ts";
import { WriteGuard, type WriteNumber } from "../write/write-guard.ts";
import { createMemoryCodec, memoryEffectCodec, memoryRawEventCodec } from "./memory-codec.ts";
import type { MemoryDatabase, WriteClaim, WriteResult } from "./memory-database.ts";

/** Where a test can hold an attempt or a read back, or let it fail: by what these return or throw. */
export interface MemoryStorageHooks {
  /** Before a run is applied. */
  readonly beforeWrite?: (run: DrainRun) => void | Promise<void>;
  /** When it is durable, and the caller does not know yet. */
  readonly afterWrite?: (run: DrainRun) => void | Promise<void>;
  readonly beforeRead?: () => void | Promise<void>;
  /** When the rows have been read, and the caller does not have them yet. */
  readonly afterRead?: () => void | Promise<void>;
}

interface PlannedFailure {
  readonly kind: WriteFailureKind;
  readonly applied: boolean;
}

/** The storage port over a `MemoryDatabase`: one process's connection to it, and its claim to be the one writer. */
export class MemoryStorage implements SessionStorage {
  readonly database: MemoryDatabase;
  readonly codecOf: (table: TableModel) => RowCodec = createMemoryCodec;
  readonly effectCodec: EffectCodec = memoryEffectCodec;
  readonly rawEventCodec: RawEventCodec = memoryRawEventCodec;
  /** Nobody tells it. */
  readonly lost: AbortSignal = new AbortController().signal;
  readonly #token: string;
  readonly #hooks: MemoryStorageHooks;
  readonly #guard: WriteGuard;
  readonly #failures: PlannedFailure[] = [];

  /** @param token names this writer; an earlier one is fenced by it */
  constructor(database: MemoryDatabase, token: string, hooks: MemoryStorageHooks = {}) {
    this.database = database;
    this.#token = token;
    this.#hooks = hooks;
    database.own(token);
    this.#guard = new WriteGuard(database.state);
  }

  /** The next attempt to write, after those already planned, fails like this: with its write applied, or not. */
  failNext(kind: WriteFailureKind, applied = false): void {
    this.#failures.push({ kind, applied });
  }

  async write(
    run: DrainRun,
    _telemetry?: WriteTransactionTelemetry,
    metadata: readonly ChainMetadata[] = [],
  ): Promise<WriteOutcome> {
    return this.#guard.run(run, async (number) => {
      await this.#hooks.beforeWrite?.(run);
      const outcome = this.#applied(number, (claim) => this.database.write(run, claim, metadata));
      await this.#hooks.afterWrite?.(run);
      return outcome;
    });
  }

  async writeMetadata(chains: readonly ChainMetadata[]): Promise<WriteOutcome> {
    return this.#guard.maintenance(async (number) =>
      this.#applied(number, (claim) => this.database.writeMetadata(chains, claim)),
    );
  }

  async rollBack(request: RollbackRequest): Promise<RollbackOutcome> {
    const outcome = await this.#guard.rollback(async (number) =>
      this.#applied(number, (claim) => this.database.rollBack(request, claim)),
    );
    return { ...outcome, ...this.database.lastRollback };
  }

  /** No attempt is ever under way for long. */
  breakOff(): void {}

  async readResume(): Promise<ResumePoint> {
    return this.database.resume;
  }

  /** All history is kept. */
  async planPruning(): Promise<readonly Pruning[]> {
    return [];
  }

  rowsByKey(table: TableModel, chainId: number, keys: readonly Row[]): Promise<readonly StoredRow[]> {
    return this.#read(() => keys.flatMap((key) => this.database.row(table, chainId, key) ?? []));
  }

  rowsWhere(table: TableModel, chainId: number, query: RowQuery): Promise<readonly StoredRow[]> {
    return this.#read(() => this.database.rowsWhere(table, chainId, query));
  }

  rowsAfter(table: TableModel, chainId: number, after: Row | undefined, limit: number): Promise<readonly StoredRow[]> {
    return this.#read(() => this.database.rowsAfter(table, chainId, after, limit));
  }

  estimateRows(tables: readonly TableModel[]): Promise<ReadonlyMap<string, number>> {
    return this.#read(() => this.database.countRows(tables));
  }

  effectsByKey(keys: readonly EffectKey[]): Promise<readonly StoredEffect[]> {
    return this.#read(() => keys.flatMap((key) => this.database.effect(key) ?? []));
  }

  async #read<T>(read: () => T): Promise<T> {
    await this.#hooks.beforeRead?.();
    const found = read();
    await this.#hooks.afterRead?.();
    return found;
  }

  #applied(number: WriteNumber, write: (claim: WriteClaim) => WriteResult): WriteOutcome {
    const failure = this.#failures.shift();
    if (failure !== undefined && !failure.applied) throw plannedFailure(failure);
    const outcome = write({ token: this.#token, ...number });
    if (failure !== undefined) throw plannedFailure(failure);
    return { alreadyDurable: outcome === "already_durable" };
  }
}

function plannedFailure({ kind, applied }: PlannedFailure): WriteFailure {
  return new WriteFailure(kind, `planned: ${kind}, ${applied ? "applied" : "not applied"}`);
}
