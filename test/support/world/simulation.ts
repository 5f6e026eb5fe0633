import { SpindexError } from "../../../src/errors.ts";
import type { Telemetry } from "../../../src/instrument/telemetry.ts";
import type { Clock } from "../../../src/lib/clock.ts";
import { Signal } from "../../../src/lib/signal.ts";
import type { DrainRun } from "../../../src/store/drain-run.ts";
import type { Store } from "../../../src/store/store.ts";
import { MemoryDatabase } from "../../../src/testing/memory-database.ts";
import type { MemoryState } from "../../../src/testing/memory-state.ts";
import { silentTelemetry } from "../silent-telemetry.ts";
import { SimulatedChain } from "./chain.ts";
import { Life, type Outcome } from "./indexer.ts";
import { checkOrigins, Oracle } from "./oracle.ts";
import { type PlannedEvent, TABLES } from "./plan.ts";
import type { Interruption, Scenario } from "./scenario.ts";
import { SimulatedServer } from "./server.ts";
import { type Pick, pickFrom, type StepClock, Steps } from "./steps.ts";
import { check, checkSame, Violation } from "./violation.ts";

/** More steps than any world needs that gets anywhere. */
const MAX_STEPS = 20_000;
/** Owners of steps that are no process. */
const SERVER = 0;
const CHAINS = -1;

export interface SimulationOptions {
  /** Is told what happens. */
  readonly trace?: (line: string) => void;
  /** Makes what a process tells of itself to; default: nobody. */
  readonly telemetryOf?: (clock: Clock) => Telemetry;
  /** Is told of each change that has become durable, with the process that wrote it: they count from 1. */
  readonly changed?: (before: MemoryState, after: MemoryState, process: number) => void;
}

/**
 * A database, chains that grow and change, and one process after the other that indexes them until everything is
 * durable. After every step the invariants are checked, and at the end that the rows are those of the chains as they are.
 */
export class Simulation {
  readonly #scenario: Scenario;
  readonly #pick: Pick;
  readonly #steps: Steps;
  readonly #trace: ((line: string) => void) | undefined;
  readonly #telemetryOf: (clock: Clock) => Telemetry;
  readonly #onChange: SimulationOptions["changed"];
  readonly #database = new MemoryDatabase(TABLES);
  readonly #chains: readonly SimulatedChain[];
  readonly #oracle: Oracle;
  readonly #server: SimulatedServer;
  readonly #thrown = new Set<PlannedEvent>();
  readonly #faults: Scenario["faults"][number][];
  readonly #interruptions: Interruption[];
  readonly #failuresLeft: { reads: number; sources: number };
  /** Notified when something has become durable. */
  readonly #durable = new Signal();
  #changesLeft = 0;
  #lives: Life[] = [];
  #frontiers = new WeakMap<Store, { processed: number; committed: number }>();
  /** How many runs were durable when a session began. */
  readonly #sessions = new WeakMap<Store, number>();
  #violation: Violation | undefined;
  #digest = 0;
  #stepCount = 0;

  constructor(scenario: Scenario, options: SimulationOptions = {}) {
    this.#scenario = scenario;
    this.#pick = pickFrom(scenario.seed);
    this.#trace = options.trace;
    this.#telemetryOf = options.telemetryOf ?? silentTelemetry;
    this.#onChange = options.changed;
    this.#steps = new Steps(this.#pick, scenario.timerWeight, (owner, label) => this.#stepped(owner, label));
    this.#chains = scenario.chains.map((chain) => new SimulatedChain(chain, scenario.window, scenario.finality));
    this.#oracle = new Oracle(this.#chains, this.#database.state, scenario);
    this.#server = new SimulatedServer({
      database: this.#database,
      clock: this.#steps.clockOf(SERVER),
      pick: this.#pick,
      changed: (before, after) => this.#changed(before, after),
    });
    this.#faults = [...scenario.faults];
    this.#interruptions = [...scenario.interruptions];
    this.#failuresLeft = { reads: scenario.readFailures, sources: scenario.sourceFailures };
  }

  /** Stands for everything that has happened, in order: the same for the same scenario. */
  get digest(): number {
    return this.#digest;
  }

  /** Runs until everything is durable. @throws Violation */
  async run(): Promise<void> {
    for (const [at, chain] of this.#chains.entries()) this.#change(chain, at);
    this.#begin(false);
    await this.#until(() => this.#isSettled(), true);
    for (const life of this.#lives) life.stop();
    await this.#until(() => this.#lives.every(({ outcome }) => outcome !== undefined), false);
    this.#checkEnd();
    // Nothing is left to do for whoever comes next, and nothing goes wrong any more.
    this.#faults.length = 0;
    this.#failuresLeft.reads = 0;
    this.#failuresLeft.sources = 0;
    this.#begin(true);
    await this.#until(() => this.#lives.every(({ outcome }) => outcome !== undefined), false);
    checkSame(this.#lives.at(-1)?.outcome, "ended", "a process that has nothing left to do");
    this.#checkEnd();
  }

  /** @param goesOn a new process begins when one has ended, and things happen to processes */
  async #until(isDone: () => boolean, goesOn: boolean): Promise<void> {
    let sinceBegin = 0;
    while (!isDone()) {
      check(
        this.#stepCount++ < MAX_STEPS,
        `not done after ${MAX_STEPS} steps; waiting: ${this.#steps.labels.join(", ")}; ${this.#whereChainsAre()}`,
      );
      for (const life of this.#lives) if (life.outcome !== undefined) this.#checkOutcome(life, life.outcome);
      const newest = this.#lives.at(-1);
      if (goesOn && newest?.outcome !== undefined) {
        this.#oracle.checkHistory(this.#database.state);
        this.#begin(false);
        sinceBegin = 0;
      } else if (goesOn && newest !== undefined && this.#interrupt(newest, ++sinceBegin)) sinceBegin = 0;
      const went = await this.#steps.next();
      check(went || this.#lives.some(({ outcome }) => outcome !== undefined), "nothing can go on any more");
      if (this.#violation !== undefined) throw this.#violation;
      for (const life of this.#lives) this.#checkFrontiers(life);
    }
  }

  #begin(isLast: boolean): void {
    const clock = this.#clockOf(this.#lives.length + 1);
    const life: Life = new Life({
      id: this.#lives.length + 1,
      scenario: this.#scenario,
      chains: this.#chains,
      server: this.#server,
      clock,
      pick: this.#pick,
      once: isLast || this.#pick(4) === 0,
      thrown: this.#thrown,
      nextFault: () => this.#nextFault(),
      readFails: () => this.#pick(20) === 0 && this.#failuresLeft.reads-- > 0,
      sourceFails: () => this.#pick(20) === 0 && this.#failuresLeft.sources-- > 0,
      violated: (violation) => {
        this.#violation ??= violation;
      },
      sessionBegins: (store) => {
        this.#sessions.set(store, this.#database.runs.length);
        return this.#oracle.rowsOf(this.#database.state);
      },
      batchStarted: (store) => this.#checkCapacity(life, store),
      telemetry: this.#telemetryOf(clock),
      writing: (run) => this.#checkOrigins(run),
      effectCalled: (input) => this.#checkCalled(input),
    });
    this.#trace?.(`process ${life.id} begins`);
    this.#lives.push(life);
    life.start();
  }

  /** Process ids count from 1, beside the owners above. */
  #clockOf(id: number): StepClock {
    return this.#steps.clockOf(id);
  }

  #nextFault(): Scenario["faults"][number] | undefined {
    if (this.#faults.length === 0 || this.#pick(1000) >= this.#scenario.faultRate) return undefined;
    const fault = this.#faults.shift();
    this.#trace?.(`  fault: ${fault}`);
    return fault;
  }

  /** Lets a chain go through its changes, one after the other. */
  #change(chain: SimulatedChain, at: number): void {
    const changes = this.#scenario.chains[at]?.changes ?? [];
    const clock = this.#steps.clockOf(CHAINS);
    this.#changesLeft++;
    const go = async (): Promise<void> => {
      for (const { waits, afterMs, depth, blocks } of changes) {
        if (waits) await this.#caughtUp(chain);
        await clock.sleep(afterMs);
        chain.change(depth, blocks);
        this.#traceHead(chain);
      }
      chain.overtake();
      this.#traceHead(chain);
      this.#changesLeft--;
    };
    go().catch((error: unknown) => {
      this.#violation ??= error as Violation;
    });
  }

  /** Until everything of the chain is durable, in a version that is higher than those before: others show nothing. */
  async #caughtUp(chain: SimulatedChain): Promise<void> {
    chain.overtake();
    this.#traceHead(chain);
    while (!this.#isDurable(chain)) await this.#durable.next();
  }

  #traceHead(chain: SimulatedChain): void {
    const { number, hash } = chain.head.header;
    this.#trace?.(`chain ${chain.chainId} is at block ${number} (version ${Number(hash.slice(3, 34))})`);
  }

  /** @returns whether something happened to the process */
  #interrupt(life: Life, steps: number): boolean {
    const next = this.#interruptions[0];
    if (next === undefined || steps < next.afterSteps) return false;
    this.#interruptions.shift();
    this.#trace?.(`process ${life.id}: ${next.kind}${next.kind === "failover" ? ` (${next.lost} writes lost)` : ""}`);
    switch (next.kind) {
      case "stop":
        life.stop();
        return true;
      case "crash":
        life.kill();
        this.#steps.drop(life.id);
        life.outcome = "crashed";
        return true;
      case "takeover":
        this.#begin(false);
        return true;
      case "failover":
        this.#server.failOver(next.lost);
        return true;
    }
  }

  #changed(before: MemoryState, after: MemoryState): void {
    try {
      const writer = this.#lives.find(({ token }) => token === after.token);
      if (after.token !== before.token && !this.#isEarlier(before, after)) this.#superseded(after);
      else if (writer !== undefined && !this.#isEarlier(before, after)) {
        check(!writer.isDoomed, `process ${writer.id} writes though it must not`);
      }
      this.#trace?.(
        `  durable: write ${after.writeSeq} of ${after.token}, checkpoint ${after.committedCheckpoint}, ` +
          [...after.chains.values()].map(({ chainId, block }) => `chain ${chainId} block ${block}`).join(", "),
      );
      this.#oracle.changed(before, after, (from, to) => writer?.handlers.handledIn(from, to) ?? []);
      if (writer !== undefined && !this.#isEarlier(before, after)) this.#onChange?.(before, after, writer.id);
      this.#durable.notify();
      for (const life of this.#lives) {
        // What it knows to be durable is not there any more, or that it has taken the shard.
        const isGone = (life.storage?.confirmed ?? 0) > after.writeSeq || life.token !== after.token;
        if (life.storage !== undefined && isGone) life.isDoomed = true;
      }
    } catch (error) {
      this.#violation ??= error as Violation;
    }
  }

  #isEarlier(before: MemoryState, after: MemoryState): boolean {
    return after.writeSeq < before.writeSeq || (after.writeSeq === before.writeSeq && after.token === before.token);
  }

  /** All other processes have lost the shard, and will learn of it at any time. */
  #superseded({ token }: MemoryState): void {
    for (const life of this.#lives) {
      const { storage } = life;
      if (storage === undefined || life.token === token || life.outcome !== undefined) continue;
      life.isDoomed = true;
      // Its token must not come back: a failover beside two writers is more than can be told apart.
      this.#server.forgetPast();
      this.#clockOf(life.id)
        .pause("lease")
        .then(() => storage.lose())
        .catch(() => {});
    }
  }

  /** Everything is durable, and nothing more will happen to the chains. */
  #isSettled(): boolean {
    const life = this.#lives.at(-1);
    if (this.#changesLeft > 0 || life === undefined || life.isDoomed) return false;
    return this.#chains.every((chain) => this.#isDurable(chain));
  }

  #isDurable(chain: SimulatedChain): boolean {
    const stored = this.#database.state.chains.get(chain.chainId);
    const { number } = chain.head.header;
    const last = chain.blocks[number - this.#scenario.blockLag]?.header;
    const newest = stored?.headers.at(-1);
    // Nothing is fetched of it, or nothing but its set-up.
    if (last === undefined || last.number < 1) return stored?.block === undefined || stored.block === 0;
    return stored?.block === last.number && newest?.hash === last.hash && stored.head === number;
  }

  #whereChainsAre(): string {
    const of = ({ chainId, head }: SimulatedChain): string => {
      const stored = this.#database.state.chains.get(chainId);
      const { number, hash } = stored?.headers.at(-1) ?? {};
      return `chain ${chainId} at ${head.header.number} ${head.header.hash}, stored ${stored?.block} (head ${stored?.head}, newest header ${number} ${hash})`;
    };
    return this.#chains.map(of).join("; ");
  }

  #checkOutcome(life: Life, outcome: Outcome): void {
    if (life.session === undefined || typeof outcome === "string") return;
    const code = outcome instanceof SpindexError ? outcome.code : undefined;
    const isExpected =
      life.isDoomed ||
      (code === "HANDLER_FAILED" && (outcome.cause as Error).message === "planned") ||
      (code === "WRITE_FAILED" && (outcome.cause as Error).message === "planned: fatal") ||
      code === "DATABASE_UNREACHABLE" ||
      code === "SOURCE_UNREACHABLE" ||
      code === "SOURCE_ANSWER_INVALID" ||
      (code === "WRITE_RETRIES_EXHAUSTED" &&
        (this.#scenario.writeRetryBudgetMs < 600_000 || this.#scenario.flushDeadlineMs < 1e9));
    if (!isExpected) throw outcome;
  }

  /** Both only move forward, and the durable one never leads. */
  #checkFrontiers(life: Life): void {
    const store = life.session?.store;
    if (store === undefined) return;
    const { processedCheckpoint: processed, committedCheckpoint: committed } = store;
    const last = this.#frontiers.get(store);
    check(committed <= processed, `process ${life.id}: committed ${committed}, processed ${processed}`);
    check(processed >= (last?.processed ?? 0), `process ${life.id}: the processed frontier goes back`);
    check(committed >= (last?.committed ?? 0), `process ${life.id}: the committed frontier goes back`);
    if (!life.isDoomed && life.outcome === undefined) {
      check(this.#database.committedCheckpoint >= committed, `process ${life.id}: committed before it is durable`);
    }
    this.#frontiers.set(store, { processed, committed });
  }

  #checkOrigins(run: DrainRun): void {
    try {
      checkOrigins(run);
    } catch (error) {
      this.#violation ??= error as Violation;
    }
  }

  /** What is stored is not asked for again. */
  #checkCalled(input: number): void {
    for (const stored of this.#database.state.effects.values()) {
      if (stored.input === input)
        this.#violation ??= new Violation(`an effect is called for ${input}, which is stored`);
    }
  }

  /** A batch is begun below the limit only. */
  #checkCapacity(life: Life, store: Store): void {
    const { batches, items, changes, bytes } = store.uncommitted;
    const { capacityChanges, capacityBytes } = this.#scenario.limits;
    const recount = this.#uncommittedItems(store);
    if (items !== recount && !life.isDoomed)
      this.#violation ??= new Violation(`${items} items are counted where there are ${recount}`);
    if (batches === 0 || (items + changes < capacityChanges && bytes < capacityBytes)) return;
    this.#violation ??= new Violation(`a batch begins at ${items + changes} of ${capacityChanges}, ${bytes} bytes`);
  }

  /** Counted apart: what was processed in the session less what it knows to be durable. */
  #uncommittedItems(store: Store): number {
    const known = this.#sessions.get(store) ?? 0;
    const durable = this.#database.runs
      .slice(known)
      .filter(({ checkpoints }) => checkpoints.to <= store.committedCheckpoint);
    return store.itemsProcessed - durable.reduce((sum, { items }) => sum + items, 0);
  }

  #checkEnd(): void {
    for (const life of this.#lives) if (life.outcome !== undefined) this.#checkOutcome(life, life.outcome);
    const life = this.#lives.at(-1);
    const { state } = this.#database;
    this.#oracle.checkHistory(state);
    for (const chain of this.#chains) check(this.#isDurable(chain), `chain ${chain.chainId} is not durable at the end`);
    if (life?.session === undefined || life.outcome === "crashed" || life.outcome instanceof Error) return;
    const { batches, items, changes } = life.session.store.uncommitted;
    checkSame({ batches, items, changes }, { batches: 0, items: 0, changes: 0 }, "what is left in memory");
    this.#checkAccounts(life);
  }

  /** The time of each loop is accounted without overlap: the parts are the whole. */
  #checkAccounts({ telemetry, startedAt }: Life): void {
    const passed = (this.#steps.now - startedAt) / 1000;
    for (const loop of [telemetry.processLoop, telemetry.writeLoop]) {
      const sum = [...loop.seconds().values()].reduce((total, seconds) => total + seconds, 0);
      check(Math.abs(sum - passed) < 1e-6, `a loop accounts for ${sum} of ${passed} s`);
    }
  }

  #stepped(owner: number, label: string): void {
    for (let i = 0; i < label.length; i++) this.#digest = (Math.imul(this.#digest, 31) + label.charCodeAt(i)) | 0;
    this.#digest = (Math.imul(this.#digest, 31) + owner) | 0;
    this.#trace?.(`${owner} ${label}`);
  }
}
