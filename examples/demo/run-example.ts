import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { Client } from "pg";
import { createReplayServer } from "../replay/replay-server.ts";
import type { Check } from "./check.ts";
import type { Example } from "./examples.ts";
import { ENDED_WELL, type IndexerProcess, startIndexer } from "./indexer-process.ts";
import type { Progress, ProgressView } from "./progress.ts";
import { readTraces, type Traces } from "./traces.ts";

/** What all examples of a demo share. */
export interface Stage {
  /** The root of this repository. */
  readonly root: string;
  readonly databaseUrl: string;
  /** Where logs and traces go. */
  readonly output: string;
  readonly view: ProgressView;
  readonly signal: AbortSignal;
}

export interface ExampleResult {
  readonly example: Example;
  /** Rows of each table, by name. */
  readonly tables: ReadonlyMap<string, number>;
  readonly checks: readonly Check[];
  readonly traces: Traces;
}

const POLL_MS = 100;
const LOG_TAIL_LINES = 15;

export function dataFolder(root: string): string {
  return join(root, "examples/data");
}

/** Starts the example's indexer, as its user would, against a node that replays its blocks. */
export function startExample(
  stage: Stage,
  example: Example,
  options: { readonly rpcUrl: string; readonly once: boolean },
): Promise<IndexerProcess> {
  return startIndexer({
    root: stage.root,
    directory: join(stage.root, "examples", example.folder),
    schema: example.schema,
    once: options.once,
    traceFile: traceFileOf(stage, example),
    logFile: logFileOf(stage, example),
    environment: { DATABASE_URL: stage.databaseUrl, MAINNET_RPC_URL: options.rpcUrl },
  });
}

/**
 * Indexes an example up to the head of its blocks, shows the progress, and compares its tables.
 * @throws Error when the indexer fails, with the last lines of its log, or `signal` aborts
 */
export async function runExample(stage: Stage, example: Example): Promise<ExampleResult> {
  const file = join(dataFolder(stage.root), example.blockFile);
  await using resources = new AsyncDisposableStack();
  const node = await createReplayServer({ file, chainId: 1 });
  resources.defer(() => node.close());
  const startedAt = performance.now();
  const indexer = await startExample(stage, example, { rpcUrl: node.url, once: true });
  resources.defer(() => indexer.stop());

  const outcome = await follow(stage, example, indexer, { first: node.first, head: node.last, startedAt });
  const seconds = (performance.now() - startedAt) / 1000;
  stage.signal.throwIfAborted();
  if (outcome !== ENDED_WELL) throw await failureOf(stage, example, outcome);

  const database = new Client({ connectionString: stage.databaseUrl });
  await database.connect();
  resources.defer(() => database.end());
  const final = await finalProgress(database, example, { first: node.first, seconds });
  stage.view.show(example.folder, final);
  stage.view.done();
  return {
    example,
    tables: await rowsOfTables(database, example.schema),
    checks: await example.check(database, dataFolder(stage.root)),
    traces: await readTraces(traceFileOf(stage, example)),
  };
}

/** Shows what the indexer's `/status` says until it has ended. Returns how it ended. */
async function follow(
  stage: Stage,
  example: Example,
  indexer: IndexerProcess,
  run: { readonly first: number; readonly head: number; readonly startedAt: number },
): Promise<string> {
  let outcome: string | undefined;
  const ended = indexer.ended.then((how) => {
    outcome = how;
  });
  let before: Progress | undefined;
  while (outcome === undefined && !stage.signal.aborted) {
    const seconds = (performance.now() - run.startedAt) / 1000;
    const status = await statusAt(indexer.url);
    if (status !== undefined) {
      before = progressOf(status, { ...run, seconds, before });
      stage.view.show(example.folder, before);
    }
    await Promise.race([ended, sleep(POLL_MS)]);
  }
  return outcome ?? "interrupted";
}

/** The parts of `/status` that the demo shows. */
interface Status {
  readonly eventsProcessed: number;
  readonly processLoop: string;
  readonly writeLoop: string;
  readonly chains: readonly { readonly head?: number; readonly processed?: number; readonly committed?: number }[];
}

/** Undefined while nothing answers: before the start and after the end. */
async function statusAt(url: string): Promise<Status | undefined> {
  try {
    const response = await fetch(`${url}/status`, { signal: AbortSignal.timeout(1000) });
    return (await response.json()) as Status;
  } catch {
    return undefined;
  }
}

function progressOf(
  status: Status,
  run: {
    readonly first: number;
    readonly head: number;
    readonly seconds: number;
    readonly before: Progress | undefined;
  },
): Progress {
  const { eventsProcessed: events, processLoop, writeLoop } = status;
  const [chain] = status.chains;
  const { before, seconds } = run;
  return {
    seconds,
    events,
    eventsPerSecond: before === undefined ? 0 : (events - before.events) / (seconds - before.seconds),
    first: run.first,
    head: chain?.head ?? run.head,
    processed: chain?.processed ?? run.first - 1,
    committed: chain?.committed ?? run.first - 1,
    processState: processLoop,
    writeState: writeLoop,
  };
}

/** Where it ended, as the database has it: the process is gone by now. */
async function finalProgress(
  database: Client,
  { schema }: Example,
  run: { readonly first: number; readonly seconds: number },
): Promise<Progress> {
  const { rows } = await database.query<{ block: string; head: string; events: string }>(
    `select processed_block as block, head_block as head,
       (select coalesce(sum(items), 0) from ${schema}_spindex.drain_runs) as events from ${schema}.spindex_status`,
  );
  const [row] = rows;
  if (row === undefined) throw new Error(`${schema}.spindex_status is empty`);
  return {
    seconds: run.seconds,
    events: Number(row.events),
    eventsPerSecond: undefined,
    first: run.first,
    head: Number(row.head),
    processed: Number(row.block),
    committed: Number(row.block),
    processState: "ended",
    writeState: "ended",
  };
}

async function rowsOfTables(database: Client, schema: string): Promise<Map<string, number>> {
  const { rows } = await database.query<{ name: string }>(
    `select table_name as name from information_schema.tables
       where table_schema = $1 and table_type = 'BASE TABLE' order by 1`,
    [schema],
  );
  const counts = new Map<string, number>();
  for (const { name } of rows) {
    const answer = await database.query<{ count: string }>(`select count(*) from ${schema}."${name}"`);
    counts.set(name, Number(answer.rows[0]?.count));
  }
  return counts;
}

async function failureOf(stage: Stage, example: Example, outcome: string): Promise<Error> {
  const file = logFileOf(stage, example);
  const lines = (await readFile(file, "utf8")).trimEnd().split("\n").slice(-LOG_TAIL_LINES);
  return new Error(`${example.folder}: the indexer ended with ${outcome}; ${file} says:\n${lines.join("\n")}`);
}

function traceFileOf(stage: Stage, example: Example): string {
  return join(stage.output, `${example.folder}.trace.jsonl`);
}

export function logFileOf(stage: Stage, example: Example): string {
  return join(stage.output, `${example.folder}.log`);
}
