import type { ChainLabel } from "../chain/chain-label.ts";
import { type Clock, systemClock } from "../lib/clock.ts";
import type { Instruments } from "./instruments.ts";
import type { Logger } from "./log.ts";
import { LoopAccount } from "./loop-account.ts";
import type { Exposition } from "./metrics/exposition.ts";
import { Metrics } from "./metrics/metrics.ts";
import { setProcessGauges } from "./metrics/process-gauges.ts";
import { setStatusGauges } from "./metrics/status-gauges.ts";
import { LOOP_STATES } from "./names.ts";
import type { DumpReason, DumpState, LoopTimes } from "./recorder/dump.ts";
import { FlightRecorder } from "./recorder/flight-recorder.ts";
import type { RecentLines } from "./recorder/recent-lines.ts";
import type { Status } from "./status.ts";
import type { OpenWait, Telemetry, WaitStart } from "./telemetry.ts";
import { BatchTrace } from "./traces/batch-trace.ts";
import { DrainTrace } from "./traces/drain-trace.ts";
import { FetchTrace, RequestTelemetry } from "./traces/fetch-trace.ts";
import { FlushTrace } from "./traces/flush-trace.ts";
import { PhaseTrace } from "./traces/phase-trace.ts";
import { PruneTrace } from "./traces/prune-trace.ts";
import { ReorgTrace } from "./traces/reorg-trace.ts";
import { RollableBatches } from "./traces/rollable-batches.ts";
import { WriteTrace } from "./traces/write-trace.ts";
import { noTracing, type SpanCounts, type Tracing } from "./tracing/tracing.ts";
import type { BackendWaits } from "./waiting/backend-waits.ts";
import type { OpenWork } from "./waiting/open-work.ts";
import type { Unfinished } from "./waiting/unfinished.ts";
import { WaitWatch } from "./waiting/wait-watch.ts";

export interface TelemetryOptions {
  /** The indexer's name. */
  readonly name: string;
  readonly shard: string;
  readonly version: string;
  readonly log: Logger;
  /** Nothing is traced when left out. */
  readonly tracing?: Tracing;
  readonly clock?: Clock;
  /** Writes dumps of what `tracing` records; none when left out, or when it records nothing. */
  readonly recorder?: RecorderOptions | undefined;
  readonly chains: readonly ChainLabel[];
  /** Names of entity tables in SQL. */
  readonly tables: readonly string[];
  /** `Contract.Event` of every handler. */
  readonly handlers: readonly string[];
  /** Metrics of Node.js and the process too; default true. */
  readonly processMetrics?: boolean;
}

export interface RecorderOptions {
  /** Folder of the dumps. */
  readonly directory: string;
  /** Where `log` keeps its last lines. */
  readonly lines: RecentLines;
  /** `service.instance.id`. */
  readonly instance: string;
}

/** The telemetry of one indexer, and what its composition root needs besides. */
export interface IndexerTelemetry extends Telemetry {
  /** Where gauges are computed from at each scrape. */
  observe(status: () => Status): void;
  /** The metrics page, in the format that the `Accept` header asks for. */
  scrape(accept: string): Promise<Exposition>;
  /** Makes the flight recorder write a dump: resolves when it is written, or given up; never rejects. */
  dump(reason: DumpReason): Promise<void>;
  /** Tells of what lasts, while it does, until `signal` aborts. */
  watchWaits(signal: AbortSignal): Promise<void>;
  /** Where to ask, from now on, what keeps sessions waiting in the database. */
  askBackends(backends: BackendWaits | undefined): void;
  /** Everything that is open at this moment, oldest first. */
  openWork(): readonly OpenWork[];
  /** Waits for dumps and sends what has ended; bounded, never rejects. To be called before any exit on an error. */
  flush(): Promise<void>;
  /** Ends open spans as aborted, waits for dumps, flushes and closes; bounded, never rejects. */
  shutdown(): Promise<void>;
}

export function createTelemetry(options: TelemetryOptions): IndexerTelemetry {
  const { clock = systemClock, tracing = noTracing(), log } = options;
  const processLoop = new LoopAccount(clock, LOOP_STATES.process, "other");
  const writeLoop = new LoopAccount(clock, LOOP_STATES.write, "idle");
  const metrics = metricsOf(options);
  const open = new Set<Unfinished>();
  let status: (() => Status) | undefined;
  const recorder = recorderOf(options, tracing, () => ({
    status: status?.(),
    loops: { process: timesOf(processLoop), write: timesOf(writeLoop) },
    memory: { ...process.memoryUsage() },
  }));
  const dump = (reason: DumpReason): Promise<void> => recorder?.dump(reason) ?? Promise.resolve();
  const instruments: Instruments = {
    tracing,
    metrics,
    log,
    clock,
    writeLoop,
    open,
    dump: (reason) => void dump(reason),
    mode: { isLive: false },
    awaiting: new Set(),
    rollable: new RollableBatches(),
  };
  const waits = new WaitWatch(instruments);
  tracing.onRequest((seconds) => metrics.observe("telemetry_export_duration_seconds", {}, seconds));
  return {
    log,
    processLoop,
    writeLoop,
    fetchStarted: (start) => new FetchTrace(instruments, start),
    source: (chain, sourceName) => new RequestTelemetry(instruments, chain, sourceName, undefined),
    batchStarted: (start) => new BatchTrace(instruments, start),
    drainStarted: (start) => new DrainTrace(instruments, start),
    observe: (port) => {
      status = port;
    },
    scrape: (accept) => {
      if (status !== undefined) setStatusGauges(metrics, status());
      for (const [state, total] of processLoop.seconds()) setLoopSeconds(metrics, "process", state, total);
      for (const [state, total] of writeLoop.seconds()) setLoopSeconds(metrics, "write", state, total);
      for (const [kind, sessions] of waits.backendWaits()) metrics.set("pg_backend_waits", { kind }, sessions);
      countSpans(metrics, tracing.counts);
      metrics.set("telemetry_queue_spans", {}, tracing.queued);
      setProcessGauges(metrics);
      return metrics.scrape(accept);
    },
    metadataWriteStarted: () => metadataWrite(instruments),
    pruneStarted: (table) => new PruneTrace(instruments, table),
    flushStarted: (start) => new FlushTrace(instruments, start),
    reorgStarted: (start) => new ReorgTrace(instruments, start),
    phase: (name, attributes) => new PhaseTrace(instruments, name, attributes),
    readWaited: (seconds) => metrics.observe("pg_pool_wait_duration_seconds", {}, seconds),
    dump,
    waiting: (wait) => openWait(instruments, wait),
    watchWaits: (signal) => waits.run(signal),
    askBackends: (backends) => {
      waits.backends = backends;
    },
    openWork: () => waits.list(),
    flush: async () => {
      await recorder?.settled();
      await tracing.flush();
    },
    shutdown: async () => {
      // Drain runs first: they end their batches, with the links to what was tried.
      for (const unfinished of open) if (unfinished instanceof DrainTrace) unfinished.abort();
      for (const unfinished of open) unfinished.abort?.();
      await recorder?.settled();
      await tracing.shutdown();
    },
  };
}

function recorderOf(
  { recorder, name, version, log, clock = systemClock }: TelemetryOptions,
  { recent }: Tracing,
  state: () => DumpState,
): FlightRecorder | undefined {
  if (recorder === undefined || recent === undefined) return undefined;
  const { directory, lines, instance } = recorder;
  return new FlightRecorder({
    directory,
    identity: { name, version, instance },
    spans: recent,
    lines,
    state,
    log,
    clock,
  });
}

function timesOf(loop: LoopAccount<string>): LoopTimes {
  return { state: loop.state, seconds: Object.fromEntries(loop.seconds()) };
}

/** The root of a trace of its own: no batch and no run led to it. */
function metadataWrite(instruments: Instruments): WriteTrace {
  return new WriteTrace(instruments, { attempt: 1, purpose: "chain_meta" });
}

function metricsOf(options: TelemetryOptions): Metrics {
  const metrics = new Metrics({
    indexer: options.name,
    shard: options.shard,
    known: { chain: options.chains.map(({ name }) => name), table: options.tables, handler: options.handlers },
    processMetrics: options.processMetrics ?? true,
    log: options.log,
  });
  metrics.set("build_info", { version: options.version, node: process.version }, 1);
  return metrics;
}

function setLoopSeconds(metrics: Metrics, loop: keyof typeof LOOP_STATES, state: string, total: number): void {
  metrics.raiseTo("loop_seconds_total", { loop, state }, total);
}

function countSpans(metrics: Metrics, counts: Readonly<SpanCounts>): void {
  metrics.raiseTo("telemetry_spans_total", { state: "started" }, counts.started);
  metrics.raiseTo("telemetry_spans_total", { state: "ended" }, counts.ended);
  metrics.raiseTo("telemetry_spans_total", { state: "exported" }, counts.exported);
  metrics.raiseTo("telemetry_spans_total", { state: "failed" }, counts.failed);
  metrics.raiseTo("telemetry_spans_total", { state: "dropped" }, counts.dropped);
}

function openWait({ open, clock }: Instruments, { state, what, backendPids }: WaitStart): OpenWait {
  const wait: Unfinished = { since: clock.now(), doing: () => ({ state, what, backendPids: backendPids?.() }) };
  open.add(wait);
  return { end: () => void open.delete(wait) };
}
