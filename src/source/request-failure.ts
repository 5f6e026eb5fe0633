/** Why one request did not bring what was asked. */
export type FailureKind =
  /** No connection, a cut one, or a node that says that it cannot serve now. */
  | "unavailable"
  /** No answer, or not all of it, in time. */
  | "timeout"
  /** Asked too often. */
  | "rate_limited"
  /** An answer that is not JSON-RPC, or says what cannot be. */
  | "invalid"
  /** An answer beyond the size that is read. */
  | "too_large"
  /** One error for a whole batch. */
  | "batch_refused"
  /** Asking again cannot help: no such method, no access. */
  | "refused";

/** An answer that must not be used; `excerpt` shows some of it. */
export function invalid(what: string, excerpt?: string): RequestFailure {
  return new RequestFailure("invalid", excerpt === undefined ? what : `${what}: ${excerpt}`);
}

/** A failed request, before it is known whether it is tried again. The message is for people, and free of secrets. */
export class RequestFailure extends Error {
  override readonly name = "RequestFailure";
  readonly kind: FailureKind;
  /** The node asked to wait that long. */
  readonly retryAfterMs: number | undefined;

  constructor(
    kind: FailureKind,
    message: string,
    options: { retryAfterMs?: number | undefined; cause?: unknown } = {},
  ) {
    super(message, options.cause === undefined ? undefined : { cause: options.cause });
    this.kind = kind;
    this.retryAfterMs = options.retryAfterMs;
  }
}
