import type { WriteTransactionTelemetry } from "./drain-telemetry.ts";

/** One step of pruning. */
export interface PruneTelemetry {
  /** For the storage; ended with the step. */
  readonly transaction: WriteTransactionTelemetry;
  /** It is durable. */
  done(outcome: { readonly rows: number; readonly alreadyDurable: boolean }): void;
  failed(error: unknown, failure: { readonly kind: string; readonly willRetry: boolean }): void;
}
