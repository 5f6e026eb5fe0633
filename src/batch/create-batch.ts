import type { Checkpoint } from "../chain/checkpoint.ts";
import type { ChildAddress } from "../chain/child-address.ts";
import { pageBytesOf } from "../chain/log-page.ts";
import type { Batch, BatchSlice, ChainProgress, HistoryMode } from "./batch.ts";

/** How much a batch may take, or may take still. */
export interface BatchRoom {
  /** Events. */
  readonly items: number;
  /** Memory of the pages that they are in, about. */
  readonly bytes: number;
}

/** Where a chain's fetched blocks wait for processing. */
export interface SliceSupply {
  readonly chainId: number;
  readonly isEmpty: boolean;
  /**
   * The next whole blocks that fit; a single block may be larger, but only if `atLeastOne`.
   * Undefined: nothing is there, or nothing fits.
   */
  take(room: BatchRoom, atLeastOne: boolean): BatchSlice | undefined;
}

export interface BatchRequest {
  readonly id: number;
  readonly firstCheckpoint: Checkpoint;
  readonly room: BatchRoom;
  /** The chain whose turn it is comes first. */
  readonly supplies: readonly SliceSupply[];
  /** True when another chain of the shard is inside its reorg window. */
  readonly shardInsideWindow: boolean;
}

/**
 * Takes a batch from what the chains have fetched: chains take turns, each giving whole blocks, until the batch is
 * full. Events of one chain keep their order; chains are not ordered among each other.
 */
export function createBatch(request: BatchRequest): Batch | undefined {
  const slices: BatchSlice[] = [];
  let room = request.room;
  let open = request.supplies;
  while (open.length > 0 && hasRoom(room)) {
    open = open.filter((supply) => {
      const slice = hasRoom(room) ? supply.take(room, slices.length === 0) : undefined;
      if (slice === undefined) return false;
      slices.push(slice);
      room = roomAfter(room, slice);
      return true;
    });
  }
  return slices.length === 0 ? undefined : batchOf(request, slices, request.room.items - room.items);
}

function hasRoom({ items, bytes }: BatchRoom): boolean {
  return items > 0 && bytes > 0;
}

function roomAfter({ items, bytes }: BatchRoom, { range, fromRow, toRow }: BatchSlice): BatchRoom {
  return { items: items - (toRow - fromRow), bytes: bytes - pageBytesOf(range.page, toRow - fromRow) };
}

/** A batch in two parts. */
export interface SplitBatch {
  /** Undefined: nothing of it. */
  readonly kept: Batch | undefined;
  /** What was taken from the supplies, and is not in it. */
  readonly rest: readonly BatchSlice[];
}

/** The leading part of a batch: `slices` whole slices, and of the next one the blocks before `beforeBlock`. */
export function splitBatch(batch: Batch, slices: number, beforeBlock: number): SplitBatch {
  const kept = batch.slices.slice(0, slices);
  const rest = batch.slices.slice(slices);
  const [next] = rest;
  if (next !== undefined && beforeBlock > next.fromBlock) {
    let toRow = next.fromRow;
    while (toRow < next.toRow && (next.range.page.blockNumber[toRow] as number) < beforeBlock) toRow++;
    kept.push({ ...next, toRow, throughBlock: beforeBlock - 1 });
    rest[0] = { ...next, fromRow: toRow, fromBlock: beforeBlock };
  }
  if (kept.length === 0) return { kept: undefined, rest };
  const { checkpoints, progress } = numbered(kept, batch.checkpoints.from);
  const items = kept.reduce((sum, slice) => sum + slice.toRow - slice.fromRow, 0);
  return { kept: { ...batch, slices: kept, items, checkpoints, progress }, rest };
}

/** Whether blocks of the slice can still be orphaned. */
export function isInsideWindow(slice: BatchSlice, block: number): boolean {
  return block > slice.range.head.finalized;
}

function batchOf(request: BatchRequest, slices: readonly BatchSlice[], items: number): Batch {
  const keep = request.shardInsideWindow || slices.some((slice) => isInsideWindow(slice, slice.throughBlock));
  const mode: HistoryMode = keep ? "keep" : "final";
  return { id: request.id, mode, slices, items, ...numbered(slices, request.firstCheckpoint), origin: undefined };
}

/** Numbers the positions: one checkpoint for each block with events, one for the end of a slice without. */
function numbered(slices: readonly BatchSlice[], first: Checkpoint): Pick<Batch, "checkpoints" | "progress"> {
  const progress = new Map<number, ChainProgress>();
  let next = first;
  for (const slice of slices) {
    next += positionsOf(slice);
    const { chainId, head, headers } = slice.range;
    const children = childrenOf(slice);
    const before = progress.get(chainId);
    const included = headers.filter(({ number }) => number >= slice.fromBlock && number <= slice.throughBlock);
    progress.set(chainId, {
      chainId,
      block: slice.throughBlock,
      timestamp: included.at(-1)?.timestamp ?? lastTimestamp(slice) ?? before?.timestamp,
      checkpoint: next - 1,
      head,
      headers: [...(before?.headers ?? []), ...included],
      ...(before?.children === undefined && children.length === 0
        ? {}
        : { children: [...(before?.children ?? []), ...children] }),
    });
  }
  return { checkpoints: { from: first, to: next - 1 }, progress: [...progress.values()] };
}

/** Those that begin before the range come with its first block. */
function childrenOf({ range, fromBlock, throughBlock }: BatchSlice): readonly ChildAddress[] {
  return (range.children ?? []).filter(({ block }) => {
    const at = Math.max(block, range.fromBlock);
    return at >= fromBlock && at <= throughBlock;
  });
}

function lastTimestamp({ range, fromRow, toRow }: BatchSlice): number | undefined {
  return toRow > fromRow ? range.page.blockTimestamp[toRow - 1] : undefined;
}

/** How many checkpoints a slice takes. */
function positionsOf(slice: BatchSlice): number {
  const blocks = slice.range.page.blockNumber;
  let positions = 0;
  let last = -1;
  for (let row = slice.fromRow; row < slice.toRow; row++) {
    const block = blocks[row] as number;
    if (block === last) continue;
    last = block;
    positions++;
  }
  return last === slice.throughBlock ? positions : positions + 1;
}
