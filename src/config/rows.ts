import type { Column } from "./column.ts";
import type { AnyEntity, ColumnName, Entity } from "./entity.ts";

/** The plain value when it is in memory, a promise only for a real read: `await` takes both. */
export type MaybePromise<T> = T | Promise<T>;

type ColumnsOf<E> = E extends Entity<infer Columns, infer _Key, infer _AppendOnly> ? Columns : never;
type KeyNames<E> = E extends Entity<infer _Columns, infer Key, infer _AppendOnly> ? Key & string : never;
type ValueOf<C> = C extends Column<infer Value, boolean, boolean> ? Value : never;
type WithDefault<Columns> = {
  [Name in keyof Columns]: Columns[Name] extends Column<infer _Value, true, boolean> ? Name : never;
}[keyof Columns];
type Flat<T> = { [Name in keyof T]: T[Name] } & {};

/** A row as it is read: every column, frozen. */
export type RowOf<E> = RowOfColumns<ColumnsOf<E>>;
type RowOfColumns<Columns> = { readonly [Name in ColumnName<Columns>]: ValueOf<Columns[Name]> };

/** A row as it is inserted: columns with a default may be left out. A nullable column without one is given, be it null. */
export type InsertOf<E> = InsertOfColumns<ColumnsOf<E>>;
type InsertOfColumns<Columns> = Flat<
  { readonly [Name in Exclude<ColumnName<Columns>, WithDefault<Columns>>]: ValueOf<Columns[Name]> } & {
    readonly [Name in ColumnName<Columns> & WithDefault<Columns>]?: ValueOf<Columns[Name]>;
  }
>;

/** The key columns as an object: `{ owner, spender }`. */
export type KeyRowOf<E> = Flat<Pick<RowOf<E>, KeyNames<E> & keyof RowOf<E>>>;

/** What names one row: the key columns as an object, or the bare value when the key is one column. */
export type KeyOf<E> = KeyRowOf<E> | BareKeyOf<E>;
/** The bare value of a key of one column; never for a key of several. */
export type BareKeyOf<E> = IsUnion<KeyNames<E>> extends true ? never : RowOf<E>[KeyNames<E> & keyof RowOf<E>];
type IsUnion<T, Each = T> = Each extends Each ? ([T] extends [Each] ? false : true) : never;

/** Some columns of a row, the key not among them. */
export type PatchOf<E> = Partial<Omit<RowOf<E>, KeyNames<E>>>;

/** Columns whose values have an order; lists and JSON have none. */
type ComparedName<E> = {
  [Name in keyof RowOf<E>]: NonNullable<RowOf<E>[Name]> extends string | number | bigint | boolean ? Name : never;
}[keyof RowOf<E>];

/** What a value is compared with; all that is given must hold. */
export interface Comparisons<Value> {
  readonly eq?: Value;
  readonly ne?: Value;
  readonly gt?: NonNullable<Value>;
  readonly gte?: NonNullable<Value>;
  readonly lt?: NonNullable<Value>;
  readonly lte?: NonNullable<Value>;
  readonly in?: readonly NonNullable<Value>[];
}

/** What rows must be like: all of it must hold. A bare value is compared for equality. */
export type RowWhere<E> = {
  readonly [Name in ComparedName<E>]?: RowOf<E>[Name] | Comparisons<RowOf<E>[Name]>;
} & { readonly and?: readonly RowWhere<E>[]; readonly or?: readonly RowWhere<E>[] };

/** Which rows to find, and in what order. */
export interface FindOptions<E> {
  /** Default: all rows of the chain. */
  readonly where?: RowWhere<E>;
  /** One column after the other; ties are ordered by the key, in the direction of the last one. Default: by the key. */
  readonly orderBy?: { readonly [Name in ComparedName<E>]?: "asc" | "desc" };
  /** At most so many rows. Default: all. */
  readonly limit?: number;
}

/** `store.<entity>` for an ordinary entity. Reads see everything that handlers before have written. */
export interface EntityStore<E> {
  get(key: KeyOf<E>): MaybePromise<RowOf<E> | undefined>;
  /** @throws SpindexError ROW_MISSING */
  getOrThrow(key: KeyOf<E>): MaybePromise<RowOf<E>>;
  /** The row with this key; when there is none, `row` is inserted and returned with its defaults. */
  getOrCreate(row: InsertOf<E>): MaybePromise<RowOf<E>>;
  /**
   * Rows that match, in order, with everything that handlers before have written. Costs no query while all rows of the
   * entity are in memory.
   * @throws SpindexError FIND_INVALID
   */
  find(options?: FindOptions<E>): MaybePromise<readonly RowOf<E>[]>;
  /** Inserts the row, or replaces the one with its key. */
  set(row: RowOf<E>): void;
  /**
   * Changes some columns of a row.
   * @throws SpindexError ROW_MISSING
   */
  update(key: KeyOf<E>, patch: PatchOf<E> | ((row: RowOf<E>) => PatchOf<E>)): MaybePromise<RowOf<E>>;
  /** Deletes the row, if there is one. */
  delete(key: KeyOf<E>): void;
}

/** `store.<entity>` for an append-only entity. */
export interface AppendOnlyStore<E> {
  insert(row: InsertOf<E>): void;
}

/** `store` in handlers, bound to the chain of the event. */
export type StoreOf<Schema> = {
  readonly [Name in keyof Schema as Schema[Name] extends AnyEntity ? Name : never]: Schema[Name] extends Entity<
    infer _Columns,
    infer _Key,
    infer AppendOnly
  >
    ? AppendOnly extends true
      ? AppendOnlyStore<Schema[Name]>
      : EntityStore<Schema[Name]>
    : never;
};

/** The value of a `ref` column: the key of the entity it refers to. */
export type RefValue<E> = [BareKeyOf<E>] extends [never] ? never : BareKeyOf<E>;
