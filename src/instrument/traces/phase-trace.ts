import type { Instruments } from "../instruments.ts";
import type { SpanAttributes } from "../names.ts";
import type { Phase, PhaseTelemetry } from "../phase-telemetry.ts";
import type { OpenSpan } from "../tracing/tracing.ts";
import type { Doing, Unfinished } from "../waiting/unfinished.ts";

const STATES = {
  "spindex.startup": "startup",
  "spindex.warm_start": "reads",
  "spindex.shutdown": "shutdown",
} as const satisfies Record<Phase, Doing["state"]>;

/** The trace of one phase. */
export class PhaseTrace<N extends Phase> implements PhaseTelemetry<N>, Unfinished {
  readonly since: number;
  readonly #instruments: Instruments;
  readonly #name: N;
  readonly #span: OpenSpan<N>;

  constructor(instruments: Instruments, name: N, attributes: SpanAttributes<N>) {
    this.#instruments = instruments;
    this.#name = name;
    this.since = instruments.clock.now();
    this.#span = instruments.tracing.start(name, { parent: undefined, startedAt: this.since, attributes });
    instruments.open.add(this);
  }

  doing(): Doing {
    return { state: STATES[this.#name], what: this.#name, span: this.#span };
  }

  set(attributes: SpanAttributes<N>): void {
    this.#span.set(attributes);
  }

  done(error?: unknown): void {
    const { open, clock } = this.#instruments;
    if (!open.delete(this)) return;
    if (error !== undefined) this.#span.fail(error, clock.now());
    this.#span.end(clock.now());
  }

  abort(): void {
    this.done();
  }
}
