import { beforeEach, describe, expect, test } from "vitest";
import { createLog } from "../../../src/instrument/log.ts";
import type { HandlerMetricsStore } from "../../../src/instrument/metrics/handler-metrics.ts";
import { Metrics } from "../../../src/instrument/metrics/metrics.ts";

let metrics: Metrics;
let handlers: HandlerMetricsStore;
let lines: { event: string; metric: string; reason?: string }[];

beforeEach(() => {
  lines = [];
  const destination = { write: (line: string) => void lines.push(JSON.parse(line)) };
  const log = createLog({ level: "info", format: "json", destination });
  metrics = new Metrics({ indexer: "erc20", shard: "0", known: {}, processMetrics: false, log });
  handlers = metrics.handlers;
});

/** What the page has of the users' metrics; labels of every series left out. */
async function page(): Promise<string[]> {
  handlers.beginBlock();
  const { body } = await metrics.scrape("text/plain");
  return body
    .split("\n")
    .filter((line) => line.includes("spindex_user_"))
    .map((line) => line.replace(/,?indexer="erc20",shard="0"/, "").replace("{}", ""));
}

const values = async (): Promise<string[]> => (await page()).filter((line) => !line.startsWith("#"));

describe("metrics of handlers", () => {
  test("are on the page under our prefix, in the forms of Prometheus", async () => {
    const swaps = handlers.metrics.counter("swaps", { help: "Swaps seen.", labels: ["pool", "side"] });
    swaps.add(2, { pool: "a", side: "buy" });
    swaps.add(3n, { pool: "a", side: "buy" });
    swaps.add(1, { pool: 'b"', side: "sell" });
    const size = handlers.metrics.histogram("size_ether", { help: "Size.", buckets: [1, 10] });
    for (const value of [0.5, 1, 4, 40]) size.observe(value);
    handlers.metrics.counter("idle", { help: "Nothing yet." });
    expect(await page()).toEqual([
      "# HELP spindex_user_swaps_total Swaps seen.",
      "# TYPE spindex_user_swaps_total counter",
      'spindex_user_swaps_total{pool="a",side="buy"} 5',
      'spindex_user_swaps_total{pool="b\\"",side="sell"} 1',
      "# HELP spindex_user_size_ether Size.",
      "# TYPE spindex_user_size_ether histogram",
      'spindex_user_size_ether_bucket{le="1"} 2',
      'spindex_user_size_ether_bucket{le="10"} 3',
      'spindex_user_size_ether_bucket{le="+Inf"} 4',
      "spindex_user_size_ether_sum 45.5",
      "spindex_user_size_ether_count 4",
      "# HELP spindex_user_idle_total Nothing yet.",
      "# TYPE spindex_user_idle_total counter",
      "spindex_user_idle_total 0",
    ]);
    const { body } = await metrics.scrape("application/openmetrics-text");
    expect(body).toContain("# TYPE spindex_user_swaps counter\nspindex_user_swaps_total{");
  });

  test("are one, however often they are declared in the same way", async () => {
    for (let i = 0; i < 3; i++)
      handlers.metrics.counter("swaps", { help: "Swaps.", labels: ["pool"] }).add(1, { pool: 1n });
    handlers.metrics.counter("swaps", { help: "Swaps.", labels: ["pool"] }).add(1, { pool: "1" });
    expect(await values()).toEqual(['spindex_user_swaps_total{pool="1"} 4']);
  });

  test("do not have what was undone with its event or its block", async () => {
    const calls = handlers.metrics.counter("calls", { help: "Calls." });
    calls.add(1);
    handlers.beginBlock();
    handlers.beginEvent();
    calls.add(10);
    handlers.beginEvent();
    calls.add(100);
    calls.add(100);
    handlers.undoEvent();
    handlers.beginEvent();
    calls.add(1_000);
    handlers.beginBlock();
    handlers.beginEvent();
    calls.add(10_000);
    handlers.undoBlock();
    expect(await values()).toEqual(["spindex_user_calls_total 1011"]);
  });

  test("keep a hundred values of a label apart", async () => {
    const swaps = handlers.metrics.counter("swaps", { help: "Swaps.", labels: ["pool"] });
    for (let i = 0; i < 105; i++) swaps.add(1, { pool: i });
    swaps.add(1, { pool: 104 });
    const lines_ = await values();
    expect(lines_).toHaveLength(101);
    expect(lines_).toContain('spindex_user_swaps_total{pool="other"} 6');
    expect(lines_).toContain('spindex_user_swaps_total{pool="99"} 1');
    expect(lines.map(({ event, metric, reason }) => [event, metric, reason])).toEqual([
      ["handler.metric_limited", "spindex_user_swaps_total", "label_values"],
    ]);
  });

  test("have room for a thousand lines together, and each for one series of what has none", async () => {
    const size = handlers.metrics.histogram("size", { help: "Size.", labels: ["pool", "side"], buckets: [1, 2] });
    const swaps = handlers.metrics.counter("swaps", { help: "Swaps.", labels: ["pool", "side"] });
    for (let i = 0; i < 90; i++) for (const side of ["buy", "sell"]) size.observe(1, { pool: i, side });
    for (let i = 0; i < 90; i++) for (const side of ["buy", "sell"]) swaps.add(1, { pool: i, side });
    const found = await values();
    expect(found.length).toBeLessThanOrEqual(1_000);
    expect(found.length).toBeGreaterThan(990);
    expect(found).toContain('spindex_user_swaps_total{pool="other",side="other"} 86');
    expect(lines.map(({ metric, reason }) => [metric, reason])).toEqual([["spindex_user_swaps_total", "lines"]]);
  });

  test("are refused when there is no room for one more", () => {
    const declare = (i: number): unknown => handlers.metrics.counter(`m${i}`, { help: "One." });
    for (let i = 0; i < 1_000; i++) declare(i);
    expect(() => declare(1_000)).toThrow("the metric m1000 is one too many");
  });

  test("hold no secret and no endless text in a label", async () => {
    const calls = handlers.metrics.counter("calls", { help: "Calls.", labels: ["to"] });
    calls.add(1, { to: "https://me:key@price.example/v1/KEY" });
    calls.add(1, { to: "x".repeat(500) });
    calls.add(1, { to: "x".repeat(501) });
    expect(await values()).toEqual([
      'spindex_user_calls_total{to="https://price.example"} 1',
      `spindex_user_calls_total{to="${"x".repeat(128)}"} 2`,
    ]);
  });

  test.each([Number.NaN, Number.POSITIVE_INFINITY, -1])("do not count %s, and say so", async (value) => {
    handlers.metrics.counter("calls", { help: "Calls." }).add(value);
    expect(await values()).toEqual(["spindex_user_calls_total 0"]);
    expect(lines).toMatchObject([
      { event: "handler.metric_refused", metric: "spindex_user_calls_total", value: String(value) },
    ]);
  });
});

describe("a metric is refused", () => {
  const counter = (name: string, options: object): (() => unknown) => {
    return () => handlers.metrics.counter(name, options as never);
  };
  const histogram = (name: string, options: object): (() => unknown) => {
    return () => handlers.metrics.histogram(name, options as never);
  };
  const help = "Help.";

  test.each([
    ["of another name", () => counter("Swap-Count", { help }), 'counter "Swap-Count": no usable name'],
    ["of a name too long", () => counter("a".repeat(81), { help }), "no usable name"],
    ["without help", () => counter("swaps", {}), 'counter "swaps": help is missing'],
    ["without options", () => counter("swaps", undefined as never), 'counter "swaps": help is missing'],
    ["with a label of ours", () => counter("swaps", { help, labels: ["shard"] }), 'the label "shard" cannot be'],
    ["with a label twice", () => counter("swaps", { help, labels: ["a", "a"] }), "the same one twice"],
    ["with too many labels", () => counter("swaps", { help, labels: [..."abcdef"] }), "too many labels"],
    ["with falling buckets", () => histogram("size", { help, buckets: [2, 1] }), "no usable buckets"],
    ["without buckets", () => histogram("size", { help, buckets: [] }), "no usable buckets"],
    ["with the ending of another kind", () => histogram("size_total", { help }), "the ending is not for histograms"],
  ])("%s", (_, declare, message) => {
    expect(declare()).toThrow(message);
    expect(declare()).toThrow(expect.objectContaining({ code: "METRIC_INVALID", fix: expect.any(String) }));
  });

  test.each([
    ["of another kind", () => histogram("swaps", { help })],
    ["with other labels", () => counter("swaps", { help, labels: ["pool"] })],
    ["with another help", () => counter("swaps", { help: "Other." })],
  ])("when it was declared before %s", (_, declare) => {
    counter("swaps", { help })();
    expect(declare()).toThrow("the metric swaps is declared twice, in different ways");
  });

  test("when another one is that already on the page", () => {
    counter("swaps", { help })();
    expect(counter("swaps_total", { help })).toThrow(
      "the metrics swaps and swaps_total are both spindex_user_swaps_total",
    );
  });

  test.each([
    [{ pool: 1 }, "the metric swaps got no value for its label side"],
    [undefined, "the metric swaps got no value for its label pool"],
    [{ pool: 1, side: 2, more: 3 }, "the metric swaps has no label more"],
  ])("when its labels are %s", (labels, message) => {
    const swaps = handlers.metrics.counter("swaps", { help, labels: ["pool", "side"] });
    expect(() => swaps.add(1, labels as never)).toThrow(message);
  });
});
