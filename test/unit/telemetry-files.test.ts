import { existsSync, globSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { describe, expect, test } from "vitest";
import { parse } from "yaml";
import { overview } from "../../dashboards/overview.ts";
import contract from "../../telemetry/contract.json" with { type: "json" };
import { problemsOf } from "../support/promql.ts";
import { hasPromtool, promtoolComplaints } from "../support/promtool.ts";

const root = fileURLToPath(new URL("../../", import.meta.url));
const read = (path: string): string => readFileSync(join(root, path), "utf8");
const yaml = <T>(path: string): T => parse(read(path)) as T;

interface Rule {
  readonly alert?: string;
  readonly record?: string;
  readonly expr: string;
  readonly labels?: Readonly<Record<string, string>>;
  readonly annotations?: Readonly<Record<string, string>>;
}

const rules = globSync("telemetry/prometheus/rules/*.yml", { cwd: root }).flatMap((path) =>
  yaml<{ groups: { rules: Rule[] }[] }>(path).groups.flatMap((group) => group.rules),
);
const recorded = rules.flatMap((rule) => rule.record ?? []);
const alerts = rules.filter((rule) => rule.alert !== undefined);

describe("the alert rules", () => {
  test("are there", () => {
    expect(alerts.length).toBeGreaterThan(5);
  });

  test.each(rules.map((rule) => [rule.alert ?? rule.record ?? "", rule] as const))(
    "%s asks for series and labels that exist",
    (_name, rule) => {
      expect(problemsOf(rule.expr, recorded)).toEqual([]);
    },
  );

  test.each(alerts.map((rule) => [rule.alert ?? "", rule] as const))("%s says what to do", (name, rule) => {
    expect(Object.keys(rule.annotations ?? {}).sort()).toEqual(["dashboard", "description", "runbook_url", "summary"]);
    expect(rule.annotations?.runbook_url).toBe(`telemetry/runbooks/${name}.md`);
    expect(rule.annotations?.dashboard).toBe(overview.uid);
    expect(["page", "ticket", "none"]).toContain(rule.labels?.severity);
  });

  test("and the runbooks belong to each other", () => {
    expect(readdirSync(join(root, "telemetry/runbooks")).sort()).toEqual(
      alerts.map((rule) => `${rule.alert}.md`).sort(),
    );
  });

  test.each(alerts.map((rule) => rule.alert ?? ""))("the runbook of %s has its parts and true queries", (name) => {
    const text = read(`telemetry/runbooks/${name}.md`);
    expect(text).toMatch(new RegExp(`^# ${name} \\((page|ticket|none)\\)$`, "m"));
    for (const part of ["Meaning", "Impact", "First look", "Verify", "Provoke here"])
      expect(text).toContain(`**${part}.**`);
    const code = text.split("`").filter((_, index) => index % 2 === 1);
    const queries = code.filter(
      (piece) => /\b(spindex_|spindex:|up\b|ALERTS)/.test(piece) && !piece.startsWith("docker"),
    );
    expect(queries.length, "queries").toBeGreaterThan(0);
    expect(queries.flatMap((query) => problemsOf(query, recorded))).toEqual([]);
    const operations = code.filter((piece) => piece.startsWith("spindex."));
    expect(operations.filter((span) => !(span in contract.spans))).toEqual([]);
  });
});

describe("the tests of the alert rules", () => {
  const files = globSync("telemetry/prometheus/tests/*.yml", { cwd: root });

  test.each(files)("%s: each alert in it fires and is silent, and is one of ours", (path) => {
    const { tests } = yaml<{ tests: { alert_rule_test: { alertname: string; exp_alerts?: object[] }[] }[] }>(path);
    const checks = tests.flatMap((one) => one.alert_rule_test);
    const names = [...new Set(checks.map(({ alertname }) => alertname))];
    expect(names.filter((name) => !alerts.some(({ alert }) => alert === name))).toEqual([]);
    for (const name of names) {
      const fires = checks
        .filter(({ alertname }) => alertname === name)
        .map(({ exp_alerts = [] }) => exp_alerts.length > 0);
      expect([...new Set(fires)].sort(), name).toEqual([false, true]);
    }
  });

  test.skipIf(!hasPromtool).each(files)("%s holds in Prometheus", (path) => {
    expect(promtoolComplaints(["test", "rules", join(root, path)])).toEqual([]);
  });
});

describe("the overview dashboard", () => {
  test.each(overview.panels.map((panel) => [panel.title, panel] as const))("panel %s", (_title, panel) => {
    const queries = panel.targets.map((target) => target.expr);
    expect(queries.flatMap((query) => problemsOf(query, recorded))).toEqual([]);
    for (const query of queries) {
      const selectors = query.match(/spindex_\w+\{/g)?.length ?? 0;
      expect(query.match(/job=~"\$job",instance=~"\$instance"/g)?.length).toBe(selectors);
    }
    expect(panel.unit).not.toBe("");
    expect(panel.description.length).toBeGreaterThan(30);
    expect(panel.spans in contract.spans).toBe(true);
  });
});

describe("the checker of queries", () => {
  test.each([
    ['spindex_commit_lag_seconds{chain="a"}', []],
    ["sum by (le) (rate(spindex_batch_duration_seconds_bucket[$__rate_interval]))", []],
    ["spindex_no_such_metric", ["unknown series spindex_no_such_metric"]],
    ["spindex_batch_duration_seconds", ["unknown series spindex_batch_duration_seconds"]],
    ['spindex_queue_batches{chain="a"}', ["unknown label chain"]],
    ["sum by (stage) (spindex_queue_batches)", ["unknown label stage"]],
    ["rate(spindex_queue_batches[5m]", ["does not parse at 30: rate(spindex_queue_batches[5m]"]],
  ])("%s", (query, problems) => {
    expect(problemsOf(query)).toEqual(problems);
  });
});

interface Service {
  readonly image?: string;
  readonly container_name?: string;
  readonly ports?: readonly string[];
  readonly volumes?: readonly string[];
  readonly healthcheck?: object;
  readonly depends_on?: object;
}

describe("docker-compose.yml", () => {
  const compose = yaml<{ services: Record<string, Service>; volumes: Record<string, null> }>("docker-compose.yml");
  const services = Object.entries(compose.services);

  test("has the services of the stack, in a syntax that 1.29 reads", () => {
    expect(Object.keys(compose.services).sort()).toEqual(
      ["alertmanager", "collector", "grafana", "indexer", "jaeger", "postgres", "prometheus"].sort(),
    );
    expect(Object.keys(compose).sort()).toEqual(["services", "volumes"]);
    expect(read("docker-compose.yml")).not.toMatch(/start_interval|develop:/);
  });

  test.each(services)("%s", (name, service) => {
    expect(service.container_name).toBeUndefined();
    expect(service.image).toMatch(/^[\w./-]+:(v?\d+\.\d+(\.\d+)?|local)$/);
    for (const port of service.ports ?? []) expect(port).toMatch(/^127\.0\.0\.1:\$\{SPINDEX_(\w+_)?PORT:-\d+\}:\d+$/);
    for (const volume of service.volumes ?? []) {
      const source = volume.replace(/^\$\{\w+:-([^}]*)\}/, "$1").split(":")[0] ?? "";
      expect(source.startsWith("./") ? existsSync(join(root, source)) : source in compose.volumes, source).toBe(true);
    }
    // The collector's image has nothing to run a check with.
    expect(service.healthcheck !== undefined).toBe(name !== "collector");
  });

  test("publishes no port of PostgreSQL, and lets the indexer wait for nothing else", () => {
    expect(compose.services.postgres?.ports).toBeUndefined();
    expect(Object.keys(compose.services.indexer?.depends_on ?? {})).toEqual(["postgres"]);
  });

  test("names every one of its variables in .env.example", () => {
    const variables = [...read("docker-compose.yml").matchAll(/(?<!\$)\$\{(\w+)/g)].flatMap(([, name]) => name ?? []);
    const named = [...read(".env.example").matchAll(/^(?:# )?(\w+)=/gm)].flatMap(([, name]) => name ?? []);
    expect([...new Set(variables)].filter((name) => !named.includes(name))).toEqual([]);
  });

  test("is what Prometheus scrapes", () => {
    const { scrape_configs } = yaml<{ scrape_configs: { static_configs: { targets: string[] }[] }[] }>(
      "telemetry/prometheus/prometheus.yml",
    );
    const targets = scrape_configs.flatMap((job) => job.static_configs.flatMap((config) => config.targets));
    const hosts = targets.map((target) => target.split(":")[0] ?? "").filter((host) => host !== "localhost");
    expect(hosts.filter((host) => !(host in compose.services))).toEqual([]);
    expect(targets).toContain("indexer:42080");
  });
});

interface Pipelines {
  readonly extensions?: readonly string[];
  readonly pipelines: Readonly<Record<string, Readonly<Record<string, readonly string[]>>>>;
}

test.each(["telemetry/collector/config.yaml", "telemetry/jaeger/config.yaml"])("%s uses what it defines", (path) => {
  const config = yaml<Record<string, object> & { service: Pipelines }>(path);
  const { pipelines, extensions = [] } = config.service;
  const defined = ["receivers", "processors", "connectors", "exporters", "extensions"].flatMap((kind) =>
    Object.keys(config[kind] ?? {}),
  );
  const used = [...extensions, ...Object.values(pipelines).flatMap((pipeline) => Object.values(pipeline).flat())];
  expect([...new Set(used)].sort()).toEqual([...new Set(defined)].sort());
});

test("Grafana's data sources know each other", () => {
  const text = read("telemetry/grafana/provisioning/datasources/datasources.yml");
  const uids = [...text.matchAll(/^ {4}uid: (\w+)$/gm)].flatMap(([, uid]) => uid ?? []);
  const asked = [...text.matchAll(/datasourceUid: (\w+)$/gm)].flatMap(([, uid]) => uid ?? []);
  expect(uids).toEqual(["prometheus", "jaeger", "alertmanager"]);
  expect(asked.filter((uid) => !uids.includes(uid))).toEqual([]);
  const queries = [...text.matchAll(/query: (.+)$/gm)].flatMap(([, query]) => query?.replace(/,?\$\$__tags/, "") ?? []);
  expect(queries.flatMap((query) => problemsOf(query))).toEqual([]);
});
