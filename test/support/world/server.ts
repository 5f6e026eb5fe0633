import type { MemoryDatabase, WriteResult } from "../../../src/testing/memory-database.ts";
import type { MemoryState } from "../../../src/testing/memory-state.ts";
import { WriteFailure } from "../../../src/write/storage.ts";
import type { Fault } from "./scenario.ts";
import type { Pick, StepClock } from "./steps.ts";

/** One attempt to write, as the server sees its client. */
export interface Attempt {
  readonly fault: Fault | undefined;
  /** How long the client waits for an answer. */
  readonly silenceMs: number;
  /** The client has given up, or is dead. */
  isGone: boolean;
  commitSent: boolean;
  readonly onBegin: () => void;
  readonly onCommitSent: () => void;
}

export interface ServerOptions {
  readonly database: MemoryDatabase;
  readonly clock: StepClock;
  readonly pick: Pick;
  /** Called with each change that has become durable, at once. */
  readonly changed: (before: MemoryState, after: MemoryState) => void;
}

/**
 * A database server: each write has a backend of its own, which holds the lock of the shard's row from its guarded
 * update to its end, and goes on when its client is gone, once COMMIT was sent.
 */
export class SimulatedServer {
  readonly database: MemoryDatabase;
  readonly #o: ServerOptions;
  /** Moments to fall back to, oldest first; the last one is now. */
  #past: MemoryState[];
  /** Counts failovers: backends of an earlier server are gone. */
  #generation = 0;
  #lock: Promise<void> = Promise.resolve();

  constructor(options: ServerOptions) {
    this.database = options.database;
    this.#o = options;
    this.#past = [options.database.state];
  }

  /** Runs the backend of a write. Rejects with what its client would see. */
  async write(attempt: Attempt, apply: () => WriteResult): Promise<WriteResult> {
    const { clock } = this.#o;
    const { fault } = attempt;
    const generation = this.#generation;
    await clock.pause("begin");
    this.#requireServer(generation, attempt);
    if (fault === "refused") throw new WriteFailure("transient", "planned: refused");
    if (!attempt.isGone) attempt.onBegin();
    const result = await this.#locked(async () => {
      this.#requireServer(generation, attempt);
      await (fault === "silent" ? clock.sleep(attempt.silenceMs * 2) : clock.pause("statements"));
      this.#requireServer(generation, attempt);
      if (fault === "fatal") throw new WriteFailure("fatal", "planned: fatal");
      if (fault === "rolled back") throw new WriteFailure("transient", "planned: COMMIT was answered by ROLLBACK");
      attempt.commitSent = true;
      attempt.onCommitSent();
      if (fault === "cut before commit") throw new WriteFailure("outcome_unknown", "planned: cut before COMMIT");
      const isLate = fault === "late commit" || fault === "late rollback";
      await (isLate ? clock.sleep(attempt.silenceMs * 2) : clock.pause("commit"));
      this.#requireServer(generation, attempt);
      if (fault === "late rollback") throw new WriteFailure("outcome_unknown", "planned: taken back");
      return this.#changed(apply);
    });
    await clock.pause("answer");
    if (fault === "cut after commit") throw new WriteFailure("outcome_unknown", "planned: cut after COMMIT");
    this.#requireServer(generation, attempt);
    return result;
  }

  /** A new writer: waits for the write that is under way, as everyone does. */
  take(token: string, isGone: () => boolean): Promise<MemoryState> {
    return this.#locked(async () => {
      await this.#o.clock.pause("take");
      if (!isGone()) this.#changed(() => this.database.own(token));
      return this.database.state;
    });
  }

  /** Falls back to an earlier moment: `lost` writes are not there any more, if there were so many. */
  failOver(lost: number): void {
    this.#generation++;
    const before = this.database.state;
    const kept = this.#past[Math.max(0, this.#past.length - 1 - lost)] ?? before;
    this.#past = this.#past.slice(0, this.#past.indexOf(kept) + 1);
    this.database.restore(kept);
    if (kept !== before) this.#o.changed(before, kept);
  }

  /** No failover goes back behind this moment. */
  forgetPast(): void {
    this.#past = [];
  }

  #changed<T>(apply: () => T): T {
    const before = this.database.state;
    const result = apply();
    const after = this.database.state;
    if (after !== before) {
      this.#o.changed(before, after);
      this.#past.push(after);
    }
    return result;
  }

  /** The backend ends with its server, and with its client unless it has been told to commit. */
  #requireServer(generation: number, { commitSent, isGone }: Attempt): void {
    if (generation === this.#generation && (commitSent || !isGone)) return;
    throw new WriteFailure(commitSent ? "outcome_unknown" : "transient", "the connection is lost");
  }

  async #locked<T>(work: () => Promise<T>): Promise<T> {
    const before = this.#lock;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#lock = promise;
    await before;
    try {
      return await work();
    } finally {
      resolve();
    }
  }
}
