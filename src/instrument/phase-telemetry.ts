import type { SpanAttributes } from "./names.ts";

/** A phase of the process's life, with a trace of its own. */
export type Phase = "spindex.startup" | "spindex.warm_start" | "spindex.shutdown";

export interface PhaseTelemetry<N extends Phase = Phase> {
  set(attributes: SpanAttributes<N>): void;
  /** Ends it; with an error, as failed. Idempotent. */
  done(error?: unknown): void;
}
