import type { ColumnModel } from "../store/table.ts";
import { checkAddress } from "./checksum.ts";
import { type Problems, show } from "./problems.ts";

const INTEGERS: Readonly<Record<string, readonly [bigint, bigint]>> = {
  int32: [-(2n ** 31n), 2n ** 31n - 1n],
  int64: [-(2n ** 63n), 2n ** 63n - 1n],
  eventId: [0n, 2n ** 63n - 1n],
  uint256: [0n, 2n ** 256n - 1n],
  int256: [-(2n ** 255n), 2n ** 255n - 1n],
};

/** The default of a column in the form that rows hold; undefined, and a problem, when it is no value of the column. */
export function defaultValueOf(place: string, column: ColumnModel, value: unknown, problems: Problems): unknown {
  const result =
    value === null && column.nullable ? null : column.array ? listOf(column, value) : scalarOf(column, value);
  if (result === undefined) {
    const fix = `Give .default(…) a value of the column: ${expectationOf(column)}.`;
    problems.add("SCHEMA_INVALID", place, `the default ${show(value)} is no value of ${nameOf(column)}`, fix);
  }
  return result;
}

function listOf(column: ColumnModel, value: unknown): unknown {
  if (!Array.isArray(value)) return undefined;
  const items = value.map((item: unknown) => scalarOf(column, item));
  return items.includes(undefined) ? undefined : Object.freeze(items);
}

function scalarOf(column: ColumnModel, value: unknown): unknown {
  switch (column.kind) {
    case "int32":
      return Number.isInteger(value) && isWithin("int32", BigInt(value as number)) ? value : undefined;
    case "int64":
    case "eventId":
    case "uint256":
    case "int256":
      return typeof value === "bigint" && isWithin(column.kind, value) ? value : undefined;
    case "numeric":
      return isDecimal(column, value) ? value : undefined;
    case "float64":
      return typeof value === "number" ? value : undefined;
    case "timestamp":
      return Number.isFinite(value) ? value : undefined;
    case "bool":
      return typeof value === "boolean" ? value : undefined;
    case "text":
      return typeof value === "string" ? value : undefined;
    case "bytes":
      return hexOf(value, /^0x(?:[0-9a-f]{2})*$/);
    case "hash":
      return hexOf(value, /^0x[0-9a-f]{64}$/);
    case "address": {
      const check = checkAddress(value);
      return check.ok ? check.address : undefined;
    }
    case "enum":
      return column.values?.includes(value as string) ? value : undefined;
    case "json":
      return jsonOf(value);
  }
}

function isWithin(kind: string, value: bigint): boolean {
  const [min, max] = INTEGERS[kind] as readonly [bigint, bigint];
  return value >= min && value <= max;
}

function isDecimal(column: ColumnModel, value: unknown): boolean {
  const [, whole = "", fraction = ""] = (typeof value === "string" && /^-?(\d+)(?:\.(\d+))?$/.exec(value)) || [];
  const { precision = 0, scale = 0 } = column;
  return (
    whole !== "" && whole.replace(/^0+/, "").length <= precision - scale && fraction.replace(/0+$/, "").length <= scale
  );
}

function hexOf(value: unknown, pattern: RegExp): string | undefined {
  const lower = typeof value === "string" ? value.toLowerCase() : "";
  return pattern.test(lower) ? lower : undefined;
}

/** A frozen copy, so that rows may share it. */
function jsonOf(value: unknown): unknown {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : undefined;
    case "object": {
      if (value === null) return null;
      const entries = Object.entries(value).map(([name, item]: [string, unknown]) => [name, jsonOf(item)] as const);
      if (entries.some(([, item]) => item === undefined)) return undefined;
      return Object.freeze(Array.isArray(value) ? entries.map(([, item]) => item) : Object.fromEntries(entries));
    }
    default:
      return undefined;
  }
}

function nameOf(column: ColumnModel): string {
  return column.array ? `a list of ${column.kind}` : column.kind;
}

function expectationOf(column: ColumnModel): string {
  const one: Readonly<Record<ColumnModel["kind"], string>> = {
    int32: "an integer like 0",
    int64: "a bigint like 0n",
    eventId: "a bigint like 0n",
    uint256: "a bigint like 0n, not negative",
    int256: "a bigint like 0n",
    numeric: `a decimal text like "0" of at most ${column.precision} digits, ${column.scale} after the point`,
    float64: "a number like 0.5",
    timestamp: "unix seconds like 0",
    bool: "true or false",
    text: "a text",
    bytes: 'hex like "0x"',
    hash: "0x and 64 hex digits",
    address: "0x and 40 hex digits, with a right checksum where the case is mixed",
    enum: `one of ${column.values?.join(", ")}`,
    json: "a JSON value",
  };
  return column.array ? `a list, each item ${one[column.kind]}` : one[column.kind];
}
