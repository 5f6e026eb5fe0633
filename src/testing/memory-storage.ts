import { assert } from "../errors.ts";
import type { DrainRun } from "../store/drain-run.ts";
import type { Row, RowReader, StoredRow, TableModel } from "../store/table.ts";
import type { ChainMetadata } from "../write/chain-metadata.ts";
import type { Pruning } from "../write/pruning.ts";
import { type Storage, WriteFailure, type WriteFailureKind, type WriteOutcome } from "../write/storage.ts";
import type { MemoryDatabase } from "./memory-database.ts";

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
export class MemoryStorage implements Storage, RowReader {
  readonly database: MemoryDatabase;
  readonly #token: string;
  readonly #hooks: MemoryStorageHooks;
  #writeSeq: number;
  #writing = false;
  #unsettled: DrainRun | undefined;
  readonly #failures: PlannedFailure[] = [];

  /** @param token names this writer; an earlier one is fenced by it */
  constructor(database: MemoryDatabase, token: string, hooks: MemoryStorageHooks = {}) {
    this.database = database;
    this.#token = token;
    this.#hooks = hooks;
    this.#writeSeq = database.writeSeq;
    database.own(token);
  }

  /** The next attempt to write, after those already planned, fails like this: with its run applied, or not. */
  failNext(kind: WriteFailureKind, applied = false): void {
    this.#failures.push({ kind, applied });
  }

  async write(run: DrainRun): Promise<WriteOutcome> {
    assert(!this.#writing, "two writes at once");
    assert(
      this.#unsettled === undefined || this.#unsettled === run,
      "a run is written before the one whose outcome is unknown",
    );
    this.#writing = true;
    try {
      return await this.#attempt(run);
    } catch (error) {
      if (error instanceof WriteFailure && error.kind === "outcome_unknown") this.#unsettled = run;
      throw error;
    } finally {
      this.#writing = false;
    }
  }

  /** Nothing reads it here. */
  async writeMetadata(_chains: readonly ChainMetadata[]): Promise<WriteOutcome> {
    return { alreadyDurable: false };
  }

  /** All history is kept. */
  async planPruning(): Promise<readonly Pruning[]> {
    return [];
  }

  async rowsByKey(table: TableModel, chainId: number, keys: readonly Row[]): Promise<readonly StoredRow[]> {
    await this.#hooks.beforeRead?.();
    const found = keys.flatMap((key) => this.database.row(table, chainId, key) ?? []);
    await this.#hooks.afterRead?.();
    return found;
  }

  async #attempt(run: DrainRun): Promise<WriteOutcome> {
    await this.#hooks.beforeWrite?.(run);
    const failure = this.#failures.shift();
    if (failure !== undefined && !failure.applied) throw plannedFailure(failure);
    const outcome = this.database.write(run, { token: this.#token, writeSeq: this.#writeSeq + 1 });
    if (failure !== undefined) throw plannedFailure(failure);
    await this.#hooks.afterWrite?.(run);
    this.#writeSeq++;
    this.#unsettled = undefined;
    return { alreadyDurable: outcome === "already_durable" };
  }
}

function plannedFailure({ kind, applied }: PlannedFailure): WriteFailure {
  return new WriteFailure(kind, `planned: ${kind}, ${applied ? "applied" : "not applied"}`);
}
