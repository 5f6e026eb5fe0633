import { messageOf, SpindexError } from "../errors.ts";
import type { HandlerCall } from "../instrument/batch-telemetry.ts";
import type { Clock } from "../lib/clock.ts";
import type { Store } from "../store/store.ts";

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

/** Lets the pending read end, so that it cannot meet the next event, and then says what is wrong. */
export async function refusePendingRead(store: Store, clock: Clock, handler: string): Promise<never> {
  while (store.reads.pending > 0) await clock.turn();
  throw new SpindexError("READ_PENDING", `a read was still pending when the handler of ${handler} returned`, {
    fix: "Await every get, getOrThrow, getOrCreate and update.",
  });
}
