import { relative } from "node:path";
import { isPassed } from "./check.ts";
import { count } from "./progress.ts";
import type { ExampleResult } from "./run-example.ts";

/** What was indexed, how it compares, and where to look next. */
export function reportLines(results: readonly ExampleResult[]): string[] {
  return [
    "",
    "What was indexed",
    ...tableLines(results),
    "",
    "Compared with independent programs",
    ...checkLines(results),
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

/** Where to look next. */
export function nextStepLines(results: readonly ExampleResult[], url: string | undefined): string[] {
  const traces = results.map(({ traceFile }) => `  traces    ${relative(process.cwd(), traceFile)}`);
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
    "  docs      docs/architecture.md, docs/glossary.md",
  ];
}
