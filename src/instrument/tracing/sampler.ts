import { type Attributes, type Context, createContextKey, type Link, type SpanKind } from "@opentelemetry/api";
import {
  AlwaysOffSampler,
  ParentBasedSampler,
  type Sampler,
  SamplingDecision,
  type SamplingResult,
  TraceIdRatioBasedSampler,
} from "@opentelemetry/sdk-trace";
import type { SpanName } from "../names.ts";

/** Set in the context of a root that is about something exported: see `SpanStart.follows`. */
export const FOLLOWS: symbol = createContextKey("spindex.follows");

/** Roots that are exported at any share but 0: rare, and nobody could click a stall while it lasts. */
const ALWAYS: ReadonlySet<string> = new Set<SpanName>(["spindex.still_waiting"]);

/** Decides for roots: those that follow something exported are exported too, so that no link dangles; others by the share. */
class FollowingSampler implements Sampler {
  readonly #share: Sampler;

  constructor(share: Sampler) {
    this.#share = share;
  }

  shouldSample(
    context: Context,
    traceId: string,
    spanName: string,
    spanKind: SpanKind,
    attributes: Attributes,
    links: Link[],
  ): SamplingResult {
    if (ALWAYS.has(spanName) || context.getValue(FOLLOWS) === true) {
      return { decision: SamplingDecision.RECORD_AND_SAMPLED };
    }
    return this.#share.shouldSample(context, traceId, spanName, spanKind, attributes, links);
  }

  toString(): string {
    return `Following{${this.#share.toString()}}`;
  }
}

/**
 * The share of root spans, and everything below them.
 * @param ratio 0 to 1
 * @param recordAll record the others too, for the flight recorder: they are not exported, and nothing links to them
 */
export function samplerOf(ratio: number, recordAll: boolean): Sampler {
  const root = ratio > 0 ? new FollowingSampler(new TraceIdRatioBasedSampler(ratio)) : new AlwaysOffSampler();
  const sampler = new ParentBasedSampler({ root });
  return recordAll ? new RecordingSampler(sampler) : sampler;
}

/** Records what another sampler would drop. */
class RecordingSampler implements Sampler {
  readonly #inner: Sampler;

  constructor(inner: Sampler) {
    this.#inner = inner;
  }

  shouldSample(...args: Parameters<Sampler["shouldSample"]>): SamplingResult {
    const result = this.#inner.shouldSample(...args);
    return result.decision === SamplingDecision.NOT_RECORD ? { ...result, decision: SamplingDecision.RECORD } : result;
  }

  toString(): string {
    return `Recording{${this.#inner.toString()}}`;
  }
}
