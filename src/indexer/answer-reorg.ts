import type { IndexerOptions } from "../indexer.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { PostgresStorage } from "../postgres/storage.ts";
import type { ReorgDetected } from "../reorg/chain-link.ts";
import { planRollback, type RollbackRequest } from "../reorg/rollback.ts";
import type { Source } from "../source/source.ts";
import { WriteFailure } from "../write/storage.ts";
import { writeError } from "../write/write-error.ts";

const BACKOFF = { firstMs: 100, maxMs: 5_000 };

/**
 * Answers a reorg after its session has ended, so after everything processed has become durable: finds the common
 * ancestor and takes the chain back to it.
 * @throws SpindexError REORG_TOO_DEEP, those of the source and of a write that failed
 */
export async function answerReorg(
  options: IndexerOptions,
  detected: ReorgDetected,
  storage: PostgresStorage,
  source: Source,
  signal: AbortSignal,
): Promise<void> {
  const { chain, link } = detected;
  const left = options.telemetry.processLoop.enter("rollback");
  const reorg = options.telemetry.reorgStarted({ chain, evidence: detected.message });
  try {
    const resume = await storage.readResume();
    const durable = resume.chains.find(({ chainId }) => chainId === chain.id);
    const requests = options.telemetry.source(chain, source.name);
    const request =
      durable === undefined ? undefined : await planRollback(chain, durable, link.found, source, signal, requests);
    if (request !== undefined) await rollBack(options, storage, request, signal);
    reorg.done({
      toBlock: request?.toBlock ?? durable?.block ?? -1,
      depth: request === undefined ? 0 : request.fromBlock - request.toBlock,
    });
  } catch (error) {
    reorg.failed(error);
    throw error;
  } finally {
    options.telemetry.processLoop.enter(left);
  }
}

/** The same request until it is done: its write number makes sure that it happens once. */
async function rollBack(
  { clock, limits }: IndexerOptions,
  storage: PostgresStorage,
  request: RollbackRequest,
  signal: AbortSignal,
): Promise<void> {
  const deadline = clock.now() + limits.writeRetryBudgetMs;
  for (let attempt = 1; ; attempt++) {
    try {
      return await storage.rollBack(request);
    } catch (error) {
      const canHelp = error instanceof WriteFailure && (error.kind === "transient" || error.kind === "outcome_unknown");
      const waitMs = backoffMs(attempt, BACKOFF, clock);
      if (!canHelp || signal.aborted || clock.now() + waitMs > deadline) {
        throw writeError(error, { place: "the rollback of a reorg", attempt, traceId: undefined });
      }
      await clock.sleep(waitMs, signal);
    }
  }
}
