import { type Logger, logEvent } from "../instrument/log.ts";
import type { ChainStatus, Status } from "../instrument/status.ts";
import type { Telemetry } from "../instrument/telemetry.ts";
import type { Clock } from "../lib/clock.ts";
import { Notices } from "./notices.ts";

const LOOK_MS = 1_000;
const EVERY_MS = 10_000;

/** What is looked at: the moment, and the time of each loop by state since the start. */
export interface Watched extends Pick<Telemetry, "processLoop" | "writeLoop"> {
  readonly log: Logger;
  readonly status: () => Status;
}

interface Look {
  readonly status: Status;
  readonly process: ReadonlyMap<string, number>;
  readonly write: ReadonlyMap<string, number>;
}

/**
 * One line every 10 s: how far each chain is, how fast, and what the loops spend their time on. In between, one for each
 * thing that has changed and that a person would like to know. Until `signal` aborts.
 */
export async function logProgress(watched: Watched, clock: Clock, signal: AbortSignal): Promise<void> {
  const notices = new Notices(watched.log);
  let before = look(watched);
  while (!signal.aborted) {
    await clock.sleep(LOOK_MS, signal);
    if (signal.aborted) return;
    const status = watched.status();
    notices.look(status);
    if (status.at < before.status.at + EVERY_MS) continue;
    const now = look(watched);
    // A standby makes none.
    if (status.standby === undefined) logEvent(watched.log, "progress", progressOf(before, now));
    before = now;
  }
}

function look({ status, processLoop, writeLoop }: Watched): Look {
  return { status: status(), process: new Map(processLoop.seconds()), write: new Map(writeLoop.seconds()) };
}

function progressOf(before: Look, { status, process, write }: Look): Readonly<Record<string, unknown>> {
  const seconds = (status.at - before.status.at) / 1000;
  const rate = (now: number, then: number): number => Math.round(Math.max(0, now - then) / seconds);
  const blocksOf = ({ id }: ChainStatus): number =>
    before.status.chains.find((chain) => chain.id === id)?.processed ?? Number.POSITIVE_INFINITY;
  return {
    events_per_second: rate(status.eventsProcessed, before.status.eventsProcessed),
    processed_checkpoint: status.checkpoints.processed,
    committed_checkpoint: status.checkpoints.committed,
    uncommitted_batches: status.queue.batches,
    uncommitted_changes: status.queue.changes,
    uncommitted_bytes: status.queue.bytes,
    process_loop: status.processLoop,
    process_loop_shares: shares(before.process, process),
    write_loop: status.writeLoop,
    write_loop_shares: shares(before.write, write),
    chains: Object.fromEntries(
      status.chains.map((chain) => [
        chain.name,
        {
          head: chain.head,
          fetched: chain.fetched,
          processed: chain.processed,
          committed: chain.committed,
          live: chain.live,
          lag_seconds: chain.commitLagSeconds && Math.round(chain.commitLagSeconds),
          blocks_per_second: rate(chain.processed ?? 0, blocksOf(chain)),
        },
      ]),
    ),
  };
}

/** The share of the time that each state has had, in hundredths; those that had none are left out. */
function shares(before: ReadonlyMap<string, number>, now: ReadonlyMap<string, number>): Record<string, number> {
  const spent = [...now].map(([state, seconds]) => [state, seconds - (before.get(state) ?? 0)] as const);
  const total = spent.reduce((sum, [, seconds]) => sum + seconds, 0);
  const rounded = spent.map(([state, seconds]) => [state, total === 0 ? 0 : Math.round((100 * seconds) / total) / 100]);
  return Object.fromEntries(rounded.filter(([, share]) => share !== 0));
}
