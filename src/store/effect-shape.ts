import { createHash } from "node:crypto";
import { canonicalJson } from "../lib/canonical-json.ts";
import { createRowShape } from "./row-shape.ts";
import type { ColumnModel, Row, TableModel } from "./table.ts";

/** What goes into an effect, or comes out of it: a record of values, or one bare value. */
export interface ValueModel {
  /** A bare value is the one column `value`. */
  readonly columns: readonly ColumnModel[];
  readonly isRecord: boolean;
}

/** An effect as the store sees it. */
export interface EffectModel {
  readonly name: string;
  /** Outputs are written, and found again after a restart; else they are forgotten when their batch ends. */
  readonly cache: boolean;
  readonly input: ValueModel;
  readonly output: ValueModel;
}

/** A value of an effect as it is kept: checked, frozen, and in a record when it is a bare one. */
export type KeptValue = Row;

/** What inputs and outputs of one effect look like. */
export interface EffectShape {
  readonly model: EffectModel;
  /** Digest of the output's type: outputs of another type are not those of this effect. */
  readonly outputType: string;
  /** @throws SpindexError ROW_INVALID */
  input(value: unknown): KeptValue;
  /** Equal for equal inputs: canonical JSON. */
  keyOf(input: KeptValue): string;
  /** @throws SpindexError ROW_INVALID */
  output(value: unknown): KeptValue;
  /** What users get and give: the bare value, where it is one. */
  valueOf(part: "input" | "output", kept: KeptValue): unknown;
  /** JSON: bigints as texts that end in `n`. */
  toJson(output: KeptValue): unknown;
  /** @throws SpindexError ROW_INVALID when it was not made by `toJson` of such an effect */
  fromJson(json: unknown): KeptValue;
  /** Memory that an output takes, about. */
  bytesOf(output: KeptValue): number;
  /** Texts of outputs that the storage could not hold as they were given, since the last call. */
  takeEscapes(): number;
}

const BIGINT_KINDS: ReadonlySet<ColumnModel["kind"]> = new Set(["int64", "uint256", "int256", "eventId"]);

export function createEffectShape(model: EffectModel): EffectShape {
  const input = createRowShape(tableOf(`${model.name} input`, model.input));
  const output = createRowShape(tableOf(`${model.name} output`, model.output));
  const wrapped = ({ isRecord }: ValueModel, value: unknown): Row => (isRecord ? value : { value }) as Row;
  return {
    model,
    outputType: digestOf(canonicalJson(typeOf(model.output))).slice(0, 16),
    input: (value) => input.row(wrapped(model.input, value)),
    keyOf: (kept) => canonicalJson(jsonOf(model.input, kept)),
    output: (value) => output.row(wrapped(model.output, value)),
    valueOf: (part, kept) => (model[part].isRecord ? kept : kept.value),
    toJson: (kept) => jsonOf(model.output, kept),
    fromJson: (json) => output.row(rowOf(model.output, json)),
    bytesOf: (kept) => output.bytesOf(kept),
    takeEscapes: () => output.takeEscapes(),
  };
}

/** SHA-256: 64 hex digits. */
export function digestOf(text: string): string {
  return createHash("sha256").update(text).digest("hex");
}

function tableOf(name: string, { columns }: ValueModel): TableModel {
  const rest = { key: [], appendOnly: false, crossChain: true, indexes: [], hidden: true };
  return { name, sqlName: name, columns, ...rest };
}

/** What decides how stored outputs are read. */
function typeOf({ columns, isRecord }: ValueModel): unknown {
  const types = columns.map(({ name, kind, nullable, array, precision, scale, values }) => [
    name,
    { kind, nullable, array, precision, scale, values },
  ]);
  return { isRecord, columns: Object.fromEntries(types) };
}

function jsonOf({ columns, isRecord }: ValueModel, kept: KeptValue): unknown {
  const entries = columns.map((column) => [column.name, columnJson(column, kept[column.name])] as const);
  return isRecord ? Object.fromEntries(entries) : entries[0]?.[1];
}

function columnJson(column: ColumnModel, value: unknown): unknown {
  if (value === null || column.kind === "json") return value;
  return column.array ? (value as readonly unknown[]).map(scalarJson) : scalarJson(value);
}

function scalarJson(value: unknown): unknown {
  if (typeof value === "bigint") return `${value}n`;
  // JSON has no such numbers, and jsonb no -0.
  if (typeof value === "number" && (!Number.isFinite(value) || Object.is(value, -0))) {
    return Object.is(value, -0) ? "-0" : String(value);
  }
  return value;
}

function rowOf({ columns, isRecord }: ValueModel, json: unknown): Row {
  const record = (isRecord ? json : { value: json }) as Row;
  return Object.fromEntries(columns.map((column) => [column.name, columnValue(column, record[column.name])]));
}

function columnValue(column: ColumnModel, json: unknown): unknown {
  if (json === null || column.kind === "json") return json;
  const one = (item: unknown): unknown => scalarValue(column, item);
  return column.array && Array.isArray(json) ? json.map(one) : one(json);
}

function scalarValue({ kind }: ColumnModel, json: unknown): unknown {
  if (typeof json !== "string") return json;
  if (BIGINT_KINDS.has(kind)) return /^-?\d+n$/.test(json) ? BigInt(json.slice(0, -1)) : json;
  return kind === "float64" ? Number(json) : json;
}
