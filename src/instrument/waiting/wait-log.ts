import type { Clock } from "../../lib/clock.ts";
import { idsOf } from "../instruments.ts";
import { type Logger, logEvent } from "../log.ts";
import type { Blocker } from "./backend-waits.ts";
import { isOfQueue, type ToldWait } from "./open-work.ts";

/**
 * Long waits in the log: of everything that stands still in one loop only the innermost, which is the cause, and that
 * at most every `everyMs`.
 */
export class WaitLog {
  readonly #log: Logger;
  readonly #clock: Clock;
  readonly #everyMs: number;
  /** By loop and chain. */
  readonly #lastAt = new Map<string, number>();

  constructor(log: Logger, clock: Clock, everyMs: number) {
    this.#log = log;
    this.#clock = clock;
    this.#everyMs = everyMs;
  }

  /**
   * @param problem why it is not known what sessions wait for in the database
   * @returns those that it has a line of now
   */
  lasting<T extends ToldWait>(waits: readonly T[], problem: string | undefined): readonly T[] {
    const innermost = new Map<string, T>();
    for (const wait of waits) {
      if (isOfQueue(wait.state)) continue;
      const place = placeOf(wait);
      const other = innermost.get(place);
      if (other === undefined || wait.since >= other.since) innermost.set(place, wait);
    }
    const now = this.#clock.now();
    const lines = [...innermost].filter(([place]) => now - (this.#lastAt.get(place) ?? 0) >= this.#everyMs);
    for (const [place, wait] of lines) {
      this.#lastAt.set(place, now);
      const { backend } = wait;
      logEvent(this.#log, "wait.long", {
        ...fieldsOf(wait),
        ...(backend === undefined ? {} : { waits_for: backend.event }),
        ...(backend?.blocker === undefined ? {} : { blocker: blockerOf(backend.blocker) }),
        ...(problem === undefined ? {} : { problem }),
      });
    }
    return lines.map(([, wait]) => wait);
  }

  ended(wait: ToldWait): void {
    const waitedMs = this.#clock.now() - wait.since;
    logEvent(this.#log, "wait.ended", fieldsOf({ ...wait, waitedMs }));
  }
}

function placeOf({ loop, doing }: ToldWait): string {
  return `${loop} ${doing.attributes?.["spindex.chain.name"] ?? ""}`;
}

function fieldsOf({ told, loop, state, what, waitedMs, doing }: ToldWait): Readonly<Record<string, unknown>> {
  const { attributes } = doing;
  return {
    ...idsOf(told),
    loop,
    state,
    what,
    waited_s: Math.round(waitedMs / 100) / 10,
    chain: attributes?.["spindex.chain.name"],
    batch_id: attributes?.["spindex.batch.id"],
    drain_id: attributes?.["spindex.drain.id"],
  };
}

function blockerOf({ pid, count, state, since, query, application }: Blocker): Readonly<Record<string, unknown>> {
  return { pid, state, since, query, application, sessions: count };
}
