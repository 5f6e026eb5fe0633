/** Why a log does not decode. A closed set, fit for a metric's label. */
export type UndecodableReason =
  /** It has not exactly the topics of the event: most often another contract's event of the same signature. */
  | "topic_count"
  /** The data ends before the values do. */
  | "data_short"
  /** An offset points outside the data. */
  | "offset"
  /** A length is larger than the data that follow. */
  | "length"
  /** A bool that is neither 0 nor 1. */
  | "bool"
  /** An integer of at most 48 bits that is stored as a number exceeds what a number holds. */
  | "integer"
  /** Values share so much data that decoding would cost far more than the log. */
  | "too_large";

/** The log is not what the ABI says. Contracts may emit anything: this is input, not a failure. */
export class UndecodableLog extends Error {
  override readonly name = "UndecodableLog";
  readonly reason: UndecodableReason;
  /** Canonical signature of the event that it was taken for. */
  readonly signature: string;

  constructor(signature: string, reason: UndecodableReason, what: string) {
    super(`the log is no ${signature}: ${what}`);
    this.reason = reason;
    this.signature = signature;
  }
}
