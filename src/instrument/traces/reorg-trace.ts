import { type Instruments, idsOf } from "../instruments.ts";
import { logEvent } from "../log.ts";
import type { ReorgStart, ReorgTelemetry, RollbackSummary } from "../reorg-telemetry.ts";
import type { OpenSpan } from "../tracing/tracing.ts";
import type { Doing, Unfinished } from "../waiting/unfinished.ts";

/** The trace of one reorg. */
export class ReorgTrace implements ReorgTelemetry, Unfinished {
  readonly since: number;
  readonly #instruments: Instruments;
  readonly #start: ReorgStart;
  readonly #root: OpenSpan<"spindex.reorg">;

  constructor(instruments: Instruments, start: ReorgStart) {
    this.#instruments = instruments;
    this.#start = start;
    this.since = instruments.clock.now();
    this.#root = instruments.tracing.start("spindex.reorg", {
      parent: undefined,
      startedAt: this.since,
      attributes: { "spindex.chain.name": start.chain.name, "spindex.chain.id": start.chain.id },
    });
    instruments.open.add(this);
    this.#log("reorg.detected", { evidence: start.evidence });
  }

  doing(): Doing {
    const { chain, backendPids } = this.#start;
    return {
      state: "rollback",
      what: "spindex.reorg",
      span: this.#root,
      backendPids: backendPids?.(),
      attributes: { "spindex.chain.name": chain.name, "spindex.chain.id": chain.id },
    };
  }

  done({ toBlock, depth }: RollbackSummary): void {
    const { metrics, clock } = this.#instruments;
    const chain = this.#start.chain.name;
    metrics.add("reorgs_total", { chain });
    metrics.observe("reorg_depth_blocks", { chain }, depth);
    const seconds = (clock.now() - this.since) / 1000;
    metrics.observe("rollback_duration_seconds", {}, seconds, this.#root.ref);
    this.#root.set({ "spindex.block.to": toBlock, "spindex.reorg.depth": depth });
    this.#end();
    this.#log("reorg.rolled_back", { block: toBlock, depth });
  }

  failed(error: unknown): void {
    this.#root.fail(error, this.#instruments.clock.now());
    this.#end();
  }

  abort(): void {
    this.#end();
  }

  #end(): void {
    if (!this.#instruments.open.delete(this)) return;
    this.#root.end(this.#instruments.clock.now());
    this.#instruments.dump("rollback");
  }

  #log(event: "reorg.detected" | "reorg.rolled_back", fields: Readonly<Record<string, unknown>>): void {
    logEvent(this.#instruments.log, event, { ...idsOf(this.#root.ref), chain: this.#start.chain.name, ...fields });
  }
}
