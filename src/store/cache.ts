import type { EffectTable } from "./effect-table.ts";
import type { EntityTable } from "./entity-table.ts";

export interface CacheLimits {
  /** Bytes of rows that may stay in memory. */
  readonly cacheBytes: number;
  /** Bytes of rows, uncommitted changes and queued work together, above which rows go first. */
  readonly capacityBytes: number;
}

const TIERS = ["changed", "loaded"] as const;
export type CacheTier = "effects" | (typeof TIERS)[number];

/**
 * Rows and outputs of effects that are durable may stay in memory for reads, up to a budget. What is above it is evicted
 * in tiers: outputs, then rows that were changed here, then rows that were only read; tables that are complete come last in each tier, since a table that
 * loses a row has to ask the storage from then on. Evicting rows is no backpressure: it costs reads, never a wait.
 */
export class Cache {
  readonly #tables: readonly EntityTable[];
  readonly #effects: EffectTable;
  readonly #limits: CacheLimits;
  readonly #evicted: Record<CacheTier, number> = { effects: 0, changed: 0, loaded: 0 };

  constructor(tables: readonly EntityTable[], effects: EffectTable, limits: CacheLimits) {
    this.#tables = tables;
    this.#effects = effects;
    this.#limits = limits;
  }

  /** Memory of the rows and outputs, about, of which no change waits to be sealed. */
  get bytes(): number {
    return this.#tables.reduce((sum, table) => sum + table.keptBytes, this.#effects.keptBytes);
  }

  /** Rows and outputs evicted since the start. */
  get evicted(): Readonly<Record<CacheTier, number>> {
    return this.#evicted;
  }

  /**
   * Evicts what is above the budget, or what leaves too little room for `uncommittedBytes`.
   * @param throughRun the last run whose rows may go
   */
  trim(uncommittedBytes: number, throughRun: number): void {
    const { cacheBytes, capacityBytes } = this.#limits;
    let excess = this.bytes - Math.max(0, Math.min(cacheBytes, capacityBytes - uncommittedBytes));
    if (excess > 0) {
      const { rows, bytes } = this.#effects.evict(throughRun, excess);
      this.#evicted.effects += rows;
      excess -= bytes;
    }
    for (const tier of TIERS) {
      for (const table of this.#tables.toSorted((a, b) => Number(a.isComplete) - Number(b.isComplete))) {
        if (excess <= 0) return;
        const { rows, bytes } = table.evict({ throughRun, tier, bytes: excess });
        this.#evicted[tier] += rows;
        excess -= bytes;
      }
    }
  }
}
