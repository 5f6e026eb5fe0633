import { expect, test } from "vitest";
import { HeadTracker } from "../../../src/fetch/head-tracker.ts";
import { memoryLimitBytes } from "../../../src/instrument/metrics/process-gauges.ts";
import { METRIC_PREFIX, METRICS } from "../../../src/instrument/names.ts";
import { chainStatus, statusOf } from "../../support/statuses.ts";
import { batchStart, committed, drainStart, mainnet, processed, traced } from "../../support/traced.ts";

const CLASSIC = "text/plain;version=0.0.4";
const OPEN = "application/openmetrics-text;version=1.0.0,text/plain;version=0.0.4;q=0.5";

/** Samples of the page without the labels that all have: `name{labels} value`. */
function samplesOf(page: string): string[] {
  const plain = page.replaceAll(/,?indexer="erc20",shard="0"/g, "").replaceAll("{}", "");
  return plain.split("\n").filter((line) => line !== "" && !line.startsWith("#"));
}

test("gauges are what the status says at the moment of the scrape", async () => {
  const { telemetry } = await traced();
  telemetry.observe(() => statusOf());
  const samples = samplesOf((await telemetry.scrape(CLASSIC)).body);
  for (const sample of [
    "spindex_processed_checkpoint 120",
    "spindex_committed_checkpoint 100",
    "spindex_commit_lag_checkpoints 20",
    "spindex_oldest_uncommitted_batch_age_seconds 2",
    "spindex_seconds_since_last_commit 3",
    "spindex_queue_batches 2",
    "spindex_queue_items 20",
    "spindex_uncommitted_changes 35",
    "spindex_uncommitted_bytes 4000",
    "spindex_capacity_limit_changes 100",
    "spindex_capacity_limit_bytes 9000",
    "spindex_backpressure_active 1",
    "spindex_persistence_failed 0",
    "spindex_lease_held 1",
    'spindex_loop_state{loop="process",state="capacity"} 1',
    'spindex_loop_state{loop="process",state="fetch"} 0',
    'spindex_loop_state{loop="write",state="write"} 1',
    'spindex_head_block{chain="mainnet"} 1000',
    'spindex_finalized_block{chain="mainnet"} 936',
    'spindex_fetched_block{chain="mainnet"} 999',
    'spindex_processed_block{chain="mainnet"} 998',
    'spindex_committed_block{chain="mainnet"} 990',
    'spindex_commit_lag_blocks{chain="mainnet"} 8',
    'spindex_commit_lag_seconds{chain="mainnet"} 12',
    'spindex_data_age_seconds{chain="mainnet"} 20',
    'spindex_head_age_seconds{chain="mainnet"} 5',
    'spindex_freshness_objective_seconds{chain="mainnet"} 60',
    'spindex_chain_live{chain="mainnet"} 1',
    'spindex_fetch_buffer_items{chain="mainnet"} 7',
    'spindex_fetch_range_blocks{chain="mainnet"} 2000',
    'spindex_sync_progress_ratio{chain="mainnet"} 0.99',
    'spindex_sync_eta_seconds{chain="mainnet"} 8',
    'spindex_history_rows{table="account"} 60',
    "spindex_effect_rows 9",
    'spindex_memory_bytes{part="rows"} 4000',
    'spindex_memory_bytes{part="effects"} 1000',
    'spindex_memory_bytes{part="uncommitted"} 4000',
    'spindex_memory_bytes{part="fetched"} 700',
    'spindex_pg_pool_connections{state="busy"} 1',
    'spindex_pg_pool_connections{state="idle"} 2',
    "spindex_telemetry_queue_spans 0",
    'spindex_undecodable_logs_total{chain="mainnet",reason="data_short"} 3',
  ]) {
    expect(samples).toContain(sample);
  }
});

test("lags and ages grow while nothing becomes durable, and while no head is seen, with no event to make them", async () => {
  const { telemetry, clock } = await traced();
  const head = new HeadTracker({ maxReorgDepth: 10, blockLag: 0, live: true, finalized: 0, clock });
  head.observe(100, undefined);
  clock.advance(5_000);
  head.observe(101, undefined);
  const processedAt = clock.now();
  telemetry.observe(() =>
    statusOf({
      at: clock.now(),
      oldestUncommittedAt: processedAt,
      lastCommitAt: processedAt,
      chains: [
        chainStatus({
          committedTimestamp: processedAt / 1000 - 12,
          headSeenAt: head.advancedAt,
          commitLagSeconds: head.commitLagSeconds(99, Number.POSITIVE_INFINITY),
        }),
      ],
    }),
  );
  const ages = async (): Promise<unknown> => {
    const samples = samplesOf((await telemetry.scrape(CLASSIC)).body);
    const names = ["commit_lag", "data_age", "head_age", "oldest_uncommitted_batch_age"];
    const values = names.map((name) => samples.find((line) => line.startsWith(`spindex_${name}_seconds`)));
    return values.map((line) => Number(line?.split(" ").at(-1)));
  };
  expect(await ages()).toEqual([5, 12, 0, 0]);
  clock.advance(60_000);
  expect(await ages()).toEqual([65, 72, 60, 60]);
  clock.advance(3_600_000);
  expect(await ages()).toEqual([3_665, 3_672, 3_660, 3_660]);
});

test("totals that are kept elsewhere are taken over, not added again", async () => {
  const { telemetry } = await traced();
  telemetry.observe(() => statusOf());
  await telemetry.scrape(CLASSIC);
  const samples = samplesOf((await telemetry.scrape(CLASSIC)).body);
  expect(samples).toContain('spindex_undecodable_logs_total{chain="mainnet",reason="data_short"} 3');
});

test("starts are counted over processes: no series before the shard is held, then the total; the last exit beside it", async () => {
  const { telemetry } = await traced();
  let status = statusOf({ starts: undefined, leaseHeld: false, standby: { holder: "host-a", since: 1 } });
  telemetry.observe(() => status);
  const ofStarts = async () =>
    samplesOf((await telemetry.scrape(CLASSIC)).body).filter((line) => /_(starts|last_exit|lease)_/.test(line));
  expect(await ofStarts()).toEqual(["spindex_lease_held 0", "spindex_lease_standby 1"]);
  status = statusOf({ starts: { count: 7, lastExit: { code: "HANDLER_FAILED", class: "bug" } } });
  for (let scrape = 0; scrape < 2; scrape++) {
    expect((await ofStarts()).sort()).toEqual([
      'spindex_last_exit_info{code="HANDLER_FAILED",class="bug"} 1',
      "spindex_lease_held 1",
      "spindex_lease_standby 0",
      "spindex_starts_total 7",
    ]);
  }
});

test("what is not known yet has no series, and a lag is always there", async () => {
  const { telemetry } = await traced();
  const unknown = chainStatus({
    head: undefined,
    headSeenAt: undefined,
    processed: undefined,
    committed: undefined,
    committedTimestamp: undefined,
    commitLagSeconds: undefined,
  });
  telemetry.observe(() => statusOf({ chains: [unknown] }));
  const samples = samplesOf((await telemetry.scrape(CLASSIC)).body);
  expect(samples.filter((line) => /spindex_(head_block|committed_block|data_age|head_age)/.test(line))).toEqual([]);
  expect(samples).toContain('spindex_commit_lag_seconds{chain="mainnet"} 0');
  expect(samples).toContain('spindex_commit_lag_blocks{chain="mainnet"} 0');
});

test("a failure of the writer shows as such", async () => {
  const { telemetry } = await traced();
  telemetry.observe(() => statusOf({ failure: { code: "WRITE_FAILED", message: "duplicate key" } }));
  expect(samplesOf((await telemetry.scrape(CLASSIC)).body)).toContain("spindex_persistence_failed 1");
});

test("every metric is on the page from the first scrape, with the prefix and a help text", async () => {
  const { telemetry } = await traced();
  telemetry.observe(() => statusOf());
  const { body, contentType } = await telemetry.scrape(CLASSIC);
  expect(contentType).toBe("text/plain; version=0.0.4; charset=utf-8");
  for (const [name, { help, type }] of Object.entries(METRICS)) {
    expect(body).toContain(`# HELP ${METRIC_PREFIX}${name} ${help}\n# TYPE ${METRIC_PREFIX}${name} ${type}\n`);
  }
  const samples = samplesOf(body);
  for (const sample of [
    'spindex_write_failures_total{class="fatal",retriable="false"} 0',
    'spindex_drain_runs_total{outcome="failed"} 0',
    'spindex_events_processed_total{chain="mainnet",handler="Token.Transfer"} 0',
    'spindex_handler_failures_total{handler="Token.Transfer"} 0',
    'spindex_capacity_wait_duration_seconds_count{reason="bytes"} 0',
    "spindex_write_retries_total 0",
  ]) {
    expect(samples).toContain(sample);
  }
});

test("a batch and its write are counted, and OpenMetrics leads to their spans", async () => {
  const { telemetry, clock, traces } = await traced();
  const batch = telemetry.batchStarted(batchStart(1, clock));
  batch.processing();
  clock.advance(20);
  batch.processed(processed);
  batch.committed(committed);
  clock.advance(200);
  const drain = telemetry.drainStarted(drainStart(1, clock, [batch]));
  const transaction = drain.transaction(1);
  const copy = { summary: "COPY transfer", operation: "COPY", purpose: "entity", table: "transfer" } as const;
  await transaction.statement({ ...copy, rows: 5, bytes: 500 }, async () => clock.advance(2000));
  await transaction.commit(async () => clock.advance(5));
  transaction.succeeded(false);
  drain.durable();
  const samples = samplesOf((await telemetry.scrape(CLASSIC)).body);
  for (const sample of [
    'spindex_batch_duration_seconds_sum{outcome="durable"} 2.225',
    'spindex_batch_stage_duration_seconds_sum{stage="capacity"} 0',
    'spindex_batch_stage_duration_seconds_sum{stage="process"} 0.02',
    'spindex_batch_stage_duration_seconds_sum{stage="queue"} 0.2',
    'spindex_batch_stage_duration_seconds_sum{stage="write"} 2.005',
    'spindex_events_processed_total{chain="mainnet",handler="Token.Transfer"} 3',
    'spindex_handler_duration_seconds_sum{handler="Token.Transfer"} 0.008',
    'spindex_handler_duration_seconds_count{handler="Token.Transfer"} 3',
    'spindex_store_reads_total{table="account",outcome="memory"} 4',
    'spindex_store_reads_total{table="account",outcome="storage"} 1',
    'spindex_drain_runs_total{outcome="durable"} 1',
    "spindex_drain_run_batches_sum 1",
    'spindex_drain_splits_total{reason="drained"} 1',
    'spindex_write_transaction_duration_seconds_sum{outcome="durable"} 2.005',
    "spindex_sql_commit_duration_seconds_sum 0.005",
    'spindex_write_statement_duration_seconds_sum{op="COPY",purpose="entity"} 2',
    'spindex_rows_written_total{table="transfer",op="COPY"} 5',
    'spindex_bytes_written_total{purpose="entity"} 500',
    'spindex_loop_seconds_total{loop="write",state="sql_commit"} 0.005',
  ]) {
    expect(samples).toContain(sample);
  }
  const root = (await traces()).batches()[0];
  const open = await telemetry.scrape(OPEN);
  expect(open.contentType).toBe("application/openmetrics-text; version=1.0.0; charset=utf-8");
  expect(open.body).toContain("# TYPE spindex_drain_runs counter\n");
  expect(open.body).toMatch(/\n# EOF\n$/);
  const exemplar = `# {trace_id="${root?.traceId}",span_id="${root?.spanId}"} 2.225 `;
  const bucket = samplesOf(open.body).find(
    (line) => line.startsWith("spindex_batch_duration_seconds_bucket") && line.includes("#"),
  );
  expect(bucket).toContain('spindex_batch_duration_seconds_bucket{le="3",outcome="durable"} 1 ');
  expect(bucket).toContain(exemplar);
  // Writing one format leaves no trace in the other.
  expect((await telemetry.scrape(CLASSIC)).body).toContain("# TYPE spindex_drain_runs_total counter\n");
});

test("an unsampled batch leaves no exemplar", async () => {
  const { telemetry, clock } = await traced({ ratio: 0 });
  telemetry.batchStarted(batchStart(1, clock)).abandoned("aborted");
  expect((await telemetry.scrape(OPEN)).body).not.toContain("trace_id");
});

test("requests to sources are counted by outcome", async () => {
  const { telemetry, clock, traces } = await traced();
  const source = telemetry.source(mainnet, "node.example");
  const start = { method: "eth_blockNumber", calls: 1, host: "node.example", port: undefined };
  await source.request(start, async () => ({ value: 1, responseBytes: 10 }));
  await source.request(start, async () => ({ value: 1, responseBytes: 10, errorCode: -32005 }));
  const failed = source.request(start, async () => {
    clock.advance(100);
    throw new Error("socket closed");
  });
  await expect(failed).rejects.toThrow("socket closed");
  await expect(source.request(start, () => Promise.reject(new DOMException("stop", "AbortError")))).rejects.toThrow();
  const samples = samplesOf((await telemetry.scrape(CLASSIC)).body);
  const labels = 'chain="mainnet",source="node.example"';
  for (const outcome of ["ok", "rpc_error", "error", "cancelled"]) {
    const series = `spindex_source_requests_total{${labels},method="eth_blockNumber",outcome="${outcome}"} 1`;
    expect(samples).toContain(series);
  }
  expect(samples).toContain(`spindex_source_request_duration_seconds_count{${labels}} 3`);
  const spans = (await traces()).named("{rpc.method}");
  expect(spans.map((span) => [span.isError, span.attributes["rpc.response.status_code"]])).toEqual([
    [false, undefined],
    [false, "-32005"],
    [true, undefined],
    [false, undefined],
  ]);
});

test("a total that begins anew, as after a reorg, is added to what was counted before", async () => {
  const { telemetry } = await traced();
  for (const count of [3, 5, 2, 2]) {
    telemetry.observe(() => statusOf({ undecodableLogs: [{ chain: "mainnet", reason: "data_short", count }] }));
    await telemetry.scrape(CLASSIC);
  }
  const samples = samplesOf((await telemetry.scrape(CLASSIC)).body);
  expect(samples).toContain('spindex_undecodable_logs_total{chain="mainnet",reason="data_short"} 7');
});

test("what is not known any more has no series any more", async () => {
  const { telemetry } = await traced();
  let chain = chainStatus({ syncEtaSeconds: Number.POSITIVE_INFINITY });
  telemetry.observe(() => statusOf({ chains: [chain] }));
  expect(samplesOf((await telemetry.scrape(CLASSIC)).body)).toContain('spindex_sync_eta_seconds{chain="mainnet"} +Inf');
  chain = chainStatus({ syncEtaSeconds: undefined, processed: undefined });
  const samples = samplesOf((await telemetry.scrape(CLASSIC)).body);
  expect(samples.filter((line) => /spindex_(sync_eta|processed_block)/.test(line))).toEqual([]);
});

test("a durable head, a rollback, a read that waited and an export are observed, with exemplars where they lead", async () => {
  const { telemetry, clock, traces } = await traced();
  const drain = telemetry.drainStarted(drainStart(1, clock, []));
  drain.blockDurable("mainnet", 2.5);
  drain.durable();
  const reorg = telemetry.reorgStarted({ chain: mainnet, evidence: "another parent", foundHash: "0x1" });
  clock.advance(400);
  reorg.done(9);
  telemetry.readWaited(0.25);
  const model = await traces();
  const { body } = await telemetry.scrape(OPEN);
  const samples = samplesOf(body);
  for (const sample of [
    'spindex_block_to_durable_duration_seconds_sum{chain="mainnet"} 2.5',
    "spindex_rollback_duration_seconds_sum 0.4",
    "spindex_pg_pool_wait_duration_seconds_sum 0.25",
    "spindex_telemetry_export_duration_seconds_count 1",
  ]) {
    expect(samples).toContain(sample);
  }
  const ofRun = `# {trace_id="${model.named("spindex.drain_run")[0]?.traceId}"`;
  expect(samples.find((line) => line.startsWith("spindex_block_to_durable") && line.includes(ofRun))).toBeDefined();
  const ofReorg = `# {trace_id="${model.named("spindex.reorg")[0]?.traceId}"`;
  expect(samples.find((line) => line.startsWith("spindex_rollback_duration") && line.includes(ofReorg))).toBeDefined();
});

test("what the process uses, and may use, is on the page", async () => {
  const { telemetry } = await traced();
  const sampleOf = async (series: string): Promise<number> => {
    const line = samplesOf((await telemetry.scrape(CLASSIC)).body).find((sample) => sample.startsWith(`${series} `));
    return Number(line?.split(" ")[1]);
  };
  const resident = await sampleOf('spindex_memory_bytes{part="resident"}');
  expect(resident).toBeGreaterThan(await sampleOf('spindex_memory_bytes{part="heap"}'));
  expect(await sampleOf("spindex_memory_limit_bytes")).toBeGreaterThan(resident);
  expect(await sampleOf("spindex_heap_limit_bytes")).toBeGreaterThan(0);
  const active = await sampleOf("spindex_event_loop_active_seconds_total");
  expect(active).toBeGreaterThan(0);
  expect(await sampleOf("spindex_event_loop_active_seconds_total")).toBeGreaterThanOrEqual(active);
});

test.each([
  [0, 8_000, 8_000],
  [2_000, 8_000, 2_000],
  [2 ** 63, 8_000, 8_000],
])("of a container limited to %i on a machine of %i the limit is %i", (constrained, total, limit) => {
  expect(memoryLimitBytes(constrained, total)).toBe(limit);
});

test("of very many label values the last ones become one", async () => {
  const { telemetry } = await traced();
  for (let index = 0; index < 200; index++) {
    await telemetry
      .source(mainnet, `node${index}`)
      .request({ method: "m", calls: 1, host: "h", port: 1 }, async () => ({ value: 1, responseBytes: 1 }));
  }
  const samples = samplesOf((await telemetry.scrape(CLASSIC)).body);
  const counted = samples.filter((line) => /^spindex_source_requests_total/.test(line));
  expect(counted).toHaveLength(101);
  expect(counted.at(-1)).toContain('source="other",method="m",outcome="ok"} 100');
});
