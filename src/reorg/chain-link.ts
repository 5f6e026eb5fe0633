import type { BlockHeader } from "../chain/block.ts";
import type { ChainLabel } from "../chain/chain-label.ts";

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
function findBrokenLink(known: BlockHeader | undefined, headers: readonly BlockHeader[]): BrokenLink | undefined {
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

/** The chain has another version of blocks that were taken as part of it. */
export class ReorgDetected extends Error {
  override readonly name = "ReorgDetected";
  readonly chain: ChainLabel;
  readonly link: BrokenLink;

  constructor(chain: ChainLabel, link: BrokenLink) {
    const { known, found } = link;
    super(`${chain.name}: block ${known.number} was ${known.hash}; block ${found.number} (${found.hash}) denies it`);
    this.chain = chain;
    this.link = link;
  }
}

/** @throws ReorgDetected when `headers` do not continue the chain from `known` */
export function requireLinked(
  chain: ChainLabel,
  known: BlockHeader | undefined,
  headers: readonly BlockHeader[],
): void {
  const link = findBrokenLink(known, headers);
  if (link !== undefined) throw new ReorgDetected(chain, link);
}
