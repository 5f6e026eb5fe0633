import type { CheckpointRange } from "../../../src/chain/checkpoint.ts";
import { createTelemetry, type IndexerTelemetry } from "../../../src/instrument/create-telemetry.ts";
import { createLog } from "../../../src/instrument/log.ts";
import type { SpanRef, Tracing } from "../../../src/instrument/tracing/tracing.ts";
import type { Clock } from "../../../src/lib/clock.ts";
import { collectTraces } from "../../../src/testing/collect-traces.ts";
import type { TraceModel, TraceSpan } from "../../../src/testing/index.ts";
import type { MemoryState } from "../../../src/testing/memory-state.ts";
import { TABLES } from "./plan.ts";
import type { Scenario } from "./scenario.ts";
import { Simulation } from "./simulation.ts";
import { check, checkSame } from "./violation.ts";

/** Something that became durable, whether its process has learned of it or not. */
interface Durable {
  readonly process: number;
  readonly kind: "run" | "rollback";
  /** Of a run, or those that a rollback took back; undefined: none. */
  readonly checkpoints: CheckpointRange | undefined;
}

/** What a traced simulation has left behind. */
export interface TracedWorld {
  readonly traces: TraceModel;
  readonly durable: readonly Durable[];
  /** The process of each span that is a root of runs or reorgs, by the span's id. */
  readonly processOf: ReadonlyMap<string, number>;
}

const log = createLog({ level: "silent", format: "json", destination: { write: () => {} } });

/**
 * Runs the simulation of a scenario with tracing, ends whatever is open at its end, and checks what holds at any ratio.
 * @throws Violation
 */
export async function traceWorld(scenario: Scenario, ratio: number): Promise<TracedWorld> {
  const collector = await collectTraces({ ratio, seed: scenario.seed });
  const processOf = new Map<string, number>();
  const lives: { readonly telemetry: IndexerTelemetry; readonly clock: Clock; readonly startedAt: number }[] = [];
  const telemetryOf = (clock: Clock): IndexerTelemetry => {
    const process = lives.length + 1;
    const telemetry = createTelemetry({
      name: "simulated",
      shard: "default",
      version: "0.0.0",
      log,
      tracing: noting(collector.tracing, ({ spanId }) => processOf.set(spanId, process)),
      clock,
      chains: scenario.chains.map(({ chainId }) => ({ id: chainId, name: chainId === 1 ? "one" : "two" })),
      tables: TABLES.map(({ sqlName }) => sqlName),
      handlers: ["Plan.Stop", "Plan.Skip"],
      processMetrics: false,
    });
    lives.push({ telemetry, clock, startedAt: clock.now() });
    return telemetry;
  };
  const durable: Durable[] = [];
  const changed = (before: MemoryState, after: MemoryState, process: number): void =>
    void durable.push(...changesOf(before, after).map((change) => ({ ...change, process })));
  await new Simulation(scenario, { telemetryOf, changed }).run();
  // Of processes that were killed everything is open still: it can be ended at any moment.
  for (const { telemetry } of lives) await telemetry.shutdown();
  for (const { telemetry, clock, startedAt } of lives) checkAccounts(telemetry, (clock.now() - startedAt) / 1000);
  const traces = await collector.traces();
  const { started, ended } = collector.tracing.counts;
  await collector.close();
  checkSame(collector.problems, [], "problems: a span that is changed after its end, or ends twice");
  checkSame(ended, started, "spans that have ended");
  checkSame(traces.dangling(), [], "links and parents that lead nowhere");
  for (const batch of traces.batches()) checkBatch(traces, batch);
  return { traces, durable, processOf };
}

/** Processes share the collector: it outlives each of them. */
function noting(tracing: Tracing, note: (ref: SpanRef) => void): Tracing {
  return {
    ...tracing,
    start: (name, start) => {
      const span = tracing.start(name, start);
      if (span.ref !== undefined && start.parent === undefined) note(span.ref);
      return span;
    },
    shutdown: async () => {},
  };
}

function changesOf(before: MemoryState, after: MemoryState): Omit<Durable, "process">[] {
  if (after.runs.length > before.runs.length) {
    return [{ kind: "run", checkpoints: after.runs.at(-1)?.checkpoints }];
  }
  const back = after.rollbacks.length > before.rollbacks.length ? after.rollbacks.at(-1) : undefined;
  if (back === undefined) return [];
  const { firstOrphaned: from, lastOrphaned: to } = back;
  return [{ kind: "rollback", checkpoints: from === undefined ? undefined : { from, to } }];
}

/** The states of each loop sum to the time that has passed. */
function checkAccounts({ processLoop, writeLoop }: IndexerTelemetry, passed: number): void {
  for (const loop of [processLoop, writeLoop]) {
    const sum = [...loop.seconds().values()].reduce((total, seconds) => total + seconds, 0);
    check(Math.abs(sum - passed) <= passed * 0.01, `a loop accounts for ${sum} of ${passed} s`);
  }
}

/** It leads to its run and its write, and back, and its stages are its whole time. */
function checkBatch(traces: TraceModel, batch: TraceSpan): void {
  const run = traces.drainRunOf(batch);
  const write = traces.writeTransactionOf(batch);
  if (run !== undefined) check(traces.batchesOf(run).includes(batch), "a drain run does not lead back to its batch");
  if (batch.attributes["spindex.outcome"] !== "durable") return;
  checkSame(write?.name, "spindex.write_transaction", "what a durable batch leads to");
  check(write !== undefined && traces.parentOf(write) === run, "a batch is written by another run than took it");
  check(
    ["durable", "already_durable"].includes(String(write?.attributes["spindex.outcome"])),
    "an attempt that failed",
  );
  const lag = ["capacity", "process", "queue", "write"].map((part) =>
    Number(batch.attributes[`spindex.lag.${part}_ms`]),
  );
  const stages = traces.childrenOf(batch).map(({ durationMs }) => durationMs);
  for (const [what, parts] of Object.entries({ lag, stages })) {
    const sum = parts.reduce((total, ms) => total + ms, 0);
    check(Math.abs(sum - batch.durationMs) <= 1, `${what} of ${sum} ms in a batch of ${batch.durationMs} ms`);
  }
}

/** With every trace kept: each checkpoint lies in exactly one durable write's trace. @throws Violation */
export function checkCheckpoints({ traces, durable, processOf }: TracedWorld): void {
  const runs = traces.named("spindex.drain_run");
  const rollbacks = traces.named("spindex.rollback");
  const isOf = (span: TraceSpan, { process, checkpoints }: Durable): boolean =>
    processOf.get((traces.parentOf(span) ?? span).spanId) === process &&
    span.attributes["spindex.checkpoint.from"] === checkpoints?.from &&
    span.attributes["spindex.checkpoint.to"] === checkpoints?.to;
  for (const write of durable) {
    if (write.kind === "run") checkSame(runs.filter((run) => isOf(run, write)).length, 1, "traces of a durable run");
  }
  // What a process takes for durable is, and by one attempt.
  for (const span of [...runs, ...rollbacks].filter((one) => one.attributes["spindex.outcome"] === "durable")) {
    const kind = span.name === "spindex.rollback" ? "rollback" : "run";
    check(
      durable.some((write) => write.kind === kind && isOf(span, write)),
      `${span.name} was not durable`,
    );
    const done = traces
      .childrenOf(span)
      .filter(({ name, isError }) => name === "spindex.write_transaction" && !isError);
    checkSame(done.length, 1, `attempts of ${span.name} that went well`);
  }
}
