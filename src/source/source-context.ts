import { SpindexError } from "../errors.ts";
import type { SourceTelemetry } from "../instrument/fetch-telemetry.ts";
import type { Clock } from "../lib/clock.ts";
import type { Endpoint } from "./endpoint.ts";
import type { RequestFailure } from "./request-failure.ts";
import { type RetryOptions, withRetries } from "./retry.ts";
import type { RpcClient } from "./rpc-client.ts";

/** What the parts of the source work with. */
export interface SourceContext {
  readonly client: RpcClient;
  readonly endpoint: Endpoint;
  /** Runs attempts of one piece of work, named like `eth_getLogs for blocks 1 to 9`, until the budget is spent. */
  persist<T>(work: string, signal: AbortSignal, telemetry: SourceTelemetry, attempt: () => Promise<T>): Promise<T>;
}

export function createSourceContext(
  endpoint: Endpoint,
  client: RpcClient,
  retries: RetryOptions,
  clock: Clock,
): SourceContext {
  return {
    client,
    endpoint,
    persist: (work, signal, telemetry, attempt) =>
      withRetries(
        {
          retries,
          clock,
          signal,
          retrying: (attempts, waitMs, failure) => telemetry.retrying?.(attempts, waitMs, failure),
          giveUp: (failure, attempts, elapsedMs) => finalErrorOf(failure, endpoint, work, attempts, elapsedMs),
        },
        attempt,
      ),
  };
}

/** The error that ends the retries: it names the host, the work, what was said last, and what can be done. */
function finalErrorOf(
  failure: RequestFailure,
  endpoint: Endpoint,
  work: string,
  attempts: number,
  elapsedMs: number,
): SpindexError {
  const tries = attempts === 1 ? "1 attempt" : `${attempts} attempts in ${Math.round(elapsedMs / 1000)} s`;
  const details = { host: endpoint.label, work, attempts, failure: failure.kind };
  const options = { cause: failure, details };
  switch (failure.kind) {
    case "invalid":
      return new SpindexError(
        "SOURCE_ANSWER_INVALID",
        `${endpoint.label} gave an invalid answer to ${work} (${tries}): ${failure.message}`,
        {
          ...options,
          fix: "Check that the address is a JSON-RPC endpoint of this chain and its node is healthy, or use another one.",
        },
      );
    case "refused":
      return new SpindexError("SOURCE_REFUSED", `${endpoint.label} refuses ${work}: ${failure.message}`, {
        ...options,
        fix: "Check the address, the key and the plan of the endpoint, or use another one.",
      });
    case "rate_limited":
      return new SpindexError(
        "SOURCE_UNREACHABLE",
        `${endpoint.label} limits the rate of requests and did not serve ${work} (${tries}); last: ${failure.message}`,
        { ...options, fix: "Lower maxConcurrency of the source, or use an endpoint or a plan with a higher limit." },
      );
    default:
      return new SpindexError(
        "SOURCE_UNREACHABLE",
        `${endpoint.label} did not serve ${work} (${tries}); last: ${failure.message}`,
        {
          ...options,
          fix: "Check that the endpoint runs and can be reached from here, or use another one; then start again.",
        },
      );
  }
}
