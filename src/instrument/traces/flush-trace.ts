import type { FlushStart, FlushTelemetry } from "../flush-telemetry.ts";
import { type AwaitsDrains, type Instruments, MAX_LINKED, modeOf, Origin, traceIdsOf } from "../instruments.ts";
import type { Doing, Unfinished } from "../waiting/unfinished.ts";

type Outcome = "durable" | "late" | "failed" | "aborted";

/** One flush. Its span is made when it has ended: only then is known which runs it awaited, and whether it is exported. */
export class FlushTrace implements FlushTelemetry, AwaitsDrains, Unfinished {
  readonly since: number;
  readonly #instruments: Instruments;
  readonly #start: FlushStart;
  readonly #awaited: Origin[] = [];

  constructor(instruments: Instruments, start: FlushStart) {
    this.#instruments = instruments;
    this.#start = start;
    this.since = instruments.clock.now();
    if (start.drainOrigin instanceof Origin) this.awaits(start.drainOrigin);
    instruments.awaiting.add(this);
    instruments.open.add(this);
  }

  awaits(drain: Origin): void {
    this.#awaited.push(drain);
  }

  doing(): Doing {
    return { state: "flush", what: "spindex.flush" };
  }

  done(outcome: "durable" | "late"): void {
    this.#end(outcome, undefined);
  }

  failed(error: unknown): void {
    this.#end("failed", error);
  }

  abort(): void {
    this.#end("aborted", undefined);
  }

  #end(outcome: Outcome, error: unknown): void {
    const { tracing, clock, open, awaiting } = this.#instruments;
    if (!open.delete(this)) return;
    awaiting.delete(this);
    const awaited = this.#awaited.slice(-MAX_LINKED);
    const refs = awaited.flatMap(({ ref }) => ref ?? []);
    const span = tracing.start("spindex.flush", {
      parent: undefined,
      startedAt: this.since,
      links: refs,
      follows: refs,
      attributes: {
        "spindex.mode": modeOf(this.#instruments),
        "spindex.reason": this.#start.reason,
        "spindex.pending.batches": this.#start.pendingBatches,
        "spindex.drain.ids": awaited.map(({ id }) => String(id)),
        "spindex.drain.trace_ids": traceIdsOf(refs),
        "spindex.outcome": outcome,
      },
    });
    const at = clock.now();
    if (error !== undefined) span.mark(error);
    span.end(at);
  }
}
