import type { UndecodableReason } from "../abi/undecodable-log.ts";
import type { CacheTier } from "../store/cache.ts";

interface UndecodableCount {
  readonly chain: string;
  readonly reason: UndecodableReason;
  readonly count: number;
}

type Evicted = Readonly<Record<CacheTier, number>>;

/** What a store counts, which begins at 0 with each session. */
interface Counts {
  readonly itemsProcessed: number;
  readonly cache: { readonly evicted: Evicted };
}

/**
 * What has been done since the process began, over all of its sessions: so nothing is lost that lies between a look and a
 * reorg, and no total ever falls.
 */
export class Totals {
  readonly #undecodable = new Map<string, UndecodableCount>();
  /** Of the sessions before. */
  #events = 0;
  #evicted: Evicted = { effects: 0, changed: 0, loaded: 0 };
  #current: Counts | undefined;

  /** The store of a session that begins: the one before it counts nothing more. */
  begin(store: Counts): void {
    [this.#events, this.#evicted] = [this.events, { ...this.evicted }];
    this.#current = store;
  }

  countUndecodable(chain: string, reason: UndecodableReason): void {
    const key = `${chain} ${reason}`;
    const count = (this.#undecodable.get(key)?.count ?? 0) + 1;
    this.#undecodable.set(key, { chain, reason, count });
  }

  /** Events given to handlers, of committed batches. */
  get events(): number {
    return this.#events + (this.#current?.itemsProcessed ?? 0);
  }

  /** Rows and outputs of effects that left the memory to keep to the budget. */
  get evicted(): Evicted {
    const { effects = 0, changed = 0, loaded = 0 } = this.#current?.cache.evicted ?? {};
    const before = this.#evicted;
    return { effects: before.effects + effects, changed: before.changed + changed, loaded: before.loaded + loaded };
  }

  get undecodable(): readonly UndecodableCount[] {
    return [...this.#undecodable.values()];
  }
}
