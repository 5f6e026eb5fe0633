import type { BlockHeader } from "../chain/block.ts";
import type { SourceTelemetry } from "../instrument/fetch-telemetry.ts";
import { headerOf } from "./header-answer.ts";
import type { RpcCall, RpcOutcome } from "./json-rpc.ts";
import { RequestFailure } from "./request-failure.ts";
import type { RpcClient } from "./rpc-client.ts";
import type { SourceContext } from "./source-context.ts";

/** How many calls the node takes in one request: shrinks when it refuses, for the life of the source. */
export interface BatchSize {
  maxCalls: number;
}

/** Block number to header; undefined for a block that the node does not have. */
type Found = Map<number, BlockHeader | undefined>;

/** Headers in the order asked, in batches that run side by side. */
export async function fetchHeaders(
  numbers: readonly number[],
  context: SourceContext,
  size: BatchSize,
  signal: AbortSignal,
  telemetry: SourceTelemetry,
): Promise<readonly (BlockHeader | undefined)[]> {
  const found: Found = new Map();
  const asked = [...new Set(numbers)];
  const batches: (readonly number[])[] = [];
  for (let from = 0; from < asked.length; from += size.maxCalls) batches.push(asked.slice(from, from + size.maxCalls));
  // The first failure stops the other batches, and all have ended when it is passed on.
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  await Promise.all(
    batches.map((batch) =>
      fetchBatch(batch, found, context, size, both, telemetry).catch((e: unknown) => stop.abort(e)),
    ),
  );
  if (stop.signal.aborted) throw stop.signal.reason;
  return numbers.map((number) => found.get(number));
}

async function fetchBatch(
  numbers: readonly number[],
  found: Found,
  context: SourceContext,
  size: BatchSize,
  signal: AbortSignal,
  telemetry: SourceTelemetry,
): Promise<void> {
  const { client } = context;
  const work = `eth_getBlockByNumber for ${numbers.length === 1 ? "block" : `${numbers.length} blocks from`} ${numbers[0]}`;
  let left = numbers;
  let maxCalls = size.maxCalls;
  await context.persist(work, signal, telemetry, async () => {
    while (left.length > 0) {
      maxCalls = Math.min(maxCalls, size.maxCalls);
      const part = left.slice(0, maxCalls);
      let failure: RequestFailure | undefined;
      try {
        const read = (outcomes: readonly RpcOutcome[]) => readHeaders(part, outcomes, found, client);
        failure = await client.send(part.map(callOf), read, signal, telemetry);
      } catch (error) {
        if (!(error instanceof RequestFailure)) throw error;
        failure = error;
      }
      // What came is kept: only the rest is asked again, or a node that limits calls would never serve a whole batch.
      left = left.filter((number) => !found.has(number));
      if (failure === undefined) continue;
      const half = Math.max(1, Math.floor(part.length / 2));
      if (failure.kind === "timeout") maxCalls = half;
      const isTooMany = failure.kind === "batch_refused" || failure.kind === "too_large";
      if (!isTooMany || part.length === 1) throw failure;
      size.maxCalls = Math.min(size.maxCalls, half);
    }
  });
}

/** Files the headers of one answer. @returns why some are missing, if any are */
function readHeaders(
  numbers: readonly number[],
  outcomes: readonly RpcOutcome[],
  found: Found,
  client: RpcClient,
): RequestFailure | undefined {
  let failure: RequestFailure | undefined;
  outcomes.forEach((outcome, place) => {
    const number = numbers[place] as number;
    if ("error" in outcome) {
      if (NO_SUCH_BLOCK.test(outcome.error.message)) found.set(number, undefined);
      else failure ??= client.failureOf(outcome.error);
    } else {
      found.set(number, outcome.result === null ? undefined : headerOf(outcome.result, number));
    }
  });
  return failure;
}

/** Some nodes say it with an error instead of null: Avalanche, Hyperliquid, Nethermind, Filecoin. */
const NO_SUCH_BLOCK = /(?:block|header) not found|unknown block|cannot query unfinalized data|invalid block height/i;

function callOf(number: number): RpcCall {
  return { method: "eth_getBlockByNumber", params: [`0x${number.toString(16)}`, false] };
}
