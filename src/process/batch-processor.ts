import type { AddressTable } from "../abi/address-table.ts";
import { UndecodableLog } from "../abi/undecodable-log.ts";
import type { Batch, BatchSlice } from "../batch/batch.ts";
import { isInsideWindow, splitBatch } from "../batch/create-batch.ts";
import type { ChainLabel } from "../chain/chain-label.ts";
import type { ChildAddress } from "../chain/child-address.ts";
import type { HandlerChain, Register } from "../config/indexer.ts";
import { assert, messageOf, SpindexError } from "../errors.ts";
import type { BatchTelemetry, HandlerCall } from "../instrument/batch-telemetry.ts";
import type { HandlerPlace, HandlerTelemetry } from "../instrument/handler-telemetry.ts";
import type { LoopAccount } from "../instrument/loop-account.ts";
import { redact } from "../instrument/redact.ts";
import type { ProcessState } from "../instrument/telemetry.ts";
import type { Clock } from "../lib/clock.ts";
import type { Store } from "../store/store.ts";
import type { TableModel } from "../store/table.ts";
import { DetailedEvent } from "./detailed-event.ts";
import type { EffectCalls } from "./effect-calls.ts";
import { blockOf, type EventBlock, HandledEvent } from "./event.ts";
import type { EventRoute } from "./event-route.ts";
import { cancel, handlerError, isOfHandler, isPending, requireNothingPending, settle } from "./handler-failure.ts";
import { callOf, HandlerStats } from "./handler-stats.ts";
import { BlockRegistrations, type Registrar } from "./registrar.ts";
import { createStoreFacade, type StoreFacade } from "./store-facade.ts";

export interface ProcessorOptions {
  readonly chains: readonly ChainLabel[];
  readonly routes: readonly EventRoute[];
  readonly tables: readonly TableModel[];
  /** Shared with the decoders, so that an address is one string everywhere. */
  readonly addresses: AddressTable;
  readonly store: Store;
  readonly effects: EffectCalls;
  /** In `handlers` while a batch is processed. */
  readonly processLoop: LoopAccount<ProcessState>;
  readonly clock: Clock;
  /** By the chain's id. */
  readonly registrars: ReadonlyMap<number, Registrar>;
  /** A log that is not what the ABI says: counted, never dropped in silence. */
  readonly onUndecodable: (chain: ChainLabel, error: UndecodableLog) => void;
}

/**
 * How a batch went. Unless all of it was processed, `kept` is what may be committed: everything before the block that
 * failed, or that has registered addresses whose logs are missing.
 */
export type ProcessOutcome =
  | { readonly kind: "processed" }
  | {
      readonly kind: "registered";
      readonly chainId: number;
      readonly children: readonly ChildAddress[];
      readonly kept: Batch | undefined;
      /** What is to be processed again, when the logs of the addresses are there. */
      readonly rest: readonly BatchSlice[];
    }
  | { readonly kind: "failed"; readonly error: SpindexError; readonly kept: Batch | undefined };

/** Awaiting plain values never turns the event loop: after so many events it gets a turn, or sockets would starve. */
const EVENTS_A_TURN = 1000;

/** Runs handlers over a batch, event by event, in order. The store must have the batch open. */
export class BatchProcessor {
  readonly #options: ProcessorOptions;
  readonly #facades = new Map<number, FacadeOfChain>();

  constructor(options: ProcessorOptions) {
    this.#options = options;
    options.chains.forEach((label, index) => {
      const store = createStoreFacade(options.store, options.tables, label.id);
      this.#facades.set(label.id, { index, label, store });
    });
  }

  async process(batch: Batch, telemetry: BatchTelemetry): Promise<ProcessOutcome> {
    const stats = new HandlerStats(this.#options.routes, this.#options.chains);
    const { effects } = this.#options;
    const readsBefore = this.#options.store.reads.fromStorage;
    effects.beginBatch(telemetry);
    const run = new BatchRun(this.#options, this.#facades, batch, stats, telemetry);
    const outcome = await run.all();
    telemetry.processed({
      handlerCalls: stats.handlerCalls,
      skippedEvents: run.skipped,
      readsFromStorage: this.#options.store.reads.fromStorage - readsBefore,
      reads: this.#options.store.takeReads(),
      handlers: stats.handlers(),
      effects: effects.endBatch(),
      slowest: stats.slowest(),
    });
    return outcome;
  }

  /** For good: what handlers wait for is waited for no longer. To be called when the batch was abandoned. */
  cancel(): void {
    cancel(this.#options);
  }
}

/** A block that is not a part of the batch any more. */
interface Stopped {
  readonly block: number;
  /** Undefined: it has registered addresses. */
  readonly error: SpindexError | undefined;
}

interface FacadeOfChain {
  readonly index: number;
  readonly label: ChainLabel;
  readonly store: StoreFacade;
}
type Facades = ReadonlyMap<number, FacadeOfChain>;

/** The run through one batch: where it stands, and what to do when a handler throws. */
class BatchRun {
  skipped = 0;
  readonly #o: ProcessorOptions;
  readonly #facades: Facades;
  readonly #batch: Batch;
  readonly #stats: HandlerStats;
  readonly #telemetry: BatchTelemetry;
  readonly #told: HandlerTelemetry;
  #checkpoint: number;
  /** Where it stands, for who asks: a log line of a handler, or a span. */
  #route: EventRoute | undefined;
  #slice: BatchSlice | undefined;
  #row = 0;
  #sinceTurn = 0;
  /** Of the current block. */
  #registered = new BlockRegistrations();
  #skippedBefore = 0;

  constructor(
    options: ProcessorOptions,
    facades: Facades,
    batch: Batch,
    stats: HandlerStats,
    telemetry: BatchTelemetry,
  ) {
    this.#o = options;
    this.#telemetry = telemetry;
    this.#told = telemetry.handlers(() => this.#place());
    this.#facades = facades;
    this.#batch = batch;
    this.#stats = stats;
    this.#checkpoint = batch.checkpoints.from - 1;
  }

  async all(): Promise<ProcessOutcome> {
    for (const [number, slice] of this.#batch.slices.entries()) {
      const stopped = await this.#handleSlice(slice);
      if (stopped === undefined) continue;
      this.#o.store.undoBlock();
      this.#told.undoBlock();
      this.skipped = this.#skippedBefore;
      const { kept, rest } = splitBatch(this.#batch, number, stopped.block);
      this.#endKept(kept);
      if (stopped.error !== undefined) return { kind: "failed", error: stopped.error, kept };
      return { kind: "registered", chainId: slice.range.chainId, children: this.#registered.children, kept, rest };
    }
    assert(this.#checkpoint === this.#batch.checkpoints.to, "a batch has other positions than it was numbered for");
    return { kind: "processed" };
  }

  /** What is kept of a batch may end with blocks without events: their checkpoint is the one that the failed block had. */
  #endKept(kept: Batch | undefined): void {
    const last = kept?.slices.at(-1);
    if (last === undefined || kept?.checkpoints.to !== this.#checkpoint) return;
    this.#checkpoint--;
    this.#beginBlock(last, last.throughBlock);
  }

  async #handleSlice(slice: BatchSlice): Promise<Stopped | undefined> {
    const { range, fromRow, toRow, throughBlock } = slice;
    const chain = this.#facades.get(range.chainId);
    if (chain === undefined) throw new SpindexError("INTERNAL", `no chain ${range.chainId} in this indexer`);
    const handlerChain: HandlerChain = { ...chain.label, live: range.head.live };
    const effect = this.#o.effects.call;
    const register = this.#registerOn(chain.label);
    const { log, span, metrics } = this.#told;
    this.#slice = slice;
    let block: EventBlock | undefined;
    let number = -1;
    let startedAt = this.#o.clock.now();
    for (let row = fromRow; row < toRow; row++) {
      if (range.page.blockNumber[row] !== number) {
        if (!this.#registered.isEmpty) return { error: undefined, block: number };
        number = range.page.blockNumber[row] as number;
        block = blockOf(range.page, row);
        this.#beginBlock(slice, number);
      }
      const routeIndex = range.routes[row] as number;
      const route = this.#o.routes[routeIndex] as EventRoute;
      const event = this.#decode(route, chain.label, slice, row, block as EventBlock);
      if (event === undefined) continue;
      this.#o.store.beginEvent(range.page.logIndex[row] as number, route.label);
      this.#told.beginEvent();
      this.#registered.beginEvent();
      this.#route = route;
      this.#row = row;
      try {
        const context = { event, store: chain.store, chain: handlerChain, log, effect, span, metrics, register };
        const returned = route.handler(context);
        if (returned !== undefined) await returned;
        assert(this.#o.store.isChangeable, "a handler has returned to a batch that was abandoned");
        requireNothingPending(this.#o, route.label);
      } catch (error) {
        if (!this.#o.store.isChangeable) throw error;
        const isFatal = route.onError === "stop" || !isOfHandler(error);
        // It may be missing what the logs of the new addresses bring: it fails when they are there, or not at all.
        const isRunAgain = isFatal && isOfHandler(error) && !this.#registered.isEmpty;
        if (isPending(this.#o)) await settle(this.#o, isFatal && !isRunAgain);
        if (isRunAgain) return { error: undefined, block: number };
        const call = callOf(route, chain.label, slice, row, startedAt, this.#o.clock.now(), error);
        if (isFatal) {
          this.#telemetry.handlerFailed(call, "stop");
          return { error: isOfHandler(error) ? handlerError(call) : error, block: call.block };
        }
        this.#skip(call);
      }
      const endedAt = this.#o.clock.now();
      this.#stats.add(chain.index, routeIndex, slice, row, startedAt, endedAt);
      startedAt = ++this.#sinceTurn >= EVENTS_A_TURN ? await this.#turn() : endedAt;
    }
    if (!this.#registered.isEmpty) return { error: undefined, block: number };
    // The end of a scanned range has a checkpoint of its own when no event lies in its last block.
    if (number !== throughBlock) this.#beginBlock(slice, throughBlock);
    return undefined;
  }

  #place(): HandlerPlace {
    const { label: handler } = this.#route as EventRoute;
    const { range } = this.#slice as BatchSlice;
    const { label: chain } = this.#facades.get(range.chainId) as FacadeOfChain;
    const { blockNumber, logIndex } = range.page;
    return { handler, chain, block: blockNumber[this.#row] as number, logIndex: logIndex[this.#row] as number };
  }

  #registerOn(chain: ChainLabel): Register {
    const { store, registrars } = this.#o;
    return (contract, address) => {
      if (!store.isChangeable || store.scope.chainId !== chain.id) {
        throw new SpindexError("CONTEXT_REVOKED", "register was used after its handler had returned", {
          fix: "Await every promise that the handler starts.",
        });
      }
      const { blockNumber } = (this.#slice as BatchSlice).range.page;
      const child = registrars.get(chain.id)?.resolve(contract, address, blockNumber[this.#row] as number);
      if (child !== undefined) this.#registered.add(child);
    };
  }

  #beginBlock(slice: BatchSlice, block: number): void {
    this.#checkpoint++;
    this.#skippedBefore = this.skipped;
    this.#told.beginBlock();
    this.#o.store.beginBlock(slice.range.chainId, block, this.#checkpoint, isInsideWindow(slice, block));
  }

  /** The event for its handler; undefined when there is none for it in the log. */
  #decode(
    route: EventRoute,
    chain: ChainLabel,
    slice: BatchSlice,
    row: number,
    block: EventBlock,
  ): HandledEvent | undefined {
    const { range } = slice;
    const { addresses } = this.#o;
    try {
      const args = route.decoder.decode(range.page, row);
      if (route.accepts?.(args) === false) return undefined;
      const { contract, fields } = route;
      if (fields !== undefined) return new DetailedEvent(route, fields, args, block, range, row, addresses);
      return new HandledEvent(contract, route.event.key, args, block, range.page, row, addresses);
    } catch (error) {
      if (!(error instanceof UndecodableLog)) throw error;
      this.#o.onUndecodable(chain, error);
      return undefined;
    }
  }

  #skip(call: HandlerCall): void {
    this.#o.store.undoEvent();
    this.#told.undoEvent();
    this.#registered.undoEvent();
    this.skipped++;
    this.#telemetry.handlerFailed(call, "skip");
    this.#o.store.skip({
      chainId: call.chain.id,
      block: call.block,
      logIndex: call.logIndex,
      checkpoint: this.#checkpoint,
      transactionHash: call.transactionHash,
      handler: call.handler,
      message: redact(messageOf(call.error)),
    });
  }

  async #turn(): Promise<number> {
    this.#sinceTurn = 0;
    // Others work now: the time is not that of handlers.
    this.#o.processLoop.enter("other");
    await this.#o.clock.turn();
    this.#o.processLoop.enter("handlers");
    return this.#o.clock.now();
  }
}
