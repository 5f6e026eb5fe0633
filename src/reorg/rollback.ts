import type { BlockHeader } from "../chain/block.ts";
import type { ChainLabel } from "../chain/chain-label.ts";
import type { CheckpointRange } from "../chain/checkpoint.ts";
import { SpindexError } from "../errors.ts";
import type { SourceTelemetry } from "../instrument/fetch-telemetry.ts";
import type { Source } from "../source/source.ts";

/** What the storage knows of a chain after the flush that comes before every rollback. */
export interface DurableChain {
  /** The first block that is indexed. */
  readonly startBlock: number;
  /** Everything up to this block is durable. */
  readonly block: number;
  /** Below it nothing can be taken back. */
  readonly floor: number;
  /** Stored headers, oldest first. */
  readonly headers: readonly BlockHeader[];
}

export interface RollbackRequest {
  readonly chainId: number;
  /** The newest block that our chain and the source's have in common; or the one before the first that is indexed. */
  readonly toBlock: number;
  /**
   * Addresses that began after it are forgotten: those of orphaned blocks; and all, where nothing that was indexed is
   * left, since of blocks before the first one it is not known whether they were replaced. Default: `toBlock`.
   */
  readonly childrenTo?: number;
  /** What was the newest durable block. */
  readonly fromBlock: number;
  /** Hashes of the orphaned blocks that are known, oldest first. */
  readonly orphaned: readonly BlockHeader[];
  /** The source's block that showed it. */
  readonly found: BlockHeader;
}

/** What a rollback did, also when an earlier attempt had done it. */
export interface RollbackOutcome {
  /** An earlier attempt had been durable, though its answer never came. */
  readonly alreadyDurable: boolean;
  /** The first and the last checkpoint that went; undefined: none. */
  readonly checkpoints: CheckpointRange | undefined;
  readonly rowsRestored: number;
  readonly rowsDeleted: number;
}

/** Headers asked for in one request while looking for the common ancestor. */
const HEADERS_AT_ONCE = 64;

/**
 * Finds how far a chain has to go back: to the newest of its blocks that the source still has.
 * @returns undefined when nothing durable was orphaned
 * @throws SpindexError REORG_TOO_DEEP
 */
export async function planRollback(
  chain: ChainLabel,
  durable: DurableChain,
  found: BlockHeader,
  source: Source,
  signal: AbortSignal,
  telemetry: SourceTelemetry,
): Promise<RollbackRequest | undefined> {
  const orphaned: BlockHeader[] = [];
  let ancestor: number | undefined;
  for (let end = durable.headers.length; end > 0 && ancestor === undefined; end -= HEADERS_AT_ONCE) {
    const ours = durable.headers.slice(Math.max(0, end - HEADERS_AT_ONCE), end).reverse();
    const theirs = await source.headers(
      ours.map(({ number }) => number),
      signal,
      telemetry,
    );
    for (const [i, header] of ours.entries()) {
      if (theirs[i]?.hash === header.hash) {
        ancestor = header.number;
        break;
      }
      orphaned.unshift(header);
    }
  }
  if (orphaned.length === 0) return undefined;
  // A young chain can be replaced as a whole: nothing is known of what lies before its first block, or needed.
  if (durable.floor < durable.startBlock) ancestor ??= durable.startBlock - 1;
  // Else the floor's own header is stored: whoever finds no common block down to it has another chain before him.
  if (ancestor === undefined || ancestor < durable.floor) throw tooDeep(chain, durable, found);
  const request = { chainId: chain.id, toBlock: ancestor, fromBlock: durable.block, orphaned, found };
  return ancestor < durable.startBlock ? { ...request, childrenTo: -1 } : request;
}

function tooDeep(chain: ChainLabel, durable: DurableChain, found: BlockHeader): SpindexError {
  return new SpindexError(
    "REORG_TOO_DEEP",
    `${chain.name}: the source has replaced blocks at or below ${durable.floor}, which were final here (seen at block ${found.number}, ${found.hash})`,
    {
      fix: "See whether the endpoint serves the right chain. If it does: raise maxReorgDepth and index again in a new --schema.",
      details: { chain: chain.name, floor: durable.floor, block: found.number },
    },
  );
}
