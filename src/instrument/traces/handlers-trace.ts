import { handlerLog } from "../handler-log.ts";
import type { HandlerLog, HandlerMetrics, HandlerPlace, HandlerTelemetry, RunInSpan } from "../handler-telemetry.ts";
import { type Instruments, idsOf } from "../instruments.ts";
import type { HandlerMetricsStore } from "../metrics/handler-metrics.ts";
import type { OpenSpan } from "../tracing/tracing.ts";
import { HandlerSpans } from "./handler-spans.ts";

/** What the handlers of one batch say by themselves: their lines, spans and metrics lead to the batch. */
export class HandlersTrace implements HandlerTelemetry {
  readonly log: HandlerLog;
  readonly span: RunInSpan;
  readonly metrics: HandlerMetrics;
  readonly #spans: HandlerSpans;
  readonly #counted: HandlerMetricsStore;

  constructor(
    { tracing, clock, log, metrics }: Instruments,
    batchId: number,
    parent: OpenSpan<"spindex.batch.process">,
    place: () => HandlerPlace,
  ) {
    this.#spans = new HandlerSpans({ tracing, clock, parent, place });
    this.#counted = metrics.handlers;
    this.log = handlerLog(log, { batchId, ids: idsOf(parent), place });
    this.span = this.#spans.run;
    this.metrics = this.#counted.metrics;
  }

  beginBlock(): void {
    this.#counted.beginBlock();
  }

  beginEvent(): void {
    this.#counted.beginEvent();
  }

  undoEvent(): void {
    this.#counted.undoEvent();
  }

  undoBlock(): void {
    this.#counted.undoBlock();
  }

  /**
   * The batch is processed: what was counted in its last block stays, and spans that nobody awaited end with it.
   * @returns how many spans were not made, since there were too many; undefined: none
   */
  end(): number | undefined {
    this.#counted.beginBlock();
    this.#spans.end();
    return this.#spans.leftOut === 0 ? undefined : this.#spans.leftOut;
  }
}
