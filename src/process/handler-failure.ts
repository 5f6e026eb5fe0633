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

/** Nothing that was begun is waited for any more: the process is ending, and the handlers do not go on. */
export function cancel({ store, effects }: Pick<Begun, "store" | "effects">): void {
  effects.cancel();
  store.reads.cancel();
}

/**
 * Lets reads and effects end, so that they cannot meet the next event.
 * @param isFatal there is no next event: they are cancelled
 */
export async function settle(begun: Begun, isFatal: boolean): Promise<void> {
  const { store, effects, clock } = begun;
  if (isFatal) cancel(begun);
  await effects.settle();
  while (store.reads.pending > 0) await clock.turn();
}

/** @throws SpindexError READ_PENDING: the handler has begun what it has not awaited */
export function requireNothingPending(begun: Begun, handler: string): void {
  if (!isPending(begun)) return;
  const what = begun.store.reads.pending > 0 ? "a read" : "an effect";
  throw new SpindexError("READ_PENDING", `${what} was still pending when the handler of ${handler} returned`, {
    fix: "Await every get, getOrThrow, getOrCreate, update and effect.",
  });
}
