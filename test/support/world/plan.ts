import fc from "fast-check";
import type { StoreLimits } from "../../../src/store/store.ts";
import type { TableModel } from "../../../src/store/table.ts";
import { tableOf } from "../tables.ts";

/** Rows of a chain, rows shared among chains, and rows that are only inserted. */
export const TABLES: readonly TableModel[] = [
  tableOf("counter", [
    { name: "id", kind: "int32" },
    { name: "value", kind: "int64", defaultValue: 0n },
    { name: "note", kind: "text", nullable: true, defaultValue: null },
  ]),
  tableOf(
    "shared",
    [
      { name: "left", kind: "int32" },
      { name: "right", kind: "text" },
      { name: "value", kind: "int64", defaultValue: 0n },
    ],
    { key: ["left", "right"], crossChain: true },
  ),
  tableOf(
    "entry",
    [
      { name: "id", kind: "eventId" },
      { name: "value", kind: "int64" },
    ],
    { appendOnly: true },
  ),
];

/** What a handler does with one row. */
export interface RowOp {
  /** `overtake`: sets while a read of the same row is under way. `slowUpdate`: reads, waits for something else, sets. */
  readonly do: "get" | "getOrCreate" | "set" | "overtake" | "update" | "slowUpdate" | "delete";
  readonly table: "counter" | "shared";
  readonly key: number;
  readonly value: bigint;
}

/** What a handler does. */
export type Op =
  | RowOp
  | { readonly do: "insert"; readonly value: bigint }
  /** Waits for something other than a read. */
  | { readonly do: "pause" }
  /** With `skip`: always. With `stop`: the first time only, or the world would never end. */
  | { readonly do: "throw" };

export interface PlannedEvent {
  readonly chainId: number;
  readonly block: number;
  readonly logIndex: number;
  readonly onError: "stop" | "skip";
  readonly ops: readonly Op[];
}

/** Blocks that are fetched together. */
export interface PlannedRange {
  readonly chainId: number;
  readonly fromBlock: number;
  readonly toBlock: number;
  readonly finalized: number;
  readonly events: readonly PlannedEvent[];
}

export interface PlannedChain {
  readonly chainId: number;
  readonly ranges: readonly PlannedRange[];
}

/** How a process ends before its work is done: after so many steps. */
export interface Interruption {
  readonly afterSteps: number;
  /** `zombie`: a crash, but what was sent to the storage before may still arrive. */
  readonly kind: "stop" | "crash" | "zombie";
}

export interface Plan {
  readonly chains: readonly PlannedChain[];
  readonly interruptions: readonly Interruption[];
  readonly limits: StoreLimits;
  readonly batchItems: number;
  /** Every read asks the storage, so that rows are read there which memory holds, too. */
  readonly asyncReads: boolean;
  /** Of a thousand attempts to write, so many fail. */
  readonly failures: { readonly before: number; readonly after: number; readonly fatal: number };
  /** Decides what happens next, at every step. */
  readonly seed: number;
}

const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom("get", "getOrCreate", "set", "set", "overtake", "update", "slowUpdate", "delete"),
      table: fc.constantFrom("counter", "shared"),
      key: fc.integer({ min: 0, max: 3 }),
      value: fc.bigInt({ min: 1n, max: 99n }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("insert"), value: fc.bigInt({ min: 1n, max: 99n }) }) },
  { weight: 1, arbitrary: fc.constant({ do: "pause" }) },
  { weight: 1, arbitrary: fc.constant({ do: "throw" }) },
);

export const event: fc.Arbitrary<Pick<PlannedEvent, "onError"> & { ops: Op[] }> = fc.record({
  onError: fc.constantFrom("stop", "skip"),
  ops: fc.array(op, { minLength: 1, maxLength: 5 }),
});

const range = fc.record({
  blocks: fc.array(fc.array(event, { maxLength: 3 }), { minLength: 1, maxLength: 4 }),
  /** How many of its blocks are final, when it is fetched. */
  final: fc.integer({ min: 0, max: 4 }),
});

type RangeShape = { blocks: { onError: "stop" | "skip"; ops: Op[] }[][]; final: number };

function chainOf(chainId: number, shapes: readonly RangeShape[]): PlannedChain {
  let block = 1;
  let finalized = 0;
  const ranges = shapes.map(({ blocks, final }) => {
    const fromBlock = block;
    const events = blocks.flatMap((inBlock, offset) =>
      inBlock.map((shape, logIndex): PlannedEvent => ({ chainId, block: fromBlock + offset, logIndex, ...shape })),
    );
    block += blocks.length;
    finalized = Math.max(finalized, Math.min(fromBlock - 1 + final, block - 1));
    return { chainId, fromBlock, toBlock: block - 1, finalized, events };
  });
  return { chainId, ranges };
}

export const small = (max: number): fc.Arbitrary<number> => fc.integer({ min: 1, max });

export const plan: fc.Arbitrary<Plan> = fc.record({
  chains: fc
    .array(fc.array(range, { minLength: 1, maxLength: 5 }), { minLength: 1, maxLength: 2 })
    .map((chains) => chains.map((shapes, index) => chainOf(index + 1, shapes))),
  interruptions: fc.array(
    fc.record({ afterSteps: fc.integer({ min: 1, max: 60 }), kind: fc.constantFrom("stop", "crash", "zombie") }),
    { maxLength: 4 },
  ),
  limits: fc.record({
    capacityChanges: small(40),
    capacityBytes: fc.oneof(small(4_000), fc.constant(1e9)),
    // None, a few rows, more than all rows.
    cacheBytes: fc.constantFrom(0, 1_000, 1_000_000),
    minimumItems: fc.integer({ min: 0, max: 60 }),
    maximumChanges: small(30),
    maximumBytes: fc.oneof(small(4_000), fc.constant(1e9)),
    maximumBatches: small(6),
  }),
  batchItems: small(8),
  asyncReads: fc.boolean(),
  failures: fc.record({
    before: fc.constantFrom(0, 100, 400),
    after: fc.constantFrom(0, 100, 400),
    fatal: fc.constantFrom(0, 0, 0, 50),
  }),
  seed: fc.integer(),
});
