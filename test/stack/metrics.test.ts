import { globSync } from "node:fs";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, inject, test } from "vitest";
import { parse } from "yaml";
import { createReplayServer } from "../../examples/replay/replay-server.ts";
import { METRIC_PREFIX, METRICS, type MetricDefinition } from "../../src/instrument/names.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { startCli } from "../support/cli.ts";
import { createTestDatabase } from "../support/postgres.ts";
import { hasPromtool, promtoolComplaints } from "../support/promtool.ts";
import { dashboardQueries } from "./dashboards.ts";
import { scrapeOnly } from "./prometheus.ts";
import {
  eventually,
  type LoadedRule,
  loadedRules,
  query,
  queryExemplars,
  searchTraces,
  spanOf,
  traceOf,
} from "./queries.ts";

const ROOT = join(import.meta.dirname, "../..");
const { jaeger, prometheus } = inject("stack");

/** Queries that may have no data in this run, and why. */
const WITHOUT_DATA: readonly { readonly query: RegExp; readonly why: string }[] = [
  { query: /^ALERTS/, why: "alerts of a healthy indexer do not fire" },
  { query: /spindex_waiting_seconds/, why: "nothing waits for ten seconds; what does is in stall.test.ts" },
  { query: /^changes\(spindex_start_time_seconds/, why: "the process does not start anew" },
  { query: /spindex_source_requests_total\{.*outcome!="ok"/, why: "no request fails" },
];

/** Alerts that may be on, and why. */
const EXPECTED_ALERTS: Readonly<Record<string, string>> = {
  Watchdog: "it always fires",
  CommitFreshnessBurnFast: "the replayed blocks are years old, and so is the newest data",
  CommitFreshnessBurnSlow: "the same",
};

/** Metrics with exemplars that this run need not observe, and why. */
const WITHOUT_EXEMPLARS: Readonly<Record<string, string>> = {
  rollback_duration_seconds: "there is no reorg",
  capacity_wait_duration_seconds: "the load is far below the capacity limit",
  effect_duration_seconds: "the example has no effects",
  waiting_seconds: "nothing waits for ten seconds; what does is in stall.test.ts",
  write_failures_total: "no write fails",
};

interface RuleFile {
  readonly groups: readonly {
    readonly rules: readonly { readonly alert?: string; readonly record?: string }[];
  }[];
}

const resources = new AsyncDisposableStack();
afterAll(() => resources.disposeAsync());

describe.skipIf(prometheus === undefined)("a live indexer", () => {
  let metricsUrl = "";
  let since = 0;

  beforeAll(async () => {
    const database = await createTestDatabase();
    resources.defer(() => database.drop());
    const file = join(ROOT, "examples/data/univ3-mainnet-2024-01-05.ndjson.gz");
    const node = await createReplayServer({ file, chainId: 1, head: 18_939_000 });
    resources.defer(() => node.close());
    since = systemClock.now();
    const indexer = startCli(["start"], {
      cwd: join(ROOT, "examples/uniswap-v3"),
      env: {
        DATABASE_URL: database.url,
        MAINNET_RPC_URL: node.url,
        ...(jaeger === undefined ? {} : { OTEL_EXPORTER_OTLP_ENDPOINT: jaeger.otlpUrl }),
      },
    });
    resources.defer(async () => {
      indexer.child.kill("SIGTERM");
      await indexer.ended;
    });
    metricsUrl = await indexer.url();
    await scrapeOnly(prometheus!.targetsFile, [metricsUrl]);
    const ended = new AbortController();
    const growing = grow(node, ended.signal);
    resources.defer(() => {
      ended.abort();
      return growing;
    });
    const swaps = `handler="Pool.Swap",instance="${new URL(metricsUrl).host}"`;
    // Everything that is a rate needs two scrapes, and what it counts between them.
    const scrapes = await eventually(
      () => query(prometheus!.url, `count_over_time(spindex_events_processed_total{${swaps}}[5m])`),
      ([sample]) => (sample?.value ?? 0) > 10,
    );
    expect(scrapes[0]?.value).toBeGreaterThan(10);
  });

  test.skipIf(jaeger === undefined)("has every exported span in Jaeger, and nothing else", async () => {
    const before = await eventually(
      () => spanCounts(metricsUrl),
      ({ exported }) => exported > 100,
    );
    const stored = (await searchTraces(jaeger!.queryUrl, { service: "uniswap_v3", since })).spans.length;
    const after = await eventually(
      () => spanCounts(metricsUrl),
      ({ exported }) => exported >= stored,
    );
    expect(before.exported).toBeGreaterThan(100);
    expect(stored).toBeGreaterThanOrEqual(before.exported);
    expect(stored).toBeLessThanOrEqual(after.exported);
    expect(after).toMatchObject({ failed: 0, dropped: 0 });
  });

  test.skipIf(jaeger === undefined)(
    "leads from the exemplar of each metric to the span in Jaeger that it is of",
    async () => {
      const withExemplars = Object.entries(METRICS as Readonly<Record<string, MetricDefinition>>).filter(
        ([, metric]) => metric.type !== "gauge" && metric.exemplar === true,
      );
      expect(withExemplars.length).toBeGreaterThan(5);
      const silent: string[] = [];
      for (const [name, { type }] of withExemplars) {
        const series = `${METRIC_PREFIX}${name}${type === "histogram" ? "_bucket" : ""}`;
        const exemplars = await eventually(
          () => queryExemplars(prometheus!.url, series),
          (found) => found.length > 0 || name in WITHOUT_EXEMPLARS,
          10_000,
        );
        if (exemplars.length === 0) silent.push(name);
        // The newest may not have been exported yet.
        for (const { traceId, spanId } of exemplars.slice(0, 3)) {
          const trace = await eventually(
            () => traceOf(jaeger!.queryUrl, traceId),
            (model) => spanOf(model, spanId) !== undefined,
          );
          expect(spanOf(trace, spanId), `the exemplar of ${series} in trace ${traceId}`).toBeDefined();
        }
      }
      expect(silent.filter((name) => !(name in WITHOUT_EXEMPLARS))).toEqual([]);
    },
  );

  test("gives data to every query of every dashboard", async () => {
    const queries = await dashboardQueries();
    expect(queries.length).toBeGreaterThan(20);
    const empty: string[] = [];
    for (const { place, expr } of queries) {
      const samples = await query(prometheus!.url, expr);
      const hasData = samples.some(({ value }) => !Number.isNaN(value));
      if (!hasData && !WITHOUT_DATA.some((entry) => entry.query.test(expr))) empty.push(`${place}: ${expr}`);
    }
    expect(empty).toEqual([]);
    const stale = WITHOUT_DATA.filter((entry) => !queries.some(({ expr }) => entry.query.test(expr)));
    expect(stale).toEqual([]);
  });

  test("fires no alert that it should not", async () => {
    // What another test has stopped counts as down until it is no target any more.
    const on = await eventually(
      async () => (await loadedRules(prometheus!.url)).filter(isOn).map(({ name }) => name),
      (names) => names.every((name) => name in EXPECTED_ALERTS),
    );
    expect(on).toContain("Watchdog");
    expect(on.filter((name) => !(name in EXPECTED_ALERTS))).toEqual([]);
  });
});

describe.skipIf(prometheus === undefined)("Prometheus", () => {
  test("loads every rule, and promtool finds nothing wrong with them", async () => {
    const files = globSync("telemetry/prometheus/rules/*.yml", { cwd: ROOT });
    expect(hasPromtool).toBe(true);
    for (const file of files) expect(promtoolComplaints(["check", "rules", join(ROOT, file)])).toEqual([]);
    const rules = await eventually(
      () => loadedRules(prometheus!.url),
      (loaded) => loaded.every(({ health }) => health === "ok"),
    );
    expect(rules.filter(({ health }) => health !== "ok")).toEqual([]);
    const written = await Promise.all(files.map(async (file) => parse(await readFile(join(ROOT, file), "utf8"))));
    const names = (written as RuleFile[]).flatMap(({ groups }) => groups.flatMap(({ rules }) => rules));
    expect(rules.map(({ name }) => name).toSorted()).toEqual(
      names.map(({ alert, record = "" }) => alert ?? record).toSorted(),
    );
  });
});

function isOn({ state }: LoadedRule): boolean {
  return state !== undefined && state !== "inactive";
}

/** Shows a new part of the chain again and again, with events in it. */
async function grow(node: { advance(blocks: number): void }, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    node.advance(20);
    await systemClock.sleep(250, signal);
  }
}

async function spanCounts(url: string): Promise<Record<"exported" | "failed" | "dropped", number>> {
  const page = await (await fetch(`${url}/metrics`)).text();
  const count = (state: string): number =>
    Number(new RegExp(`^spindex_telemetry_spans_total\\{.*state="${state}".*\\} (\\d+)`, "m").exec(page)?.[1]);
  return { exported: count("exported"), failed: count("failed"), dropped: count("dropped") };
}
