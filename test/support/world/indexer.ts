import type { IndexerDefinition } from "../../../src/config/definition.ts";
import type { SetupContext } from "../../../src/config/indexer.ts";
import { type Registration, registrationsOf, type SetupRegistration } from "../../../src/config/registration.ts";
import { resolveDefinition } from "../../../src/config/resolve-definition.ts";
import { resolveRegistrations } from "../../../src/config/resolve-registrations.ts";
import { createEffect, defineIndexer, entity, t } from "../../../src/index.ts";
import { runSessions } from "../../../src/indexer/run-sessions.ts";
import type { Session } from "../../../src/indexer/session.ts";
import type { Telemetry } from "../../../src/instrument/telemetry.ts";
import type { AnyHandler } from "../../../src/process/event-route.ts";
import type { StoreFacade } from "../../../src/process/store-facade.ts";
import type { DrainRun } from "../../../src/store/drain-run.ts";
import type { Store } from "../../../src/store/store.ts";
import type { SimulatedChain } from "./chain.ts";
import { type Double, Handlers } from "./handlers.ts";
import type { Model } from "./model.ts";
import { type PlannedEvent, TABLES } from "./plan.ts";
import type { Scenario } from "./scenario.ts";
import type { SimulatedServer } from "./server.ts";
import { simulatedSource } from "./source.ts";
import type { Pick, StepClock } from "./steps.ts";
import { SimulatedStorage, type StorageOptions } from "./storage.ts";
import { Violation } from "./violation.ts";

export interface LifeOptions {
  readonly id: number;
  readonly scenario: Scenario;
  readonly chains: readonly SimulatedChain[];
  readonly server: SimulatedServer;
  readonly clock: StepClock;
  readonly pick: Pick;
  /** End at the heads seen first. */
  readonly once: boolean;
  readonly thrown: Set<PlannedEvent>;
  readonly nextFault: StorageOptions["nextFault"];
  readonly readFails: () => boolean;
  readonly sourceFails: () => boolean;
  readonly violated: (violation: Violation) => void;
  /** Gives the durable rows, as a session begins. */
  readonly sessionBegins: (store: Store) => Model;
  readonly batchStarted: (store: Store) => void;
  /** What the process tells of itself. */
  readonly telemetry: Telemetry;
  readonly writing: (run: DrainRun) => void;
  /** The effect whose outputs are stored is called. */
  readonly effectCalled: (input: number) => void;
}

export type Outcome = "ended" | "stopped" | "crashed" | Error;

/** How long a connection to the database may be silent. */
const SILENCE_MS = 5_000;

/** One life of an indexer's process: it takes the shard, and runs session after session. */
export class Life {
  readonly id: number;
  readonly handlers: Handlers;
  readonly telemetry: Telemetry;
  readonly startedAt: number;
  /** Undefined while it runs. */
  outcome: Outcome | undefined;
  /** The database belongs to another writer, or does not have what it had: nothing of this process may be written. */
  isDoomed = false;
  storage: SimulatedStorage | undefined;
  session: Session | undefined;
  readonly #o: LifeOptions;
  /** Inputs of the effect whose outputs are stored, in this session. */
  readonly #called = new Set<number>();
  readonly #stop = new AbortController();
  #isDead = false;

  constructor(options: LifeOptions) {
    const { clock, thrown, violated } = options;
    this.#o = options;
    this.id = options.id;
    this.startedAt = clock.now();
    this.handlers = new Handlers({
      effects: { stored: this.#double("stored", true), unstored: this.#double("unstored", false) },
      pause: () => clock.pause("handler"),
      thrown,
      isDoomed: () => this.isDoomed,
      violated,
    });
    const { telemetry } = options;
    this.telemetry = {
      ...telemetry,
      batchStarted: (start) => {
        if (this.session !== undefined) options.batchStarted(this.session.store);
        return telemetry.batchStarted(start);
      },
    };
  }

  get token(): string {
    return `process ${this.id}`;
  }

  /** Begins; `outcome` says when it has ended. */
  start(): void {
    const end = (outcome: Outcome): void => {
      this.outcome = outcome;
    };
    this.#run().then(end, end);
  }

  /** Asks it to finish what it does, and to end. */
  stop(): void {
    this.#stop.abort();
  }

  kill(): void {
    this.#isDead = true;
    this.storage?.kill();
  }

  async #run(): Promise<Outcome> {
    const { scenario, server, clock, pick, nextFault, readFails, sourceFails, chains, once } = this.#o;
    const { writing } = this.#o;
    const violated = (what: string): void => this.#o.violated(new Violation(what));
    const options = {
      server,
      token: this.token,
      clock,
      nextFault,
      readFails,
      writing,
      violated,
      silenceMs: SILENCE_MS,
    };
    const storage = await SimulatedStorage.open(options, () => this.#isDead);
    if (this.#isDead) return new Promise(() => {});
    this.storage = storage;
    const sources = chains.map((chain) => {
      const source = simulatedSource({
        chain,
        pause: () => clock.pause("source"),
        pick,
        fails: sourceFails,
        hasTimestamps: scenario.timestamps,
        maxBlocks: scenario.nodeRangeBlocks,
        address: CONTRACT,
        topics: TOPICS,
      });
      return [chain.chainId, source] as const;
    });
    return runSessions(
      {
        definition: definitionOf(scenario),
        registrations: REGISTRATIONS.map((registration) => ({
          ...registration,
          handler: ((context) => this.#handle(context)) as AnyHandler as unknown as Registration["handler"],
        })),
        setup: scenario.chains.some(({ setup }) => setup !== undefined)
          ? {
              handler: ((context) => this.#setUp(context)) as SetupRegistration["handler"],
              place: "here",
            }
          : undefined,
        once,
        limits: {
          store: scenario.limits,
          batch: scenario.batch,
          fetchBuffer: scenario.buffer,
          writeRetryBudgetMs: scenario.writeRetryBudgetMs,
          pruneEveryMs: scenario.pruneEveryMs,
          startBudgetMs: 5_000,
          flushDeadlineMs: scenario.flushDeadlineMs,
        },
        telemetry: this.telemetry,
        clock,
        storage,
        resume: storage.resume,
        sources: new Map(sources),
        onSession: (session) => {
          this.session = session;
          this.#called.clear();
          this.handlers.begin(this.#o.sessionBegins(session.store));
        },
      },
      this.#stop.signal,
    );
  }

  /** Once in a session for each input, and never for one that is stored. */
  #calledStored(input: number): void {
    if (this.#called.has(input)) this.#o.violated(new Violation(`an effect is called for ${input} again`));
    this.#called.add(input);
    this.#o.effectCalled(input);
  }

  #double(name: string, cache: boolean): Double {
    return createEffect({ name, input: t.int32(), output: t.int64(), cache, rateLimit: false }, async (number) => {
      if (cache && !this.isDoomed) this.#calledStored(number);
      await this.#o.clock.pause("effect");
      return 2n * BigInt(number);
    });
  }

  /** The set-up is in the chains as an event of their first block, that no log brings. */
  #setUp(context: SetupContext<StoreFacade>): Promise<void> {
    const { session } = this;
    const chain = this.#o.chains.find(({ chainId }) => chainId === context.chain.id);
    const event = chain?.blocks[0]?.events[0];
    if (this.#isDead || session === undefined || event === undefined) return new Promise(() => {});
    return this.handlers.handle(context, event, session.store);
  }

  #handle(context: Parameters<AnyHandler>[0]): Promise<void> {
    const { session } = this;
    const chain = this.#o.chains.find(({ chainId }) => chainId === context.chain.id);
    const event = chain?.events[Number(context.event.args.number)];
    if (this.#isDead || session === undefined || event === undefined) return new Promise(() => {});
    return this.handlers.handle(context, event, session.store);
  }
}

const CONTRACT = `0x${"c0".repeat(20)}` as const;

const indexer = defineIndexer({
  name: "simulated",
  // Its tables are replaced by those of the plan.
  schema: { replaced: entity({ id: t.text() }) },
  chains: {
    one: { id: 1, sources: [{ rpc: "http://one.invalid" }] },
    two: { id: 2, sources: [{ rpc: "http://two.invalid" }] },
  },
  contracts: {
    Plan: {
      abi: ["event Stop(uint256 number)", "event Skip(uint256 number)"],
      chains: { one: { address: CONTRACT, startBlock: 1 }, two: { address: CONTRACT, startBlock: 1 } },
    },
  },
});
indexer.on("Plan.Stop", { onError: "stop" }, () => {});
indexer.on("Plan.Skip", { onError: "skip" }, () => {});

const DEFINITION = resolveDefinition(indexer, { env: {} });
const REGISTRATIONS = resolveRegistrations(DEFINITION, registrationsOf(indexer));
const [STOP, SKIP] = REGISTRATIONS;
if (STOP === undefined || SKIP === undefined) throw new Error("no registrations");
const TOPICS = { stop: STOP.event.topic, skip: SKIP.event.topic };

function definitionOf({ chains, window, rawEvents, blockLag, maxRangeBlocks }: Scenario): IndexerDefinition {
  return {
    ...DEFINITION,
    tables: TABLES,
    rawEvents,
    chains: DEFINITION.chains.slice(0, chains.length).map((chain) => ({
      ...chain,
      sources: chain.sources.map((source) => ({ ...source, maxRangeBlocks })),
      maxReorgDepth: window,
      blockLag,
      pollIntervalMs: 1_000,
    })),
  };
}
