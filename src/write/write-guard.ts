import { assert } from "../errors.ts";
import type { DrainRun } from "../store/drain-run.ts";
import { WriteFailure } from "./storage.ts";

/** Which write an attempt is. */
export interface WriteNumber {
  readonly writeSeq: number;
  /**
   * The newest write that is known to be durable. Those between it and this one may be durable or not: their outcome is
   * unknown, and does not matter.
   */
  readonly durableSeq: number;
}

/** What the storage knows: who may write, and the number of the last write. */
export interface StoredGuard {
  readonly isOurs: boolean;
  readonly writeSeq: number;
  /** For people. */
  readonly holder: string;
}

/**
 * Numbers the writes of one process, one at a time, for the guarded update that begins each of them: it matches the
 * owner's token and every number from `durableSeq` to below `writeSeq`, so that a write happens once however often it
 * is tried.
 */
export class WriteGuard {
  #durableSeq: number;
  /** The last number that a write may have taken. */
  #takenSeq: number;
  #isWriting = false;
  /** A run whose outcome is not known: nothing else may be written before it. */
  #unsettled: DrainRun | undefined;

  /** @param durableSeq the number of the last write, when the storage was taken */
  constructor(durableSeq: number) {
    this.#durableSeq = durableSeq;
    this.#takenSeq = durableSeq;
  }

  /** An attempt to write a run. While its outcome is unknown, another attempt has the same number. */
  async run<T>(run: DrainRun, attempt: (number: WriteNumber) => Promise<T>): Promise<T> {
    assert(
      this.#unsettled === undefined || this.#unsettled === run,
      "a run is written before the one whose outcome is unknown",
    );
    const done = await this.#write(attempt, () => {
      this.#unsettled = run;
    });
    this.#unsettled = undefined;
    return done;
  }

  /** A rollback: as a run, another attempt has the same number. */
  async rollback<T>(attempt: (number: WriteNumber) => Promise<T>): Promise<T> {
    assert(this.#unsettled === undefined, "a rollback before the run whose outcome is unknown");
    return this.#write(attempt, () => {});
  }

  /** A write that may be left undone. One whose outcome is unknown leaves its number behind: nothing depends on it. */
  async maintenance<T>(attempt: (number: WriteNumber) => Promise<T>): Promise<T> {
    assert(this.#unsettled === undefined, "maintenance before the run whose outcome is unknown");
    return this.#write(attempt, (writeSeq) => {
      this.#takenSeq = writeSeq;
    });
  }

  async #write<T>(
    attempt: (number: WriteNumber) => Promise<T>,
    outcomeUnknown: (writeSeq: number) => void,
  ): Promise<T> {
    assert(!this.#isWriting, "two writes at once");
    const writeSeq = this.#takenSeq + 1;
    this.#isWriting = true;
    try {
      const done = await attempt({ writeSeq, durableSeq: this.#durableSeq });
      this.#durableSeq = writeSeq;
      this.#takenSeq = writeSeq;
      return done;
    } catch (error) {
      if (error instanceof WriteFailure && error.kind === "outcome_unknown") outcomeUnknown(writeSeq);
      throw error;
    } finally {
      this.#isWriting = false;
    }
  }
}

/**
 * Why the guarded update of a write matched nothing.
 * @param stored undefined: the storage does not know the shard any more
 * @returns when an earlier attempt had done it
 * @throws WriteFailure `fenced`, `went_back`, `fatal`
 */
export function explainUnclaimed(
  shard: string,
  { writeSeq, durableSeq }: WriteNumber,
  stored: StoredGuard | undefined,
): "already_durable" {
  const place = { statement: "UPDATE shards", table: "shards" };
  if (stored !== undefined && !stored.isOurs) {
    throw new WriteFailure("fenced", `shard ${shard} is now written by ${stored.holder}`, place);
  }
  const at = stored?.writeSeq ?? 0;
  if (stored !== undefined && at === writeSeq) return "already_durable";
  if (at < durableSeq || stored === undefined) {
    throw new WriteFailure(
      "went_back",
      `the database went back: shard ${shard} is at write ${at}, although write ${durableSeq} was durable`,
      place,
    );
  }
  throw new WriteFailure("fatal", `shard ${shard} is at write ${at}, unexpected before write ${writeSeq}`, place);
}
