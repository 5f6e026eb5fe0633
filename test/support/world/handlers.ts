import type { CallEffect, Effect } from "../../../src/config/effect.ts";
import { SpindexError } from "../../../src/errors.ts";
import type { HandledEvent } from "../../../src/process/event.ts";
import type { EntityFacade, StoreFacade } from "../../../src/process/store-facade.ts";
import type { Store } from "../../../src/store/store.ts";
import type { Row } from "../../../src/store/table.ts";
import { applied, foundIn, type Handled, keyOf, type Model, type ModelRow, rowOf } from "./model.ts";
import type { Op, PlannedEvent } from "./plan.ts";
import { check, checkSame, Violation } from "./violation.ts";

/** What handlers and the set-up are given. */
interface Context {
  readonly store: StoreFacade;
  readonly effect: CallEffect;
  /** Undefined in the set-up. */
  readonly event?: Pick<HandledEvent, "idOf">;
}

/** An effect that doubles a number. */
export type Double = Effect<number, bigint>;

export interface HandlersOptions {
  /** Pauses for something other than a read. */
  readonly pause: () => Promise<void>;
  readonly effects: { readonly stored: Double; readonly unstored: Double };
  /** Events of which `throw` has been done once: with `stop` it is done once only, or the world would never end. */
  readonly thrown: Set<PlannedEvent>;
  /** What rows the storage gives is not what was promised any more: it belongs to another writer, or went back. */
  readonly isDoomed: () => boolean;
  /** A handler saw what it should not have. Its throwing may be skipped. */
  readonly violated: (violation: Violation) => void;
}

/** What the handlers of one process do and must see: each read is compared with what the events before it make of the rows. */
export class Handlers {
  readonly #o: HandlersOptions;
  /** What was handled in this session, by checkpoint. */
  #handled: Handled[] = [];
  /** What rows handlers must see at this moment. */
  #live = new Map<string, ModelRow>();

  constructor(options: HandlersOptions) {
    this.#o = options;
  }

  /** What the session has handled between two checkpoints, both included. */
  handledIn(from: number, to: number): readonly Handled[] {
    return this.#handled.filter(({ checkpoint }) => checkpoint >= from && checkpoint <= to);
  }

  /** A session begins on these rows. */
  begin(rows: Model): void {
    this.#handled = [];
    this.#live = new Map(rows);
  }

  /** Handles an event as it was planned. */
  async handle(context: Context, event: PlannedEvent, store: Store): Promise<void> {
    const { checkpoint } = store.scope;
    const handled: Handled = { checkpoint, event };
    const before = this.#live;
    const draft = new Map(before);
    this.#live = draft;
    try {
      let inserts = 0;
      for (const op of event.ops) {
        await this.#apply(context, event, op, inserts);
        applied(draft, handled, op, inserts);
        if (op.do === "insert") inserts++;
      }
      this.#handled.push(handled);
    } catch (error) {
      this.#live = before;
      if (error instanceof Violation && !this.#o.isDoomed()) this.#o.violated(error);
      const isStorageAway = error instanceof SpindexError && error.code === "DATABASE_UNREACHABLE";
      // The store has failed, or a stop takes too long: nothing that the handler still does counts.
      const isAbandoned = !store.isChangeable;
      const isPlanned = isStorageAway || isAbandoned || (error as Error).message === "planned";
      if (!isPlanned && !this.#o.isDoomed()) this.#o.violated(error as Violation);
      // The whole block is taken back, and its checkpoint may go to a block without events.
      if (isStorageAway || event.onError === "stop") {
        this.#handled = this.#handled.filter((other) => other.checkpoint !== checkpoint);
      }
      throw error;
    }
  }

  async #apply({ store, event, effect }: Context, planned: PlannedEvent, op: Op, inserts: number): Promise<void> {
    if (op.do === "pause") return this.#o.pause();
    if (op.do === "effect") {
      const called = op.stored ? this.#o.effects.stored : this.#o.effects.unstored;
      checkSame(await effect(called, op.key), 2n * BigInt(op.key), `the effect of ${op.key}`);
      return;
    }
    if (op.do === "throw") {
      if (planned.onError === "stop" && this.#o.thrown.has(planned)) return;
      this.#o.thrown.add(planned);
      throw new Error("planned");
    }
    if (op.do === "insert") {
      const entry = store.entry as unknown as { insert(row: Row): void };
      return entry.insert({ id: event?.idOf(inserts), value: op.value });
    }
    const table = store[op.table] as EntityFacade;
    const key = keyOf(op);
    const expected = rowOf(this.#live, planned, op);
    const blank = op.table === "counter" ? { ...key, note: null } : key;
    const place = `${op.do} of ${op.table} ${Object.values(key).join("/")} at block ${planned.block} of chain ${planned.chainId}`;
    switch (op.do) {
      case "get":
        checkSame(await table.get(key), expected, place);
        return;
      case "find": {
        const options = { where: { value: { gte: op.value } }, orderBy: { value: "desc" }, limit: 2 };
        checkSame(await table.find(options), foundIn(this.#live, planned, op), place);
        return;
      }
      case "getOrCreate": {
        const row = await table.getOrCreate(key);
        checkSame(row, expected ?? { ...blank, value: 0n }, place);
        return;
      }
      case "set":
        table.set({ ...blank, value: op.value });
        return;
      case "overtake": {
        const read = table.get(key);
        table.set({ ...blank, value: op.value });
        const row = (await read)?.value;
        check(row === expected?.value || row === op.value, `${place}: ${row}`);
        return;
      }
      case "slowUpdate": {
        const row = await table.get(key);
        checkSame(row, expected, place);
        await this.#o.pause();
        if (row !== undefined) table.set({ ...row, value: (row.value as bigint) + op.value });
        return;
      }
      case "update":
        if (expected === undefined) checkSame(await table.get(key), undefined, place);
        else await table.update(key, (row) => ({ value: (row.value as bigint) + op.value }));
        return;
      case "delete":
        table.delete(key);
    }
  }
}
