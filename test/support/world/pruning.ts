import type { MemoryState, StoredChain } from "../../../src/testing/memory-state.ts";
import { TABLES } from "./plan.ts";

/** From where on a chain's history is needed. */
interface Keep {
  readonly chainId: number;
  /** Nothing at or below it can be taken back. */
  readonly floor: number;
  /** The first checkpoint that a rollback may take back. */
  readonly firstOpen: number;
}

/** Names of the tables of which something can be pruned. */
export function prunable(state: MemoryState): readonly string[] {
  const keeps = keepsOf(state);
  return TABLES.filter(({ name }) => expired(state, name, keeps).length > 0).map(({ name }) => name);
}

/**
 * The state without some before-images of a table that no rollback can need, and with the floors that say so.
 * @returns also how many rows have gone, and whether none is left
 */
export function pruned(
  state: MemoryState,
  table: string,
  maxRows: number,
): { readonly state: MemoryState; readonly rows: number; readonly isDone: boolean } {
  const keeps = keepsOf(state);
  const all = expired(state, table, keeps);
  const gone = new Set(all.slice(0, maxRows));
  const contents = state.tables.get(table);
  if (contents === undefined) return { state, rows: 0, isDone: true };
  const history = new Map([...contents.history].filter(([at]) => !gone.has(at)));
  const chains = new Map(state.chains);
  for (const { chainId, floor } of keeps) {
    const chain = chains.get(chainId) as StoredChain;
    chains.set(chainId, { ...chain, historyFloor: Math.max(chain.historyFloor, floor) });
  }
  const tables = new Map(state.tables).set(table, { rows: contents.rows, history });
  return { state: { ...state, tables, chains }, rows: gone.size, isDone: gone.size === all.length };
}

function keepsOf({ chains, positions }: MemoryState): Keep[] {
  return [...chains.values()].flatMap(({ chainId, block, finalized, historyFloor, checkpoint }) => {
    if (block === undefined || finalized < 0) return [];
    const floor = Math.max(historyFloor, Math.min(finalized, block));
    const open = positions.filter((position) => position.chainId === chainId && position.block > floor);
    return [{ chainId, floor, firstOpen: Math.min(checkpoint + 1, ...open.map((position) => position.checkpoint)) }];
  });
}

/** Places of the before-images that nothing can need. Of rows that chains share all chains have to agree. */
function expired({ tables, chains }: MemoryState, table: string, keeps: readonly Keep[]): string[] {
  const firstOpen = new Map(keeps.map((keep) => [keep.chainId, keep.firstOpen]));
  const isSettled = [...chains.values()].every(({ chainId }) => firstOpen.has(chainId));
  if (isSettled && keeps.length > 0) firstOpen.set(0, Math.min(...keeps.map((keep) => keep.firstOpen)));
  return [...(tables.get(table)?.history ?? [])].flatMap(([at, { chainId, changedAt }]) =>
    changedAt < (firstOpen.get(chainId) ?? 0) ? [at] : [],
  );
}
