import type { ChainLabel } from "../chain/chain-label.ts";

export interface FetchStart {
  readonly chain: ChainLabel;
  readonly fromBlock: number;
  readonly toBlock: number;
  readonly addresses: number;
  readonly live: boolean;
}

/** One fetch query: a root span with a child a request. */
export interface FetchTelemetry {
  /** To link to it: opaque. Goes into `FetchedRange.origin`. */
  readonly origin: unknown;
  source(sourceName: string): SourceTelemetry;
  rangeShrunk(toBlock: number): void;
  retrying(attempt: number, waitMs: number, error: unknown): void;
  done(result: { readonly toBlock: number; readonly logs: number; readonly bytes: number }): void;
  failed(error: unknown): void;
}

export interface RequestStart {
  /** `eth_getLogs`, or the common method of a batch. */
  readonly method: string;
  /** Calls in the HTTP request. */
  readonly calls: number;
  /** Host and port of the endpoint, without path or credentials. */
  readonly host: string;
  readonly port: number | undefined;
}

export interface RequestResult {
  readonly responseBytes: number;
  /** JSON-RPC error code, when the answer was an error. */
  readonly errorCode?: number;
}

/** Requests to one source. */
export interface SourceTelemetry {
  /** Runs a request inside its span; counts its outcome and time. */
  request<T>(start: RequestStart, run: () => Promise<{ value: T } & RequestResult>): Promise<T>;
  /** A failed request is tried again after `waitMs`; attempts count from 1. */
  retrying?(attempt: number, waitMs: number, error: unknown): void;
}
