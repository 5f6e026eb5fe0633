import type { Clock } from "../../lib/clock.ts";
import { cutText } from "../../lib/cut-text.ts";
import type { HandlerPlace, HandlerSpan, HandlerSpanValue, RunInSpan } from "../handler-telemetry.ts";
import { withoutSpan } from "../muted-handlers.ts";
import { redact } from "../redact.ts";
import type { OpenSpan, TracedSpan, Tracing } from "../tracing/tracing.ts";

/** Most spans that handlers make in a batch: it may have a hundred thousand events. Further ones are counted. */
const MAX_HANDLER_SPANS = 100;
const MAX_NAME = 100;
const MAX_TEXT = 1_024;

type UserSpan = OpenSpan<"{handler.span}">;

interface Options {
  readonly tracing: Tracing;
  readonly clock: Clock;
  /** The span above them. */
  readonly parent: TracedSpan;
  readonly place: () => HandlerPlace;
}

/** The spans that the handlers of one batch make for themselves. */
export class HandlerSpans {
  readonly run: RunInSpan;
  readonly #o: Options;
  readonly #open = new Set<UserSpan>();
  #made = 0;
  #leftOut = 0;

  constructor(options: Options) {
    this.#o = options;
    this.run = options.parent.isRecording ? (name, run) => this.#run(options.parent, name, run) : withoutSpan;
  }

  /** Spans that were not made, since there were too many. */
  get leftOut(): number {
    return this.#leftOut;
  }

  /** The batch is processed: what nobody has awaited ends with it. */
  end(): void {
    const at = this.#o.clock.now();
    for (const span of this.#open) span.end(at);
    this.#open.clear();
  }

  #run<T>(parent: TracedSpan, name: string, run: (span: HandlerSpan) => T): T {
    if (this.#made >= MAX_HANDLER_SPANS) {
      this.#leftOut++;
      return run({ set() {}, span: (inner, runInner) => this.#run(parent, inner, runInner) });
    }
    const span = this.#start(parent, name);
    try {
      const result = run({
        set: (attributes) => span.setOwn(ownAttributes(attributes)),
        span: (inner, runInner) => this.#run(span, inner, runInner),
      });
      if (isThenable(result)) return this.#settled(span, result) as T;
      this.#end(span);
      return result;
    } catch (error) {
      this.#fail(span, error);
      throw error;
    }
  }

  #start(parent: TracedSpan, name: string): UserSpan {
    this.#made++;
    const { tracing, clock, place } = this.#o;
    const { handler, chain, block, logIndex } = place();
    const span = tracing.start("{handler.span}", {
      parent,
      startedAt: clock.now(),
      title: cutText(redact(String(name)), MAX_NAME),
      attributes: {
        "spindex.handler.name": handler,
        "spindex.chain.name": chain.name,
        "spindex.chain.id": chain.id,
        "spindex.block.number": block,
        "spindex.log.index": logIndex,
      },
    });
    this.#open.add(span);
    return span;
  }

  async #settled<T>(span: UserSpan, result: PromiseLike<T>): Promise<T> {
    try {
      const value = await result;
      this.#end(span);
      return value;
    } catch (error) {
      this.#fail(span, error);
      throw error;
    }
  }

  #end(span: UserSpan): void {
    if (this.#open.delete(span)) span.end(this.#o.clock.now());
  }

  #fail(span: UserSpan, error: unknown): void {
    const at = this.#o.clock.now();
    if (this.#open.has(span)) span.fail(error, at);
    this.#end(span);
  }
}

function ownAttributes(
  attributes: Readonly<Record<string, HandlerSpanValue | undefined>>,
): Record<string, string | number | boolean> {
  const own: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(attributes)) {
    if (value === undefined || value === null) continue;
    own[name] = typeof value === "number" || typeof value === "boolean" ? value : textOf(value);
  }
  return own;
}

/** Attributes have no integers of any size. */
function textOf(value: unknown): string {
  return cutText(redact(String(value)), MAX_TEXT);
}

function isThenable(value: unknown): value is PromiseLike<unknown> {
  return typeof value === "object" && value !== null && "then" in value && typeof value.then === "function";
}
