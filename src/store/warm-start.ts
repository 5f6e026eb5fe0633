import type { EntityTable } from "./entity-table.ts";
import type { RowReader } from "./row-reader.ts";
import type { Store } from "./store.ts";
import type { TableModel } from "./table.ts";

/** What the warm start did with one table. */
export interface LoadedTable {
  /** The entity's name. */
  readonly table: string;
  /** Rows that are in memory now; 0 when it does not fit. */
  readonly rows: number;
  readonly isComplete: boolean;
}

export interface WarmStartOptions {
  readonly store: Store;
  readonly reader: Pick<RowReader, "rowsAfter" | "estimateRows">;
  readonly chainIds: readonly number[];
  readonly signal: AbortSignal;
}

const PAGE_ROWS = 5_000;
/** Below it no row is. A table with more rows than fit like this is not even begun. */
const MIN_ROW_BYTES = 250;

/**
 * Loads tables whole, as many as fit into the cache budget, the smallest first, so that what a handler asks of them later
 * needs no query. Before the first batch: nothing may be written meanwhile. Tables that are complete already are passed
 * over; one that turns out not to fit is let go again.
 * @returns what became of each table, in the order in which they were taken
 */
export async function loadTables(options: WarmStartOptions): Promise<readonly LoadedTable[]> {
  const { store, reader } = options;
  const wanted = store.entities.filter(({ isComplete }) => !isComplete);
  if (wanted.length === 0 || roomIn(store) <= 0) return wanted.map(leftOut);
  const estimated = await reader.estimateRows(wanted.map(({ model }) => model));
  const rowsOf = ({ name }: TableModel): number => estimated.get(name) ?? 0;
  const loaded: LoadedTable[] = [];
  for (const table of wanted.toSorted((a, b) => rowsOf(a.model) - rowsOf(b.model))) {
    const fits = rowsOf(table.model) * MIN_ROW_BYTES <= roomIn(store);
    loaded.push(fits ? await loadTable(table, options) : leftOut(table));
  }
  return loaded;
}

/** Bytes that rows may still take. */
function roomIn({ cache, limits }: Store): number {
  return Math.min(limits.cacheBytes, limits.capacityBytes) - cache.bytes;
}

async function loadTable(table: EntityTable, options: WarmStartOptions): Promise<LoadedTable> {
  // Rows that chains share are there once, whatever the chain.
  const chainIds = table.model.crossChain ? options.chainIds.slice(0, 1) : options.chainIds;
  for (const chainId of chainIds) {
    if (await loadChain(table, chainId, options)) continue;
    table.evict({ throughRun: 0, tier: "loaded", bytes: Number.POSITIVE_INFINITY });
    return leftOut(table);
  }
  table.loadedWhole();
  return { table: table.model.name, rows: table.records, isComplete: true };
}

/** @returns whether all of its rows are in memory */
async function loadChain(
  table: EntityTable,
  chainId: number,
  { store, reader, signal }: WarmStartOptions,
): Promise<boolean> {
  for (let last: LastRow; !signal.aborted; ) {
    const page = await reader.rowsAfter(table.model, chainId, last, PAGE_ROWS);
    for (const found of page) table.loaded(chainId, table.keyOf(found.row), found.row, found);
    if (roomIn(store) < 0) return false;
    if (page.length < PAGE_ROWS) return true;
    last = page.at(-1)?.row;
  }
  return false;
}

type LastRow = Parameters<RowReader["rowsAfter"]>[2];

function leftOut({ model }: EntityTable): LoadedTable {
  return { table: model.name, rows: 0, isComplete: false };
}
