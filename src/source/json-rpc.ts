import { isRecord, shown } from "./answer-fields.ts";
import { invalid, RequestFailure } from "./request-failure.ts";
import type { HttpAnswer } from "./transport.ts";

export interface RpcCall {
  readonly method: string;
  readonly params: readonly unknown[];
}

/** What a node said instead of a result. */
export interface RpcError {
  readonly code: number;
  readonly message: string;
  readonly data: unknown;
  /** HTTP status of the answer. */
  readonly status: number;
  /** The header `Retry-After` of the answer. */
  readonly retryAfter: string | undefined;
}

export type RpcOutcome = { readonly result: unknown } | { readonly error: RpcError };

/** The outcomes in the order of the calls, or one error for all of them. */
export type RpcAnswer = { readonly outcomes: readonly RpcOutcome[] } | { readonly error: RpcError };

/** The body of a request: one call by itself, several as a batch. Ids are places in the list, from 1. */
export function bodyOf(calls: readonly RpcCall[]): string {
  const envelopes = calls.map((call, place) => ({ jsonrpc: "2.0", id: place + 1, ...call }));
  return JSON.stringify(envelopes.length === 1 ? envelopes[0] : envelopes);
}

/**
 * Reads an answer to `count` calls; those of a batch may come in any order.
 * @throws RequestFailure invalid, or what the HTTP status means when the body is no JSON-RPC
 */
export function readAnswer(answer: HttpAnswer, count: number): RpcAnswer {
  const body = parse(answer.body);
  const error = wholeErrorOf(body, answer, count);
  if (error !== undefined) return { error };
  if (answer.status < 200 || answer.status > 299) throw failureOfStatus(answer, count);
  if (answer.body.length === 0) throw invalid("its answer is empty");
  if (body === undefined) throw invalid("its answer is not JSON", answer.excerpt());
  if (count > 1 && !Array.isArray(body)) throw invalid("its answer to a batch is not a list", answer.excerpt());
  const envelopes: readonly unknown[] = count === 1 ? [body] : (body as unknown[]);
  return { outcomes: outcomesOf(envelopes, answer, count) };
}

function outcomesOf(envelopes: readonly unknown[], answer: HttpAnswer, count: number): readonly RpcOutcome[] {
  const outcomes = new Array<RpcOutcome | undefined>(count).fill(undefined);
  for (const envelope of envelopes) {
    if (!isRecord(envelope)) throw invalid("its answer is not a JSON-RPC object", answer.excerpt());
    const place = typeof envelope.id === "number" ? envelope.id - 1 : -1;
    if (!(place in outcomes)) {
      throw invalid(`its answer has the id ${shown(envelope.id)}, which no call has`, answer.excerpt());
    }
    if (outcomes[place] !== undefined) throw invalid(`two answers have the id ${place + 1}`, answer.excerpt());
    const error = errorOf(envelope, answer);
    if (error === undefined && envelope.result === undefined) {
      throw invalid("its answer has neither result nor error", answer.excerpt());
    }
    outcomes[place] = error === undefined ? { result: envelope.result } : { error };
  }
  const missing = outcomes.indexOf(undefined);
  if (missing >= 0) throw invalid(`${count} calls were sent and no answer has the id ${missing + 1}`, answer.excerpt());
  return outcomes as RpcOutcome[];
}

/** An error that is about the request as a whole: alone where a batch was sent, or without the id of a call. */
function wholeErrorOf(body: unknown, answer: HttpAnswer, count: number): RpcError | undefined {
  // Some nodes put the one error of a refused batch in a list.
  const envelope = Array.isArray(body) && body.length === 1 && count > 1 ? body[0] : body;
  if (!isRecord(envelope)) return undefined;
  const isOfNoCall = envelope.id === null || envelope.id === undefined;
  const isAlone = count > 1 || answer.status < 200 || answer.status > 299 || isOfNoCall;
  return isAlone ? errorOf(envelope, answer) : undefined;
}

function errorOf(envelope: Readonly<Record<string, unknown>>, answer: HttpAnswer): RpcError | undefined {
  const { error } = envelope;
  if (error === null || error === undefined) return undefined;
  const { status, retryAfter } = answer;
  if (!isRecord(error)) return { code: 0, message: String(error), data: undefined, status, retryAfter };
  const code = typeof error.code === "number" ? error.code : Number.parseInt(String(error.code), 10) || 0;
  const message = typeof error.message === "string" ? error.message : JSON.stringify(error);
  return { code, message, data: error.data, status, retryAfter };
}

function failureOfStatus(answer: HttpAnswer, count: number): RequestFailure {
  const { status } = answer;
  const said = answer.body.length === 0 ? "" : `: ${answer.excerpt()}`;
  const message = `HTTP status ${status}${said}`;
  if (status === 429) return new RequestFailure("rate_limited", message);
  if (status === 413) return new RequestFailure("too_large", message);
  if (REFUSING_STATUSES.has(status)) return new RequestFailure("refused", message);
  return new RequestFailure(status === 400 && count > 1 ? "batch_refused" : "unavailable", message);
}

/** No access, or nothing there: only another address or key helps. */
export const REFUSING_STATUSES: ReadonlySet<number> = new Set([401, 402, 403, 404, 405]);

function parse(body: Buffer): unknown {
  try {
    return JSON.parse(body.toString("utf8"));
  } catch {
    return undefined;
  }
}
