import type { WriteTransactionTelemetry } from "../instrument/drain-telemetry.ts";
import type { ReorgTelemetry } from "../instrument/reorg-telemetry.ts";
import type { Telemetry } from "../instrument/telemetry.ts";
import type { Clock } from "../lib/clock.ts";
import type { ReorgDetected } from "../reorg/chain-link.ts";
import { planRollback, type RollbackRequest } from "../reorg/rollback.ts";
import type { Source } from "../source/source.ts";
import { retried } from "./retried.ts";
import type { SessionStorage } from "./session-storage.ts";

export interface ReorgOptions {
  readonly storage: SessionStorage;
  /** By the chain's id. */
  readonly sources: ReadonlyMap<number, Source>;
  readonly telemetry: Telemetry;
  readonly limits: { readonly writeRetryBudgetMs: number };
  readonly clock: Clock;
}

/** A reorg, and the first block of its chain that is indexed. */
export interface FoundReorg {
  readonly detected: ReorgDetected;
  readonly startBlock: number;
}

/**
 * Answers a reorg after its session has ended, so after everything processed has become durable: finds the common
 * ancestor and takes the chain back to it.
 * @throws SpindexError REORG_TOO_DEEP, those of the source and of a write that failed
 */
export async function answerReorg(
  options: ReorgOptions,
  { detected, startBlock }: FoundReorg,
  signal: AbortSignal,
): Promise<void> {
  const { storage } = options;
  const { chain, link } = detected;
  const source = options.sources.get(chain.id) as Source;
  const left = options.telemetry.processLoop.enter("rollback");
  const reorg = options.telemetry.reorgStarted({
    chain,
    evidence: detected.message,
    foundHash: link.found.hash,
    backendPids: () => (storage.writerPid === undefined ? [] : [storage.writerPid]),
  });
  try {
    const resume = await retried(options, "the resume point", signal, () => storage.readResume());
    const durable = resume.chains.find(({ chainId }) => chainId === chain.id);
    const requests = reorg.source(source.name);
    const request =
      durable && (await planRollback(chain, { ...durable, startBlock }, link.found, source, signal, requests));
    if (request !== undefined) await rollBack(options, request, reorg, signal);
    reorg.done(request?.toBlock ?? durable?.block ?? -1);
  } catch (error) {
    reorg.failed(error);
    throw error;
  } finally {
    options.telemetry.processLoop.enter(left);
  }
}

/** The same request until it is done: its write number makes sure that it happens once. */
async function rollBack(
  options: ReorgOptions,
  request: RollbackRequest,
  reorg: ReorgTelemetry,
  signal: AbortSignal,
): Promise<void> {
  const { toBlock, fromBlock, orphaned } = request;
  const rollback = reorg.rollbackStarted({ toBlock, fromBlock, orphanedHashes: orphaned.map(({ hash }) => hash) });
  let transaction: WriteTransactionTelemetry | undefined;
  try {
    const outcome = await retried(
      options,
      "the rollback of a reorg",
      signal,
      (attempt) => {
        transaction = rollback.transaction(attempt);
        return options.storage.rollBack(request, transaction);
      },
      (error, failure) => transaction?.failed(error, failure),
    );
    transaction?.succeeded(outcome.alreadyDurable);
    rollback.done(outcome);
  } catch (error) {
    rollback.failed(error);
    throw error;
  }
}
