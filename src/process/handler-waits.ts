import type { OpenWait, Telemetry, WaitStart } from "../instrument/telemetry.ts";
import type { RowReader } from "../store/row-reader.ts";
import type { TableModel } from "../store/table.ts";

type Awaited = "reads" | "effects";

/** What handlers wait for; its state is the loop's as well. */
export interface HandlerWait extends WaitStart {
  readonly state: Awaited;
}

/**
 * What handlers wait for, as states of the processing loop: `effects` while one is under way, `reads` while only reads
 * are. They begin and end in any order.
 */
export class HandlerWaits {
  readonly #telemetry: Pick<Telemetry, "processLoop" | "waiting">;
  readonly #underWay: Record<Awaited, number> = { reads: 0, effects: 0 };

  constructor(telemetry: Pick<Telemetry, "processLoop" | "waiting">) {
    this.#telemetry = telemetry;
  }

  /** The reader, its reads waited for by handlers. */
  reading(reader: RowReader & { readonly readerPids?: readonly number[] }): RowReader {
    const during = <T>(table: TableModel, run: () => Promise<T>): Promise<T> =>
      this.during({ state: "reads", what: table.sqlName, backendPids: () => reader.readerPids ?? [] }, run);
    return {
      rowsByKey: (table, chainId, keys) => during(table, () => reader.rowsByKey(table, chainId, keys)),
      rowsWhere: (table, chainId, query) => during(table, () => reader.rowsWhere(table, chainId, query)),
      rowsAfter: (table, ...page) => during(table, () => reader.rowsAfter(table, ...page)),
      estimateRows: (tables) => reader.estimateRows(tables),
    };
  }

  async during<T>(wait: HandlerWait, run: () => Promise<T>): Promise<T> {
    const open = this.#begin(wait);
    try {
      return await run();
    } finally {
      open.end();
      this.#underWay[wait.state]--;
      this.#enter();
    }
  }

  #begin(wait: HandlerWait): OpenWait {
    this.#underWay[wait.state]++;
    this.#enter();
    return this.#telemetry.waiting(wait);
  }

  /** Only a loop that is at its handlers: what they began and did not await may end when it has gone on. */
  #enter(): void {
    const { processLoop } = this.#telemetry;
    if (!AT_HANDLERS.has(processLoop.state)) return;
    const { reads, effects } = this.#underWay;
    const state = effects > 0 ? "effects" : reads > 0 ? "reads" : "handlers";
    if (state !== processLoop.state) processLoop.enter(state);
  }
}

const AT_HANDLERS: ReadonlySet<string> = new Set(["handlers", "reads", "effects"]);
