// What the hot path costs, in a process of its own: from the bytes of an answer to encoded rows, by the parts of a real
// session; only the network and the database are left out. Prints a HotPathCost.
import { PerformanceObserver } from "node:perf_hooks";
import { parseArgs } from "node:util";
import { blockJson, finalizedOf, headOf, lastEventBlock, logsJson, TOKEN } from "../../bench/chain.ts";
import type { AnyIndexer } from "../../src/config/indexer.ts";
import { registrationsOf } from "../../src/config/registration.ts";
import { resolveDefinition } from "../../src/config/resolve-definition.ts";
import { resolveRegistrations } from "../../src/config/resolve-registrations.ts";
import { limitsOf } from "../../src/indexer/limits.ts";
import { Session } from "../../src/indexer/session.ts";
import type { SessionStorage } from "../../src/indexer/session-storage.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { createRowCodec } from "../../src/postgres/copy-codec.ts";
import { createEffectCodec, createRawEventCodec } from "../../src/postgres/internal-tables.ts";
import { fallbackSource } from "../../src/source/fallback-source.ts";
import { headerOf } from "../../src/source/header-answer.ts";
import { scanLogs } from "../../src/source/log-scanner.ts";
import type { LogQuery, Source } from "../../src/source/source.ts";
import { watchSource } from "../../src/source/source-health.ts";
import { silentTelemetry } from "../support/silent-telemetry.ts";

export interface HotPathCost {
  /** CPU time of the hot path against that of the plain way, a round each. */
  readonly ratios: readonly number[];
  /** Bytes allocated on the heap for an event; undefined when garbage was collected meanwhile. */
  readonly heapBytes: number | undefined;
}

const { values: options } = parseArgs({ options: { events: { type: "string" }, rounds: { type: "string" } } });
const size = { events: Number(options.events ?? 40_000) };
const rounds = Number(options.rounds ?? 7);
/** Blocks in an answer: as the fetcher asks for. */
const RANGE_BLOCKS = 125;

process.env.BENCH_RPC = "http://localhost:1";
process.env.BENCH_TOKEN = TOKEN;
process.env.BENCH_END = String(lastEventBlock(size));
const { default: indexer } = (await import("../../bench/erc20/spindex.config.ts")) as { default: AnyIndexer };
await import("../../bench/erc20/handlers.ts");
const definition = resolveDefinition(indexer, { env: process.env });
const registrations = resolveRegistrations(definition, registrationsOf(indexer));

const answers = new Map<string, string>();
for (let from = 1; from <= headOf(size); from += RANGE_BLOCKS)
  answerTo(from, Math.min(from + RANGE_BLOCKS - 1, headOf(size)));

function answerTo(from: number, to: number): string {
  const range = `${from} ${to}`;
  const known = answers.get(range) ?? `{"jsonrpc":"2.0","id":1,"result":${logsJson(size, from, to)}}`;
  answers.set(range, known);
  return known;
}

/** A node whose answers are in memory. */
const node: Source = {
  name: "memory",
  chainId: async () => definition.chains[0]?.id ?? 0,
  head: async () => header(headOf(size)),
  finalized: async () => header(finalizedOf(size)),
  headers: async (numbers) => numbers.map(header),
  blocks: async () => [],
  logs: async (query: LogQuery) => {
    const text = answerTo(query.fromBlock, query.toBlock);
    const body = Buffer.allocUnsafeSlow(text.length);
    body.write(text, "latin1");
    const page = scanLogs(body, query);
    if (page === undefined) throw new Error("the scanner does not know the answers of this chain");
    return page;
  },
  close: async () => {},
};

function header(number: number): ReturnType<typeof headerOf> {
  return headerOf(JSON.parse(blockJson(number)), number);
}

/** Rows are encoded as for PostgreSQL, and go nowhere. */
const storage: SessionStorage = {
  codecOf: createRowCodec,
  effectCodec: createEffectCodec(),
  rawEventCodec: createRawEventCodec(),
  lost: new AbortController().signal,
  breakOff: () => {},
  readResume: async () => resume,
  rollBack: () => Promise.reject(new Error("no reorg is expected")),
  rowsByKey: async () => [],
  effectOutputs: async () => [],
  write: async () => ({ alreadyDurable: false }),
  writeMetadata: async () => ({ alreadyDurable: false }),
  planPruning: async () => [],
} as unknown as SessionStorage;
const resume = {
  nextCheckpoint: 1,
  committedCheckpoint: 0,
  chains: [],
  emptyTables: new Set(definition.tables.map(({ name }) => name)),
};

async function hotPath(): Promise<void> {
  const MIB = 1024 * 1024;
  const settings = { capacityChanges: 400_000, capacityBytes: 256 * MIB, cacheBytes: 256 * MIB };
  const session = new Session(
    {
      definition,
      registrations,
      once: true,
      limits: limitsOf({ ...settings, writeRetryBudgetMs: 1_000, startBudgetMs: 1_000 }),
      telemetry: silentTelemetry(systemClock),
      clock: systemClock,
    },
    storage,
    resume,
    new Map(definition.chains.map(({ id }) => [id, fallbackSource([watchSource(node)])])),
  );
  await session.run(new AbortController().signal);
  if (session.store.itemsProcessed !== size.events)
    throw new Error(`${session.store.itemsProcessed} events were processed`);
}

/** The same sums by the plainest program: parse the answers, add up balances in a map. No rows, no order, no checks. */
function plainWay(): void {
  const balances = new Map<string, bigint>();
  for (const answer of answers.values()) {
    const { result } = JSON.parse(answer) as { result: { topics: readonly string[]; data: string }[] };
    for (const { topics, data } of result) {
      const value = BigInt(data);
      const [, from = "", to = ""] = topics;
      balances.set(from, (balances.get(from) ?? 0n) - value);
      balances.set(to, (balances.get(to) ?? 0n) + value);
    }
  }
  if (balances.size === 0) throw new Error("no balances");
}

async function cpuMs(work: () => void | Promise<void>): Promise<number> {
  const before = process.cpuUsage();
  await work();
  const { user, system } = process.cpuUsage(before);
  return (user + system) / 1000;
}

// Compilers take their time.
for (let warm = 0; warm < 2; warm++) {
  await hotPath();
  plainWay();
}
const ratios: number[] = [];
for (let round = 0; round < rounds; round++) ratios.push((await cpuMs(hotPath)) / (await cpuMs(plainWay)));

globalThis.gc?.();
const startedAt = performance.now();
let collections = 0;
new PerformanceObserver((list) => {
  collections += list.getEntries().filter(({ startTime }) => startTime > startedAt).length;
}).observe({ entryTypes: ["gc"] });
const before = process.memoryUsage().heapUsed;
await hotPath();
const allocated = process.memoryUsage().heapUsed - before;
await systemClock.turn();
const cost: HotPathCost = { ratios, heapBytes: collections === 0 ? allocated / size.events : undefined };
console.log(JSON.stringify(cost));
process.exit(0);
