import { eventIdOf } from "../../../src/chain/event-id.ts";
import type { Row } from "../../../src/store/table.ts";
import type { Op, PlannedEvent, RowOp } from "./plan.ts";

/** A row, and the checkpoint that wrote it. */
export interface ModelRow {
  readonly chainId: number;
  readonly checkpoint: number;
  readonly row: Row;
}

/** Table name and key → row. */
export type Model = ReadonlyMap<string, ModelRow>;

/** An event that was handled, with its checkpoint. */
export interface Handled {
  readonly checkpoint: number;
  readonly event: PlannedEvent;
}

/** The key of an op's row, as handlers give it. */
export function keyOf(op: RowOp): Row {
  return op.table === "counter" ? { id: op.key } : { left: op.key % 2, right: `r${op.key >> 1}` };
}

function placeOf(table: string, chainId: number, key: Row): string {
  return `${table} ${table === "shared" ? 0 : chainId} ${Object.values(key).join("/")}`;
}

/** The row that an op is about. */
export function rowOf(model: Model, event: PlannedEvent, op: RowOp): Row | undefined {
  return model.get(placeOf(op.table, event.chainId, keyOf(op)))?.row;
}

/** What `find` must give: of the rows of the chain, or shared ones, the greatest first; ties by their keys. */
export function foundIn(model: Model, event: PlannedEvent, op: RowOp): readonly Row[] {
  const place = placeOf(op.table, event.chainId, {});
  const rows = [...model].filter(([at, { row }]) => at.startsWith(place) && (row.value as bigint) >= op.value);
  const keyText = (row: Row): string => Object.values(row).slice(0, 2).join("/");
  return rows
    .map(([, { row }]) => row)
    .toSorted((a, b) => Number((b.value as bigint) - (a.value as bigint)) || (keyText(a) < keyText(b) ? 1 : -1))
    .slice(0, 2);
}

const NO_CHANGE: ReadonlySet<Op["do"]> = new Set(["pause", "throw", "get", "find", "effect"]);

/** What an op makes of the rows; the plain meaning of the public API. */
export function applied(model: Map<string, ModelRow>, { checkpoint, event }: Handled, op: Op, inserts: number): void {
  if (NO_CHANGE.has(op.do)) return;
  const put = (table: string, key: Row, row: Row): void => {
    const chainId = table === "shared" ? 0 : event.chainId;
    model.set(placeOf(table, chainId, key), { chainId, checkpoint, row });
  };
  if (op.do === "insert") {
    const id = eventIdOf(event.block, event.logIndex, inserts);
    put("entry", { id }, { id, value: op.value });
    return;
  }
  if (!("table" in op)) return;
  const key = keyOf(op);
  const blank = { ...key, value: 0n, ...(op.table === "counter" ? { note: null } : {}) };
  const before = rowOf(model, event, op);
  switch (op.do) {
    case "getOrCreate":
      if (before === undefined) put(op.table, key, blank);
      return;
    case "set":
    case "overtake":
      put(op.table, key, { ...blank, value: op.value });
      return;
    case "update":
    case "slowUpdate":
      if (before !== undefined) put(op.table, key, { ...before, value: (before.value as bigint) + op.value });
      return;
    case "delete":
      model.delete(placeOf(op.table, event.chainId, key));
  }
}

/** The rows after these events, one after the other. */
export function fold(handled: readonly Handled[], before: Model = new Map()): Model {
  const model = new Map(before);
  for (const one of handled) {
    let inserts = 0;
    for (const op of one.event.ops) {
      applied(model, one, op, inserts);
      if (op.do === "insert") inserts++;
    }
  }
  return model;
}

/** The rows of a model by place, for comparisons. */
export function entriesOf(model: Model, isWanted: (place: string, row: ModelRow) => boolean): [string, ModelRow][] {
  return [...model].filter(([place, row]) => isWanted(place, row)).toSorted(([a], [b]) => (a < b ? -1 : 1));
}

/** As in a model: the place of a stored row. */
export function placeOfStored(table: string, key: readonly string[], chainId: number, row: Row): string {
  return placeOf(table, chainId, Object.fromEntries(key.map((name) => [name, row[name]])));
}
