import type { BatchSlice } from "../batch/batch.ts";
import type { ChainLabel } from "../chain/chain-label.ts";
import { hexAt } from "../chain/log-page.ts";
import type { HandlerCall, HandlerSummary } from "../instrument/batch-telemetry.ts";
import type { EventRoute } from "./event-route.ts";

const SLOWEST = 3;

interface SlowCall {
  readonly ms: number;
  readonly endedAt: number;
  readonly route: EventRoute;
  readonly slice: BatchSlice;
  readonly row: number;
}

/** Handler times of one batch, gathered in arrays: a call costs three additions, and nothing is labelled until the end. */
export class HandlerStats {
  readonly #routes: readonly EventRoute[];
  readonly #chains: readonly ChainLabel[];
  readonly #calls: Uint32Array;
  readonly #total: Float64Array;
  readonly #max: Float64Array;
  #slowest: SlowCall[] = [];
  #slowestFloor = 0;

  constructor(routes: readonly EventRoute[], chains: readonly ChainLabel[]) {
    this.#routes = routes;
    this.#chains = chains;
    this.#calls = new Uint32Array(routes.length * chains.length);
    this.#total = new Float64Array(this.#calls.length);
    this.#max = new Float64Array(this.#calls.length);
  }

  add(chain: number, routeIndex: number, slice: BatchSlice, row: number, startedAt: number, endedAt: number): void {
    const cell = chain * this.#routes.length + routeIndex;
    const ms = endedAt - startedAt;
    this.#calls[cell] = (this.#calls[cell] as number) + 1;
    this.#total[cell] = (this.#total[cell] as number) + ms;
    if (ms > (this.#max[cell] as number)) this.#max[cell] = ms;
    if (ms <= this.#slowestFloor) return;
    this.#slowest.push({ ms, endedAt, route: this.#routes[routeIndex] as EventRoute, slice, row });
    if (this.#slowest.length <= SLOWEST) return;
    this.#slowest.sort((a, b) => b.ms - a.ms);
    this.#slowest.length = SLOWEST;
    this.#slowestFloor = this.#slowest[SLOWEST - 1]?.ms ?? 0;
  }

  get handlerCalls(): number {
    return this.#calls.reduce((sum, calls) => sum + calls, 0);
  }

  handlers(): HandlerSummary[] {
    return this.#chains.flatMap((chain, c) =>
      this.#routes.flatMap((route, r) => {
        const cell = c * this.#routes.length + r;
        const calls = this.#calls[cell] as number;
        if (calls === 0) return [];
        const totalMs = this.#total[cell] as number;
        return [{ handler: route.label, chain: chain.name, calls, totalMs, maxMs: this.#max[cell] as number }];
      }),
    );
  }

  slowest(): HandlerCall[] {
    return this.#slowest
      .toSorted((a, b) => b.ms - a.ms)
      .map(({ ms, endedAt, route, slice, row }) =>
        callOf(route, labelOf(this.#chains, slice.range.chainId), slice, row, endedAt - ms, endedAt, undefined),
      );
  }
}

/** One handler call as it is reported. */
export function callOf(
  route: EventRoute,
  chain: ChainLabel,
  slice: BatchSlice,
  row: number,
  startedAt: number,
  endedAt: number,
  error: unknown,
): HandlerCall {
  const { page } = slice.range;
  return {
    handler: route.label,
    chain,
    block: page.blockNumber[row] as number,
    logIndex: page.logIndex[row] as number,
    transactionHash: hexAt(page, page.transactionHash[row] as number, 64),
    startedAt,
    endedAt,
    error,
  };
}

function labelOf(chains: readonly ChainLabel[], id: number): ChainLabel {
  return chains.find((chain) => chain.id === id) ?? { id, name: String(id) };
}
