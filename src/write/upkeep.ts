import { logEvent } from "../instrument/log.ts";
import type { Telemetry } from "../instrument/telemetry.ts";
import { type BackoffOptions, backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import { type ChainMetadata, type ChainMetadataSource, MetadataSchedule } from "./chain-metadata.ts";
import { PruneSchedule } from "./pruning.ts";
import { type Storage, WriteFailure } from "./storage.ts";
import { writeError } from "./write-error.ts";

export interface UpkeepOptions {
  readonly storage: Storage;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
  readonly backoff: BackoffOptions;
  readonly metadata?: ChainMetadataSource;
  readonly pruneEveryMs?: number;
}

/**
 * What the persistence loop writes while no run is due: chain metadata, and steps of pruning. Each step is short, a
 * write of its own, and may be left undone: whatever fails is tried again later from the beginning, so that a run never
 * waits for more than the step under way.
 */
export class Upkeep {
  readonly #o: UpkeepOptions;
  readonly #metadata: MetadataSchedule | undefined;
  readonly #pruning: PruneSchedule | undefined;
  /** In a row. */
  #metadataFailures = 0;

  constructor(options: UpkeepOptions) {
    const { metadata, pruneEveryMs, clock } = options;
    this.#o = options;
    this.#metadata = metadata === undefined ? undefined : new MetadataSchedule(metadata);
    this.#pruning = pruneEveryMs === undefined ? undefined : new PruneSchedule(pruneEveryMs, clock.now());
  }

  /** When to call `step` again, if nothing else happens; infinity: never. */
  get nextAt(): number {
    const metadataAt = this.#metadata?.askAgainAt(this.#o.clock.now()) ?? Number.POSITIVE_INFINITY;
    return Math.min(metadataAt, this.#pruning?.nextAt ?? Number.POSITIVE_INFINITY);
  }

  /** The chain metadata of the moment, for a run to take along. */
  metadata(): readonly ChainMetadata[] {
    return this.#metadata?.snapshot() ?? [];
  }

  /** A run that took it along is durable. */
  metadataWritten(chains: readonly ChainMetadata[]): void {
    this.#metadataFailures = 0;
    this.#metadata?.written(chains, this.#o.clock.now());
  }

  /**
   * Does one thing that is due.
   * @returns whether there was one
   * @throws SpindexError when nothing can be written any more
   */
  async step(): Promise<boolean> {
    const { clock } = this.#o;
    const chains = this.#metadata?.due(clock.now());
    if (chains !== undefined) await this.#writeMetadata(chains);
    else if (this.#pruning !== undefined && clock.now() >= this.#pruning.nextAt) await this.#prune(this.#pruning);
    else return false;
    this.#o.telemetry.writeLoop.enter("idle");
    return true;
  }

  async #writeMetadata(chains: readonly ChainMetadata[]): Promise<void> {
    const { storage, telemetry, clock } = this.#o;
    telemetry.writeLoop.enter("metadata");
    const transaction = telemetry.metadataWriteStarted();
    try {
      const { alreadyDurable } = await storage.writeMetadata(chains, transaction);
      transaction.succeeded(alreadyDurable);
      this.metadataWritten(chains);
    } catch (error) {
      transaction.failed(error, failureOf(error));
      requirePassing(error, "chain metadata", transaction.traceId);
      this.#metadata?.postpone(clock.now() + backoffMs(++this.#metadataFailures, this.#o.backoff, clock));
    }
  }

  /** A step of the pass under way, or the plan for the next. */
  async #prune(schedule: PruneSchedule): Promise<void> {
    const { telemetry, clock } = this.#o;
    telemetry.writeLoop.enter("prune");
    const { current } = schedule;
    if (current === undefined) return this.#planPruning(schedule);
    const startedAt = clock.now();
    const prune = telemetry.pruneStarted(current.table);
    try {
      const outcome = await current.step(schedule.maxRows, prune.transaction);
      prune.done(outcome);
      schedule.stepped(outcome, startedAt, clock.now());
    } catch (error) {
      prune.failed(error, failureOf(error));
      schedule.failed(clock.now());
      requirePassing(error, `the pruning of ${current.table}`, prune.transaction.traceId);
    }
  }

  async #planPruning(schedule: PruneSchedule): Promise<void> {
    const { storage, telemetry, clock } = this.#o;
    try {
      schedule.planned(await storage.planPruning(), clock.now());
    } catch (error) {
      schedule.failed(clock.now());
      requirePassing(error, "the plan of a pruning", undefined);
      logEvent(telemetry.log, "write.retry", { class: failureOf(error).kind, err: error });
    }
  }
}

function failureOf(error: unknown): { readonly kind: WriteFailure["kind"]; readonly willRetry: boolean } {
  const kind = error instanceof WriteFailure ? error.kind : "fatal";
  return { kind, willRetry: kind === "transient" || kind === "outcome_unknown" };
}

/** @throws SpindexError unless the failure may pass by itself */
function requirePassing(error: unknown, place: string, traceId: string | undefined): void {
  if (!failureOf(error).willRetry) throw writeError(error, { place, attempt: 1, traceId });
}
