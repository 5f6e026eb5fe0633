import type { HistoryMode } from "../batch/batch.ts";
import type { ChainLabel } from "../chain/chain-label.ts";
import type { CheckpointRange } from "../chain/checkpoint.ts";
import type { HandlerPlace, HandlerTelemetry } from "./handler-telemetry.ts";

export interface BatchStart {
  readonly id: number;
  readonly mode: HistoryMode;
  readonly items: number;
  readonly checkpoints: CheckpointRange;
  readonly chains: readonly ChainLabel[];
  /** First and last block of each of its chains. */
  readonly blocks: readonly { readonly chainId: number; readonly from: number; readonly to: number }[];
  readonly live: boolean;
  /** When capacity was asked for: the batch's root span starts here. Milliseconds since the epoch, as all times. */
  readonly askedAt: number;
  /** When capacity had been granted and creation began. */
  readonly createdFrom: number;
  readonly boundBy: "size" | "end";
  /** Present when processing really waited for capacity. */
  readonly capacityWait: CapacityWait | undefined;
  /** The traces of the fetches that supplied it (`FetchedRange.origin`). */
  readonly fetchOrigins: readonly unknown[];
}

export interface CapacityWait {
  readonly startedAt: number;
  readonly endedAt: number;
  readonly reason: "changes" | "bytes";
  readonly uncommittedChanges: number;
  readonly uncommittedBytes: number;
  readonly queuedBatches: number;
  readonly limit: number;
  readonly wakeUps: number;
  /** The drain run that was being written: `DrainTelemetry.origin`. */
  readonly drainOrigin: unknown;
}

/** What processing a batch came to. Handler figures are aggregated by handler, never one call a record. */
export interface ProcessSummary {
  readonly handlerCalls: number;
  readonly skippedEvents: number;
  readonly readsFromStorage: number;
  /** By table. */
  readonly reads: readonly ReadSummary[];
  readonly handlers: readonly HandlerSummary[];
  readonly effects: readonly EffectSummary[];
  /** The slowest calls of the batch, at most three. */
  readonly slowest: readonly HandlerCall[];
}

/** Reads of rows by handlers, by what answered them. */
export interface ReadSummary {
  /** Its name in SQL. */
  readonly table: string;
  readonly memory: number;
  readonly storage: number;
}

export interface HandlerSummary {
  /** `Contract.Event`. */
  readonly handler: string;
  readonly chain: string;
  readonly calls: number;
  readonly totalMs: number;
  readonly maxMs: number;
}

/**
 * What became of an effect's call: its output was in memory, it shared a call under way, the output was stored, the
 * effect's own function gave it, threw, or took too long.
 */
export type EffectOutcome = "memory" | "shared" | "stored" | "called" | "failed" | "timeout";

export interface EffectSummary {
  readonly effect: string;
  readonly outcome: EffectOutcome;
  readonly calls: number;
}

/** One call of an effect's own function. */
export interface EffectCall {
  readonly effect: string;
  readonly askedAt: number;
}

export interface EffectTelemetry {
  /** The function of an effect is about to be called, as soon as its limits allow. */
  effectAsked(call: EffectCall): EffectCallTelemetry;
}

export interface EffectCallTelemetry {
  /**
   * The W3C headers for requests of the call; empty when nothing is traced. Whoever asks for them makes the call a span
   * that is always kept, so that what other processes put below it has its parent.
   */
  traceHeaders(): TraceHeaders;
  /** Makes a span when it was slow or failed. `calledAt`: when the limits let it begin. */
  ended(end: { readonly calledAt: number; readonly endedAt: number; readonly error: unknown }): void;
}

export interface TraceHeaders {
  readonly traceparent?: string;
}

export interface HandlerCall {
  readonly handler: string;
  readonly chain: ChainLabel;
  readonly block: number;
  readonly logIndex: number;
  readonly transactionHash: string;
  readonly startedAt: number;
  readonly endedAt: number;
  readonly error: unknown;
}

export interface CommitSummary {
  readonly changes: number;
  readonly queuedBatches: number;
  /** Processed minus committed checkpoint. */
  readonly frontierGap: number;
  /** What is left of the batch when a handler has failed in it; undefined: all of it. */
  readonly kept?: { readonly items: number; readonly lastCheckpoint: number } | undefined;
}

/**
 * The life of one batch, as spans and metrics. Kept in `Batch.origin`, opaque to everyone else. The root span stays
 * open until the batch is durable, so that its critical path is the attribution of its lag.
 */
export interface BatchTelemetry extends EffectTelemetry {
  /** Creation is over, handlers begin. */
  processing(): void;
  /** For the handlers of the batch, which is being processed. `place`: which of them runs. */
  handlers(place: () => HandlerPlace): HandlerTelemetry;
  processed(summary: ProcessSummary): void;
  /**
   * A handler threw: makes a span of the call. With `skip` the event is skipped by policy; otherwise the handler failed
   * for good, and the process span is marked too.
   */
  handlerFailed(call: HandlerCall, policy?: "stop" | "skip"): void;
  /** The batch is in memory and queued. */
  committed(summary: CommitSummary): void;
  /** The batch ends without becoming durable. */
  abandoned(outcome: "failed" | "aborted", error?: unknown): void;
}
