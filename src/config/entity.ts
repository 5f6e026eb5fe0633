import type { AnyColumn, Column, Many } from "./column.ts";
import { MANY } from "./column.ts";
import type { ErrorText } from "./type-text.ts";

export type EntityColumns = Readonly<Record<string, AnyColumn | Many>>;

/** What an entity was declared as: read when the definition is resolved. */
export interface EntitySpec {
  readonly columns: EntityColumns;
  readonly key: readonly string[];
  readonly appendOnly: boolean;
  readonly crossChain: boolean;
  readonly indexes: readonly (readonly string[])[];
  readonly hidden: boolean;
  /** Options that do not exist: reported when the definition is resolved. */
  readonly unknownOptions: readonly string[];
}

export const ENTITY_OPTIONS: readonly string[] = ["key", "appendOnly", "crossChain", "indexes", "hidden"];

export const ENTITY: unique symbol = Symbol.for("spindex.entity");
/** Carries types only; no object has it. */
declare const TYPES: unique symbol;

/** An entity: becomes a table, and `store.<name>` in handlers. */
export interface Entity<Columns, Key, AppendOnly extends boolean> {
  readonly [ENTITY]: EntitySpec;
  readonly [TYPES]?: { readonly columns: Columns; readonly key: Key; readonly appendOnly: AppendOnly };
}

/** Any entity, whatever its columns are. */
export interface AnyEntity {
  readonly [ENTITY]: EntitySpec;
}

/** Names of what is really a column: `many` is not. */
export type ColumnName<Columns> = {
  [Name in keyof Columns]: Columns[Name] extends AnyColumn ? Name : never;
}[keyof Columns] &
  string;

export interface EntityOptions<Columns, Key, AppendOnly> {
  /** The key columns, in order. Default: `["id"]`. */
  readonly key?: Key;
  /** Rows are inserted and never changed or read by handlers: the fastest kind of table. */
  readonly appendOnly?: AppendOnly;
  /** Rows are shared by all chains: `chain_id` is no part of the key. */
  readonly crossChain?: boolean;
  /** Indexes over several columns, each a list of column names. */
  readonly indexes?: readonly (readonly ColumnName<Columns>[])[];
  /** Stays out of the API. */
  readonly hidden?: boolean;
}

/** Without a key the column `id` is it. */
export type KeyNames<Key extends readonly string[]> = Key extends readonly [] ? "id" : Key[number];

/** Errors, as types, at key columns that cannot be key columns; nothing else. */
export type KeyCheck<Columns, Key extends string> = {
  readonly [Name in Key as Name extends keyof Columns
    ? Columns[Name] extends Column<unknown, boolean, true>
      ? never
      : Name
    : Name]: Name extends keyof Columns
    ? ErrorText<`the key column ${Name} must be int32, int64, uint256, text, bytes, hash, address, eventId or a ref, and not null or an array`>
    : ErrorText<`an entity needs a column ${Name}, or options.key with the names of its key columns`>;
};

/**
 * Declares an entity.
 *
 * @param columns name → `t.*` or `many(…)`
 * @param options key, appendOnly, crossChain, indexes, hidden
 */
export function entity<
  Columns extends EntityColumns,
  const Key extends readonly ColumnName<Columns>[] = readonly [],
  const AppendOnly extends boolean = false,
>(
  columns: Columns & KeyCheck<Columns, KeyNames<Key>>,
  options: EntityOptions<Columns, Key, AppendOnly> = {},
): Entity<Columns, KeyNames<Key>, AppendOnly> {
  const { key, appendOnly, crossChain, indexes, hidden, ...unknown } = options;
  const spec: EntitySpec = {
    columns,
    key: key ?? ["id"],
    appendOnly: appendOnly ?? false,
    crossChain: crossChain ?? false,
    indexes: indexes ?? [],
    hidden: hidden ?? false,
    unknownOptions: Object.keys(unknown),
  };
  return Object.freeze({ [ENTITY]: Object.freeze(spec) });
}

/**
 * The rows of another entity whose `column` refers to this one: `many(() => transfer, "from")`. It adds no column; the
 * API shows it as a list.
 */
// `() => void`: what the function returns is not looked at, so that two entities may name each other.
export function many(target: () => void, column: string): Many {
  return Object.freeze({ [MANY]: Object.freeze({ target, column }) });
}

export function isEntity(value: unknown): value is AnyEntity {
  return typeof value === "object" && value !== null && ENTITY in value;
}
