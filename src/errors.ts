/** What the one who meets an error can do; it decides the exit code. */
export type Reaction =
  /** The user's input is wrong: mend it. Exit code 2. */
  | "fix"
  /** The world was not ready: try again later. Exit code 75. */
  | "retry"
  /** A handler threw, the data cannot be written, or Spindex has a bug. Exit code 1. */
  | "bug";

/** Every error that Spindex raises by itself. The code is stable; docs/errors.md has a section for each. */
export const ERROR_CODES = {
  // configuration
  CONFIG_NOT_FOUND: "fix",
  CONFIG_INVALID: "fix",
  CONFIG_NOT_LOADABLE: "fix",
  ENV_INVALID: "fix",
  ABI_INVALID: "fix",
  ADDRESS_INVALID: "fix",
  SCHEMA_INVALID: "fix",
  HANDLER_UNKNOWN_EVENT: "fix",
  HANDLER_LATE: "fix",
  HANDLER_DUPLICATE: "fix",
  HANDLERS_MISSING: "fix",
  // start
  NODE_TOO_OLD: "fix",
  DATABASE_URL_INVALID: "fix",
  DATABASE_REFUSED: "fix",
  DATABASE_UNREACHABLE: "retry",
  DATABASE_INCOMPATIBLE: "fix",
  DATABASE_NEWER: "fix",
  DATABASE_PROXY: "fix",
  EMBEDDED_DATABASE: "fix",
  SHARD_TAKEN: "retry",
  PORT_IN_USE: "fix",
  LISTEN_FAILED: "fix",
  // sources
  CHAIN_ID_MISMATCH: "fix",
  SOURCE_REFUSED: "fix",
  SOURCE_UNREACHABLE: "retry",
  SOURCE_ANSWER_INVALID: "retry",
  REORG_TOO_DEEP: "fix",
  // handlers and rows
  HANDLER_FAILED: "bug",
  ROW_INVALID: "bug",
  ROW_MISSING: "bug",
  FIND_INVALID: "bug",
  READ_PENDING: "bug",
  CONTEXT_REVOKED: "bug",
  EFFECT_FAILED: "bug",
  METRIC_INVALID: "fix",
  REGISTER_INVALID: "bug",
  // writing
  WRITE_FAILED: "bug",
  WRITE_RETRIES_EXHAUSTED: "retry",
  WRITER_FENCED: "retry",
  DATABASE_WENT_BACK: "retry",
  // traces that were written down
  TRACE_FILE_INVALID: "fix",
  TRACE_UNKNOWN: "fix",
  // the test kit
  TEST_INPUT_INVALID: "fix",
  INTERNAL: "bug",
} as const;

export type ErrorCode = keyof typeof ERROR_CODES;

export const EXIT_CODES: Readonly<Record<Reaction, number>> = { fix: 2, retry: 75, bug: 1 };

export interface SpindexErrorOptions {
  /** What the reader can do about it: one sentence, or a list of choices. */
  readonly fix?: string;
  readonly cause?: unknown;
  /** Where it happened, as data for logs and spans; never secrets. */
  readonly details?: Readonly<Record<string, string | number | boolean | undefined>>;
}

/** An error that names the place, the value and the fix. */
export class SpindexError extends Error {
  override readonly name = "SpindexError";
  readonly code: ErrorCode;
  readonly fix: string | undefined;
  readonly details: Readonly<Record<string, string | number | boolean | undefined>>;

  /** @param message names the place and the value */
  constructor(code: ErrorCode, message: string, options: SpindexErrorOptions = {}) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.code = code;
    this.fix = options.fix;
    this.details = options.details ?? {};
  }

  get reaction(): Reaction {
    return ERROR_CODES[this.code];
  }

  get exitCode(): number {
    return EXIT_CODES[this.reaction];
  }
}

/** The message of anything that was thrown. */
export function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** Fails loudly when something that cannot be is; in production too. */
export function assert(condition: unknown, what: string): asserts condition {
  if (!condition)
    throw new SpindexError("INTERNAL", `impossible state: ${what}`, { fix: "Please report this as a bug." });
}
