import type { Store } from "../store/store.ts";
import type { ChainMetadata, ChainMetadataSource } from "../write/chain-metadata.ts";
import type { ChainLane } from "./chain-lane.ts";

/**
 * What is known of the chains beside their rows. A chain is live in it only when its rows are: the head has been fetched
 * a moment before what led to it is durable.
 */
export function chainMetadataOf(
  lanes: readonly Pick<ChainLane, "definition" | "head" | "selection" | "source">[],
  store: Pick<Store, "committed">,
): ChainMetadataSource {
  const live = new Set<number>();
  return () =>
    lanes
      .filter(({ head }) => head.head >= 0)
      .map(({ definition, head, selection, source }): ChainMetadata => {
        const committed = store.committed(definition.id);
        const durable = committed?.block ?? selection.startBlock - 1;
        const isCaughtUp = head.live && durable >= Math.min(head.target, selection.endBlock);
        if (committed?.head.live === true || isCaughtUp) live.add(definition.id);
        return {
          chainId: definition.id,
          head: head.head,
          live: live.has(definition.id),
          sources: source.health.map(({ name, error }) => ({ name, state: error === undefined ? "ok" : "failing" })),
        };
      });
}
