import { SpindexError } from "../../../src/errors.ts";
import type { SessionStorage } from "../../../src/indexer/session-storage.ts";
import type { WriteTransactionTelemetry } from "../../../src/instrument/drain-telemetry.ts";
import type { ResumePoint } from "../../../src/postgres/resume.ts";
import type { RollbackOutcome, RollbackRequest } from "../../../src/reorg/rollback.ts";
import type { DrainRun } from "../../../src/store/drain-run.ts";
import type { EffectCodec, EffectKey, StoredEffect } from "../../../src/store/effect-table.ts";
import type { RowQuery } from "../../../src/store/row-query.ts";
import type { Row, RowCodec, StoredRow, TableModel } from "../../../src/store/table.ts";
import { createMemoryCodec, memoryEffectCodec, memoryRawEventCodec } from "../../../src/testing/memory-codec.ts";
import type { WriteClaim, WriteResult } from "../../../src/testing/memory-database.ts";
import { type MemoryState, resumePointOf } from "../../../src/testing/memory-state.ts";
import type { ChainMetadata } from "../../../src/write/chain-metadata.ts";
import type { RawEventCodec } from "../../../src/write/raw-events.ts";
import type { PruneOutcome, Pruning } from "../../../src/write/storage.ts";
import { WriteFailure, type WriteOutcome } from "../../../src/write/storage.ts";
import { WriteGuard, type WriteNumber } from "../../../src/write/write-guard.ts";
import { silentTransaction } from "../silent-telemetry.ts";
import { prunable, pruned } from "./pruning.ts";
import type { Fault } from "./scenario.ts";
import type { Attempt, SimulatedServer } from "./server.ts";
import type { StepClock } from "./steps.ts";

/** Of every session. */
const BACKEND_PID = 77;

export interface StorageOptions {
  readonly server: SimulatedServer;
  readonly token: string;
  /** The process's. */
  readonly clock: StepClock;
  /** What happens to the next write. */
  readonly nextFault: () => Fault | undefined;
  /** Called with each run that is to be written. */
  readonly writing?: (run: DrainRun) => void;
  /** The writer does what it must not. */
  readonly violated?: (what: string) => void;
  /** Whether the next read fails for good. */
  readonly readFails: () => boolean;
  /** A connection that is silent for so long is given up. */
  readonly silenceMs: number;
}

/** One process's connections to a simulated server. Numbers its writes as the PostgreSQL storage does. */
export class SimulatedStorage implements SessionStorage {
  readonly codecOf: (table: TableModel) => RowCodec = createMemoryCodec;
  readonly effectCodec: EffectCodec = memoryEffectCodec;
  readonly rawEventCodec: RawEventCodec = memoryRawEventCodec;
  readonly token: string;
  readonly resume: ResumePoint;
  readonly #o: StorageOptions;
  readonly #guard: WriteGuard;
  readonly #lost = new AbortController();
  readonly #attempts = new Set<Attempt>();
  readonly #brokenOff = new AbortController();
  #isDead = false;
  /** It was told that it is fenced, or that the storage went back. */
  #isRefused = false;
  /** When rows or metadata were confirmed last in this session. */
  #confirmedAt = Number.NEGATIVE_INFINITY;
  /** The last write that the process knows to be durable. */
  #confirmed: number;

  private constructor(options: StorageOptions, taken: MemoryState) {
    this.#o = options;
    this.token = options.token;
    this.resume = resumePointOf(taken);
    this.#guard = new WriteGuard(taken);
    this.#confirmed = taken.writeSeq;
  }

  /** Takes the shard. */
  static async open(options: StorageOptions, isGone: () => boolean): Promise<SimulatedStorage> {
    return new SimulatedStorage(options, await options.server.take(options.token, isGone));
  }

  get lost(): AbortSignal {
    return this.#lost.signal;
  }

  get confirmed(): number {
    return this.#confirmed;
  }

  /** Its lease finds out that another process has taken the shard. */
  lose(): void {
    this.#lost.abort(new SpindexError("WRITER_FENCED", "planned: the shard is lost"));
  }

  breakOff(): void {
    this.#brokenOff.abort();
  }

  /** The process is dead: nothing comes back to it, and the server hears no more of it. */
  kill(): void {
    this.#isDead = true;
    for (const attempt of this.#attempts) attempt.isGone = true;
  }

  async write(
    run: DrainRun,
    telemetry: WriteTransactionTelemetry = silentTransaction,
    metadata: readonly ChainMetadata[] = [],
  ): Promise<WriteOutcome> {
    const { database } = this.#o.server;
    this.#o.writing?.(run);
    const outcome = await this.#guard.run(run, (number) =>
      this.#write(number, telemetry, (claim) => database.write(run, claim, metadata)),
    );
    this.#confirmedAt = this.#o.clock.now();
    return outcome;
  }

  async writeMetadata(
    chains: readonly ChainMetadata[],
    telemetry: WriteTransactionTelemetry = silentTransaction,
  ): Promise<WriteOutcome> {
    const { server, clock, violated } = this.#o;
    const { database } = server;
    if (clock.now() - this.#confirmedAt < 1_000) violated?.("metadata is written less than a second after the last");
    const outcome = await this.#guard.maintenance((number) =>
      this.#write(number, telemetry, (claim) => database.writeMetadata(chains, claim)),
    );
    this.#confirmedAt = clock.now();
    return outcome;
  }

  async rollBack(
    request: RollbackRequest,
    telemetry: WriteTransactionTelemetry = silentTransaction,
  ): Promise<RollbackOutcome> {
    const { database } = this.#o.server;
    const outcome = await this.#guard.rollback((number) =>
      this.#write(number, telemetry, (claim) => database.rollBack(request, claim)),
    );
    return { ...outcome, ...database.lastRollback };
  }

  async planPruning(): Promise<readonly Pruning[]> {
    await this.#o.clock.pause("plan");
    const { database } = this.#o.server;
    return prunable(database.state).map((table) => ({
      table,
      step: (maxRows, telemetry) => this.#prune(table, maxRows, telemetry),
    }));
  }

  #prune(table: string, maxRows: number, telemetry: WriteTransactionTelemetry): Promise<PruneOutcome> {
    const { database } = this.#o.server;
    return this.#guard.maintenance(async (number) => {
      let done = { rows: 0, isDone: false };
      const outcome = await this.#write(number, telemetry, (claim) =>
        database.change(claim, (state) => {
          const { state: after, ...what } = pruned(state, table, maxRows);
          done = what;
          return after;
        }),
      );
      return { ...done, ...outcome };
    });
  }

  async readResume(): Promise<ResumePoint> {
    this.#confirmedAt = Number.NEGATIVE_INFINITY;
    await this.#o.clock.pause("resume");
    if (this.#o.nextFault() !== undefined) throw new WriteFailure("transient", "planned: refused");
    return this.#o.server.database.resume;
  }

  rowsByKey(table: TableModel, chainId: number, keys: readonly Row[]): Promise<readonly StoredRow[]> {
    return this.#read(({ database }) => keys.flatMap((key) => database.row(table, chainId, key) ?? []));
  }

  rowsWhere(table: TableModel, chainId: number, query: RowQuery): Promise<readonly StoredRow[]> {
    return this.#read(({ database }) => database.rowsWhere(table, chainId, query));
  }

  rowsAfter(table: TableModel, chainId: number, after: Row | undefined, limit: number): Promise<readonly StoredRow[]> {
    return this.#read(({ database }) => database.rowsAfter(table, chainId, after, limit));
  }

  estimateRows(tables: readonly TableModel[]): Promise<ReadonlyMap<string, number>> {
    return this.#read(({ database }) => database.countRows(tables));
  }

  effectsByKey(keys: readonly EffectKey[]): Promise<readonly StoredEffect[]> {
    return this.#read(({ database }) => keys.flatMap((key) => database.effect(key) ?? []));
  }

  async #read<T>(read: (server: SimulatedServer) => T): Promise<T> {
    const { clock, server } = this.#o;
    await clock.pause("read");
    if (this.#o.readFails()) throw new SpindexError("DATABASE_UNREACHABLE", "planned");
    const found = read(server);
    await clock.pause("rows");
    return found;
  }

  async #write(
    number: WriteNumber,
    telemetry: WriteTransactionTelemetry,
    apply: (claim: WriteClaim) => WriteResult,
  ): Promise<WriteOutcome> {
    const { server, token } = this.#o;
    if (this.#isRefused) this.#o.violated?.("a writer tries again after it was fenced, or the storage went back");
    const commitSent = Promise.withResolvers<void>();
    const attempt: Attempt = {
      fault: this.#o.nextFault(),
      silenceMs: this.#o.silenceMs,
      isGone: this.#isDead,
      commitSent: false,
      onBegin: () => telemetry.began({ backendPid: BACKEND_PID, database: "simulated" }),
      onCommitSent: commitSent.resolve,
    };
    this.#attempts.add(attempt);
    try {
      const answer = this.#answer(
        attempt,
        server.write(attempt, () => apply({ token, ...number })),
      );
      // What comes after the COMMIT is its part of the answer.
      await Promise.race([answer, commitSent.promise]);
      const outcome = await (attempt.commitSent ? telemetry.commit(() => answer) : answer);
      this.#confirmed = number.writeSeq;
      return { alreadyDurable: outcome === "already_durable" };
    } catch (error) {
      const isFinal = error instanceof WriteFailure && (error.kind === "fenced" || error.kind === "went_back");
      this.#isRefused ||= isFinal;
      throw error;
    } finally {
      this.#attempts.delete(attempt);
    }
  }

  /** What comes back from the server, unless it is silent for too long. */
  async #answer(attempt: Attempt, written: Promise<WriteResult>): Promise<WriteResult> {
    const { silenceMs, clock } = this.#o;
    const answered = new AbortController();
    try {
      const outcome = await Promise.race([
        written,
        clock
          .sleep(silenceMs, AbortSignal.any([answered.signal, this.#brokenOff.signal]))
          .then(() => "silence" as const),
      ]);
      await this.#requireAlive();
      if (outcome !== "silence") return outcome;
      attempt.isGone = true;
      throw new WriteFailure(attempt.commitSent ? "outcome_unknown" : "transient", "the server is silent");
    } catch (error) {
      await this.#requireAlive();
      throw error;
    } finally {
      answered.abort();
    }
  }

  /** A dead process does not go on. */
  async #requireAlive(): Promise<void> {
    if (this.#isDead) await new Promise<never>(() => {});
  }
}
