import type { Batch } from "../batch/batch.ts";
import type { ChainLabel } from "../chain/chain-label.ts";
import type { SetupContext } from "../config/indexer.ts";
import { messageOf, SpindexError } from "../errors.ts";
import type { BatchTelemetry } from "../instrument/batch-telemetry.ts";
import type { Clock } from "../lib/clock.ts";
import type { Store } from "../store/store.ts";
import type { TableModel } from "../store/table.ts";
import type { ProcessOutcome } from "./batch-processor.ts";
import type { EffectCalls } from "./effect-calls.ts";
import { cancel, isOfHandler, isPending, requireNothingPending, settle } from "./handler-failure.ts";
import { createStoreFacade, type StoreFacade } from "./store-facade.ts";

export type AnySetupHandler = (context: SetupContext<StoreFacade>) => void | Promise<void>;

export interface ChainSetupOptions {
  readonly handler: AnySetupHandler;
  readonly chains: readonly { readonly label: ChainLabel; readonly startBlock: number }[];
  readonly tables: readonly TableModel[];
  readonly store: Store;
  readonly effects: EffectCalls;
  readonly clock: Clock;
}

/**
 * What runs once a chain, before its first block: a batch of its own, without events, that takes the chain's progress to
 * the block before its first one. A chain has no progress exactly as long as its set-up is not durable.
 */
export class ChainSetup {
  readonly #o: ChainSetupOptions;

  constructor(options: ChainSetupOptions) {
    this.#o = options;
  }

  /** The batch for the next chain that is not set up; undefined: all are. */
  nextBatch(id: number): Batch | undefined {
    const { chains, store } = this.#o;
    const due = chains.find(
      ({ label, startBlock }) => Number.isFinite(startBlock) && store.processed(label.id) === undefined,
    );
    if (due === undefined) return undefined;
    const { label, startBlock } = due;
    const checkpoint = store.nextCheckpoint;
    const block = startBlock - 1;
    return {
      id,
      // No reorg takes the rows back, since none goes below the first block.
      mode: "final",
      slices: [],
      items: 0,
      checkpoints: { from: checkpoint, to: checkpoint },
      progress: [
        {
          chainId: label.id,
          block,
          timestamp: undefined,
          checkpoint,
          head: { number: block, finalized: -1, live: false },
          headers: [],
        },
      ],
      origin: undefined,
    };
  }

  /** As `BatchProcessor.cancel`. */
  cancel(): void {
    cancel(this.#o);
  }

  /** Runs the handler for a batch of `nextBatch`. The store must have it open. */
  async process(batch: Batch, telemetry: BatchTelemetry): Promise<ProcessOutcome> {
    const { handler, chains, tables, store, effects } = this.#o;
    const [progress] = batch.progress;
    const label = chains.find((chain) => chain.label.id === progress?.chainId)?.label;
    if (progress === undefined || label === undefined) throw new SpindexError("INTERNAL", "a set-up without a chain");
    store.beginBlock(label.id, progress.block, batch.checkpoints.from, false);
    const readsBefore = store.reads.fromStorage;
    let outcome: ProcessOutcome = { kind: "processed" };
    effects.beginBatch(telemetry);
    const told = telemetry.handlers(() => ({ handler: "setup", chain: label }));
    const { log, span, metrics } = told;
    try {
      const facade = createStoreFacade(store, tables, label.id);
      await handler({ store: facade, chain: { ...label, live: false }, log, effect: effects.call, span, metrics });
      requireNothingPending(this.#o, "the set-up");
    } catch (error) {
      if (!store.isChangeable) throw error;
      if (isPending(this.#o)) await settle(this.#o, true);
      store.undoBlock();
      told.undoBlock();
      outcome = { kind: "failed", error: isOfHandler(error) ? setupError(label, error) : error, kept: undefined };
    }
    const readsFromStorage = store.reads.fromStorage - readsBefore;
    telemetry.processed({
      handlerCalls: 0,
      skippedEvents: 0,
      readsFromStorage,
      reads: store.takeReads(),
      handlers: [],
      effects: effects.endBatch(),
      slowest: [],
    });
    return outcome;
  }
}

function setupError(chain: ChainLabel, error: unknown): SpindexError {
  return new SpindexError("HANDLER_FAILED", `the set-up of ${chain.name} threw: ${messageOf(error)}`, {
    cause: error,
    fix: "Mend the handler given to indexer.onSetup and start again: nothing of the chain has been indexed yet.",
    details: { handler: "onSetup", chain: chain.name },
  });
}
