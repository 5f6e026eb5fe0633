import type { Hex } from "../chain/hex.ts";
import { columnOf, type ScalarColumn } from "./column.ts";
import type { AnyEntity } from "./entity.ts";
import type { RefValue } from "./rows.ts";

/** Any value that JSON can hold. */
export type JsonValue =
  | string
  | number
  | boolean
  | null
  | readonly JsonValue[]
  | { readonly [name: string]: JsonValue | undefined };

/** The makers of columns: `t.address()`, `t.uint256().default(0n)`, … */
export interface ColumnTypes {
  /** From -2^31 to 2^31 - 1: number. */
  int32(): ScalarColumn<number, true>;
  /** From -2^63 to 2^63 - 1: bigint. */
  int64(): ScalarColumn<bigint, true>;
  /** bigint */
  uint256(): ScalarColumn<bigint, true>;
  /** bigint */
  int256(): ScalarColumn<bigint, false>;
  /** An exact decimal of `precision` digits, `scale` of them after the point: a text like `"12.50"`. */
  numeric(precision: number, scale: number): ScalarColumn<string, false>;
  /** number */
  float64(): ScalarColumn<number, false>;
  bool(): ScalarColumn<boolean, false>;
  text(): ScalarColumn<string, true>;
  /** Any number of bytes: `0x` and pairs of hex digits. */
  bytes(): ScalarColumn<Hex, true>;
  /** 32 bytes: `0x` and 64 hex digits. */
  hash(): ScalarColumn<Hex, true>;
  /** 20 bytes: `0x` and 40 hex digits, lower-case. */
  address(): ScalarColumn<Hex, true>;
  /** Unix seconds, as in `event.block.timestamp`: number. */
  timestamp(): ScalarColumn<number, false>;
  /** Any JSON value; give its type: `t.json<{ name: string }>()`. */
  json<T = JsonValue>(): ScalarColumn<T, false>;
  /** One of these texts. */
  enum<const Values extends readonly [string, ...string[]]>(values: Values): ScalarColumn<Values[number], false>;
  /** The identity of an event: `event.id`, or `event.idOf(n)` when one event makes several rows. bigint */
  eventId(): ScalarColumn<bigint, true>;
  /**
   * The key of another entity. Where two entities refer to each other, or one to itself, give the value's type for one
   * of them: `t.ref<bigint>(() => comment)`.
   */
  ref<E extends AnyEntity>(target: () => E): ScalarColumn<RefValue<E>, true>;
  ref<Value extends bigint | number | string>(target: () => void): ScalarColumn<Value, true>;
}

export const t: ColumnTypes = Object.freeze({
  int32: () => columnOf<number, true>("int32"),
  int64: () => columnOf<bigint, true>("int64"),
  uint256: () => columnOf<bigint, true>("uint256"),
  int256: () => columnOf<bigint, false>("int256"),
  numeric: (precision: number, scale: number) => columnOf<string, false>("numeric", { precision, scale }),
  float64: () => columnOf<number, false>("float64"),
  bool: () => columnOf<boolean, false>("bool"),
  text: () => columnOf<string, true>("text"),
  bytes: () => columnOf<Hex, true>("bytes"),
  hash: () => columnOf<Hex, true>("hash"),
  address: () => columnOf<Hex, true>("address"),
  timestamp: () => columnOf<number, false>("timestamp"),
  json: <T>() => columnOf<T, false>("json"),
  enum: <const Values extends readonly [string, ...string[]]>(values: Values) =>
    columnOf<Values[number], false>("enum", { values }),
  eventId: () => columnOf<bigint, true>("eventId"),
  ref,
});

function ref<E extends AnyEntity>(target: () => E): ScalarColumn<RefValue<E>, true>;
function ref<Value extends bigint | number | string>(target: () => void): ScalarColumn<Value, true>;
function ref(target: () => unknown): ScalarColumn<unknown, true> {
  return columnOf("ref", { target });
}
