import type { ChainProgress } from "../batch/batch.ts";
import type { ChainResume } from "../postgres/resume.ts";
import type { ChainLane, LaneStart } from "./chain-lane.ts";

/** Where the fetch loop of a chain goes on; undefined: from the beginning. */
export function laneStart(chains: readonly ChainResume[], chainId: number): LaneStart | undefined {
  const chain = chains.find((known) => known.chainId === chainId);
  if (chain === undefined) return undefined;
  return {
    nextBlock: chain.block + 1,
    lastHeader: chain.headers.at(-1),
    finalized: chain.finalized,
    children: chain.children,
  };
}

/** Once live, a chain stays it: a reorg silences no alert on late data, also when the database does not know it yet. */
export function wasLive(
  chains: readonly ChainResume[],
  chainId: number,
  before: readonly Pick<ChainLane, "label" | "head">[] = [],
): boolean {
  const isKnown = chains.some((chain) => chain.chainId === chainId && chain.live);
  return isKnown || before.some(({ label, head }) => label.id === chainId && head.live);
}

/** What is durable of a chain. */
export function progressOf({ chainId, block, checkpoint, headers, finalized, live }: ChainResume): ChainProgress {
  const head = { number: block, finalized, live };
  return { chainId, block, timestamp: headers.at(-1)?.timestamp, checkpoint, head, headers: [] };
}
