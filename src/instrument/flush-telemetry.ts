/** Why everything is made durable: asked to stop, nothing more to do, before a rollback, or after a failure. */
export type FlushReason = "stop" | "end" | "reorg" | "failure";

export interface FlushStart {
  readonly reason: FlushReason;
  readonly pendingBatches: number;
  /** The drain run that is being written: `DrainTelemetry.origin`. */
  readonly drainOrigin: unknown;
}

/** Everything processed is made durable. Drain runs that start meanwhile are awaited by it too. */
export interface FlushTelemetry {
  /** Ends it. `late`: not everything was durable at the deadline. */
  done(outcome: "durable" | "late"): void;
  failed(error: unknown): void;
}
