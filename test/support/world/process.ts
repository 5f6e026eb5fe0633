import { AddressTable } from "../../../src/abi/address-table.ts";
import type { FetchedRange } from "../../../src/batch/batch.ts";
import type { HandlerLog } from "../../../src/config/indexer.ts";
import { RangeBuffer } from "../../../src/fetch/range-buffer.ts";
import { Signal } from "../../../src/lib/signal.ts";
import { BatchProcessor } from "../../../src/process/batch-processor.ts";
import type { AnyHandler, EventRoute } from "../../../src/process/event-route.ts";
import { type ChainSupply, ProcessingLoop } from "../../../src/process/processing-loop.ts";
import type { DrainRun } from "../../../src/store/drain-run.ts";
import { Store } from "../../../src/store/store.ts";
import { createMemoryCodec } from "../../../src/testing/memory-codec.ts";
import type { MemoryDatabase } from "../../../src/testing/memory-database.ts";
import { MemoryStorage } from "../../../src/testing/memory-storage.ts";
import { PersistenceLoop } from "../../../src/write/persistence-loop.ts";
import { WriteFailure } from "../../../src/write/storage.ts";
import { effectCallsOf } from "../effect-calls.ts";
import { pageOf } from "../log-pages.ts";
import { silentTelemetry } from "../silent-telemetry.ts";
import { type Plan, type PlannedChain, type PlannedEvent, type PlannedRange, TABLES } from "./plan.ts";
import type { Pick, Steps } from "./steps.ts";

export interface ProcessOptions {
  readonly id: number;
  readonly plan: Plan;
  readonly database: MemoryDatabase;
  readonly steps: Steps;
  readonly pick: Pick;
  /** Called with each event; `store` is where it stands. */
  readonly handle: (context: Parameters<AnyHandler>[0], event: PlannedEvent, store: Store) => Promise<void>;
  readonly batchStarted: (store: Store) => void;
  /** Called before each attempt to write a run. */
  readonly writing: (run: DrainRun) => void;
}

export type Outcome = "ended" | "stopped" | Error;

/** Both loops over the storage, as one life of an indexer's process, without the network. */
export class SimulatedProcess {
  readonly id: number;
  readonly store: Store;
  /** Undefined while it runs. */
  outcome: Outcome | undefined;
  readonly #o: ProcessOptions;
  readonly #work = new AbortController();
  readonly #arrived = new Signal();
  readonly #processing: ProcessingLoop;
  readonly #persistence: PersistenceLoop;
  readonly #supplies: readonly Supply[];

  constructor(options: ProcessOptions) {
    const { id, plan, database, steps, pick } = options;
    this.#o = options;
    this.id = id;
    const clock = steps.clockOf(id);
    const storage = new MemoryStorage(database, `process ${id}`, {
      beforeRead: () => clock.pause("read"),
      afterRead: () => clock.pause("rows"),
      beforeWrite: async (run) => {
        options.writing(run);
        await clock.pause("write");
        const roll = pick(1000);
        if (roll < plan.failures.fatal) throw new WriteFailure("fatal", "planned");
        if (pick(1000) < plan.failures.before) {
          throw new WriteFailure(pick(2) === 0 ? "transient" : "outcome_unknown", "planned, not applied");
        }
      },
      afterWrite: async () => {
        await clock.pause("answer");
        if (pick(1000) < plan.failures.after) throw new WriteFailure("outcome_unknown", "planned, applied");
      },
    });
    this.store = new Store({
      tables: TABLES,
      emptyTables: database.emptyTables,
      codecOf: createMemoryCodec,
      reader: storage,
      asyncReads: plan.asyncReads,
      committed: database.committedCheckpoint,
      nextCheckpoint: database.nextCheckpoint,
      progress: database.progress,
      limits: plan.limits,
      clock,
    });
    const telemetry = silentTelemetry(clock, { batchStarted: () => options.batchStarted(this.store) });
    this.#persistence = new PersistenceLoop({
      store: this.store,
      storage,
      telemetry,
      clock,
      retryBudgetMs: 1e12,
      backoff: { firstMs: 1, maxMs: 10 },
    });
    this.#supplies = plan.chains.map((chain) => new Supply(chain, this.#arrived, this.store));
    this.#processing = new ProcessingLoop({
      store: this.store,
      supplies: this.#supplies,
      arrived: this.#arrived,
      processor: new BatchProcessor({
        chains: this.#supplies.map(({ label }) => label),
        routes: plan.chains.flatMap((chain) => this.#routesOf(chain)),
        tables: TABLES,
        addresses: new AddressTable(),
        store: this.store,
        effects: effectCallsOf(this.store, clock),
        log: NO_LOG,
        clock,
        onUndecodable: () => {},
      }),
      telemetry,
      batchItems: plan.batchItems,
      drainInFlight: () => this.#persistence.inFlightOrigin,
      clock,
    });
  }

  /** Begins; `outcome` says when it has ended. */
  start(): void {
    const clock = this.#o.steps.clockOf(this.id);
    const end = (outcome: Outcome): void => {
      this.outcome = outcome;
    };
    for (const supply of this.#supplies) supply.run((label) => clock.pause(label)).catch(end);
    this.#run().then(end, end);
  }

  /** Asks it to finish what it does, and to end. */
  stop(): void {
    this.#work.abort();
    this.#arrived.notify();
  }

  async #run(): Promise<Outcome> {
    const writing = new AbortController();
    const persistence = this.#persistence.run(writing.signal).then(() => this.stop());
    let outcome: Outcome = "ended";
    try {
      outcome = await this.#processing.run(this.#work.signal);
    } catch (error) {
      outcome = error as Error;
    }
    try {
      await this.store.flush();
    } catch (error) {
      outcome = error as Error;
    }
    writing.abort();
    await persistence;
    return outcome;
  }

  /** Two a chain: what its handlers do when they throw. */
  #routesOf(chain: PlannedChain): EventRoute[] {
    const events = new Map(chain.ranges.flatMap((range) => range.events.map((event) => [idOf(event), event])));
    return (["stop", "skip"] as const).map((onError) => {
      const event = { name: "E", key: "E", signature: "E()", topic: "0x" as const, anonymous: false, inputs: [] };
      return {
        label: `Chain${chain.chainId}.${onError}`,
        contract: `Chain${chain.chainId}`,
        event,
        decoder: {
          event,
          decode: (page, row) => ({
            event: events.get(idOf({ block: page.blockNumber[row] as number, logIndex: page.logIndex[row] as number })),
          }),
        },
        handler: (context) => this.#o.handle(context, context.event.args.event as PlannedEvent, this.store),
        accepts: undefined,
        onError,
      };
    });
  }
}

/** The ranges of one chain, arriving one after the other from where the storage stands. */
class Supply implements ChainSupply {
  readonly label: { readonly name: string; readonly id: number };
  readonly chainId: number;
  readonly #ranges: readonly FetchedRange[];
  readonly #buffer: RangeBuffer;
  isInsideWindow = false;

  constructor({ chainId, ranges }: PlannedChain, arrived: Signal, store: Store) {
    this.label = { name: `chain ${chainId}`, id: chainId };
    this.chainId = chainId;
    const next = (store.committed(chainId)?.block ?? 0) + 1;
    this.#ranges = ranges.flatMap((range) => (range.toBlock < next ? [] : [fetched(range, next)]));
    this.#buffer = new RangeBuffer(chainId, next, Number.POSITIVE_INFINITY, arrived);
  }

  async run(pause: (label: string) => Promise<void>): Promise<void> {
    for (const range of this.#ranges) {
      await pause("arrival");
      this.isInsideWindow = range.head.finalized < range.toBlock;
      this.#buffer.put(range);
    }
    await pause("arrival");
    this.#buffer.end();
  }

  get isEmpty(): boolean {
    return this.#buffer.isEmpty;
  }

  get isEnded(): boolean {
    return this.#buffer.isEnded;
  }

  get isAtHead(): boolean {
    return this.#buffer.isAtHead;
  }

  take(...[maxItems, atLeastOne]: Parameters<ChainSupply["take"]>): ReturnType<ChainSupply["take"]> {
    return this.#buffer.take(maxItems, atLeastOne);
  }
}

/** What is left of a range from block `next` on. */
function fetched({ chainId, fromBlock, toBlock, finalized, events }: PlannedRange, next: number): FetchedRange {
  const left = events.filter(({ block }) => block >= next);
  return {
    chainId,
    fromBlock: Math.max(fromBlock, next),
    toBlock,
    page: pageOf(...left.map(({ block, logIndex }) => ({ blockNumber: block, logIndex }))),
    routes: Uint16Array.from(left, ({ onError }) => (chainId - 1) * 2 + (onError === "stop" ? 0 : 1)),
    headers: [],
    head: { number: toBlock, finalized, live: false },
    origin: undefined,
  };
}

type Place = { readonly block: number; readonly logIndex: number };

function idOf({ block, logIndex }: Place): string {
  return `${block}/${logIndex}`;
}

const NO_LOG: HandlerLog = { debug: () => {}, info: () => {}, warn: () => {}, error: () => {} };
