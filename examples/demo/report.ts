import { relative } from "node:path";
import { isPassed } from "./check.ts";
import { count } from "./progress.ts";
import type { ExampleResult } from "./run-example.ts";
import { isWhole } from "./traces.ts";

const SHOWN_LOOSE_ENDS = 5;

/** Whether every row was as expected and every trace is whole. */
export function isAllWell(results: readonly ExampleResult[]): boolean {
  return results.every(({ checks, traces }) => checks.every(isPassed) && isWhole(traces));
}

/** What was indexed, how it compares, and how it was traced. */
export function reportLines(results: readonly ExampleResult[]): string[] {
  return [
    "",
    "What was indexed",
    ...tableLines(results),
    "",
    "Compared with independent programs",
    ...checkLines(results),
    "",
    "Traced, with links between the two loops",
    ...results.flatMap(traceLines),
  ];
}

function tableLines(results: readonly ExampleResult[]): string[] {
  const rows = results.flatMap(({ example, tables }) =>
    [...tables].map(([table, rowCount]) => [`${example.schema}.${table}`, count(rowCount)] as const),
  );
  const width = Math.max(...rows.map(([table]) => table.length));
  return rows.map(([table, rowCount]) => `  ${table.padEnd(width)}  ${rowCount.padStart(7)} rows`);
}

function checkLines(results: readonly ExampleResult[]): string[] {
  return results.flatMap(({ example, checks }) =>
    checks.flatMap((check) => {
      const verdict = isPassed(check) ? "ok    " : "FAILED";
      const equal = `${count(check.equal)} of ${count(check.expected)} rows equal`;
      return [
        `  ${verdict}  ${`${example.schema}.${check.table}`.padEnd(24)} ${equal} to those of ${check.origin}`,
        ...check.differences.map((line) => `          ${line}`),
      ];
    }),
  );
}

function traceLines({ example, traces }: ExampleResult): string[] {
  const { batches, drainRuns, writes, loose } = traces;
  const what = `${count(batches)} batches, ${count(drainRuns)} drain runs, ${count(writes)} write transactions`;
  const verdict = isWhole(traces) ? "ok    " : "FAILED";
  return [
    `  ${verdict}  ${example.schema.padEnd(24)} ${what}`,
    ...loose.slice(0, SHOWN_LOOSE_ENDS).map((line) => `          ${line}`),
  ];
}

/** Where to look next. */
export function nextStepLines(results: readonly ExampleResult[], url: string | undefined): string[] {
  const traces = results.map(({ traces }) => `  traces    ${relative(process.cwd(), traces.file)}`);
  const live =
    url === undefined
      ? ["  live      npm run demo -- --keep   leaves the last example running, with /metrics and /status"]
      : [`  metrics   ${url}/metrics`, `  status    ${url}/status`];
  return [
    "",
    "Where to look next",
    ...live,
    ...traces,
    "  projects  examples/erc20, examples/uniswap-v3",
    "  docs      docs/architecture.md, docs/telemetry.md, docs/glossary.md",
  ];
}
