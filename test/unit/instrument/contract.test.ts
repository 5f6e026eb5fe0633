import { describe, expect, test } from "vitest";
import { BUCKETS, METRICS, type MetricDefinition } from "../../../src/instrument/names.ts";

const metrics = Object.entries(METRICS as Readonly<Record<string, MetricDefinition>>);

/** Labels whose values are known when the process starts, or are bounded otherwise; the registry keeps 100 of each. */
const OPEN_LABELS = new Set([
  // From the configuration.
  "chain",
  "table",
  "handler",
  "effect",
  // An endpoint's host; JSON-RPC methods that we call; kinds of statements that we write.
  "source",
  "method",
  "op",
  // States of a loop.
  "loop",
  "state",
  // One series each.
  "version",
  "node",
  "code",
]);

/** Of these a large project has more than 10. A source belongs to one chain: the two together are as many as sources. */
const MANY_VALUED = new Set(["table", "handler", "effect", "source"]);

describe.each(metrics)("%s", (name, { type, unit, labels, help, buckets }) => {
  test("is named by its unit, and as its type demands", () => {
    expect(name).toMatch(/^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
    expect(name.endsWith("_total")).toBe(type === "counter");
    if (unit === "seconds") expect(name).toMatch(/_seconds(_since|_total)?|^seconds_/);
    if (unit === "bytes") expect(name).toMatch(/_bytes(_|$)|^bytes_/);
    if (type === "histogram" && unit === "seconds" && name !== "waiting_seconds")
      expect(name).toMatch(/_duration_seconds$/);
  });

  test("has labels from closed sets, at most one of many values", () => {
    for (const [label, values] of Object.entries(labels)) {
      if (values === "*") expect([...OPEN_LABELS]).toContain(label);
      else {
        expect(values.length).toBeGreaterThan(1);
        expect(new Set(values).size).toBe(values.length);
      }
    }
    if (type === "histogram") {
      const many = Object.entries(labels).filter(([label, values]) => MANY_VALUED.has(label) || values.length > 10);
      expect(many.length).toBeLessThanOrEqual(1);
    }
  });

  test("has at most 12 buckets, the one without a bound included, which rise", () => {
    expect(buckets !== undefined).toBe(type === "histogram");
    if (buckets === undefined) return;
    const bounds: readonly number[] = BUCKETS[buckets];
    expect(bounds.length + 1).toBeLessThanOrEqual(12);
    expect(bounds.every((bound, at) => at === 0 || bound > (bounds[at - 1] as number))).toBe(true);
  });

  test("says what a value means, and where to look", () => {
    // "Above a minute: the writer is stuck.", "Compare cache_bytes."
    expect(help).toMatch(/: \S.*\.$|Compare \w+\.$/);
    expect(help.length).toBeGreaterThan(40);
    const named = help.match(/\b[a-z]+(?:_[a-z]+)+\b/g) ?? [];
    const values = ["skipped_events", "raw_event", "went_back", "history_mode"];
    expect(named.filter((word) => !(word in METRICS) && !values.includes(word))).toEqual([]);
  });
});
