import { SpindexError } from "../errors.ts";
import { storedText } from "../lib/stored-text.ts";
import type { ColumnModel } from "./table.ts";

/**
 * Checks one value and gives it back in the form that rows hold (see ColumnModel), which is also the form in which a read
 * from the storage gives it back.
 * @throws SpindexError ROW_INVALID naming entity, column, value and what is expected
 */
export type ValueCheck = (value: unknown) => unknown;

const INT64_MAX = 2n ** 63n - 1n;
const INT64_MIN = -(2n ** 63n);
const UINT256_MAX = 2n ** 256n - 1n;
const INT256_MAX = 2n ** 255n - 1n;
const INT256_MIN = -(2n ** 255n);
const INT32_MAX = 2 ** 31 - 1;

const DECIMAL = /^(-?)(\d+)(?:\.(\d+))?$/;

/** What PostgreSQL's `timestamptz` holds, in unix seconds: 24 November 4714 BC to the end of the year 294276. */
const FIRST_TIMESTAMP = -210_866_803_200;
const TIMESTAMPS_END = 9_224_318_016_000;
const MICROSECONDS = 1_000_000;
/** Far below what Node.js and PostgreSQL can take: they fail when the row is written, and its event is not known. */
const MAX_JSON_DEPTH = 1_000;
/** Beyond it, a number is less exact than a microsecond. */
const MICROSECONDS_EXACT_BELOW = 2 ** 33;

/** @param onEscape called for each text that the storage could not hold as it was given */
export function columnCheck(entity: string, column: ColumnModel, onEscape: () => void = () => {}): ValueCheck {
  const place = `${entity}.${column.name}`;
  const one = kindCheck(place, column, onEscape);
  const many: ValueCheck = column.array ? arrayOf(place, one) : one;
  if (!column.nullable) {
    return (value) =>
      value === null
        ? refuse(place, value, "null is not allowed here", "Add .nullable() to the column, or give a value.")
        : many(value);
  }
  return (value) => (value === null ? null : many(value));
}

function arrayOf(place: string, one: ValueCheck): ValueCheck {
  return (value) => {
    if (!Array.isArray(value)) return refuse(place, value, "an array is expected");
    return Object.freeze(
      value.map((item) => (item === null ? refuse(place, value, "null inside an array is not allowed") : one(item))),
    );
  };
}

function kindCheck(place: string, column: ColumnModel, onEscape: () => void): ValueCheck {
  switch (column.kind) {
    case "int32":
      return (v) =>
        typeof v === "number" && Number.isInteger(v) && v >= -INT32_MAX - 1 && v <= INT32_MAX
          ? v + 0 // never -0
          : refuse(place, v, "an integer number from -2^31 to 2^31 - 1 is expected");
    case "int64":
      return bigintCheck(place, INT64_MIN, INT64_MAX, "from -2^63 to 2^63 - 1");
    case "eventId":
      return bigintCheck(place, 0n, INT64_MAX, "made by event.id or event.idOf(n)");
    case "uint256":
      return bigintCheck(place, 0n, UINT256_MAX, "from 0 to 2^256 - 1");
    case "int256":
      return bigintCheck(place, INT256_MIN, INT256_MAX, "from -2^255 to 2^255 - 1");
    case "numeric":
      return decimalCheck(place, column.precision ?? 78, column.scale ?? 0);
    case "float64":
      return (v) => (typeof v === "number" ? v : refuse(place, v, "a number is expected"));
    case "timestamp":
      return (v) => timestamp(place, v);
    case "bool":
      return (v) => (typeof v === "boolean" ? v : refuse(place, v, "true or false is expected"));
    case "text":
      return (v) => (typeof v === "string" ? escaped(v, onEscape) : refuse(place, v, "a string is expected"));
    case "bytes":
      return hexCheck(place, undefined, "0x and pairs of hex digits are expected");
    case "hash":
      return hexCheck(place, 64, "0x and 64 hex digits are expected");
    case "address":
      return hexCheck(place, 40, "0x and 40 hex digits are expected");
    case "json":
      return (v) => frozenJson(place, v, onEscape, 0);
    case "enum": {
      const values = new Set<unknown>(column.values);
      return (v) => (values.has(v) ? v : refuse(place, v, `one of ${column.values?.join(", ")} is expected`));
    }
  }
}

function bigintCheck(place: string, min: bigint, max: bigint, range: string): ValueCheck {
  return (v) =>
    typeof v === "bigint" && v >= min && v <= max
      ? v
      : refuse(place, v, `a bigint ${range} is expected`, hintForNumber(v));
}

function hintForNumber(value: unknown): string | undefined {
  return typeof value === "number" ? "Use a bigint: BigInt(value), or a literal with n." : undefined;
}

function escaped(text: string, onEscape: () => void): string {
  const stored = storedText(text);
  if (stored !== text) onEscape();
  return stored;
}

function timestamp(place: string, value: unknown): number {
  if (typeof value !== "number" || !Number.isFinite(value)) {
    return refuse(place, value, "unix seconds, a number, are expected");
  }
  const seconds = toMicroseconds(value);
  if (seconds >= FIRST_TIMESTAMP && seconds < TIMESTAMPS_END) return seconds;
  return refuse(
    place,
    value,
    "unix seconds from -4713 to 294276 are expected",
    value >= TIMESTAMPS_END ? "Milliseconds? Divide them by 1000." : undefined,
  );
}

/** Never -0. */
function toMicroseconds(seconds: number): number {
  if (Number.isInteger(seconds) || Math.abs(seconds) >= MICROSECONDS_EXACT_BELOW) return seconds + 0;
  const whole = Math.floor(seconds);
  return (whole * MICROSECONDS + Math.round((seconds - whole) * MICROSECONDS)) / MICROSECONDS;
}

/** @param digits undefined: any even number */
function hexCheck(place: string, digits: number | undefined, expected: string): ValueCheck {
  const isRight = (v: string): boolean =>
    (digits === undefined ? v.length % 2 === 0 : v.length === digits + 2) && isLowerHex(v);
  return (v) => {
    if (typeof v !== "string") return refuse(place, v, expected);
    if (isRight(v)) return v;
    const lower = v.toLowerCase();
    return isRight(lower) ? lower : refuse(place, v, expected);
  };
}

/** Faster than a regular expression: several values of an event are checked. */
function isLowerHex(text: string): boolean {
  if (text.charCodeAt(0) !== 0x30 || text.charCodeAt(1) !== 0x78) return false;
  for (let i = 2; i < text.length; i++) {
    const code = text.charCodeAt(i);
    if (code < 0x30 || code > 0x66 || (code > 0x39 && code < 0x61)) return false;
  }
  return true;
}

function decimalCheck(place: string, precision: number, scale: number): ValueCheck {
  return (v) => {
    const text = typeof v === "bigint" ? String(v) : v;
    const parts = typeof text === "string" ? DECIMAL.exec(text) : null;
    if (parts === null) return refuse(place, v, 'an exact decimal text such as "12.50" is expected');
    const whole = (parts[2] as string).replace(/^0+/, "");
    const fraction = (parts[3] ?? "").replace(/0+$/, "");
    if (whole.length > precision - scale || fraction.length > scale) {
      return refuse(place, v, `at most ${precision - scale} digits before and ${scale} after the point fit`);
    }
    const sign = parts[1] === "-" && whole + fraction !== "" ? "-" : "";
    return `${sign}${whole || "0"}${scale === 0 ? "" : `.${fraction.padEnd(scale, "0")}`}`;
  };
}

/** Frozen where it is already as the storage gives it back, which is nearly always; else a frozen copy that is. */
function frozenJson(place: string, value: unknown, onEscape: () => void, depth: number): unknown {
  switch (typeof value) {
    case "string":
      return escaped(value, onEscape);
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value + 0 : refuse(place, value, "JSON has no such number");
    case "object": {
      if (value === null) return value;
      if (depth === MAX_JSON_DEPTH) return refuse(place, value, `at most ${MAX_JSON_DEPTH} levels are allowed in JSON`);
      if (Array.isArray(value)) return frozenArray(place, value, onEscape, depth);
      const prototype = Object.getPrototypeOf(value);
      if (prototype === Object.prototype || prototype === null) {
        return frozenObject(place, value, onEscape, depth);
      }
      return refuse(place, value, "a plain JSON value is expected");
    }
    default:
      return refuse(
        place,
        value,
        "a JSON value is expected",
        typeof value === "bigint" ? "Write bigints as text." : undefined,
      );
  }
}

function frozenArray(place: string, list: readonly unknown[], onEscape: () => void, depth: number): readonly unknown[] {
  let isSame = true;
  // Array.from: a hole is an undefined, which is refused.
  const items = Array.from(list, (item) => {
    const stored = frozenJson(place, item, onEscape, depth + 1);
    isSame &&= Object.is(stored, item);
    return stored;
  });
  return Object.freeze(isSame ? list : items);
}

function frozenObject(place: string, object: object, onEscape: () => void, depth: number): object {
  let isSame = Object.getPrototypeOf(object) !== null;
  const entries: [string, unknown][] = [];
  for (const [name, item] of Object.entries(object)) {
    const storedName = escaped(name, onEscape);
    // As JSON.stringify does, properties that are undefined are left out.
    const stored = item === undefined ? undefined : frozenJson(place, item, onEscape, depth + 1);
    isSame &&= storedName === name && stored !== undefined && Object.is(stored, item);
    if (stored !== undefined) entries.push([storedName, stored]);
  }
  return Object.freeze(isSame ? object : Object.fromEntries(entries));
}

function refuse(place: string, value: unknown, expected: string, fix?: string): never {
  throw new SpindexError("ROW_INVALID", `${place} = ${show(value)}: ${expected}`, fix === undefined ? {} : { fix });
}

/** A short text of any value, for errors. */
export function show(value: unknown): string {
  if (typeof value === "bigint") return `${value}n`;
  if (value === undefined) return "undefined";
  let text: string;
  try {
    text = JSON.stringify(value, (_, item) => (typeof item === "bigint" ? `${item}n` : item)) ?? String(value);
  } catch {
    text = Object.prototype.toString.call(value);
  }
  return text.length > 80 ? `${text.slice(0, 77)}...` : text;
}
