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
  /** How often the shard had been taken when this process took it: each taker counts one more. */
  readonly starts: number;
}

/** What the storage knows: who may write, and the number of the last write. */
export interface StoredGuard {
  readonly isOurs: boolean;
  readonly writeSeq: number;
  readonly starts: number;
  /** For people. */
  readonly holder: string;
}

/**
 * Numbers the writes of one process, one at a time, for the guarded update that begins each of them: it matches the
 * owner's token and every number from `durableSeq` to below `writeSeq`, so that a write happens once however often it
 * is tried.
 */
export class WriteGuard {
  readonly #starts: number;
  #durableSeq: number;
  /** The last number that a write may have taken. */
  #takenSeq: number;
  #isWriting = false;
  /** A run whose outcome is not known: nothing else may be written before it. */
  #unsettled: DrainRun | undefined;

  /** @param taken what the storage knew when this process took it */
  constructor({ writeSeq, starts }: Pick<StoredGuard, "writeSeq" | "starts">) {
    this.#starts = starts;
    this.#durableSeq = writeSeq;
    this.#takenSeq = writeSeq;
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
      const done = await attempt({ writeSeq, durableSeq: this.#durableSeq, starts: this.#starts });
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
  { writeSeq, durableSeq, starts }: WriteNumber,
  stored: StoredGuard | undefined,
): "already_durable" {
  const place = { statement: "UPDATE shards", table: "shards" };
  const wentBack = (to: string): WriteFailure => new WriteFailure("went_back", to, place);
  if (stored === undefined) throw wentBack(`it does not know shard ${shard} any more`);
  const { writeSeq: at, holder } = stored;
  if (at < durableSeq) throw wentBack(`shard ${shard} is at write ${at}, although write ${durableSeq} was durable`);
  if (!stored.isOurs) {
    if (isFromBefore(stored, starts)) throw wentBack(`shard ${shard} is that of a time before this process had it`);
    throw new WriteFailure("fenced", `shard ${shard} is now written by ${holder}`, place);
  }
  if (at === writeSeq) return "already_durable";
  throw new WriteFailure("fatal", `shard ${shard} is at write ${at}, unexpected before write ${writeSeq}`, place);
}

/**
 * Whether another owner's row is older than our taking of the shard, which was start number `starts`: whoever takes it
 * later has counted one more. Such a row comes with a backup that was restored meanwhile, and stays one when the shard
 * is taken anew from there.
 */
export function isFromBefore(stored: Pick<StoredGuard, "starts">, starts: number): boolean {
  return stored.starts <= starts;
}
