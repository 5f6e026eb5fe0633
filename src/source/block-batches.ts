import type { SourceTelemetry } from "../instrument/fetch-telemetry.ts";
import type { RpcCall, RpcOutcome } from "./json-rpc.ts";
import { RequestFailure } from "./request-failure.ts";
import type { RpcClient } from "./rpc-client.ts";
import type { SourceContext } from "./source-context.ts";

/** How blocks are asked for, and what is read of them. */
export interface BlockReading<T> {
  /** With all of their transactions, not with hashes only. */
  readonly transactions: boolean;
  /** @throws RequestFailure invalid */
  readonly read: (result: unknown, number: number) => T;
  /** A fast way to read a whole answer, for blocks in the order of the calls; see Scan. */
  readonly scan?: (body: Buffer, numbers: readonly number[]) => readonly (T | undefined)[] | undefined;
  /** How many calls the node takes in one request: shrinks when it refuses, for the life of the source. */
  readonly size: { maxCalls: number };
}

/** Block number to what was read; undefined for a block that the node does not have. */
type Found<T> = Map<number, T | undefined>;

/** Blocks in the order asked, in batches that run side by side. */
export async function fetchBlocks<T>(
  numbers: readonly number[],
  reading: BlockReading<T>,
  context: SourceContext,
  signal: AbortSignal,
  telemetry: SourceTelemetry,
): Promise<readonly (T | undefined)[]> {
  const { maxCalls } = reading.size;
  const found: Found<T> = new Map();
  const asked = [...new Set(numbers)];
  const batches: (readonly number[])[] = [];
  for (let from = 0; from < asked.length; from += maxCalls) batches.push(asked.slice(from, from + maxCalls));
  // The first failure stops the other batches, and all have ended when it is passed on.
  const stop = new AbortController();
  const both = AbortSignal.any([signal, stop.signal]);
  await Promise.all(
    batches.map((batch) =>
      fetchBatch(batch, found, reading, context, both, telemetry).catch((e: unknown) => stop.abort(e)),
    ),
  );
  if (stop.signal.aborted) throw stop.signal.reason;
  return numbers.map((number) => found.get(number));
}

async function fetchBatch<T>(
  numbers: readonly number[],
  found: Found<T>,
  reading: BlockReading<T>,
  context: SourceContext,
  signal: AbortSignal,
  telemetry: SourceTelemetry,
): Promise<void> {
  const { client } = context;
  const { size } = reading;
  const work = `eth_getBlockByNumber for ${numbers.length === 1 ? "block" : `${numbers.length} blocks from`} ${numbers[0]}`;
  let left = numbers;
  let maxCalls = size.maxCalls;
  await context.persist(work, signal, telemetry, async () => {
    while (left.length > 0) {
      maxCalls = Math.min(maxCalls, size.maxCalls);
      const part = left.slice(0, maxCalls);
      const calls = part.map((number) => callOf(number, reading.transactions));
      let failure: RequestFailure | undefined;
      try {
        const read = (outcomes: readonly RpcOutcome[]) => readBlocks(part, outcomes, found, reading, client);
        const scan = (body: Buffer) => scanBlocks(part, body, found, reading);
        ({ failure } = await client.send(calls, read, signal, telemetry, scan));
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

/** Why blocks are missing, if any are. */
interface Filed {
  readonly failure: RequestFailure | undefined;
}

/** Files the blocks of an answer that is as it should be. */
function scanBlocks<T>(
  numbers: readonly number[],
  body: Buffer,
  found: Found<T>,
  { scan }: BlockReading<T>,
): Filed | undefined {
  const blocks = scan?.(body, numbers);
  blocks?.forEach((block, place) => {
    found.set(numbers[place] as number, block);
  });
  return blocks && { failure: undefined };
}

/** Files the blocks of one answer. */
function readBlocks<T>(
  numbers: readonly number[],
  outcomes: readonly RpcOutcome[],
  found: Found<T>,
  reading: BlockReading<T>,
  client: RpcClient,
): Filed {
  let failure: RequestFailure | undefined;
  outcomes.forEach((outcome, place) => {
    const number = numbers[place] as number;
    if ("error" in outcome) {
      if (NO_SUCH_BLOCK.test(outcome.error.message)) found.set(number, undefined);
      else failure ??= client.failureOf(outcome.error);
    } else {
      found.set(number, outcome.result === null ? undefined : reading.read(outcome.result, number));
    }
  });
  return { failure };
}

/** Some nodes say it with an error instead of null: Avalanche, Hyperliquid, Nethermind, Filecoin. */
const NO_SUCH_BLOCK = /(?:block|header) not found|unknown block|cannot query unfinalized data|invalid block height/i;

function callOf(number: number, transactions: boolean): RpcCall {
  return { method: "eth_getBlockByNumber", params: [`0x${number.toString(16)}`, transactions] };
}
