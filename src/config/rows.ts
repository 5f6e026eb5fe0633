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

/** `store.<entity>` for an ordinary entity. Reads see everything that handlers before have written. */
export interface EntityStore<E> {
  get(key: KeyOf<E>): MaybePromise<RowOf<E> | undefined>;
  /** @throws SpindexError ROW_MISSING */
  getOrThrow(key: KeyOf<E>): MaybePromise<RowOf<E>>;
  /** The row with this key; when there is none, `row` is inserted and returned with its defaults. */
  getOrCreate(row: InsertOf<E>): MaybePromise<RowOf<E>>;
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
