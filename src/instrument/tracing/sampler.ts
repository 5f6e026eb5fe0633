import type { Attributes, Context, Link, SpanKind } from "@opentelemetry/api";
import { TraceFlags } from "@opentelemetry/api";
import { ParentBasedSampler, type Sampler, SamplingDecision, type SamplingResult } from "@opentelemetry/sdk-trace";
import type { SpanName } from "../names.ts";

/**
 * Roots that are exported whenever something they link to is. A batch is not among them: it links to up to 32 fetches,
 * and at 1 % a quarter of all batches would be taken.
 */
const INHERITS: ReadonlySet<string> = new Set<SpanName>(["spindex.drain_run"]);

/** Decides for roots: by what they link to where that must not dangle, else by the share. */
class LinkAwareSampler implements Sampler {
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
    if (INHERITS.has(spanName) && links.some((link) => (link.context.traceFlags & TraceFlags.SAMPLED) !== 0)) {
      return { decision: SamplingDecision.RECORD_AND_SAMPLED };
    }
    return this.#share.shouldSample(context, traceId, spanName, spanKind, attributes, links);
  }

  toString(): string {
    return `LinkAware{${this.#share.toString()}}`;
  }
}

/**
 * The share of root spans, and everything below them.
 * @param recordAll record the others too, for the flight recorder: they are not exported, and nothing links to them
 */
export function samplerOf(share: Sampler, recordAll: boolean): Sampler {
  const sampler = new ParentBasedSampler({ root: new LinkAwareSampler(share) });
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
