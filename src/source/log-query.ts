import type { LogPage } from "../chain/log-page.ts";
import type { SourceTelemetry } from "../instrument/fetch-telemetry.ts";
import type { RpcCall } from "./json-rpc.ts";
import { logPageOfAnswer } from "./log-answer.ts";
import { scanLogs } from "./log-scanner.ts";
import { rangeTooLargeOf } from "./range-errors.ts";
import { RequestFailure } from "./request-failure.ts";
import type { Answered } from "./rpc-client.ts";
import { type LogQuery, RangeTooLarge } from "./source.ts";
import type { SourceContext } from "./source-context.ts";

/** A node that is silent this often on a range is asked for a smaller one. */
const TIMEOUTS_TO_SHRINK = 2;

/**
 * The logs of a query. A wish for fewer blocks is passed on, except for one block alone: there it can only be tried
 * again, within the budget.
 * @throws RangeTooLarge
 */
export function fetchLogs(
  query: LogQuery,
  context: SourceContext,
  signal: AbortSignal,
  telemetry: SourceTelemetry,
): Promise<LogPage> {
  const { client, endpoint } = context;
  const call = callOf(query);
  const canShrink = query.toBlock > query.fromBlock;
  const work = `${call.method} for blocks ${query.fromBlock} to ${query.toBlock}`;
  let timeouts = 0;

  function rangeTooLarge(failure: unknown): RangeTooLarge | undefined {
    if (!canShrink || !(failure instanceof RequestFailure)) return undefined;
    if (failure.kind === "timeout") timeouts++;
    if (failure.kind !== "too_large" && timeouts < TIMEOUTS_TO_SHRINK) return undefined;
    return new RangeTooLarge(`${endpoint.label} cannot serve ${work}: ${failure.message}`);
  }

  return context.persist(work, signal, telemetry, async () => {
    let answer: Answered<LogPage>;
    try {
      answer = await client.ask(
        call,
        (result) => logPageOfAnswer(result, query),
        signal,
        telemetry,
        (body) => scanLogs(body, query),
      );
    } catch (failure) {
      throw rangeTooLarge(failure) ?? failure;
    }
    if ("value" in answer) return answer.value;
    const { error } = answer;
    const shown = { ...error, message: endpoint.quote(error.message) };
    throw (canShrink ? rangeTooLargeOf(shown, query, endpoint.label) : undefined) ?? client.failureOf(error);
  });
}

function callOf(query: LogQuery): RpcCall {
  const filter = {
    fromBlock: `0x${query.fromBlock.toString(16)}`,
    toBlock: `0x${query.toBlock.toString(16)}`,
    ...(query.addresses === undefined ? {} : { address: query.addresses }),
    ...(query.topics.length === 0 ? {} : { topics: [query.topics] }),
  };
  return { method: "eth_getLogs", params: [filter] };
}
