import { join } from "node:path";
import pg from "pg";
import { expect, inject, test } from "vitest";
import { createReplayServer } from "../../examples/replay/replay-server.ts";
import { startCli } from "../support/cli.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { dashboardQueries } from "./dashboards.ts";
import { scrapeOnly } from "./prometheus.ts";
import { eventually, query, queryExemplars, spanOf, traceOf } from "./queries.ts";

const EXAMPLES = join(import.meta.dirname, "../../examples");
const FIRST_HEAD = 18_939_000;
const LAG = 'spindex_commit_lag_seconds{chain="mainnet"}';
const { jaeger, prometheus } = inject("stack");

test.skipIf(jaeger === undefined || prometheus === undefined)(
  "while a table is locked, the lag leads to an exemplar, a span, and the session that holds the lock",
  async () => {
    await using resources = new AsyncDisposableStack();
    const database = await createTestDatabase();
    resources.defer(() => database.drop());
    const file = join(EXAMPLES, "data/univ3-mainnet-2024-01-05.ndjson.gz");
    const node = await createReplayServer({ file, chainId: 1, head: FIRST_HEAD });
    resources.defer(() => node.close());
    const indexer = startCli(["start"], {
      cwd: join(EXAMPLES, "uniswap-v3"),
      env: { DATABASE_URL: database.url, MAINNET_RPC_URL: node.url, OTEL_EXPORTER_OTLP_ENDPOINT: jaeger!.otlpUrl },
    });
    resources.defer(async () => {
      indexer.child.kill("SIGTERM");
      await indexer.ended;
    });
    await indexer.until(({ chains }) => chains[0]?.committed === FIRST_HEAD);
    await scrapeOnly(prometheus!.targetsFile, [await indexer.url()]);
    resources.defer(() => scrapeOnly(prometheus!.targetsFile, []));

    const migration = new pg.Client({ connectionString: database.url, application_name: "a migration by hand" });
    await migration.connect();
    resources.defer(() => migration.end());
    const { rows } = await migration.query<{ pid: number }>("select pg_backend_pid() as pid");
    await migration.query("begin");
    await migration.query("lock table uniswap_v3.swap in access exclusive mode");
    node.advance(100);

    // An operator sees the lag rise …
    const rising = await eventually(
      () => query(prometheus!.url, `${LAG} > 10 and ${LAG} > ${LAG} offset 2s`),
      (samples) => samples.length > 0,
    );
    expect(rising).toHaveLength(1);
    // … clicks the exemplar of what stands still in the write loop …
    const exemplars = await eventually(
      () => queryExemplars(prometheus!.url, 'spindex_waiting_seconds_bucket{loop="write",state="statement"}'),
      (found) => found.length > 0,
    );
    const { traceId, spanId } = exemplars.at(-1)!;
    // … and reads in the span who is to blame, and what it did.
    const trace = await eventually(
      () => traceOf(jaeger!.queryUrl, traceId),
      (model) => spanOf(model, spanId) !== undefined,
    );
    expect(spanOf(trace, spanId)).toMatchObject({
      name: "spindex.still_waiting",
      attributes: {
        "spindex.wait.what": "COPY swap",
        "spindex.wait.event": "Lock: relation",
        "spindex.blocker.pid": rows[0]?.pid,
        "spindex.blocker.state": "idle in transaction",
        "spindex.blocker.query": "lock table uniswap_v3.swap in access exclusive mode",
        "spindex.blocker.application": "a migration by hand",
      },
    });
    // The dashboards show it too …
    const shown = (await dashboardQueries()).filter(({ expr }) => expr.includes("spindex_waiting_seconds"));
    expect(shown.length).toBeGreaterThan(0);
    for (const { place, expr } of shown) {
      const samples = await query(prometheus!.url, expr);
      expect(samples.filter(({ value }) => value >= 10).length, place).toBeGreaterThan(0);
    }
    // … and all of it while the lock is held.
    const held = await query(prometheus!.url, `${LAG} > 10`);
    expect(held).toHaveLength(1);

    await migration.query("rollback");
    const after = await eventually(
      () => query(prometheus!.url, LAG),
      ([sample]) => sample?.value === 0,
    );
    expect(after.map(({ value }) => value)).toEqual([0]);
    // Now the run is over, its trace is whole, and the span lies where the time went.
    const whole = await eventually(
      () => traceOf(jaeger!.queryUrl, traceId),
      (model) => model.named("spindex.drain_run").length > 0 && model.named("spindex.write_transaction").length > 0,
    );
    const told = spanOf(whole, spanId)!;
    expect(whole.parentOf(told)?.name).toBe("spindex.write_transaction");
    const [run] = whole.named("spindex.drain_run");
    expect(run?.durationMs).toBeGreaterThan(10_000);
    expect(told.attributes["spindex.batch.trace_ids"]).toEqual(run?.attributes["spindex.batch.trace_ids"]);
  },
);
