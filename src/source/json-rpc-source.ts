import type { BlockHeader } from "../chain/block.ts";
import { logPageOf } from "../chain/log-page.ts";
import type { SourceTelemetry } from "../instrument/fetch-telemetry.ts";
import type { Clock } from "../lib/clock.ts";
import { quantityOf } from "./answer-fields.ts";
import { endpointOf } from "./endpoint.ts";
import { headerOf } from "./header-answer.ts";
import { fetchHeaders } from "./header-batches.ts";
import { invalid, type RpcCall, type RpcOutcome } from "./json-rpc.ts";
import { fetchLogs } from "./log-query.ts";
import type { RetryOptions } from "./retry.ts";
import { createRpcClient, type RpcClient } from "./rpc-client.ts";
import type { Source } from "./source.ts";
import { createSourceContext } from "./source-context.ts";
import { createTransport } from "./transport.ts";

export interface JsonRpcSourceOptions {
  /** http(s) address of the endpoint. Its path, query and credentials are treated as secrets. */
  readonly url: string;
  /** Sent with every request; treated as secrets. */
  readonly headers: Readonly<Record<string, string>>;
  readonly timeoutMs: number;
  /** Requests under way at once. */
  readonly maxConcurrency: number;
  readonly retries: RetryOptions;
  readonly clock: Clock;
  /** Calls in one request, at most; fewer once the node refuses. Default 100. */
  readonly maxBatchCalls?: number;
  /** An answer beyond this is given up, and the query made smaller. Default 128 MiB. */
  readonly maxAnswerBytes?: number;
}

const DEFAULT_BATCH_CALLS = 100;
const DEFAULT_ANSWER_BYTES = 128 * 1024 * 1024;

/**
 * A source over one JSON-RPC endpoint. What fails is tried again within the budget, then ends in a SpindexError:
 * SOURCE_UNREACHABLE, SOURCE_ANSWER_INVALID, or SOURCE_REFUSED when asking again cannot help.
 * @throws SpindexError CONFIG_INVALID when the address is no URL
 */
export function createJsonRpcSource(options: JsonRpcSourceOptions): Source {
  const { clock, retries } = options;
  const endpoint = endpointOf(options.url, options.headers);
  const transport = createTransport({
    endpoint,
    timeoutMs: options.timeoutMs,
    connections: options.maxConcurrency,
    maxAnswerBytes: options.maxAnswerBytes ?? DEFAULT_ANSWER_BYTES,
    clock,
  });
  const client = createRpcClient(endpoint, transport, options.maxConcurrency, clock);
  const context = createSourceContext(endpoint, client, retries, clock);
  const batches = { maxCalls: options.maxBatchCalls ?? DEFAULT_BATCH_CALLS };

  function ask<T>(call: RpcCall, read: (outcome: RpcOutcome) => T, signal: AbortSignal, telemetry: SourceTelemetry) {
    const work = call.params.length === 0 ? call.method : `${call.method} of the ${call.params[0]} block`;
    return context.persist(work, signal, telemetry, () =>
      client.send([call], (outcomes) => read(outcomes[0] as RpcOutcome), signal, telemetry),
    );
  }

  return {
    name: endpoint.label,
    chainId: (signal, telemetry) =>
      ask(
        { method: "eth_chainId", params: [] },
        (outcome) => quantityOf(resultOf(outcome, client), "its result"),
        signal,
        telemetry,
      ),
    head: (signal, telemetry) =>
      ask(blockCall("latest"), (outcome) => headerOf(resultOf(outcome, client), undefined), signal, telemetry),
    finalized: (signal, telemetry) =>
      ask(blockCall("finalized"), (outcome) => finalizedOf(outcome, client), signal, telemetry),
    headers: (numbers, signal, telemetry) => fetchHeaders(numbers, context, batches, signal, telemetry),
    async logs(query, signal, telemetry) {
      // In the protocol an empty list means any address.
      if (query.addresses?.length === 0) return logPageOf([]);
      return fetchLogs(query, context, signal, telemetry);
    },
    close: () => transport.close(),
  };
}

function blockCall(tag: "latest" | "finalized"): RpcCall {
  return { method: "eth_getBlockByNumber", params: [tag, false] };
}

function resultOf(outcome: RpcOutcome, client: RpcClient): unknown {
  if ("error" in outcome) throw client.failureOf(outcome.error);
  if (outcome.result === null) throw invalid("its result is null");
  return outcome.result;
}

/** Chains without finality answer with null or with one of many errors. */
function finalizedOf(outcome: RpcOutcome, client: RpcClient): BlockHeader | undefined {
  if (!("error" in outcome)) return outcome.result === null ? undefined : headerOf(outcome.result, undefined);
  const failure = client.failureOf(outcome.error);
  if (failure.kind === "rate_limited" || outcome.error.status >= 500) throw failure;
  return undefined;
}
