import type { Batch, BatchSlice, ChainHead, HistoryMode } from "../../src/batch/batch.ts";
import { createBatch } from "../../src/batch/create-batch.ts";
import type { BlockHeader } from "../../src/chain/block.ts";
import type { ChildAddress } from "../../src/chain/child-address.ts";
import type { DrainRun } from "../../src/store/drain-run.ts";
import type { RowReader } from "../../src/store/row-reader.ts";
import { Store } from "../../src/store/store.ts";
import type { StoreLimits, TableScan } from "../../src/store/store-options.ts";
import type { IndexModel, Row, TableModel } from "../../src/store/table.ts";
import { createMemoryCodec, decodedImages, decodedRows, memoryEffectCodec } from "../../src/testing/memory-codec.ts";
import { MemoryDatabase } from "../../src/testing/memory-database.ts";
import { pageOf } from "./log-pages.ts";
import { ManualClock } from "./manual-clock.ts";
import { tableOf } from "./tables.ts";

export const account: TableModel = tableOf("account", [
  { name: "id", kind: "int32" },
  { name: "balance", kind: "int64", defaultValue: 0n },
]);
export const shared: TableModel = tableOf(
  "shared",
  [
    { name: "id", kind: "text" },
    { name: "value", kind: "int32" },
  ],
  {
    crossChain: true,
  },
);
export const transfer: TableModel = tableOf(
  "transfer",
  [
    { name: "id", kind: "int64" },
    { name: "value", kind: "int64" },
  ],
  { appendOnly: true },
);
export const TABLES: readonly TableModel[] = [account, shared, transfer];

/** Limits that nothing reaches. */
export const WIDE: StoreLimits = {
  capacityChanges: 1e9,
  capacityBytes: 1e9,
  cacheBytes: 1e9,
  minimumItems: 1e9,
  liveAgeMs: 1e9,
  maximumChanges: 1e9,
  maximumBytes: 1e9,
  maximumBatches: 1e9,
};

export interface StoreInput {
  readonly limits?: Partial<StoreLimits>;
  /** Default: TABLES. */
  readonly tables?: readonly TableModel[];
  /** How rows are read. Default: from an empty database. */
  readonly reader?: Partial<RowReader>;
  /** Names of complete tables; default all. */
  readonly empty?: readonly string[];
  readonly clock?: ManualClock;
  readonly committed?: number;
  readonly asyncReads?: boolean;
  readonly keepSlices?: boolean;
  readonly runsBefore?: number;
  readonly onScan?: (scan: TableScan) => void;
  readonly onIndex?: (table: TableModel, index: IndexModel) => void;
}

/** Reads a database at once. */
export function readerOf(database: MemoryDatabase): RowReader {
  return {
    rowsByKey: async (table, chainId, keys) => keys.flatMap((key) => database.row(table, chainId, key) ?? []),
    rowsWhere: async (table, chainId, query) => database.rowsWhere(table, chainId, query),
    rowsAfter: async (table, chainId, after, limit) => database.rowsAfter(table, chainId, after, limit),
    estimateRows: async (tables) => database.countRows(tables),
  };
}

export function storeOf(input: StoreInput = {}): Store {
  const { committed = 0, asyncReads = false, keepSlices = false, tables = TABLES } = input;
  const database = new MemoryDatabase(tables);
  return new Store({
    tables,
    emptyTables: new Set(input.empty ?? tables.map(({ name }) => name)),
    codecOf: createMemoryCodec,
    reader: { ...readerOf(database), ...input.reader },
    onScan: input.onScan ?? (() => {}),
    onIndex: input.onIndex ?? (() => {}),
    effectCodec: memoryEffectCodec,
    keepSlices,
    runsBefore: input.runsBefore ?? 0,
    asyncReads,
    committed,
    nextCheckpoint: committed + 1,
    progress: [],
    limits: { ...WIDE, ...input.limits },
    clock: input.clock ?? new ManualClock(),
  });
}

export interface BatchInput {
  readonly id?: number;
  /** First checkpoint; default 1. */
  readonly from?: number;
  readonly mode?: HistoryMode;
  readonly chainId?: number;
  /** Numbers of the blocks that have an event, ascending; one event each. Default: the checkpoint's number. */
  readonly blocks?: readonly number[];
  readonly headers?: readonly BlockHeader[];
  /** Addresses that its blocks bring. */
  readonly children?: readonly ChildAddress[];
  /** The chain is at its head. */
  readonly live?: boolean;
}

/** A batch of one chain, with an event in each of its blocks. */
export function batchOf(input: BatchInput = {}): Batch {
  const {
    id = 1,
    from = 1,
    mode = "final",
    chainId = 1,
    blocks = [from],
    headers = [],
    children,
    live = false,
  } = input;
  const last = blocks.at(-1) ?? from;
  const head = { number: last, finalized: mode === "keep" ? -1 : last, live };
  const batch = createBatch({
    id,
    firstCheckpoint: from,
    room: { items: 1e9, bytes: 1e9 },
    supplies: [
      { chainId, isEmpty: false, take: once(sliceOf({ chainId, blocks, head, headers, children, toBlock: last })) },
    ],
    shardInsideWindow: false,
  });
  if (batch === undefined) throw new Error("no batch");
  return batch;
}

export interface SliceInput {
  readonly chainId?: number;
  /** The block of each event. */
  readonly blocks: readonly number[];
  readonly fromBlock?: number;
  readonly toBlock: number;
  readonly head?: ChainHead;
  readonly headers?: readonly BlockHeader[];
  readonly children?: readonly ChildAddress[] | undefined;
}

/** A whole range as one slice. */
export function sliceOf(input: SliceInput): BatchSlice {
  const { chainId = 1, blocks, toBlock, fromBlock = blocks[0] ?? toBlock } = input;
  const range = {
    chainId,
    fromBlock,
    toBlock,
    page: pageOf(
      ...blocks.map((blockNumber, logIndex) => ({ blockNumber, logIndex, blockTimestamp: blockNumber * 10 })),
    ),
    routes: new Uint16Array(blocks.length),
    headers: input.headers ?? [],
    children: input.children,
    head: input.head ?? { number: toBlock, finalized: toBlock, live: false },
    origin: undefined,
  };
  return { range, fromRow: 0, toRow: blocks.length, fromBlock, throughBlock: toBlock };
}

function once<T>(value: T): () => T | undefined {
  let left: T | undefined = value;
  return () => {
    const taken = left;
    left = undefined;
    return taken;
  };
}

/** Processes a batch whose every block runs `change`, and commits it. */
export function process(store: Store, input: BatchInput, change: (block: number) => void = () => {}): Batch {
  const batch = batchOf({ from: store.nextCheckpoint, ...input });
  store.beginBatch(batch);
  const insideWindow = batch.mode === "keep";
  (input.blocks ?? [batch.checkpoints.from]).forEach((block, at) => {
    store.beginBlock(input.chainId ?? 1, block, batch.checkpoints.from + at, insideWindow);
    store.beginEvent(0, "Test.Event");
    change(block);
  });
  store.commitBatch(batch);
  return batch;
}

/** What a run does to a table, readable; parts without rows are left out. */
export function changesIn(run: DrainRun | undefined, table: TableModel): Record<string, unknown> {
  const changes = run?.tables.find((one) => one.table.name === table.name);
  if (changes === undefined) return {};
  const parts = {
    inserts: decodedRows(changes.inserts).map(({ checkpoint, row }) => [checkpoint, row]),
    updates: decodedRows(changes.updates).map(({ checkpoint, row }) => [checkpoint, row]),
    upserts: decodedRows(changes.upserts).map(({ checkpoint, row }) => [checkpoint, row]),
    deletes: decodedRows(changes.deletes).map(({ row }) => row),
    history: decodedImages(changes.history).map(({ changedAt, key, before }) => [changedAt, key, before]),
    unknownHistory: decodedImages(changes.unknownHistory).map(({ changedAt, key }) => [changedAt, key]),
  };
  return Object.fromEntries(Object.entries(parts).filter(([, rows]) => rows.length > 0));
}

/** Takes the next run and says that it is durable. */
export function drain(store: Store): DrainRun | undefined {
  const run = store.takeRun();
  if (run !== undefined) store.durable(run);
  return run;
}

/** Sets a row in the block that is open. */
export function set(store: Store, table: TableModel, row: Row): void {
  store.entity(table.name).set(store.scope, row);
}

export function remove(store: Store, table: TableModel, key: unknown): void {
  store.entity(table.name).delete(store.scope, key);
}

export function insert(store: Store, row: Row): void {
  store.append(transfer.name).insert(store.scope, row);
}
