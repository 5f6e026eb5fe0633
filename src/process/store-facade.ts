import { SpindexError } from "../errors.ts";
import type { AppendTable } from "../store/append-table.ts";
import type { EntityTable } from "../store/entity-table.ts";
import type { Store } from "../store/store.ts";
import type { Row, TableModel } from "../store/table.ts";

type MaybePromise<T> = T | Promise<T>;
type Patch = Row | ((row: Row) => Row);

/** The store as handlers see it: one property an entity, bound to one chain. */
export type StoreFacade = Readonly<Record<string, EntityFacade | AppendFacade>>;

export function createStoreFacade(store: Store, tables: readonly TableModel[], chainId: number): StoreFacade {
  const facade: Record<string, EntityFacade | AppendFacade> = {};
  for (const { name, appendOnly } of tables) {
    facade[name] = appendOnly
      ? new AppendFacade(store, store.append(name), chainId)
      : new EntityFacade(store, store.entity(name), chainId);
  }
  return Object.freeze(facade);
}

/**
 * Reads and writes of one entity. A read gives the plain value when the row is in memory, or is known not to exist, and
 * a promise only when the storage has to be asked.
 */
export class EntityFacade {
  readonly #store: Store;
  readonly #table: EntityTable;
  readonly #chainId: number;

  constructor(store: Store, table: EntityTable, chainId: number) {
    this.#store = store;
    this.#table = table;
    this.#chainId = chainId;
  }

  get(key: unknown): MaybePromise<Row | undefined> {
    requireOpen(this.#store, this.#chainId, this.#table.model);
    const { reads } = this.#store;
    const row = reads.areAllAsync ? undefined : this.#table.peek(this.#chainId, key);
    if (row === undefined) {
      this.#table.countRead("storage");
      return reads.read(this.#table, this.#chainId, key);
    }
    this.#table.countRead("memory");
    return row === "absent" ? undefined : row;
  }

  find(input?: unknown): MaybePromise<readonly Row[]> {
    requireOpen(this.#store, this.#chainId, this.#table.model);
    const { reads } = this.#store;
    const query = this.#table.search.queryOf(input);
    this.#store.noteFind(this.#table, query);
    if (this.#table.isComplete && !reads.areAllAsync) {
      this.#table.countRead("memory");
      return this.#table.find(this.#chainId, query);
    }
    this.#table.countRead("storage");
    return reads.find(this.#table, this.#chainId, query);
  }

  getOrThrow(key: unknown): MaybePromise<Row> {
    return map(this.get(key), (row) => row ?? this.#missing(key));
  }

  getOrCreate(row: Row): MaybePromise<Row> {
    const found = this.get(row);
    if (found instanceof Promise) return found.then((stored) => stored ?? this.set(row));
    return found ?? this.set(row);
  }

  set(row: Row): Row {
    requireOpen(this.#store, this.#chainId, this.#table.model);
    return this.#table.set(this.#store.scope, row);
  }

  update(key: unknown, patch: Patch): MaybePromise<Row> {
    return map(this.getOrThrow(key), (row) =>
      this.set({ ...row, ...(typeof patch === "function" ? patch(row) : patch) }),
    );
  }

  delete(key: unknown): void {
    requireOpen(this.#store, this.#chainId, this.#table.model);
    this.#table.delete(this.#store.scope, key);
  }

  #missing(key: unknown): never {
    const shown = JSON.stringify(this.#table.keyRowOf(key), (_, v) => (typeof v === "bigint" ? String(v) : v));
    throw new SpindexError("ROW_MISSING", `there is no ${this.#table.model.name} ${shown}`, {
      fix: "Use get and handle undefined, or getOrCreate.",
    });
  }
}

/** Inserts of one append-only entity. */
export class AppendFacade {
  readonly #store: Store;
  readonly #table: AppendTable;
  readonly #chainId: number;

  constructor(store: Store, table: AppendTable, chainId: number) {
    this.#store = store;
    this.#table = table;
    this.#chainId = chainId;
  }

  insert(row: Row): void {
    requireOpen(this.#store, this.#chainId, this.#table.model);
    this.#table.insert(this.#store.scope, row);
  }
}

/** A facade used after its handler has returned would change another event's rows. */
function requireOpen(store: Store, chainId: number, table: TableModel): void {
  if (store.isChangeable && store.scope.chainId === chainId) return;
  throw new SpindexError("CONTEXT_REVOKED", `store.${table.name} was used after its handler had returned`, {
    fix: "Await every promise that the handler starts.",
  });
}

function map<T, U>(value: MaybePromise<T>, then: (value: T) => U): MaybePromise<U> {
  return value instanceof Promise ? value.then(then) : then(value);
}
