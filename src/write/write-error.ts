import { SpindexError, type SpindexErrorOptions } from "../errors.ts";
import type { RowOrigin } from "../store/event-log.ts";
import { WriteFailure } from "./storage.ts";

/** Which write failed. */
export interface FailedWrite {
  /** In words: `checkpoints 1 to 5 (chain 1 blocks 10 to 20)`. */
  readonly place: string;
  readonly attempt: number;
  readonly traceId: string | undefined;
}

/** The error that ends the process after a write that nothing can help any more. */
export function writeError(error: unknown, { place, attempt, traceId }: FailedWrite): SpindexError {
  const failure = error instanceof WriteFailure ? error : undefined;
  const message = error instanceof Error ? error.message : String(error);
  const options = {
    cause: error,
    details: {
      statement: failure?.statement,
      table: failure?.table,
      sqlState: failure?.sqlState,
      row: failure?.row,
      ...(failure?.origin === undefined ? {} : detailsOf(failure.origin)),
      attempt,
      traceId,
    },
  };
  switch (failure?.kind ?? "fatal") {
    case "fenced":
      return writerFenced(message, options);
    case "went_back":
      return databaseWentBack(message, options);
    case "transient":
    case "outcome_unknown":
      return new SpindexError("WRITE_RETRIES_EXHAUSTED", `writing ${place} failed ${attempt} times: ${message}`, {
        ...options,
        fix: "See that the database can be reached, and start again: indexing resumes from what is durable.",
      });
    case "fatal":
      return new SpindexError("WRITE_FAILED", `writing ${place} failed: ${message}${guilt(failure)}`, {
        ...options,
        fix: "Nothing of this write was done. Mend what makes the row, or the rule that it breaks, and start again.",
      });
  }
}

/** The shard is another process's now. */
export function writerFenced(message: string, options: SpindexErrorOptions = {}): SpindexError {
  return new SpindexError("WRITER_FENCED", `another process has taken over: ${message}`, {
    ...options,
    fix: "Nothing of this process will be written any more. Run one process for a schema and shard.",
  });
}

/** The storage is older than what this process knows to be durable. */
export function databaseWentBack(message: string, options: SpindexErrorOptions = {}): SpindexError {
  return new SpindexError("DATABASE_WENT_BACK", `the database lost writes that it had confirmed: ${message}`, {
    ...options,
    fix: "Start again: indexing resumes from what the database has. Then find out what took it back: a backup, a promoted replica, a server without synchronous_commit.",
  });
}

/** The row and the handler event to blame, in words. */
function guilt(failure: WriteFailure | undefined): string {
  const { row, origin } = failure ?? {};
  const shown = row === undefined ? "" : `; the row is ${row.length > 300 ? `${row.slice(0, 297)}...` : row}`;
  if (origin === undefined) return shown;
  const { handler, block, logIndex, chainId, checkpoint } = origin;
  return `${shown}; it came from ${handler} at block ${block}, log ${logIndex} of chain ${chainId} (checkpoint ${checkpoint})`;
}

function detailsOf({ handler, chainId, block, logIndex, checkpoint }: RowOrigin): Record<string, string | number> {
  return { handler, chainId, block, logIndex, checkpoint };
}
