import { PassThrough } from "node:stream";
import { describe, expect, it } from "vitest";
import type { Check } from "../../../examples/demo/check.ts";
import { EXAMPLES } from "../../../examples/demo/examples.ts";
import { createProgressView, type Progress, progressLines } from "../../../examples/demo/progress.ts";
import { isAllWell, reportLines } from "../../../examples/demo/report.ts";
import type { ExampleResult } from "../../../examples/demo/run-example.ts";
import type { Traces } from "../../../examples/demo/traces.ts";

const progress: Progress = {
  seconds: 2,
  events: 6582,
  eventsPerSecond: 1234.5,
  first: 1000,
  head: 2000,
  processed: 1800,
  committed: 1500,
  processState: "handlers",
  writeState: "write",
};
const check: Check = { table: "swap", origin: "another program", expected: 2, equal: 2, differences: [] };
const traces: Traces = { file: "demo.trace.jsonl", batches: 3, drainRuns: 2, writes: 2, loose: [] };
const result = (changes: Partial<ExampleResult>): ExampleResult => ({
  example: EXAMPLES[1]!,
  tables: new Map([["swap", 6354]]),
  checks: [check],
  traces,
  ...changes,
});

describe("the demo's progress", () => {
  it("shows what is durable as a bar, both frontiers, and what the loops do", () => {
    expect(progressLines("uniswap-v3", progress)).toEqual([
      "  uniswap-v3 ████████████░░░░░░░░░░░░  50 %  6,582 events  1,235 events/s",
      "             processed 1,800  committed 1,500  lag 500 blocks",
      "             processing loop: handlers  persistence loop: write",
    ]);
  });

  it("fits a terminal of 80 columns", () => {
    const long = { ...progress, processed: 17_173_050, committed: 17_173_050, processState: "idle_at_head" };
    const widths = progressLines("uniswap-v3", { ...long, writeState: "retry_backoff" }).map((line) => line.length);
    expect(Math.max(...widths)).toBeLessThanOrEqual(80);
  });

  it("is a line a second where there is no terminal, and the last one always", () => {
    const stream = new PassThrough();
    const view = createProgressView(stream as unknown as NodeJS.WriteStream);
    for (const seconds of [0, 0.4, 0.8, 1.1, 1.3, 1.5]) view.show("erc20", { ...progress, seconds, events: seconds });
    view.done();
    const lines = String(stream.read()).trimEnd().split("\n");
    expect(lines.map((line) => /[\d.]+(?= events {2})/.exec(line)?.[0])).toEqual(["0", "1.1", "1.5"]);
  });
});

describe("the demo's report", () => {
  it("says what was indexed, compared and traced", () => {
    expect(reportLines([result({})])).toEqual([
      "",
      "What was indexed",
      "  uniswap_v3.swap    6,354 rows",
      "",
      "Compared with independent programs",
      "  ok      uniswap_v3.swap          2 of 2 rows equal to those of another program",
      "",
      "Traced, with links between the two loops",
      "  ok      uniswap_v3               3 batches, 2 drain runs, 2 write transactions",
    ]);
  });

  it("is well only when every row is equal, none is left over, and the traces are whole", () => {
    const missing = { ...check, equal: 1, differences: ["row 2: missing in the table"] };
    const surplus = { ...check, differences: ["row 3: not expected"] };
    const loose = { ...traces, loose: ["spindex.batch 1 links to 2"] };
    const untraced = { ...traces, batches: 0 };
    const results = [{}, { checks: [check, missing] }, { checks: [surplus] }, { traces: loose }, { traces: untraced }];
    expect(results.map((changes) => isAllWell([result({}), result(changes)]))).toEqual([
      true,
      false,
      false,
      false,
      false,
    ]);
    expect(reportLines([result({ checks: [missing] })])).toContain("          row 2: missing in the table");
  });
});
