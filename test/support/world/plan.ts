import fc from "fast-check";
import type { TableModel } from "../../../src/store/table.ts";
import { tableOf } from "../tables.ts";

/** Rows of a chain, rows shared among chains, and rows that are only inserted. */
export const TABLES: readonly TableModel[] = [
  tableOf(
    "counter",
    [
      { name: "id", kind: "int32" },
      { name: "value", kind: "int64", defaultValue: 0n },
      { name: "note", kind: "text", nullable: true, defaultValue: null },
    ],
    { indexes: [{ columns: ["value"] }] },
  ),
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
  /** `find`: of the table's rows that have this value or more, the two greatest. `overtake`: sets while a read of the same row is under way. `slowUpdate`: reads, waits for something else, sets. */
  readonly do: "get" | "find" | "getOrCreate" | "set" | "overtake" | "update" | "slowUpdate" | "delete";
  readonly table: "counter" | "shared";
  readonly key: number;
  readonly value: bigint;
}

/** What a handler does. */
export type Op =
  | RowOp
  | { readonly do: "insert"; readonly value: bigint }
  /** Calls an effect whose outputs are stored, or one whose outputs are not. */
  | { readonly do: "effect"; readonly key: number; readonly stored: boolean }
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

export const op: fc.Arbitrary<Op> = fc.oneof(
  {
    weight: 12,
    arbitrary: fc.record({
      do: fc.constantFrom("get", "find", "getOrCreate", "set", "set", "overtake", "update", "slowUpdate", "delete"),
      table: fc.constantFrom("counter", "shared"),
      key: fc.integer({ min: 0, max: 3 }),
      value: fc.bigInt({ min: 1n, max: 99n }),
    }),
  },
  { weight: 3, arbitrary: fc.record({ do: fc.constant("insert"), value: fc.bigInt({ min: 1n, max: 99n }) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant("effect"),
      key: fc.integer({ min: 0, max: 3 }),
      stored: fc.boolean(),
    }),
  },
  { weight: 1, arbitrary: fc.constant({ do: "pause" }) },
  { weight: 1, arbitrary: fc.constant({ do: "throw" }) },
);
