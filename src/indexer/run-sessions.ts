import type { ResumePoint } from "../postgres/resume.ts";
import { ReorgDetected } from "../reorg/chain-link.ts";
import type { ChainSource } from "../source/fallback-source.ts";
import { answerReorg } from "./answer-reorg.ts";
import { retried } from "./retried.ts";
import { Session, type SessionOptions, type SessionOutcome } from "./session.ts";
import type { SessionStorage } from "./session-storage.ts";

export interface RunOptions extends SessionOptions {
  readonly storage: SessionStorage;
  /** What the storage knew when it was taken. */
  readonly resume: ResumePoint;
  /** By the chain's id. */
  readonly sources: ReadonlyMap<number, ChainSource>;
  /** Called with each session before it runs. */
  readonly onSession: (session: Session) => void;
}

/**
 * Runs session after session: a reorg ends one, its rollback makes room for the next.
 * @throws what ended the last one: see Session.run and answerReorg
 */
export async function runSessions(options: RunOptions, signal: AbortSignal): Promise<SessionOutcome> {
  const { storage } = options;
  let { resume } = options;
  let before: Session | undefined;
  for (;;) {
    const session: Session = new Session(options, storage, resume, options.sources, before);
    before = session;
    options.onSession(session);
    try {
      return await session.run(signal);
    } catch (error) {
      if (!(error instanceof ReorgDetected)) throw error;
      // Everything processed is durable, and the next start finds the reorg again.
      if (signal.aborted) return "stopped";
      const startBlock = startBlockOf(session, error);
      const answered = await unlessStopped(signal, async () => {
        await answerReorg(options, { detected: error, startBlock }, signal);
        return retried(options, "the resume point", signal, () => storage.readResume());
      });
      if (answered === undefined) return "stopped";
      resume = answered;
    }
  }
}

/** Undefined: `signal` has aborted it. */
async function unlessStopped<T>(signal: AbortSignal, work: () => Promise<T>): Promise<T | undefined> {
  try {
    return await work();
  } catch (error) {
    if (signal.aborted && error === signal.reason) return undefined;
    throw error;
  }
}

function startBlockOf({ lanes }: Session, { chain }: ReorgDetected): number {
  const lane = lanes.find(({ label }) => label.id === chain.id);
  return lane?.selection.startBlock ?? 0;
}
