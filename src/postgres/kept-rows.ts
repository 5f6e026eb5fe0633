import type { TableModel } from "../store/table.ts";
import type { Connection } from "./connection.ts";
import { historyTableOf, qualified, type SchemaNames } from "./ddl.ts";
import { quoteText } from "./sql.ts";

/** Rows beside the entities that nobody has asked for, about. */
export interface KeptRows {
  /** Before-images, by the entity's table in SQL. */
  readonly history: ReadonlyMap<string, number>;
  /** Outputs of effects. */
  readonly effects: number;
}

/** Up to here rows are counted; above, the planner's estimate has to do. */
const COUNTED_ROWS = 100_000;

/** Counts them, quickly. */
export async function readKeptRows(
  connection: Connection,
  { internal }: SchemaNames,
  tables: readonly TableModel[],
): Promise<KeptRows> {
  const withHistory = tables.filter(({ appendOnly }) => !appendOnly);
  const counted = [...withHistory.map(historyTableOf), "effects"].map((name) => {
    const table = qualified(internal, name);
    return `(select case when n <= ${COUNTED_ROWS} then n else greatest(n,
        (select reltuples::int8 from pg_class where oid = ${quoteText(table)}::regclass)) end
      from (select count(*) as n from (select from ${table} limit ${COUNTED_ROWS + 1}) counted) counts)`;
  });
  const { rows } = await connection.query(`select ${counted.join(", ")}`);
  const counts = (rows[0] ?? []).map(Number);
  return {
    history: new Map(withHistory.map((table, at) => [table.sqlName, counts[at] ?? 0])),
    effects: counts.at(-1) ?? 0,
  };
}

/** Follows the counts while this process writes, so that no scrape asks the database. */
export class KeptRowCounts {
  #history: Map<string, number>;
  #effects: number;

  constructor(counted: KeptRows) {
    this.#history = new Map(counted.history);
    this.#effects = counted.effects;
  }

  get now(): KeptRows {
    return { history: this.#history, effects: this.#effects };
  }

  /** They were counted anew. */
  are(counted: KeptRows): void {
    this.#history = new Map(counted.history);
    this.#effects = counted.effects;
  }

  addHistory(table: string, rows: number): void {
    const before = this.#history.get(table);
    if (before !== undefined) this.#history.set(table, Math.max(0, before + rows));
  }

  addEffects(rows: number): void {
    this.#effects += rows;
  }
}
