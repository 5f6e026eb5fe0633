/** A phase of the process's life, with a trace of its own. */
export type Phase = "spindex.startup" | "spindex.shutdown";

export interface PhaseTelemetry {
  /** Ends it; with an error, as failed. Idempotent. */
  done(error?: unknown): void;
}
