import { createTelemetry } from "../../../src/instrument/create-telemetry.ts";
import { createLog } from "../../../src/instrument/log.ts";
import { collectTraces } from "../../../src/testing/collect-traces.ts";
import type { TraceModel } from "../../../src/testing/index.ts";
import { MemoryDatabase } from "../../../src/testing/memory-database.ts";
import { SimulatedChain } from "./chain.ts";
import { Life, type Outcome } from "./indexer.ts";
import { Oracle } from "./oracle.ts";
import { TABLES } from "./plan.ts";
import type { Fault, PlannedBlock, PlannedChain, Scenario } from "./scenario.ts";
import { type Durations, ScriptedClock } from "./scripted-clock.ts";
import { SimulatedServer } from "./server.ts";

/** What happens in a scripted world. */
export interface Script {
  /** The blocks of its one chain, from 1 on. */
  readonly blocks: readonly PlannedBlock[];
  /** What differs from `PLAIN`. */
  readonly scenario?: Partial<Scenario>;
  readonly durations?: Durations;
  /** Of the attempts to write, in order; undefined: it goes well. */
  readonly faults?: readonly (Fault | undefined)[];
  /** It ends at the head seen first, or else when it is stopped. Default true. */
  readonly once?: boolean;
  /** After so many milliseconds. */
  readonly later?: readonly (readonly [atMs: number, happens: (world: ScriptedWorld) => void])[];
}

export interface ScriptedWorld {
  readonly chain: SimulatedChain;
  /** Asks the process to end. */
  stop(): void;
}

export interface Scripted {
  readonly traces: TraceModel;
  readonly outcome: Outcome;
  /** Lines of the log. */
  readonly lines: readonly Readonly<Record<string, unknown>>[];
}

/** A node that answers at once with 20 ms on the way, a database with 16 ms for a write, nothing that goes wrong. */
const DURATIONS: Durations = { take: [0], source: [20], begin: [1], statements: [8], commit: [5], answer: [2] };

export const PLAIN: Scenario = {
  chains: [],
  window: 4,
  rawEvents: false,
  finality: true,
  blockLag: 0,
  timestamps: true,
  maxRangeBlocks: 1_000,
  nodeRangeBlocks: 1_000,
  buffer: { items: 1_000, bytes: 1e9 },
  batch: { items: 100, bytes: 1e9 },
  limits: {
    capacityChanges: 10_000,
    capacityBytes: 1e9,
    cacheBytes: 1e6,
    minimumItems: 1,
    liveAgeMs: 50,
    maximumChanges: 5_000,
    maximumBytes: 1e9,
    maximumBatches: 512,
  },
  writeRetryBudgetMs: 60_000,
  flushDeadlineMs: 60_000,
  pruneEveryMs: 1e9,
  interruptions: [],
  faultRate: 0,
  faults: [],
  readFailures: 0,
  sourceFailures: 0,
  timerWeight: 1,
  seed: 1,
};

/**
 * Plays a script with the real parts of the pipeline, fully traced: the same spans at the same times each time.
 * @throws Violation when rows are not those of the chain
 */
export async function play(script: Script): Promise<Scripted> {
  const planned: PlannedChain = { chainId: 1, setup: undefined, blocks: script.blocks, changes: [] };
  const limits = { ...PLAIN.limits, ...script.scenario?.limits };
  const scenario = { ...PLAIN, ...script.scenario, limits, chains: [planned] };
  const clock = new ScriptedClock({ ...DURATIONS, ...script.durations });
  const chain = new SimulatedChain(planned, scenario.window, scenario.finality);
  const database = new MemoryDatabase(TABLES);
  const oracle = new Oracle([chain], database.state, scenario);
  const violated = (error: unknown): never => {
    throw error;
  };
  const server = new SimulatedServer({
    database,
    clock,
    pick: () => 0,
    changed: (before, after) => oracle.changed(before, after, (from, to) => life.handlers.handledIn(from, to)),
  });
  const collector = await collectTraces();
  const lines: Record<string, unknown>[] = [];
  const telemetry = createTelemetry({
    name: "scripted",
    shard: "default",
    version: "0.0.0",
    log: createLog({
      level: "debug",
      format: "json",
      destination: { write: (line) => void lines.push(JSON.parse(line)) },
    }),
    tracing: collector.tracing,
    clock,
    chains: [{ id: 1, name: "one" }],
    tables: TABLES.map(({ sqlName }) => sqlName),
    handlers: ["Plan.Stop", "Plan.Skip"],
    processMetrics: false,
  });
  const faults = [...(script.faults ?? [])];
  const life: Life = new Life({
    id: 1,
    scenario,
    chains: [chain],
    server,
    clock,
    // The later of two answers, and the node says how much it gives.
    pick: (bound) => (bound === 2 ? 1 : 0),
    once: script.once ?? true,
    thrown: new Set(),
    nextFault: () => faults.shift(),
    readFails: () => false,
    sourceFails: () => false,
    violated,
    sessionBegins: () => oracle.rowsOf(database.state),
    batchStarted: () => {},
    telemetry,
    writing: () => {},
    effectCalled: () => {},
  });
  for (const [atMs, happens] of script.later ?? []) {
    clock.sleep(atMs).then(() => happens({ chain, stop: () => life.stop() }), violated);
  }
  life.start();
  while (life.outcome === undefined) await clock.next();
  await telemetry.shutdown();
  return { traces: await collector.traces(), outcome: life.outcome, lines };
}
