import type { BlockDetails, BlockHeader } from "../chain/block.ts";
import type { FieldSelection } from "../chain/fields.ts";
import { logPageOf } from "../chain/log-page.ts";
import type { SourceTelemetry } from "../instrument/fetch-telemetry.ts";
import type { Clock } from "../lib/clock.ts";
import { quantityOf } from "./answer-fields.ts";
import { type BlockReading, fetchBlocks } from "./block-batches.ts";
import { detailsOf } from "./details-answer.ts";
import { endpointOf } from "./endpoint.ts";
import { headerOf } from "./header-answer.ts";
import { scanHeaders } from "./header-scanner.ts";
import type { RpcCall, RpcError } from "./json-rpc.ts";
import { fetchLogs } from "./log-query.ts";
import type { RetryOptions } from "./retry.ts";
import { createRpcClient } from "./rpc-client.ts";
import type { BlockQuery, Source } from "./source.ts";
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

const CHAIN_ID: RpcCall = { method: "eth_chainId", params: [] };
const LATEST: RpcCall = { method: "eth_getBlockByNumber", params: ["latest", false] };
const FINALIZED: RpcCall = { method: "eth_getBlockByNumber", params: ["finalized", false] };

const DEFAULT_BATCH_CALLS = 100;
/** Blocks with their transactions are large: a hundred of them would make one answer of tens of MiB. */
const FULL_BLOCK_CALLS = 10;
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
  const size = { maxCalls: options.maxBatchCalls ?? DEFAULT_BATCH_CALLS };
  const fullSize = { maxCalls: Math.min(FULL_BLOCK_CALLS, size.maxCalls) };
  const headers: BlockReading<BlockHeader> = { transactions: false, read: headerOf, scan: scanHeaders, size };

  /** One call, until it succeeds; `orElse` says what an error of the node means. */
  function ask<T>(
    call: RpcCall,
    read: (result: unknown) => T,
    signal: AbortSignal,
    telemetry: SourceTelemetry,
    orElse: (error: RpcError) => T = (error) => {
      throw client.failureOf(error);
    },
  ): Promise<T> {
    const work = call.params.length === 0 ? call.method : `${call.method} of the ${call.params[0]} block`;
    return context.persist(work, signal, telemetry, async () => {
      const answer = await client.ask(call, read, signal, telemetry);
      return "error" in answer ? orElse(answer.error) : answer.value;
    });
  }

  function fetchDetails(
    queries: readonly BlockQuery[],
    fields: FieldSelection,
    transactions: boolean,
    signal: AbortSignal,
    telemetry: SourceTelemetry,
  ): Promise<readonly (BlockDetails | undefined)[]> {
    const indexes = new Map(queries.map((query) => [query.number, query.transactions]));
    const reading: BlockReading<BlockDetails> = {
      transactions,
      read: (result, number) => detailsOf(result, number, indexes.get(number) ?? [], fields),
      size: transactions ? fullSize : size,
    };
    return fetchBlocks([...indexes.keys()], reading, context, signal, telemetry);
  }

  /** Chains without finality answer with null or with one of many errors. */
  function notFinalized(error: RpcError): undefined {
    const failure = client.failureOf(error);
    if (failure.kind === "rate_limited" || error.status >= 500) throw failure;
  }

  return {
    name: endpoint.label,
    chainId: (signal, telemetry) => ask(CHAIN_ID, chainIdOf, signal, telemetry),
    head: (signal, telemetry) => ask(LATEST, (result) => headerOf(result, undefined), signal, telemetry),
    finalized: (signal, telemetry) => ask(FINALIZED, finalizedOf, signal, telemetry, notFinalized),
    headers: (numbers, signal, telemetry) => fetchBlocks(numbers, headers, context, signal, telemetry),
    async blocks(queries, fields, signal, telemetry) {
      const light = queries.filter((query) => query.transactions.length === 0);
      const full = queries.filter((query) => query.transactions.length > 0);
      const blocks = [
        ...(await fetchDetails(light, fields, false, signal, telemetry)),
        ...(await fetchDetails(full, fields, true, signal, telemetry)),
      ];
      const found = new Map(blocks.map((details) => [details?.header.number, details]));
      return queries.map((query) => found.get(query.number));
    },
    async logs(query, signal, telemetry) {
      // In the protocol an empty list means any address.
      if (query.addresses?.length === 0) return logPageOf([]);
      return fetchLogs(query, context, signal, telemetry);
    },
    close: () => transport.close(),
  };
}

function chainIdOf(result: unknown): number {
  return quantityOf(result, Number.MAX_SAFE_INTEGER, "its result");
}

function finalizedOf(result: unknown): BlockHeader | undefined {
  return result === null ? undefined : headerOf(result, undefined);
}
