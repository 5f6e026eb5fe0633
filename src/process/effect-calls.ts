import { setMaxListeners } from "node:events";
import type { EffectContext, EffectDefinition, EffectFunction } from "../config/effect.ts";
import type { MaybePromise } from "../config/rows.ts";
import { messageOf, SpindexError } from "../errors.ts";
import type {
  EffectCallTelemetry,
  EffectOutcome,
  EffectSummary,
  EffectTelemetry,
} from "../instrument/batch-telemetry.ts";
import type { EffectStatus } from "../instrument/status.ts";
import type { Clock } from "../lib/clock.ts";
import { unlessAborted } from "../lib/unless-aborted.ts";
import { createEffectShape, type EffectShape, type KeptValue } from "../store/effect-shape.ts";
import type { EffectReader } from "../store/effect-table.ts";
import type { Store } from "../store/store.ts";
import { CallLimiter } from "./call-limiter.ts";
import { EffectReads } from "./effect-reads.ts";
import type { HandlerWaits } from "./handler-waits.ts";

export interface EffectCallsOptions {
  readonly store: Store;
  /** Outputs of earlier runs of the process. */
  readonly reader: EffectReader;
  /** @throws SpindexError CONFIG_INVALID when it is no effect */
  readonly definitionOf: (effect: unknown) => EffectDefinition;
  /** For tests: what an effect calls instead of its own function; undefined: its own. */
  readonly replacementOf?: (definition: EffectDefinition) => EffectFunction<never, unknown> | undefined;
  readonly waits: HandlerWaits;
  readonly clock: Clock;
}

/** What one effect needs while the process runs. */
interface Known {
  readonly definition: EffectDefinition;
  readonly shape: EffectShape;
  readonly limiter: CallLimiter;
  /** Calls under way, by their canonical input. */
  readonly underWay: Map<string, Promise<KeptValue>>;
  /** Since the batch began. */
  readonly counts: Map<EffectOutcome, number>;
}

/**
 * The effects that handlers call. Equal inputs are called for once: what is in memory is given at once, a call under way
 * is shared, and an output that was stored before is read, before the effect's own function is called within its limits.
 * A failure is kept nowhere: whoever asks next makes a new call.
 */
export class EffectCalls {
  readonly #o: EffectCallsOptions;
  readonly #reads: EffectReads;
  readonly #known = new Map<string, Known>();
  readonly #cancelled = new AbortController();
  #telemetry: EffectTelemetry | undefined;
  #pending = 0;

  constructor(options: EffectCallsOptions) {
    this.#o = options;
    this.#reads = new EffectReads(options.reader);
    // Every call under way listens.
    setMaxListeners(0, this.#cancelled.signal);
  }

  /** `effect` in handlers. */
  readonly call = (effect: unknown, input: unknown): MaybePromise<never> => {
    const { store } = this.#o;
    if (!store.isChangeable) throw revoked();
    const known = this.#knownOf(effect);
    const kept = known.shape.input(input);
    const key = known.shape.keyOf(kept);
    const found = store.effects.find(known.definition.name, key);
    if (found !== undefined) count(known, "memory");
    if (found !== undefined && !store.reads.areAllAsync) return known.shape.valueOf("output", found) as never;
    const delivered = this.#deliver(known, found === undefined ? this.#shared(known, kept, key) : this.#later(found));
    // When nobody awaits it, the handler is refused for that, and the process is not ended by a rejection.
    delivered.catch(() => {});
    return delivered;
  };

  /** Outputs that handlers wait for. */
  get pending(): number {
    return this.#pending;
  }

  /** Waits until no output is waited for. */
  async settle(): Promise<void> {
    while (this.#pending > 0) {
      const calls = [...this.#known.values()].flatMap(({ underWay }) => [...underWay.values()]);
      await unlessAborted(Promise.allSettled(calls), this.#cancelled.signal).catch(() => {});
      await this.#o.clock.turn();
    }
  }

  /** For good: calls under way are told to end, their outputs are never given, and nothing of them is kept. */
  cancel(): void {
    this.#cancelled.abort(new Cancelled());
  }

  /** The effects that were called since the start. */
  get status(): readonly EffectStatus[] {
    return [...this.#known].map(([effect, { limiter }]) => ({ effect, waiting: limiter.waiting }));
  }

  /** What is called next belongs to this batch. */
  beginBatch(telemetry: EffectTelemetry): void {
    this.#telemetry = telemetry;
  }

  /** How often effects were called since the batch began. */
  endBatch(): readonly EffectSummary[] {
    this.#telemetry = undefined;
    return [...this.#known.values()].flatMap(({ definition, counts }) => {
      const summaries = [...counts].map(([outcome, calls]) => ({ effect: definition.name, outcome, calls }));
      counts.clear();
      return summaries;
    });
  }

  #knownOf(effect: unknown): Known {
    const definition = this.#o.definitionOf(effect);
    const known = this.#known.get(definition.name);
    if (known !== undefined) {
      if (known.definition === definition) return known;
      throw new SpindexError("CONFIG_INVALID", `there are two effects with the name ${definition.name}`, {
        fix: "Give each effect a name of its own: outputs are stored under it.",
      });
    }
    const made: Known = {
      definition,
      shape: createEffectShape(definition),
      limiter: new CallLimiter(definition, this.#o.clock),
      underWay: new Map(),
      counts: new Map(),
    };
    this.#known.set(definition.name, made);
    return made;
  }

  async #later(found: KeptValue): Promise<KeptValue> {
    await this.#o.clock.turn();
    return found;
  }

  async #deliver({ shape, definition }: Known, output: Promise<KeptValue>): Promise<never> {
    this.#pending++;
    try {
      const wait = { state: "effects", what: definition.name } as const;
      const given = (): Promise<KeptValue> => unlessAborted(output, this.#cancelled.signal);
      return shape.valueOf("output", await this.#o.waits.during(wait, given)) as never;
    } catch (error) {
      if (!this.#cancelled.signal.aborted) throw error;
    } finally {
      this.#pending--;
    }
    // An error would be nobody's: the handler does not go on.
    return new Promise<never>(() => {});
  }

  #shared(known: Known, input: KeptValue, key: string): Promise<KeptValue> {
    const other = known.underWay.get(key);
    if (other !== undefined) {
      count(known, "shared");
      return other;
    }
    const made = this.#outputOf(known, input, key).finally(() => known.underWay.delete(key));
    known.underWay.set(key, made);
    return made;
  }

  async #outputOf(known: Known, input: KeptValue, key: string): Promise<KeptValue> {
    const { definition, shape } = known;
    const { effects } = this.#o.store;
    const { signal } = this.#cancelled;
    const stored = definition.cache ? await this.#reads.read(shape, key) : undefined;
    signal.throwIfAborted();
    if (stored !== undefined) {
      const output = shape.fromJson(stored.output);
      effects.loaded(shape, key, output);
      count(known, "stored");
      return output;
    }
    const output = await this.#called(known, input);
    signal.throwIfAborted();
    effects.add(this.#o.store.scope, shape, key, output);
    return output;
  }

  /** Calls the function itself, within its limits. */
  async #called(known: Known, input: KeptValue): Promise<KeptValue> {
    const { definition, shape, limiter } = known;
    const { clock } = this.#o;
    const askedAt = clock.now();
    const telemetry = this.#telemetry?.effectAsked({ effect: definition.name, askedAt });
    let calledAt = askedAt;
    let outcome: EffectOutcome = "called";
    let failure: unknown;
    try {
      return await limiter.run(async () => {
        this.#cancelled.signal.throwIfAborted();
        calledAt = clock.now();
        return shape.output(await this.#answer(definition, shape.valueOf("input", input), telemetry));
      });
    } catch (error) {
      outcome = error instanceof TimeoutError ? "timeout" : "failed";
      failure = failed(definition, input, error);
      throw failure;
    } finally {
      count(known, outcome);
      telemetry?.ended({ calledAt, endedAt: clock.now(), error: failure });
    }
  }

  /** The function's answer, if it comes in time. */
  async #answer(definition: EffectDefinition, input: unknown, telemetry?: EffectCallTelemetry): Promise<unknown> {
    const { clock, replacementOf } = this.#o;
    const run = (replacementOf?.(definition) ?? definition.run) as EffectFunction<unknown, unknown>;
    const { signal: cancelled } = this.#cancelled;
    const given = new AbortController();
    const over = new AbortController();
    const cancel = (): void => given.abort(cancelled.reason);
    cancelled.addEventListener("abort", cancel, { once: true });
    const late = clock.sleep(definition.timeoutMs, over.signal).then(() => {
      if (over.signal.aborted) return undefined;
      const error = new TimeoutError(`no answer within ${definition.timeoutMs} ms`);
      given.abort(error);
      throw error;
    });
    try {
      return await Promise.race([Promise.resolve(run(input, contextOf(given.signal, telemetry))), late]);
    } finally {
      over.abort();
      cancelled.removeEventListener("abort", cancel);
    }
  }
}

/** A span is made for the headers: only when the function asks for them. */
function contextOf(signal: AbortSignal, telemetry: EffectCallTelemetry | undefined): EffectContext {
  return {
    signal,
    get traceHeaders() {
      return { ...telemetry?.traceHeaders() };
    },
  };
}

class TimeoutError extends Error {
  override readonly name = "TimeoutError";
}

/** What a call is told whose output nothing can wait for any more. */
class Cancelled extends Error {
  override readonly name = "Cancelled";

  constructor() {
    super("the indexer is ending");
  }
}

function count({ counts }: Known, outcome: EffectOutcome): void {
  counts.set(outcome, (counts.get(outcome) ?? 0) + 1);
}

function failed({ name }: EffectDefinition, input: KeptValue, error: unknown): SpindexError {
  const shown = JSON.stringify(input, (_, value) => (typeof value === "bigint" ? `${value}n` : value));
  const short = shown.length > 200 ? `${shown.slice(0, 197)}...` : shown;
  return new SpindexError("EFFECT_FAILED", `the effect ${name} failed for ${short}: ${messageOf(error)}`, {
    cause: error,
    fix: "Nothing of it is kept: it is called again when a handler asks again. Catch the error where a handler can do without.",
    details: { effect: name },
  });
}

function revoked(): SpindexError {
  return new SpindexError("CONTEXT_REVOKED", "an effect was called after its handler had returned", {
    fix: "Await every promise that the handler starts.",
  });
}
