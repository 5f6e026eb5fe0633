import type { BatchTelemetry, EffectCallTelemetry } from "../../src/instrument/batch-telemetry.ts";
import type { DrainTelemetry, WriteTransactionTelemetry } from "../../src/instrument/drain-telemetry.ts";
import type { FetchTelemetry, SourceTelemetry } from "../../src/instrument/fetch-telemetry.ts";
import { createLog } from "../../src/instrument/log.ts";
import { LoopAccount } from "../../src/instrument/loop-account.ts";
import { MUTED_HANDLERS } from "../../src/instrument/muted-handlers.ts";
import { LOOP_STATES } from "../../src/instrument/names.ts";
import type { ReorgTelemetry } from "../../src/instrument/reorg-telemetry.ts";
import type { Telemetry } from "../../src/instrument/telemetry.ts";
import type { Clock } from "../../src/lib/clock.ts";

const log = createLog({ level: "silent", format: "json", destination: { write: () => {} } });

const silentEffect: EffectCallTelemetry = { traceHeaders: () => ({}), ended: () => {} };

export const silentBatch: BatchTelemetry = {
  processing: () => {},
  handlers: () => MUTED_HANDLERS,
  processed: () => {},
  effectAsked: () => silentEffect,
  handlerFailed: () => {},
  committed: () => {},
  abandoned: () => {},
};

export const silentTransaction: WriteTransactionTelemetry = {
  traceId: undefined,
  began: () => {},
  statement: (_, run) => run(),
  commit: (run) => run(),
  succeeded: () => {},
  failed: () => {},
};

const silentSource: SourceTelemetry = { request: async (_, run) => (await run()).value };

const drain: DrainTelemetry = {
  origin: undefined,
  traceId: undefined,
  rawEventsEncoded: () => {},
  transaction: () => silentTransaction,
  blockDurable: () => {},
  durable: () => {},
  failed: () => {},
};

const fetch: FetchTelemetry = {
  origin: undefined,
  source: () => silentSource,
  rangeShrunk: () => {},
  retrying: () => {},
  done: () => {},
  failed: () => {},
};

const silentReorg: ReorgTelemetry = {
  source: () => silentSource,
  rollbackStarted: () => ({ transaction: () => silentTransaction, done: () => {}, failed: () => {} }),
  done: () => {},
  failed: () => {},
};

/** A telemetry that keeps nothing. */
export function silentTelemetry(clock: Clock): Telemetry {
  return {
    log,
    processLoop: new LoopAccount(clock, LOOP_STATES.process, "other"),
    writeLoop: new LoopAccount(clock, LOOP_STATES.write, "idle"),
    fetchStarted: () => fetch,
    source: () => silentSource,
    batchStarted: () => silentBatch,
    drainStarted: () => drain,
    metadataWriteStarted: () => silentTransaction,
    pruneStarted: () => ({ transaction: silentTransaction, done: () => {}, failed: () => {} }),
    flushStarted: () => ({ done: () => {}, failed: () => {} }),
    reorgStarted: () => silentReorg,
    phase: () => ({ set: () => {}, done: () => {} }),
    waiting: () => ({ end: () => {} }),
    readWaited: () => {},
  };
}
