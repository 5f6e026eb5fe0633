import type { Clock } from "../lib/clock.ts";
import type { Logger } from "./log.ts";
import type { LoopAccount } from "./loop-account.ts";
import type { Metrics } from "./metrics/metrics.ts";
import type { DumpReason } from "./recorder/dump.ts";
import type { WriteState } from "./telemetry.ts";
import type { RollableBatches } from "./traces/rollable-batches.ts";
import type { SpanRef, TracedSpan, Tracing } from "./tracing/tracing.ts";
import type { Unfinished } from "./waiting/unfinished.ts";

/** What the parts of telemetry work with. */
export interface Instruments {
  readonly tracing: Tracing;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly clock: Clock;
  readonly writeLoop: LoopAccount<WriteState>;
  /** What has begun and not ended: it is told of when it lasts, and ended when the process ends. */
  readonly open: Set<Unfinished>;
  /** Makes the flight recorder write down what has just happened. Costs the caller nothing. */
  readonly dump: (reason: DumpReason) => void;
  /** As of the newest batch: what belongs to none has it from here. */
  readonly mode: { isLive: boolean };
  /** What waits for all drain runs that begin. */
  readonly awaiting: Set<AwaitsDrains>;
  readonly rollable: RollableBatches;
}

export interface AwaitsDrains {
  awaits(drain: Origin): void;
}

/** The opaque thing that others carry, so that something later can link to it. */
export class Origin {
  /** Number in this process: a drain run's id. */
  readonly id: number;
  readonly ref: SpanRef | undefined;

  constructor(id: number, ref: SpanRef | undefined) {
    this.id = id;
    this.ref = ref;
  }
}

export function modeOf({ mode }: Instruments): "live" | "backfill" {
  return mode.isLive ? "live" : "backfill";
}

/** Fields of a log line that lead to the span, be it exported or only in the flight recorder. */
export function idsOf({ ids, ref }: Pick<TracedSpan, "ids" | "ref">): LineIds {
  if (ids === undefined) return {};
  return { trace_id: ids.traceId, span_id: ids.spanId, ...(ref === undefined ? { trace_flags: "00" } : {}) };
}

export interface LineIds {
  readonly trace_id?: string;
  readonly span_id?: string;
  /** The span is not sampled: no collector has it. */
  readonly trace_flags?: "00";
}

/** Trace ids for an attribute; at most 32, and none when there are none. */
export function traceIdsOf(refs: readonly SpanRef[]): string[] | undefined {
  return refs.length === 0 ? undefined : refs.slice(0, MAX_LINKED).map((ref) => ref.traceId);
}

/** Most spans that one links to where nothing else bounds it, and most ids in a list attribute. */
export const MAX_LINKED = 32;
