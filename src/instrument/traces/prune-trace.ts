import { type Instruments, modeOf } from "../instruments.ts";
import type { PruneTelemetry } from "../prune-telemetry.ts";
import type { OpenSpan } from "../tracing/tracing.ts";
import type { Doing, Unfinished } from "../waiting/unfinished.ts";
import { WriteTrace } from "./write-trace.ts";

/** One step of pruning: a short trace of its own. */
export class PruneTrace implements PruneTelemetry, Unfinished {
  readonly transaction: WriteTrace;
  readonly since: number;
  readonly #instruments: Instruments;
  readonly #table: string;
  readonly #root: OpenSpan<"spindex.history_prune">;

  constructor(instruments: Instruments, table: string) {
    this.#instruments = instruments;
    this.#table = table;
    this.since = instruments.clock.now();
    this.#root = instruments.tracing.start("spindex.history_prune", {
      parent: undefined,
      startedAt: this.since,
      attributes: { "spindex.mode": modeOf(instruments), "spindex.prune.table": table },
    });
    this.transaction = new WriteTrace(instruments, { attempt: 1, parent: this.#root });
    instruments.open.add(this);
  }

  doing(): Doing {
    return { ...this.transaction.doing(), what: "spindex.history_prune", span: this.#root };
  }

  done({ rows, alreadyDurable }: { readonly rows: number; readonly alreadyDurable: boolean }): void {
    this.transaction.succeeded(alreadyDurable);
    this.#instruments.metrics.add("history_pruned_rows_total", { table: this.#table }, rows);
    this.#end("durable", rows);
  }

  failed(error: unknown, failure: { readonly kind: string; readonly willRetry: boolean }): void {
    this.transaction.failed(error, failure);
    this.#root.mark(error);
    this.#end("failed", undefined);
  }

  abort(): void {
    this.transaction.abort();
    this.#end("aborted", undefined);
  }

  #end(outcome: string, rows: number | undefined): void {
    if (!this.#instruments.open.delete(this)) return;
    this.#root.set({ "spindex.outcome": outcome, "spindex.prune.rows": rows });
    this.#root.end(this.#instruments.clock.now());
  }
}
