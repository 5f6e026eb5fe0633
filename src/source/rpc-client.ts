import type { SourceTelemetry } from "../instrument/fetch-telemetry.ts";
import type { Clock } from "../lib/clock.ts";
import type { Endpoint } from "./endpoint.ts";
import { bodyOf, REFUSING_STATUSES, type RpcCall, type RpcError, type RpcOutcome, readAnswer } from "./json-rpc.ts";
import { Permits } from "./permits.ts";
import { saysRateLimit } from "./range-errors.ts";
import { RequestFailure } from "./request-failure.ts";
import { retryAfterMs } from "./retry.ts";
import type { Transport } from "./transport.ts";

/** JSON-RPC calls over HTTP: one attempt, no retries. */
export interface RpcClient {
  /**
   * Sends the calls in one HTTP request and gives their outcomes to `read`, in the order of the calls. `read` runs
   * within the request's span, so that an answer it refuses counts as a failed request.
   * @throws RequestFailure
   */
  send<T>(
    calls: readonly RpcCall[],
    read: (outcomes: readonly RpcOutcome[]) => T,
    signal: AbortSignal,
    telemetry: SourceTelemetry,
    scan?: Scan<T>,
  ): Promise<T>;
  /**
   * Sends one call; `read` makes the value from its result, or `scan` from the bytes of the answer.
   * @returns the value, or the error that the node answered with
   * @throws RequestFailure
   */
  ask<T>(
    call: RpcCall,
    read: (result: unknown) => T,
    signal: AbortSignal,
    telemetry: SourceTelemetry,
    scan?: Scan<T>,
  ): Promise<Answered<T>>;
  /** What an error means that is no wish for a smaller range. */
  failureOf(error: RpcError): RequestFailure;
}

/** A fast reader of a whole answer's bytes; undefined: the answer is not what it knows, and has to be parsed. */
export type Scan<T> = (body: Buffer) => T | undefined;

export type Answered<T> = { readonly value: T } | { readonly error: RpcError };

export function createRpcClient(
  endpoint: Endpoint,
  transport: Transport,
  maxConcurrency: number,
  clock: Pick<Clock, "now">,
): RpcClient {
  const permits = new Permits(maxConcurrency);
  const { host, port } = endpoint;

  function failureOf(error: RpcError): RequestFailure {
    const { code, status } = error;
    const message = `error ${code}: ${endpoint.quote(error.message)}`;
    const retryAfter = retryAfterMs(error.retryAfter, clock.now());
    if (saysRateLimit(error) || RATE_LIMIT_CODES.has(code)) {
      return new RequestFailure("rate_limited", message, { retryAfterMs: retryAfter });
    }
    const isRefused = code === METHOD_NOT_FOUND || REFUSING_STATUSES.has(status);
    return new RequestFailure(isRefused ? "refused" : "unavailable", message, { retryAfterMs: retryAfter });
  }

  /** One error for several calls: too often, not now, or not so many in one request. */
  function failureOfAll(error: RpcError): RequestFailure {
    const isBusy = saysRateLimit(error) || (error.status >= 500 && error.status !== 501);
    if (isBusy || REFUSING_STATUSES.has(error.status)) return failureOf(error);
    return new RequestFailure("batch_refused", `error ${error.code}: ${endpoint.quote(error.message)}`);
  }

  async function attempt<T>(
    calls: readonly RpcCall[],
    read: (outcomes: readonly RpcOutcome[]) => T,
    signal: AbortSignal,
    scan: Scan<T> | undefined,
  ): Promise<{ value: Answered<T>; responseBytes: number; errorCode?: number }> {
    const answer = await transport.post(bodyOf(calls), signal);
    const responseBytes = answer.body.length;
    const scanned = answer.status === 200 ? scan?.(answer.body) : undefined;
    if (scanned !== undefined) return { value: { value: scanned }, responseBytes };
    try {
      const said = readAnswer(answer, calls.length);
      if ("error" in said && calls.length > 1) {
        return { value: said, responseBytes, errorCode: said.error.code };
      }
      const outcomes = "error" in said ? [said] : said.outcomes;
      const failed = outcomes.find((outcome) => "error" in outcome);
      const value = { value: read(outcomes) };
      return { value, responseBytes, ...(failed === undefined ? {} : { errorCode: failed.error.code }) };
    } catch (error) {
      if (!(error instanceof RequestFailure)) throw error;
      // The message may quote the answer, and how long to wait stands in a header.
      const message = endpoint.quote(error.message);
      throw new RequestFailure(error.kind, message, { retryAfterMs: retryAfterMs(answer.retryAfter, clock.now()) });
    }
  }

  async function send<T>(
    calls: readonly RpcCall[],
    read: (outcomes: readonly RpcOutcome[]) => T,
    signal: AbortSignal,
    telemetry: SourceTelemetry,
    scan?: Scan<T>,
  ): Promise<T> {
    const start = { method: calls[0]?.method ?? "", calls: calls.length, host, port };
    const done = await permits.run(signal, () => telemetry.request(start, () => attempt(calls, read, signal, scan)));
    if ("error" in done) throw failureOfAll(done.error);
    return done.value;
  }

  return {
    send,
    ask: (call, read, signal, telemetry, scan) =>
      send([call], ([outcome]) => answered(outcome as RpcOutcome, read), signal, telemetry, scan && scannedBy(scan)),
    failureOf,
  };
}

function answered<T>(outcome: RpcOutcome, read: (result: unknown) => T): Answered<T> {
  return "error" in outcome ? outcome : { value: read(outcome.result) };
}

function scannedBy<T>(scan: Scan<T>): Scan<Answered<T>> {
  return (body) => {
    const value = scan(body);
    return value === undefined ? undefined : { value };
  };
}

const METHOD_NOT_FOUND = -32601;

/** Codes that mean too many requests with whatever words; -32005 is the standard's "limit exceeded". */
const RATE_LIMIT_CODES: ReadonlySet<number> = new Set([429, -32005, -32029]);
