import { describe, expect, test } from "vitest";
import { createLog } from "../../../src/instrument/log.ts";
import { wantsOpenMetrics } from "../../../src/instrument/metrics/exposition.ts";
import { Metrics } from "../../../src/instrument/metrics/metrics.ts";
import { LOOP_STATES, METRIC_PREFIX, METRICS, type MetricDefinition } from "../../../src/instrument/names.ts";
import { parseExposition } from "../../support/exposition-parser.ts";
import { hasPromtool, promtoolComplaints } from "../../support/promtool.ts";

const CLASSIC = "text/plain;version=0.0.4";
const OPEN = "application/openmetrics-text;version=1.0.0";

/** What the header of a real Prometheus is. */
const PROMETHEUS =
  "application/openmetrics-text;version=1.0.0;q=0.6,application/openmetrics-text;version=0.0.1;q=0.5," +
  "text/plain;version=1.0.0;q=0.4,text/plain;version=0.0.4;q=0.3,*/*;q=0.2";

const definitions: Readonly<Record<string, MetricDefinition>> = METRICS;
const several = (count: number, name: string): string[] => Array.from({ length: count }, (_, at) => `${name}${at}`);

/** A large indexer: 5 chains with 2 sources each, 20 tables, 40 handlers, 5 effects. */
const VALUES: Readonly<Record<string, readonly string[]>> = {
  chain: several(5, "chain"),
  table: several(20, "table_"),
  handler: several(40, "Contract.Event"),
  effect: several(5, "effect"),
  source: several(2, "node.example"),
  method: ["eth_blockNumber", "eth_getLogs", "eth_getBlockByNumber", "eth_getBlockReceipts"],
  op: ["COPY", "UPDATE", "DELETE", "UPSERT", "INSERT"],
  loop: Object.keys(LOOP_STATES),
  state: [...new Set(Object.values(LOOP_STATES).flat())],
  version: ["1.2.3"],
  node: ["v24.0.0"],
  code: ["HANDLER_FAILED"],
};

/** Every series that a metric can have. */
function seriesOf({ labels, series }: MetricDefinition): Readonly<Record<string, string>>[] {
  if (series !== undefined) return [...series];
  let all: Readonly<Record<string, string>>[] = [{}];
  for (const [label, closed] of Object.entries(labels)) {
    const values = closed === "*" ? (VALUES[label] ?? []) : closed;
    all = all.flatMap((one) => values.map((value) => ({ ...one, [label]: value })));
  }
  return all.filter(({ loop, state }) => {
    return loop === undefined || (LOOP_STATES[loop as "process"] as readonly string[]).includes(state ?? "");
  });
}

/** Metrics with all their series, each with a value and, where it may have them, exemplars in all buckets. */
function full(): Metrics {
  const log = createLog({ level: "silent", format: "json", destination: { write: () => {} } });
  const metrics = new Metrics({ indexer: "uniswap", shard: "default", known: {}, processMetrics: true, log });
  const span = { traceId: "0af7651916cd43dd8448eb211c80319c", spanId: "b7ad6b7169203331", traceFlags: 1 };
  for (const [name, definition] of Object.entries(definitions)) {
    for (const labels of seriesOf(definition)) {
      const to = [name, labels] as [never, never];
      if (definition.type === "counter") metrics.add(...to, 1234, span);
      else if (definition.type === "gauge") metrics.set(...to, 1.5);
      else if (definition.type === "summary") metrics.addObservations(...to, 12.25, 3);
      else for (const value of [0.002, 0.5, 7, 100]) metrics.observe(...to, value, span);
    }
  }
  return metrics;
}

describe("a page with every series of a large indexer", () => {
  test("stays below 3,000 lines; 320 KB, or 340 KB with exemplars", async () => {
    const metrics = full();
    const classic = (await metrics.scrape(CLASSIC)).body;
    const open = (await metrics.scrape(OPEN)).body;
    expect(classic.split("\n").length).toBeGreaterThan(2_000);
    expect(classic.split("\n").length).toBeLessThan(3_000);
    expect(Buffer.byteLength(classic)).toBeLessThan(320_000);
    expect(Buffer.byteLength(open)).toBeLessThan(340_000);
  });

  test("is valid OpenMetrics: every metric with its type, and exemplars on those that carry them", async () => {
    const families = parseExposition((await full().scrape(OPEN)).body, "openmetrics");
    const ours = families.filter(({ name }) => name.startsWith(METRIC_PREFIX));
    expect(ours.map(({ name, type }) => [name, type]).sort()).toEqual(
      Object.entries(definitions)
        .map(([name, { type }]) => [METRIC_PREFIX + (type === "counter" ? name.replace(/_total$/, "") : name), type])
        .sort(),
    );
    const withExemplars = ours.filter(({ samples }) => samples.some(({ exemplar }) => exemplar !== undefined));
    const exemplary = Object.entries(definitions).filter(([, { exemplar }]) => exemplar === true);
    expect(withExemplars.map(({ name }) => name).sort()).toEqual(
      exemplary.map(([name]) => METRIC_PREFIX + name.replace(/_total$/, "")).sort(),
    );
  });

  test("is valid in the classic format, which knows no exemplars", async () => {
    const { body } = await full().scrape(CLASSIC);
    const families = parseExposition(body, "classic");
    expect(families.length).toBeGreaterThan(Object.keys(METRICS).length);
    expect(body).not.toContain("trace_id");
  });

  test.skipIf(!hasPromtool)("has nothing of ours that promtool complains of", async () => {
    const complaints = promtoolComplaints(["check", "metrics"], (await full().scrape(CLASSIC)).body);
    // The metrics of Node.js and the process are named by the library.
    expect(complaints.filter((line) => !/^(nodejs|process)_/.test(line))).toEqual([]);
    expect(promtoolComplaints(["check", "metrics"], "spindex_x 1\nspindex_x 2\n")).not.toEqual([]);
  });
});

describe("the parser of pages", () => {
  const head = "# HELP a_total Sum.\n# TYPE a_total counter\n";
  const histogram = "# HELP h H.\n# TYPE h histogram\n";
  test.each([
    ["two of one series", `${head}a_total{x="1"} 1\na_total{x="1"} 2\n`, "comes twice"],
    ["a sample without a family", "a_total 1\n", "before any family"],
    ["a family in two pieces", `${head}a_total 1\n# HELP b B.\n# TYPE b gauge\nb 1\n${head}`, "comes twice"],
    ["another's sample", `${head}b_total 1\n`, "not of a_total"],
    ["an unescaped quote", `${head}a_total{x="a"b"} 1\n`, "no label"],
    ["an exemplar in the classic format", `${head}a_total 1 # {trace_id="a"} 1 1\n`, "behind the value"],
    ["no number", `${head}a_total undefined\n`, "no number"],
    ["a negative counter", `${head}a_total -1\n`, "below 0"],
    ["no last line feed", `${head}a_total 1`, "line feed"],
    ["buckets without +Inf", `${histogram}h_bucket{le="1"} 1\nh_sum 1\nh_count 1\n`, "no +Inf"],
    ["buckets that fall", `${histogram}h_bucket{le="1"} 2\nh_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n`, "cumulative"],
    ["another count", `${histogram}h_bucket{le="+Inf"} 1\nh_sum 1\nh_count 2\n`, "not that of +Inf"],
  ])("refuses %s", (_name, page, problem) => {
    expect(() => parseExposition(page, "classic")).toThrow(problem);
  });

  test.each([
    ["no end", "# HELP a A.\n# TYPE a gauge\na 1\n", "# EOF"],
    ["a counter's family with its suffix", `${head}a_total 1\n# EOF\n`, "has a suffix"],
    ["an exemplar of a gauge", '# HELP a A.\n# TYPE a gauge\na 1 # {t="1"} 1 1\n# EOF\n', "where none may be"],
    ["a bare quote in a help", '# HELP a An "a".\n# TYPE a gauge\na 1\n# EOF\n', "bare quote"],
  ])("refuses %s in OpenMetrics", (_name, page, problem) => {
    expect(() => parseExposition(page, "openmetrics")).toThrow(problem);
  });
});

test.each([
  [PROMETHEUS, true],
  [OPEN, true],
  ["Application/OpenMetrics-Text", true],
  [CLASSIC, false],
  ["", false],
  ["*/*", false],
  ["application/openmetrics-text;q=0,text/plain", false],
  ["application/openmetrics-text;version=1.0.0;q=0.2,text/plain;q=0.9", false],
  ["application/openmetrics-text;q=0.5,text/plain;q=0.5", true],
  ["application/openmetrics-textual", false],
])("a client that accepts %s is given OpenMetrics: %s", (accept, expected) => {
  expect(wantsOpenMetrics(accept)).toBe(expected);
});
