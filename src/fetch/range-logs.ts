import { type LogPage, logPageOf } from "../chain/log-page.ts";
import { mergePages } from "../chain/merge-pages.ts";
import type { FetchTelemetry, SourceTelemetry } from "../instrument/fetch-telemetry.ts";
import { RangeTooLarge, type Source } from "../source/source.ts";
import type { FactoryDiscovery } from "./factory-discovery.ts";
import type { LogSelection } from "./log-selection.ts";
import type { RangeSizer } from "./range-sizer.ts";

export interface RangeLogsOptions {
  readonly source: Source;
  readonly selection: LogSelection;
  readonly discovery?: FactoryDiscovery | undefined;
  readonly sizer: RangeSizer;
}

export interface RangeLogs {
  readonly page: LogPage;
  /** The last block that they are of. */
  readonly last: number;
  /** Pages of factories' events that had to be read with the range, and the discovery's mark before. */
  readonly factories: { readonly pages: readonly LogPage[]; readonly mark: number };
}

/**
 * The logs of a range, or of its beginning when the node refuses the whole. Where no look-ahead may read the events of
 * factories, they are read first.
 */
export async function logsOf(
  options: RangeLogsOptions,
  fromBlock: number,
  toBlock: number,
  requests: SourceTelemetry,
  telemetry: FetchTelemetry,
  signal: AbortSignal,
): Promise<RangeLogs> {
  const { sizer, discovery } = options;
  for (let last = toBlock; ; ) {
    const mark = discovery?.mark ?? 0;
    try {
      const isAhead = discovery === undefined || discovery.through >= last;
      const pages = isAhead ? [] : await discovery.read(discovery.through + 1, last, signal, requests);
      const page = await pageOf(options, fromBlock, last, requests, signal);
      return { page, last, factories: { pages, mark } };
    } catch (error) {
      const blocks = last - fromBlock + 1;
      if (!(error instanceof RangeTooLarge) || blocks === 1) throw error;
      if (discovery !== undefined && discovery.through < last) discovery.forgetSince(mark);
      const suggested = error.suggestedToBlock;
      last = fromBlock + sizer.refused(blocks, suggested === undefined ? undefined : suggested - fromBlock + 1) - 1;
      telemetry.rangeShrunk(last);
    }
  }
}

/** The answers to all queries of the range as one page. */
async function pageOf(
  { source, selection, sizer }: RangeLogsOptions,
  fromBlock: number,
  toBlock: number,
  requests: SourceTelemetry,
  signal: AbortSignal,
): Promise<LogPage> {
  let page: LogPage | undefined;
  for (const query of selection.queries(fromBlock, toBlock)) {
    const answer = await source.logs(query, signal, requests);
    page = page === undefined || page.count === 0 ? answer : answer.count === 0 ? page : mergePages(page, answer).page;
  }
  if (page !== undefined) sizer.answered(toBlock - fromBlock + 1, page.count);
  return page ?? logPageOf([]);
}
