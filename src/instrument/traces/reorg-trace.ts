import type { SourceTelemetry } from "../fetch-telemetry.ts";
import { type Instruments, idsOf, MAX_LINKED, modeOf, traceIdsOf } from "../instruments.ts";
import { logEvent } from "../log.ts";
import type {
  ReorgStart,
  ReorgTelemetry,
  RollbackStart,
  RollbackSummary,
  RollbackTelemetry,
} from "../reorg-telemetry.ts";
import type { OpenSpan } from "../tracing/tracing.ts";
import type { Doing, Unfinished } from "../waiting/unfinished.ts";
import { RequestTelemetry } from "./fetch-trace.ts";
import { WriteTrace } from "./write-trace.ts";

/** The trace of one reorg. */
export class ReorgTrace implements ReorgTelemetry, Unfinished {
  readonly since: number;
  readonly #instruments: Instruments;
  readonly #start: ReorgStart;
  readonly #root: OpenSpan<"spindex.reorg">;
  #depth = 0;
  #rollback: RollbackTrace | undefined;

  constructor(instruments: Instruments, start: ReorgStart) {
    const { tracing, clock, rollable, open } = instruments;
    this.#instruments = instruments;
    this.#start = start;
    this.since = clock.now();
    this.#root = tracing.start("spindex.reorg", {
      parent: undefined,
      startedAt: this.since,
      // Which of them it takes back is not known before it is begun.
      follows: rollable.of(start.chain.id),
      attributes: {
        "spindex.mode": modeOf(instruments),
        "spindex.chain.name": start.chain.name,
        "spindex.chain.id": start.chain.id,
        "spindex.reorg.found_hash": start.foundHash,
      },
    });
    open.add(this);
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

  source(sourceName: string): SourceTelemetry {
    return new RequestTelemetry(this.#instruments, this.#start.chain, sourceName, this.#root);
  }

  rollbackStarted(start: RollbackStart): RollbackTelemetry {
    this.#depth = start.fromBlock - start.toBlock;
    this.#root.set({ "spindex.block.to": start.toBlock });
    const durable = (): void => {
      const thrownAway = this.#instruments.rollable.takeAbove(this.#start.chain.id, start.toBlock);
      for (const batch of thrownAway) this.#root.link(batch);
      this.#root.set({ "spindex.batch.trace_ids": traceIdsOf(thrownAway) });
    };
    this.#rollback = new RollbackTrace(this.#instruments, this.#root, start, durable);
    return this.#rollback;
  }

  done(block: number): void {
    const { metrics, clock } = this.#instruments;
    const chain = this.#start.chain.name;
    const depth = this.#depth;
    metrics.add("reorgs_total", { chain });
    metrics.observe("reorg_depth_blocks", { chain }, depth);
    const seconds = (clock.now() - this.since) / 1000;
    metrics.observe("rollback_duration_seconds", {}, seconds, this.#root.ref);
    this.#root.set({ "spindex.reorg.depth": depth });
    this.#end("durable");
    this.#log("reorg.rolled_back", { block, depth });
  }

  failed(error: unknown): void {
    this.#root.fail(error, this.#instruments.clock.now());
    this.#end("failed");
  }

  abort(): void {
    this.#rollback?.abort();
    this.#end("aborted");
  }

  #end(outcome: "durable" | "failed" | "aborted"): void {
    if (!this.#instruments.open.delete(this)) return;
    this.#root.set({ "spindex.outcome": outcome });
    this.#root.end(this.#instruments.clock.now());
    this.#instruments.dump("rollback");
  }

  #log(event: "reorg.detected" | "reorg.rolled_back", fields: Readonly<Record<string, unknown>>): void {
    logEvent(this.#instruments.log, event, { ...idsOf(this.#root), chain: this.#start.chain.name, ...fields });
  }
}

/** A rollback and its attempts. */
class RollbackTrace implements RollbackTelemetry {
  readonly #instruments: Instruments;
  readonly #span: OpenSpan<"spindex.rollback">;
  readonly #durable: () => void;
  #attempt: WriteTrace | undefined;
  #isEnded = false;

  constructor(instruments: Instruments, reorg: OpenSpan<"spindex.reorg">, start: RollbackStart, durable: () => void) {
    this.#instruments = instruments;
    this.#durable = durable;
    this.#span = instruments.tracing.start("spindex.rollback", {
      parent: reorg,
      startedAt: instruments.clock.now(),
      attributes: {
        "spindex.block.from": start.toBlock + 1,
        "spindex.block.to": start.fromBlock,
        "spindex.reorg.orphaned_hashes": start.orphanedHashes.slice(-MAX_LINKED),
      },
    });
  }

  transaction(attempt: number): WriteTrace {
    this.#attempt = new WriteTrace(this.#instruments, {
      attempt,
      parent: this.#span,
      before: this.#attempt,
      purpose: "rollback",
    });
    return this.#attempt;
  }

  done({ checkpoints, rowsRestored, rowsDeleted }: RollbackSummary): void {
    this.#span.set({
      "spindex.checkpoint.from": checkpoints?.from,
      "spindex.checkpoint.to": checkpoints?.to,
      "spindex.rollback.rows_restored": rowsRestored,
      "spindex.rollback.rows_deleted": rowsDeleted,
    });
    this.#durable();
    this.#end("durable");
  }

  failed(error: unknown): void {
    this.#span.mark(error);
    this.#end("failed");
  }

  abort(): void {
    this.#attempt?.abort();
    this.#end("aborted");
  }

  #end(outcome: "durable" | "failed" | "aborted"): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#span.set({ "spindex.outcome": outcome });
    this.#span.end(this.#instruments.clock.now());
  }
}
