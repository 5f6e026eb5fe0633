import type { ErrorCode } from "../../errors.ts";
import type { GaugeName, LabelsOf } from "../names.ts";
import { LOOP_STATES } from "../names.ts";
import { type ChainStatus, dataAgeSeconds, type StartsStatus, type Status } from "../status.ts";
import type { Metrics } from "./metrics.ts";

const WRITE_ERRORS: ReadonlySet<ErrorCode> = new Set<ErrorCode>([
  "WRITE_FAILED",
  "WRITE_RETRIES_EXHAUSTED",
  "WRITER_FENCED",
  "DATABASE_WENT_BACK",
]);

/** Sets every gauge that says how things are at this moment; done at each scrape, so that none is ever stale. */
export function setStatusGauges(metrics: Metrics, status: Status): void {
  const { checkpoints, queue, at } = status;
  const set = (name: UnlabelledGauge, value: number): void => metrics.set(name, {}, value);
  set("processed_checkpoint", checkpoints.processed);
  set("committed_checkpoint", checkpoints.committed);
  set("commit_lag_checkpoints", checkpoints.processed - checkpoints.committed);
  set("oldest_uncommitted_batch_age_seconds", secondsSince(status.oldestUncommittedAt ?? at, at));
  set("seconds_since_last_commit", secondsSince(status.lastCommitAt ?? status.startedAt, at));
  set("queue_batches", queue.batches);
  set("queue_items", queue.items);
  set("uncommitted_changes", queue.changes);
  set("uncommitted_bytes", queue.bytes);
  set("capacity_limit_changes", queue.limits.changes);
  set("capacity_limit_bytes", queue.limits.bytes);
  set("cache_bytes", status.cache.bytes);
  set("cache_budget_bytes", status.cache.budget);
  for (const part of ["rows", "effects", "uncommitted", "fetched"] as const) {
    metrics.set("memory_bytes", { part }, status.memory[part]);
  }
  for (const state of ["busy", "idle"] as const) {
    metrics.set("pg_pool_connections", { state }, status.readConnections[state]);
  }
  for (const { table, rows } of status.kept?.history ?? []) metrics.set("history_rows", { table }, rows);
  if (status.kept !== undefined) set("effect_rows", status.kept.effects);
  metrics.raiseTo("cache_evicted_rows_total", { tier: "effects" }, status.cache.evicted.effects);
  metrics.raiseTo("cache_evicted_rows_total", { tier: "changed" }, status.cache.evicted.changed);
  metrics.raiseTo("cache_evicted_rows_total", { tier: "loaded" }, status.cache.evicted.loaded);
  set("backpressure_active", Number(status.processLoop === "capacity"));
  set("persistence_failed", Number(status.failure !== undefined && WRITE_ERRORS.has(status.failure.code)));
  set("lease_held", Number(status.leaseHeld));
  set("lease_standby", Number(status.standby !== undefined));
  if (status.starts !== undefined) setStarts(metrics, status.starts);
  set("indexes_missing", status.indexes.total - status.indexes.done);
  set("start_time_seconds", status.startedAt / 1000);
  for (const state of LOOP_STATES.process) {
    metrics.set("loop_state", { loop: "process", state }, Number(status.processLoop === state));
  }
  for (const state of LOOP_STATES.write) {
    metrics.set("loop_state", { loop: "write", state }, Number(status.writeLoop === state));
  }
  for (const { effect, waiting } of status.effects) metrics.set("effect_queue_depth", { effect }, waiting);
  for (const chain of status.chains) setChainGauges(metrics, chain, at);
  for (const { chain, reason, count } of status.undecodableLogs) {
    metrics.raiseTo("undecodable_logs_total", { chain, reason }, count);
  }
  for (const { handler, count } of status.skippedEvents) metrics.raiseTo("skipped_events_total", { handler }, count);
}

function setStarts(metrics: Metrics, { count, lastExit }: StartsStatus): void {
  metrics.raiseTo("starts_total", {}, count);
  if (lastExit !== undefined) metrics.set("last_exit_info", lastExit, 1);
}

function setChainGauges(metrics: Metrics, chain: ChainStatus, at: number): void {
  const labels = { chain: chain.name };
  /** What is not known yet has no series: 0 would be a lie. */
  const set = (name: ChainGauge, value: number | undefined): void => {
    if (value === undefined) metrics.unset(name, labels);
    else metrics.set(name, labels, value);
  };
  set("head_block", chain.head);
  set("finalized_block", chain.finalized);
  set("fetched_block", chain.fetched);
  set("processed_block", chain.processed);
  set("committed_block", chain.committed);
  set("commit_lag_blocks", chain.processed === undefined ? 0 : chain.processed - (chain.committed ?? chain.processed));
  set("commit_lag_seconds", chain.commitLagSeconds ?? 0);
  set("data_age_seconds", dataAgeSeconds(chain, at));
  set("head_age_seconds", chain.headSeenAt === undefined ? undefined : secondsSince(chain.headSeenAt, at));
  set("sync_progress_ratio", chain.syncProgress);
  set("sync_eta_seconds", chain.syncEtaSeconds);
  set("freshness_objective_seconds", chain.objectiveSeconds);
  set("chain_live", Number(chain.live));
  set("fetch_buffer_items", chain.bufferItems);
  set("fetch_range_blocks", chain.rangeBlocks);
}

type UnlabelledGauge = { [N in GaugeName]: keyof LabelsOf<N> extends never ? N : never }[GaugeName];
type ChainGauge = { [N in GaugeName]: keyof LabelsOf<N> extends "chain" ? N : never }[GaugeName];

function secondsSince(then: number, at: number): number {
  return Math.max(0, at - then) / 1000;
}
