import { dataAgeSeconds, isComplete } from "../instrument/status.ts";
import type { ChainStatus, Status } from "./status.ts";

/** What a probe says. */
export interface Probe {
  readonly ok: boolean;
  /** Why it is not; or, for a standby, why it does nothing. */
  readonly reasons: readonly Reason[];
}

export interface Reason {
  readonly code: string;
  readonly message: string;
  /** The chain it is about. */
  readonly chain?: string;
  readonly dataAgeSeconds?: number;
  readonly objectiveSeconds?: number;
}

/** Not alive: a fatal error has ended all work; only a restart helps. */
export function livenessOf(status: Status): Probe {
  return probeOf(failureReasons(status));
}

/**
 * Not ready: start-up goes on, or all work has ended. A standby is ready, and says that it is one: whoever replaces one
 * process by another waits for the new one before it ends the old one, which holds the shard.
 */
export function readinessOf(status: Status): Probe {
  const reasons = [...failureReasons(status)];
  if (reasons.length === 0 && status.standby !== undefined)
    return { ok: true, reasons: [standbyReason(status.standby)] };
  if (!status.ready) reasons.push({ code: "starting", message: "start-up is not over" });
  return probeOf(reasons);
}

/** Not fresh: a chain's durable data is older than its objective, or it has not reached its head yet. */
export function freshnessOf(status: Status): Probe {
  return probeOf([...failureReasons(status), ...status.chains.flatMap((chain) => stalenessOf(chain, status.at) ?? [])]);
}

function stalenessOf(chain: ChainStatus, at: number): Reason | undefined {
  if (isComplete(chain)) return undefined;
  const { name, objectiveSeconds } = chain;
  const age = dataAgeSeconds(chain, at);
  if (age === undefined) return { code: "no_data", message: "no block is durable yet", chain: name, objectiveSeconds };
  const figures = { chain: name, dataAgeSeconds: Math.round(age), objectiveSeconds };
  if (!chain.live) return { code: "backfilling", message: "the chain's head is not reached yet", ...figures };
  if (age <= objectiveSeconds) return undefined;
  return { code: "stale", message: "the newest durable block is older than the objective", ...figures };
}

function standbyReason({ holder, since }: NonNullable<Status["standby"]>): Reason {
  const by = holder === undefined ? "a process that is just starting" : holder;
  const from = since === undefined ? "" : ` since ${new Date(since).toISOString()}`;
  return { code: "standby", message: `waiting to take over: the shard is held by ${by}${from}` };
}

function failureReasons(status: Status): readonly Reason[] {
  const { failure } = status;
  return failure === undefined ? [] : [{ code: failure.code, message: failure.message }];
}

function probeOf(reasons: readonly Reason[]): Probe {
  return { ok: reasons.length === 0, reasons };
}
