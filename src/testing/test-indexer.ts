import { AddressTable } from "../abi/address-table.ts";
import type { Batch } from "../batch/batch.ts";
import { createBatch } from "../batch/create-batch.ts";
import type { EventId } from "../chain/event-id.ts";
import type { IndexerDefinition } from "../config/definition.ts";
import { type Effect, type EffectDefinition, type EffectFunction, effectDefinitionOf } from "../config/effect.ts";
import type { EnvSource } from "../config/env.ts";
import type { AbiInput, ArgsOf, EventKey } from "../config/events.ts";
import type { Indexer } from "../config/indexer.ts";
import {
  type Registration,
  registrationsOf,
  type SetupRegistration,
  sealRegistrations,
  setupOf,
} from "../config/registration.ts";
import { resolveDefinition } from "../config/resolve-definition.ts";
import { resolveRegistrations } from "../config/resolve-registrations.ts";
import type { KeyOf, RowOf, StoreOf } from "../config/rows.ts";
import { SpindexError } from "../errors.ts";
import { limitsOf } from "../indexer/limits.ts";
import { handledLogReader, routesOf } from "../indexer/routes.ts";
import type { WriteTransactionTelemetry } from "../instrument/drain-telemetry.ts";
import type { HandlerLog, LabelValue } from "../instrument/handler-telemetry.ts";
import { LoopAccount } from "../instrument/loop-account.ts";
import { MUTED_LOG } from "../instrument/muted-handlers.ts";
import { LOOP_STATES } from "../instrument/names.ts";
import { systemClock } from "../lib/clock.ts";
import { BatchProcessor } from "../process/batch-processor.ts";
import { type AnySetupHandler, ChainSetup } from "../process/chain-setup.ts";
import { EffectCalls } from "../process/effect-calls.ts";
import { HandlerWaits } from "../process/handler-waits.ts";
import type { DrainRun, SkippedEvent } from "../store/drain-run.ts";
import { Store } from "../store/store.ts";
import type { TableModel } from "../store/table.ts";
import { type RawEventRow, RawEvents } from "../write/raw-events.ts";
import type { TraceCollector } from "./collect-traces.ts";
import { invalid } from "./encode-event.ts";
import { createMemoryCodec, memoryEffectCodec, memoryRawEventCodec } from "./memory-codec.ts";
import { MemoryDatabase } from "./memory-database.ts";
import { MemoryStorage } from "./memory-storage.ts";
import { type EmittedPlace, TestChain } from "./test-chain.ts";
import { TestTelemetry } from "./test-telemetry.ts";
import { TestTraces } from "./test-traces.ts";

/** An event as a test hands it in: its arguments as handlers get them, and where it happens. */
export interface EmittedEvent<Args, Chain extends string> extends EmittedPlace {
  readonly args: Args;
  /** Default: the first chain of the contract. */
  readonly chain?: Chain;
}

export interface TestIndexerOptions {
  /** What handlers write their log lines to. Default: nowhere. */
  readonly log?: HandlerLog;
  /** Keeps the spans of batches, handlers and writes. Default: nothing is traced. */
  readonly traces?: TraceCollector;
}

type EntityName<Schema> = keyof StoreOf<Schema> & keyof Schema & string;
type Abis = Readonly<Record<string, AbiInput>>;

/** An indexer without network and database: events go in, rows come out. */
export interface TestIndexer<Schema, A extends Abis, Chain extends string> {
  /**
   * Emits an event; it is handled by the next `process()`. Events of a chain come in the order of the chain.
   * @returns the event's id, as handlers get it
   * @throws SpindexError TEST_INPUT_INVALID when no contract of the configuration emits this event there
   */
  emit<Key extends EventKey<A>>(event: Key, emitted: EmittedEvent<ArgsOf<A, Key>, Chain>): EventId;
  /**
   * Runs the handlers of what was emitted, and writes.
   * @throws SpindexError HANDLER_FAILED; everything before the event's block has been written then, and the indexer has
   *   stopped as a real one does
   */
  process(): Promise<void>;
  /** The written rows of an entity, of one chain or of all, in the order in which they were first written. */
  rows<Name extends EntityName<Schema>>(entity: Name, chain?: Chain): readonly RowOf<Schema[Name]>[];
  /** A written row of the chain; default: the first chain of the configuration. */
  get<Name extends EntityName<Schema>>(
    entity: Name,
    key: KeyOf<Schema[Name]>,
    chain?: Chain,
  ): RowOf<Schema[Name]> | undefined;
  /** From now on the effect calls this function instead of its own. */
  replaceEffect<Input, Output>(effect: Effect<Input, Output>, run: EffectFunction<Input, Output>): void;
  /**
   * What a metric of the handlers has come to, by its line of the metrics page, such as `spindex_user_swaps_total` or
   * `spindex_user_size_count`; 0 when nothing was counted.
   */
  metric(name: string, labels?: Readonly<Record<string, LabelValue>>): Promise<number>;
  /** What was written to `raw_events`: nothing unless the configuration has `rawEvents: true`. */
  readonly rawEvents: readonly RawEventRow[];
  /** Events that were skipped because their handler threw and was registered with `onError: "skip"`. */
  readonly skipped: readonly SkippedEvent[];
}

/**
 * Makes an indexer for tests of its handlers; import the handler files before. Every call makes a fresh one: nothing is
 * shared between two. Decoding, processing, the store and what is written are the real ones. Every read in a handler is
 * asynchronous, so that a forgotten `await` is an error here, and not now and then in production.
 * @throws SpindexError of the configuration, as at a real start; variables named by `env()` need not be set
 */
export function createTestIndexer<Schema, A extends Abis, Chain extends string>(
  indexer: Indexer<Schema, A, Chain>,
  options: TestIndexerOptions = {},
): TestIndexer<Schema, A, Chain> {
  const definition = resolveDefinition(indexer, { env: ANY_ENVIRONMENT });
  sealRegistrations(indexer);
  const registrations = resolveRegistrations(definition, registrationsOf(indexer));
  if (registrations.length === 0) {
    throw new SpindexError("HANDLERS_MISSING", `no handler was registered with the indexer ${definition.name}`, {
      fix: 'Import the handler files before createTestIndexer: import "../src/handlers/token.ts".',
    });
  }
  const addresses = new AddressTable();
  const chains = definition.chains.map((chain) => new TestChain(chain, definition.contracts, registrations, addresses));
  const { tables } = definition;
  const parts = {
    definition,
    registrations,
    setup: setupOf(indexer),
    chains,
    addresses,
    log: options.log ?? MUTED_LOG,
  };
  const runtime = new TestRuntime(parts, options.traces);
  const chainNamed = (name: string | undefined): TestChain => {
    const found = name === undefined ? chains[0] : chains.find((chain) => chain.definition.name === name);
    if (found === undefined) throw invalid(`there is no chain ${name}`, "Name a chain of the configuration.");
    return found;
  };
  const tableNamed = (name: string): TableModel => {
    const found = tables.find((table) => table.name === name);
    if (found === undefined) throw invalid(`there is no entity ${name}`, "Name an entity of the schema.");
    return found;
  };
  return {
    emit: (event, { args, chain, ...place }) => {
      const contract = definition.contracts.find(({ name }) => event.startsWith(`${name}.`));
      return chainNamed(chain ?? contract?.deployments[0]?.chain).emit(event, args as Record<string, unknown>, place);
    },
    process: () => runtime.process(),
    rows: (entity, chain) => {
      const id = chain === undefined ? undefined : chainNamed(chain).definition.id;
      const all = runtime.database.rows(tableNamed(entity).name);
      const ofChain = all.filter(({ chainId }) => id === undefined || chainId === 0 || chainId === id);
      return ofChain.map(({ row }) => row as RowOf<Schema[typeof entity]>);
    },
    get: (entity, key, chain) => {
      const found = runtime.database.row(tableNamed(entity), chainNamed(chain).definition.id, key);
      return found?.row as RowOf<Schema[typeof entity]> | undefined;
    },
    metric: (name, labels = {}) => runtime.telemetry.metric(name, labels),
    replaceEffect: (effect, run) => runtime.replaceEffect(effectDefinitionOf(effect), run),
    get rawEvents() {
      return runtime.database.state.rawEvents;
    },
    get skipped() {
      return runtime.database.skipped;
    },
  };
}

interface TestParts {
  readonly definition: IndexerDefinition;
  readonly registrations: readonly Registration[];
  readonly setup: SetupRegistration | undefined;
  readonly chains: readonly TestChain[];
  readonly addresses: AddressTable;
  readonly log: HandlerLog;
}

/** The real parts over memory, driven step by step: a batch is processed, then written, then the next one. */
class TestRuntime {
  readonly database: MemoryDatabase;
  readonly telemetry: TestTelemetry;
  readonly #chains: readonly TestChain[];
  readonly #storage: MemoryStorage;
  readonly #store: Store;
  readonly #processor: BatchProcessor;
  readonly #setup: ChainSetup | undefined;
  readonly #rawEvents: RawEvents | undefined;
  readonly #traces: TestTraces | undefined;
  readonly #replaced = new Map<EffectDefinition, EffectFunction<never, unknown>>();
  #batchId = 0;
  #failure: SpindexError | undefined;

  constructor({ definition, registrations, setup, chains, addresses, log }: TestParts, traces?: TraceCollector) {
    const { tables, rawEvents } = definition;
    this.database = new MemoryDatabase(tables);
    this.telemetry = new TestTelemetry(log);
    this.#chains = chains;
    // A read ends in a later turn: then one that was not awaited is still pending when its handler returns.
    this.#storage = new MemoryStorage(this.database, "test", { beforeRead: () => systemClock.turn() });
    this.#store = new Store({
      tables,
      emptyTables: this.database.emptyTables,
      codecOf: createMemoryCodec,
      reader: this.#storage,
      effectCodec: memoryEffectCodec,
      keepSlices: rawEvents,
      asyncReads: true,
      committed: this.database.committedCheckpoint,
      nextCheckpoint: this.database.nextCheckpoint,
      progress: [],
      limits: LIMITS.store,
      clock: systemClock,
    });
    const labels = chains.map(({ definition: { name, id } }) => ({ name, id }));
    if (traces !== undefined) {
      const { tracing } = traces;
      this.#traces = new TestTraces({ name: definition.name, chains: labels, tracing, store: this.#store });
    }
    const processLoop = new LoopAccount(systemClock, LOOP_STATES.process, "other");
    const effects = new EffectCalls({
      store: this.#store,
      reader: this.#storage,
      definitionOf: effectDefinitionOf,
      replacementOf: (effect) => this.#replaced.get(effect),
      waits: new HandlerWaits({ processLoop, waiting: () => ({ end: () => {} }) }),
      clock: systemClock,
    });
    const routes = routesOf(registrations, addresses);
    if (rawEvents) {
      const read = handledLogReader(routes, addresses);
      this.#rawEvents = new RawEvents({ read, codec: memoryRawEventCodec, clock: systemClock });
    }
    this.#processor = new BatchProcessor({
      chains: labels,
      routes,
      tables,
      addresses,
      store: this.#store,
      effects,
      processLoop,
      clock: systemClock,
      registrars: new Map(chains.map((chain) => [chain.definition.id, chain.registrar])),
      onUndecodable: (_, error) => {
        throw error;
      },
    });
    this.#setup =
      setup &&
      new ChainSetup({
        handler: setup.handler as unknown as AnySetupHandler,
        chains: chains.map(({ definition: { name, id }, startBlock }) => ({ label: { name, id }, startBlock })),
        tables,
        store: this.#store,
        effects,
        clock: systemClock,
      });
  }

  replaceEffect(effect: EffectDefinition, run: EffectFunction<never, unknown>): void {
    this.#replaced.set(effect, run);
  }

  async process(): Promise<void> {
    if (this.#failure !== undefined) throw this.#failure;
    for (const chain of this.#chains) await chain.deliver();
    const setUp = this.#setup;
    for (let batch = this.#setupBatch(); setUp !== undefined && batch !== undefined; batch = this.#setupBatch()) {
      await this.#processBatch(batch, setUp);
    }
    for (let batch = this.#createBatch(); batch !== undefined; batch = this.#createBatch()) {
      await this.#processBatch(batch, this.#processor);
    }
  }

  async #write(run: DrainRun): Promise<void> {
    const complete = (await this.#rawEvents?.addTo(run))?.run ?? run;
    const write = async (transaction?: WriteTransactionTelemetry): Promise<void> => {
      await this.#storage.write(complete, transaction);
      this.#store.durable(run);
    };
    if (this.#traces === undefined) await write();
    else await this.#traces.drained(run, write);
  }

  #setupBatch(): Batch | undefined {
    const batch = this.#setup?.nextBatch(this.#batchId + 1);
    if (batch !== undefined) this.#batchId++;
    return batch;
  }

  #createBatch(): Batch | undefined {
    const batch = createBatch({
      id: this.#batchId + 1,
      firstCheckpoint: this.#store.nextCheckpoint,
      room: LIMITS.batch,
      supplies: this.#chains.map(({ buffer }) => buffer),
      shardInsideWindow: false,
    });
    if (batch !== undefined) this.#batchId++;
    return batch;
  }

  async #processBatch(batch: Batch, processor: Pick<BatchProcessor, "process">): Promise<void> {
    const store = this.#store;
    store.beginBatch(batch);
    const telemetry = this.#traces?.batchStarted(batch, this.telemetry.handlers) ?? this.telemetry.batch;
    const outcome = await processor.process(batch, telemetry);
    const processed = outcome.kind === "processed" ? batch : outcome.kept;
    if (processed === undefined) {
      store.abandonBatch();
      if (outcome.kind === "failed") telemetry.abandoned("failed", outcome.error);
      else telemetry.abandoned("aborted");
    } else {
      const changes = store.commitBatch(processed);
      const frontierGap = store.processedCheckpoint - store.committedCheckpoint;
      telemetry.committed({ changes, queuedBatches: store.queuedBatches, frontierGap });
    }
    for (let run = store.takeRun(); run !== undefined; run = store.takeRun()) await this.#write(run);
    if (outcome.kind === "processed") return;
    if (outcome.kind === "registered") {
      const { rest, chainId, children } = outcome;
      for (const { buffer } of this.#chains)
        buffer.giveBack(rest.filter(({ range }) => range.chainId === buffer.chainId));
      return this.#chains.find(({ definition }) => definition.id === chainId)?.cover(children);
    }
    this.#failure = outcome.error;
    throw outcome.error;
  }
}

const LIMITS = limitsOf({
  capacityChanges: 500_000,
  capacityBytes: 256 * 1024 * 1024,
  cacheBytes: 64 * 1024 * 1024,
  writeRetryBudgetMs: 0,
  startBudgetMs: 0,
});

/** There is no network in tests: where nodes would be asked is of no interest. */
const ANY_ENVIRONMENT: EnvSource = new Proxy<Record<string, string | undefined>>(
  {},
  { get: (_, name) => (String(name).endsWith("_FILE") ? undefined : "http://test.invalid") },
);
