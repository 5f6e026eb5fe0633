import type { BlockDetails } from "../chain/block.ts";
import type { FieldSelection } from "../chain/fields.ts";
import { hexAt, type LogPage } from "../chain/log-page.ts";
import type { BlockQuery } from "../source/source.ts";

/** What the handler of an event selects. */
export interface SelectedDetails {
  readonly fields: FieldSelection;
  /** Whether the handler takes this log: of others nothing more is asked for. */
  readonly accepts: (page: LogPage, row: number) => boolean;
}

/** Rows of a page that have a route, and the route of each. */
export interface RoutedRows {
  readonly rows: Uint32Array;
  readonly routes: Uint16Array;
}

/** An event, by the number of its route, and what its handler selects. */
interface SelectingEvent {
  readonly route: number;
  readonly details?: SelectedDetails | undefined;
}

/** Which blocks of one chain are wanted with more than their headers: those of events whose handlers select fields. */
export class DetailSelection {
  /** All fields that any handler selects. */
  readonly fields: FieldSelection;
  readonly #byRoute: ReadonlyMap<number, SelectedDetails>;

  /** @param events at least one of them selects fields */
  constructor(events: readonly SelectingEvent[]) {
    const selecting = events.flatMap(({ route, details }) => (details === undefined ? [] : [{ route, details }]));
    this.#byRoute = new Map(selecting.map(({ route, details }) => [route, details]));
    const all = selecting.map(({ details }) => details.fields);
    this.fields = {
      block: [...new Set(all.flatMap(({ block }) => block))],
      transaction: [...new Set(all.flatMap(({ transaction }) => transaction))],
    };
  }

  /** What to ask for, for these rows of a page; ascending by block. */
  queries(page: LogPage, { rows, routes }: RoutedRows): readonly BlockQuery[] {
    const wanted = new Map<number, Set<number>>();
    rows.forEach((row, i) => {
      const details = this.#byRoute.get(routes[i] as number);
      if (details === undefined || !details.accepts(page, row)) return;
      const block = page.blockNumber[row] as number;
      const transactions = wanted.get(block) ?? new Set();
      wanted.set(block, transactions);
      if (details.fields.transaction.length > 0) transactions.add(page.transactionIndex[row] as number);
    });
    return [...wanted].map(([number, transactions]) => ({ number, transactions: [...transactions] }));
  }
}

/** A log whose block has another transaction at its place, in words. */
export function misplacedTransaction(
  page: LogPage,
  details: ReadonlyMap<number, BlockDetails>,
  queries: readonly BlockQuery[],
): string | undefined {
  const wanted = new Map(queries.map(({ number, transactions }) => [number, new Set(transactions)]));
  for (let row = 0; row < page.count; row++) {
    const block = page.blockNumber[row] as number;
    const index = page.transactionIndex[row] as number;
    if (!wanted.get(block)?.has(index)) continue;
    const hash = hexAt(page, page.transactionHash[row] as number, 64);
    const found = details.get(block)?.transactions.get(index)?.hash;
    if (found === hash) continue;
    const there = found === undefined ? "has no such transaction" : `has ${found} there`;
    return `a log of block ${block} is of transaction ${index}, ${hash}, but the block ${there}`;
  }
  return undefined;
}
