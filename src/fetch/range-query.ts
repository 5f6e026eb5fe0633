import type { FetchedRange } from "../batch/batch.ts";
import type { BlockDetails, BlockHeader } from "../chain/block.ts";
import type { ChainLabel } from "../chain/chain-label.ts";
import type { Hash } from "../chain/hex.ts";
import { hexAt, type LogPage, selectRows } from "../chain/log-page.ts";
import { SpindexError } from "../errors.ts";
import type { FetchTelemetry, SourceTelemetry } from "../instrument/fetch-telemetry.ts";
import type { Telemetry } from "../instrument/telemetry.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import type { BlockQuery, LogQuery, Source } from "../source/source.ts";
import { misplacedTransaction, type RoutedRows } from "./detail-selection.ts";
import type { FactoryDiscovery } from "./factory-discovery.ts";
import type { HeadTracker } from "./head-tracker.ts";
import type { LogSelection } from "./log-selection.ts";
import { logsOf } from "./range-logs.ts";
import type { RangeSizer } from "./range-sizer.ts";

export interface RangeQueryOptions {
  readonly chain: ChainLabel;
  readonly source: Source;
  readonly selection: LogSelection;
  /** What brings addresses to the selection; undefined: nothing does. */
  readonly discovery?: FactoryDiscovery | undefined;
  /** The last block that will be asked for, now or later. Default: that of the range. */
  readonly lastBlock?: number | undefined;
  readonly head: HeadTracker;
  /** The newest block, as it was seen before. */
  readonly newest: BlockHeader | undefined;
  readonly sizer: RangeSizer;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

/** Answers of one node that contradict each other: tried again, since near the head a block may just have been replaced. */
const CONTRADICTION_ATTEMPTS = 5;
const CONTRADICTION_BACKOFF = { firstMs: 200, maxMs: 3_000 };

/**
 * Asks for what is wanted of a range, in as many queries as the node needs; ranges come in order. Where blocks can still
 * be replaced and there is a discovery, one at a time: a range needs to know what those before it have brought.
 */
export async function* queryRange(
  options: RangeQueryOptions,
  fromBlock: number,
  toBlock: number,
  signal: AbortSignal,
): AsyncGenerator<FetchedRange> {
  for (let next = fromBlock; next <= toBlock; ) {
    const last = Math.min(toBlock, next + options.sizer.blocks - 1);
    await options.discovery?.reach(last, readAhead(options, next, toBlock), signal);
    const range = await queryOnce(options, next, last, signal);
    yield range;
    next = range.toBlock + 1;
  }
}

/** The last block whose factory events may be read ahead: what is before the range has been accepted. */
function readAhead({ head, lastBlock }: RangeQueryOptions, fromBlock: number, toBlock: number): number {
  return Math.max(fromBlock - 1, Math.min(head.finalized, lastBlock ?? toBlock));
}

/** One fetch: its range ends earlier than asked when the node wants fewer blocks. */
async function queryOnce(
  options: RangeQueryOptions,
  fromBlock: number,
  toBlock: number,
  signal: AbortSignal,
): Promise<FetchedRange> {
  const { chain, source, selection, head } = options;
  const telemetry = options.telemetry.fetchStarted({
    chain,
    fromBlock,
    toBlock,
    addresses: addressesIn(selection.queries(fromBlock, toBlock)),
    live: head.live,
  });
  try {
    const requests = telemetry.source(source.name);
    const answer = await consistentAnswer(options, fromBlock, toBlock, requests, telemetry, signal);
    const { rows, routes } = answer.routed;
    const page = selectRows(answer.page, rows);
    telemetry.done({ toBlock: answer.toBlock, logs: page.count, bytes: answer.page.text.length });
    return {
      chainId: chain.id,
      fromBlock,
      toBlock: answer.toBlock,
      page,
      routes,
      headers: answer.headers,
      details: answer.details,
      head: head.chainHead,
      origin: telemetry.origin,
    };
  } catch (error) {
    telemetry.failed(error);
    throw error;
  }
}

/** 0 when one of them is for any address. */
function addressesIn(queries: readonly LogQuery[]): number {
  if (queries.some(({ addresses }) => addresses === undefined)) return 0;
  return queries.reduce((sum, { addresses }) => sum + (addresses?.length ?? 0), 0);
}

interface Answer {
  readonly page: LogPage;
  readonly toBlock: number;
  readonly routed: RoutedRows;
  readonly headers: readonly BlockHeader[];
  readonly details: ReadonlyMap<number, BlockDetails> | undefined;
}

async function consistentAnswer(
  options: RangeQueryOptions,
  fromBlock: number,
  toBlock: number,
  requests: SourceTelemetry,
  telemetry: FetchTelemetry,
  signal: AbortSignal,
): Promise<Answer> {
  const { source, selection, clock, head } = options;
  for (let attempt = 1; ; attempt++) {
    const end = await endBefore(options, fromBlock, toBlock, attempt, requests, signal);
    const { page, last, factories } = await logsOf(options, fromBlock, toBlock, requests, telemetry, signal);
    const routed = selection.route(page);
    const queries = selection.details?.queries(page, routed) ?? [];
    const wanted = wantedHeaders(page, fromBlock, last, head.finalized, queries, end);
    const details = await askDetails(options, queries, signal, requests);
    const headers = await askHeaders(source, wanted, details, signal, requests);
    const contradiction =
      [page, ...factories.pages].map((one) => contradictionOf(one, wanted, headers, end)).find(Boolean) ??
      (details && misplacedTransaction(page, details, queries));
    if (contradiction === undefined) {
      options.discovery?.readThrough(last);
      const known = headers.filter((header) => header !== undefined).filter(({ number }) => number <= last);
      fillTimestamps(page, known);
      const edge = known.filter(({ number }) => number === fromBlock || number === last || number >= head.finalized);
      return { page, toBlock: last, routed, headers: edge, details };
    }
    if (factories.pages.length > 0) options.discovery?.forgetSince(factories.mark);
    if (attempt === CONTRADICTION_ATTEMPTS || signal.aborted) {
      throw new SpindexError("SOURCE_ANSWER_INVALID", `${source.name} contradicts itself: ${contradiction}`, {
        fix: "Use another endpoint for this chain, or see whether the node is in sync.",
      });
    }
    const waitMs = backoffMs(attempt, CONTRADICTION_BACKOFF, clock);
    telemetry.retrying(attempt, waitMs, contradiction);
    await clock.sleep(waitMs, signal);
  }
}

/** A block, as it was before the logs up to it were asked for. */
interface RangeEnd {
  readonly number: number;
  /** Undefined: the node did not have it. */
  readonly hash: Hash | undefined;
}

/**
 * The end of the range before its logs are asked for: when it is the same block afterwards, no block was replaced in
 * between. Nothing else would show it where the logs' version of a block has none. Undefined: nothing can be replaced.
 */
async function endBefore(
  { source, selection, discovery, head, newest }: RangeQueryOptions,
  fromBlock: number,
  toBlock: number,
  attempt: number,
  requests: SourceTelemetry,
  signal: AbortSignal,
): Promise<RangeEnd | undefined> {
  if (toBlock <= head.finalized) return undefined;
  if (discovery === undefined && selection.queries(fromBlock, toBlock).length === 0) return undefined;
  // What was seen when the head was asked for is as good, but not once it has been contradicted.
  if (attempt === 1 && newest?.number === toBlock) return newest;
  const [header] = await source.headers([toBlock], signal, requests);
  return { number: toBlock, hash: header?.hash };
}

/** The blocks of which handlers select more than the default fields. Undefined: no handler does. */
async function askDetails(
  { source, selection }: RangeQueryOptions,
  queries: readonly BlockQuery[],
  signal: AbortSignal,
  requests: SourceTelemetry,
): Promise<ReadonlyMap<number, BlockDetails> | undefined> {
  if (selection.details === undefined) return undefined;
  const blocks = await source.blocks(queries, selection.details.fields, signal, requests);
  return new Map(blocks.flatMap((details) => (details === undefined ? [] : [[details.header.number, details]])));
}

/** Headers in the order asked; not asked for again when they have come with details. */
async function askHeaders(
  source: Source,
  numbers: readonly number[],
  details: ReadonlyMap<number, BlockDetails> | undefined,
  signal: AbortSignal,
  requests: SourceTelemetry,
): Promise<readonly (BlockHeader | undefined)[]> {
  if (details === undefined || details.size === 0) return source.headers(numbers, signal, requests);
  const left = numbers.filter((number) => !details.has(number));
  const asked = await source.headers(left, signal, requests);
  const headers = new Map(left.map((number, i) => [number, asked[i]]));
  return numbers.map((number) => details.get(number)?.header ?? headers.get(number));
}

/**
 * The headers to ask for: the range's first block (its parent is the edge of the range before), the last final one and all
 * inside the reorg window after it, the range's edge, the last block
 * with logs (it confirms hash and timestamp of the answer), those of all logs when the node gives no timestamps with
 * them, those of blocks whose details are asked for, and the one that was seen before.
 */
function wantedHeaders(
  page: LogPage,
  fromBlock: number,
  toBlock: number,
  finalized: number,
  queries: readonly BlockQuery[],
  end: RangeEnd | undefined,
): number[] {
  const wanted = new Set<number>([fromBlock, toBlock, end?.number ?? toBlock]);
  for (const { number } of queries) wanted.add(number);
  for (let block = Math.max(fromBlock, finalized); block < toBlock; block++) wanted.add(block);
  for (let row = 0; row < page.count; row++) {
    if ((page.blockTimestamp[row] as number) < 0 || row === page.count - 1) wanted.add(page.blockNumber[row] as number);
  }
  return [...wanted].sort((a, b) => a - b);
}

/** What does not fit together in an answer, in words. */
function contradictionOf(
  page: LogPage,
  wanted: readonly number[],
  headers: readonly (BlockHeader | undefined)[],
  end: RangeEnd | undefined,
): string | undefined {
  const missing = wanted.find((_, i) => headers[i] === undefined);
  if (missing !== undefined) return `it has no block ${missing}, though it is not above its head`;
  const byNumber = new Map(headers.map((header) => [header?.number, header]));
  const endHash = end && byNumber.get(end.number)?.hash;
  if (endHash !== end?.hash)
    return `block ${end?.number} was ${end?.hash ?? "not there"}, and a moment later ${endHash}`;
  let last = -1;
  for (let row = 0; row < page.count; row++) {
    const block = page.blockNumber[row] as number;
    if (block === last) continue;
    last = block;
    const header = byNumber.get(block);
    if (header === undefined) continue;
    const hash = hexAt(page, page.blockHash[row] as number, 64);
    if (hash !== header.hash) return `logs of block ${block} are of ${hash}, its header is ${header.hash}`;
    const timestamp = page.blockTimestamp[row] as number;
    if (timestamp >= 0 && timestamp !== header.timestamp) {
      return `logs of block ${block} are of second ${timestamp}, its header of ${header.timestamp}`;
    }
  }
  return undefined;
}

function fillTimestamps(page: LogPage, headers: readonly BlockHeader[]): void {
  const byNumber = new Map(headers.map(({ number, timestamp }) => [number, timestamp]));
  for (let row = 0; row < page.count; row++) {
    if ((page.blockTimestamp[row] as number) >= 0) continue;
    page.blockTimestamp[row] = byNumber.get(page.blockNumber[row] as number) as number;
  }
}
