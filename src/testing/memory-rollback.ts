import type { RollbackRequest } from "../reorg/rollback.ts";
import type { TableModel } from "../store/table.ts";
import { WriteFailure } from "../write/storage.ts";
import type { EncodedImage, EncodedRow } from "./memory-codec.ts";
import type { Contents, MemoryState } from "./memory-state.ts";

/** The home of rows that chains share. */
const SHARED = 0;

/**
 * The state once a chain has been taken back to a block: rows are what they were, and what is known of the orphaned
 * blocks is forgotten.
 * @param placeOf the place of a row by the key columns in it
 * @throws WriteFailure when rows were changed that several chains share: they would all have to go back
 */
export function rolledBack(
  state: MemoryState,
  tables: readonly TableModel[],
  { chainId, toBlock, childrenTo = toBlock }: RollbackRequest,
  placeOf: (table: TableModel, image: EncodedImage) => string,
): MemoryState {
  const orphaned = state.positions.filter((position) => position.chainId === chainId && position.block > toBlock);
  const firstOrphaned = orphaned.length === 0 ? undefined : Math.min(...orphaned.map(({ checkpoint }) => checkpoint));
  const chain = state.chains.get(chainId);
  if (chain === undefined) throw new WriteFailure("fatal", `there is no chain ${chainId}`);
  const isKept = (row: { readonly chainId: number; readonly checkpoint: number }): boolean =>
    row.chainId !== chainId || row.checkpoint < (firstOrphaned ?? Number.POSITIVE_INFINITY);
  const positions = state.positions.filter(isKept);
  const newest = positions.filter((position) => position.chainId === chainId).map(({ checkpoint }) => checkpoint);
  const headers = chain.headers.filter(({ number }) => number <= toBlock);
  const checkpoint = state.nextCheckpoint;
  const { contents, ...rows } =
    firstOrphaned === undefined
      ? { contents: state.tables, rowsRestored: 0, rowsDeleted: 0 }
      : takenBack(state, tables, chainId, firstOrphaned, placeOf);
  return {
    ...state,
    committedCheckpoint: checkpoint,
    nextCheckpoint: checkpoint + 1,
    tables: contents,
    chains: new Map(state.chains).set(chainId, {
      ...chain,
      block: toBlock,
      timestamp: headers.find(({ number }) => number === toBlock)?.timestamp,
      checkpoint:
        newest.length > 0 ? Math.max(...newest) : Math.min(chain.checkpoint, (firstOrphaned ?? Number.MAX_VALUE) - 1),
      headers,
    }),
    rollbacks: [
      ...state.rollbacks,
      { checkpoint, chainId, toBlock, firstOrphaned, lastOrphaned: chain.checkpoint, ...rows },
    ],
    positions,
    skipped: state.skipped.filter(isKept),
    children: new Map(
      [...state.children].filter(([, child]) => child.chainId !== chainId || child.block <= childrenTo),
    ),
    effects: new Map([...state.effects].filter(([, row]) => isKept(row))),
    rawEvents: state.rawEvents.filter(isKept),
  };
}

function takenBack(
  state: MemoryState,
  tables: readonly TableModel[],
  chainId: number,
  firstOrphaned: number,
  placeOf: (table: TableModel, image: EncodedImage) => string,
): { readonly contents: MemoryState["tables"]; readonly rowsRestored: number; readonly rowsDeleted: number } {
  const after = new Map(state.tables);
  let rowsRestored = 0;
  let rowsDeleted = 0;
  for (const table of tables) {
    const contents = after.get(table.name);
    if (contents === undefined) continue;
    if (table.crossChain && state.chains.size > 1) requireUntouched(table, contents, firstOrphaned);
    const home = table.crossChain ? SHARED : chainId;
    const back = restored(table, contents, home, firstOrphaned, placeOf);
    after.set(table.name, back);
    rowsRestored += back.rowsRestored;
    rowsDeleted += back.rowsDeleted;
  }
  return { contents: after, rowsRestored, rowsDeleted };
}

function requireUntouched({ name }: TableModel, { rows, history }: Contents, firstOrphaned: number): void {
  const isTouched =
    [...history.values()].some(({ changedAt }) => changedAt >= firstOrphaned) ||
    [...rows.values()].some(({ checkpoint }) => checkpoint >= firstOrphaned);
  if (isTouched) throw new WriteFailure("fatal", `${name} is shared among chains: one alone cannot be taken back`);
}

/** The oldest before-image of each row since the first orphaned checkpoint is what the row was before all of them. */
function restored(
  table: TableModel,
  before: Contents,
  home: number,
  firstOrphaned: number,
  placeOf: (table: TableModel, image: EncodedImage) => string,
): Contents & { readonly rowsRestored: number; readonly rowsDeleted: number } {
  const rows = new Map<string, EncodedRow>(before.rows);
  const history = new Map(before.history);
  let rowsRestored = 0;
  let rowsDeleted = 0;
  if (table.appendOnly) {
    for (const [place, row] of rows) {
      if (row.chainId === home && row.checkpoint >= firstOrphaned && rows.delete(place)) rowsDeleted++;
    }
    return { rows, history, rowsRestored, rowsDeleted };
  }
  const oldest = new Map<string, EncodedImage>();
  for (const [at, image] of history) {
    if (image.chainId !== home || image.changedAt < firstOrphaned) continue;
    history.delete(at);
    const place = placeOf(table, image);
    if (image.changedAt < (oldest.get(place)?.changedAt ?? Number.POSITIVE_INFINITY)) oldest.set(place, image);
  }
  for (const [place, { before: row }] of oldest) {
    if (rows.delete(place)) rowsDeleted++;
    if (row === undefined) continue;
    rows.set(place, { chainId: home, ...row });
    rowsRestored++;
  }
  return { rows, history, rowsRestored, rowsDeleted };
}
