import { type Logger, logEvent } from "../instrument/log.ts";
import type { TableScan } from "../store/store-options.ts";

/** Says of each handler once by which columns it goes through a big table. */
export function scanReporter(log: Logger): (scan: TableScan) => void {
  const said = new Set<string>();
  return ({ handler, table, columns }) => {
    const name = [handler, table, ...columns].join(" ");
    if (said.has(name)) return;
    said.add(name);
    logEvent(log, "find.scan", { handler, table, columns });
  };
}
