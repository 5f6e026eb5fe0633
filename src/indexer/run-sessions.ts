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
  const { storage, sources } = options;
  for (
    let { resume } = options;
    ;
    resume = await retried(options, "the resume point", signal, () => storage.readResume())
  ) {
    const session = new Session(options, storage, resume, sources);
    options.onSession(session);
    try {
      return await session.run(signal);
    } catch (error) {
      if (!(error instanceof ReorgDetected)) throw error;
      // The next start finds it again.
      if (signal.aborted) return "stopped";
      await answerReorg(options, { detected: error, startBlock: startBlockOf(session, error) }, signal);
    }
  }
}

function startBlockOf({ lanes }: Session, { chain }: ReorgDetected): number {
  const lane = lanes.find(({ label }) => label.id === chain.id);
  return lane?.selection.startBlock ?? 0;
}
