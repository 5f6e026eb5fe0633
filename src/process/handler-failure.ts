import { messageOf, SpindexError } from "../errors.ts";
import type { HandlerCall } from "../instrument/batch-telemetry.ts";
import type { Clock } from "../lib/clock.ts";
import type { Store } from "../store/store.ts";
import type { EffectCalls } from "./effect-calls.ts";

/** Errors of ours that no handler can be blamed for: the storage is away, or an impossible state. Never skipped. */
export function isOfHandler(error: unknown): error is Exclude<unknown, SpindexError> {
  return !(error instanceof SpindexError) || (error.reaction !== "retry" && error.code !== "INTERNAL");
}

export function handlerError(call: HandlerCall): SpindexError {
  const place = `block ${call.block}, log ${call.logIndex}, transaction ${call.transactionHash}`;
  return new SpindexError(
    "HANDLER_FAILED",
    `the handler of ${call.handler} threw at ${place} of ${call.chain.name}: ${messageOf(call.error)}`,
    {
      cause: call.error,
      fix: `${fixOf(call.error)}Mend the handler and start again: everything before this block is durable.`,
      details: {
        handler: call.handler,
        chain: call.chain.name,
        block: call.block,
        logIndex: call.logIndex,
        transactionHash: call.transactionHash,
      },
    },
  );
}

/** An error of ours says by itself what to do. */
function fixOf(error: unknown): string {
  return error instanceof SpindexError && error.fix !== undefined ? `${error.fix} ` : "";
}

/** What handlers may have begun and not awaited. */
export interface Begun {
  readonly store: Store;
  readonly effects: EffectCalls;
  readonly clock: Clock;
}

export function isPending({ store, effects }: Begun): boolean {
  return store.reads.pending > 0 || effects.pending > 0;
}

/** Lets reads and effects end, so that they cannot meet the next event. */
export async function settle({ store, effects, clock }: Begun): Promise<void> {
  await effects.settle();
  while (store.reads.pending > 0) await clock.turn();
}

/** Lets what is pending end, and then says what is wrong. */
export async function refusePending(begun: Begun, handler: string): Promise<never> {
  const what = begun.store.reads.pending > 0 ? "a read" : "an effect";
  await settle(begun);
  throw new SpindexError("READ_PENDING", `${what} was still pending when the handler of ${handler} returned`, {
    fix: "Await every get, getOrThrow, getOrCreate, update and effect.",
  });
}
