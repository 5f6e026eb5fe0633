import type { FetchedRange } from "../batch/batch.ts";
import type { BlockDetails, BlockHeader } from "../chain/block.ts";
import type { ChainLabel } from "../chain/chain-label.ts";
import type { ChildAddress } from "../chain/child-address.ts";
import { type LogPage, selectRows } from "../chain/log-page.ts";
import { mergePages } from "../chain/merge-pages.ts";
import type { ChildRegistry } from "./child-registry.ts";
import type { FactoryDiscovery } from "./factory-discovery.ts";
import type { RangeBuffer } from "./range-buffer.ts";
import { queryRange, type RangeQueryOptions } from "./range-query.ts";

export interface LateOptions extends Omit<RangeQueryOptions, "newest" | "lastBlock"> {
  readonly registry: ChildRegistry;
  readonly buffer: RangeBuffer;
  /** Throws when blocks of the same number differ. */
  readonly checkLink: (chain: ChainLabel, before: BlockHeader | undefined, headers: readonly BlockHeader[]) => void;
}

/**
 * Addresses have become known after logs from their blocks on were fetched: asks for theirs, and puts them among what
 * waits in the buffer. Nothing else may be fetched meanwhile, and nothing taken from the buffer.
 * @param children from blocks that were not taken from the buffer
 * @throws SpindexError of the source; what `checkLink` throws when blocks were replaced in between
 */
export async function coverLate(
  options: LateOptions,
  children: readonly ChildAddress[],
  fetched: number,
  signal: AbortSignal,
): Promise<void> {
  const { registry, discovery, selection, buffer } = options;
  const { late, deliver } = await addLate(registry, discovery, children, signal);
  const fromBlock = Math.max(buffer.nextBlock, Math.min(...late.map(({ block }) => block)));
  const only = { ...options, selection: selection.of(late), discovery: undefined, newest: undefined };
  const brought: FetchedRange[] = [];
  for await (const range of queryRange(only, fromBlock, fetched, signal)) brought.push(range);
  requireSameChain(options, brought);
  putAmong(buffer, brought, deliver(fetched));
}

interface LateChildren {
  /** They, and what they have brought as factories. */
  readonly late: readonly ChildAddress[];
  /** Those that have begun up to a block. */
  readonly deliver: (throughBlock: number) => readonly ChildAddress[];
}

/** Adds addresses to the registry, and what they have brought as factories up to now. */
export async function addLate(
  registry: ChildRegistry,
  discovery: FactoryDiscovery | undefined,
  children: readonly ChildAddress[],
  signal: AbortSignal,
): Promise<LateChildren> {
  const mark = registry.mark;
  for (const child of children) registry.add(child);
  await discovery?.catchUp(registry.since(mark), signal);
  return { late: registry.since(mark), deliver: (throughBlock) => registry.deliver(throughBlock) };
}

/** Puts further logs of the same blocks among what waits in a buffer, and addresses into the ranges of their blocks. */
export function putAmong(
  buffer: RangeBuffer,
  brought: readonly FetchedRange[],
  children: readonly ChildAddress[],
): void {
  for (const range of [...buffer.ranges]) {
    let merged = range;
    for (const further of brought) merged = withLogs(merged, further);
    const own = children.filter(({ block }) => block >= range.fromBlock && block <= range.toBlock);
    if (own.length > 0) merged = { ...merged, children: [...(range.children ?? []), ...own] };
    if (merged !== range) buffer.replace(range, merged);
  }
}

/** What was asked for late must be of the blocks that are in the buffer. */
function requireSameChain({ chain, buffer, checkLink }: LateOptions, brought: readonly FetchedRange[]): void {
  const known = new Map(buffer.ranges.flatMap(({ headers }) => headers.map((header) => [header.number, header])));
  for (const { headers } of brought) {
    for (const header of headers) checkLink(chain, known.get(header.number), [header]);
  }
}

/** The range with what another one has in its blocks. */
function withLogs(range: FetchedRange, further: FetchedRange): FetchedRange {
  const [from, to] = [rowOf(further.page, range.fromBlock), rowOf(further.page, range.toBlock + 1)];
  if (from === to) return range;
  const rows = Uint32Array.from({ length: to - from }, (_, i) => from + i);
  const merged = mergePages(range.page, selectRows(further.page, rows));
  const { count } = range.page;
  const routes = Uint16Array.from(merged.rows, (row) =>
    row < count ? (range.routes[row] as number) : (further.routes[from + row - count] as number),
  );
  return { ...range, page: merged.page, routes, details: mergedDetails(range.details, further.details) };
}

/** The first row of a block or one after it. */
function rowOf({ count, blockNumber }: LogPage, block: number): number {
  const row = blockNumber.findIndex((number) => number >= block);
  return row < 0 ? count : row;
}

type Details = FetchedRange["details"];

function mergedDetails(first: Details, second: Details): Details {
  if (first === undefined || second === undefined) return first ?? second;
  const merged = new Map<number, BlockDetails>(first);
  for (const [number, details] of second) {
    const before = merged.get(number);
    const transactions = new Map([...(before?.transactions ?? []), ...details.transactions]);
    merged.set(number, { ...details, transactions });
  }
  return merged;
}
