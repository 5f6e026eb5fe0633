import type { BlockHeader } from "../chain/block.ts";

/** Two headers of one chain that do not belong to the same version of it. */
export interface BrokenLink {
  /** The block that was taken as part of the chain. */
  readonly known: BlockHeader;
  /** What the source says now: another block at the same height, or a child with another parent. */
  readonly found: BlockHeader;
}

/**
 * The first place where `headers` (ascending) contradict `known` or each other: another hash at the same height, or a
 * block whose parent is not the block before it. Headers that are not next to each other cannot be compared.
 */
export function findBrokenLink(
  known: BlockHeader | undefined,
  headers: readonly BlockHeader[],
): BrokenLink | undefined {
  let before = known;
  for (const header of headers) {
    if (before !== undefined) {
      const replaced = header.number === before.number && header.hash !== before.hash;
      const orphaned = header.number === before.number + 1 && header.parentHash !== before.hash;
      if (replaced || orphaned) return { known: before, found: header };
    }
    before = header;
  }
  return undefined;
}
