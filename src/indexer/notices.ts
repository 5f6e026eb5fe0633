import { type Logger, logEvent } from "../instrument/log.ts";
import type { ChainStatus, Status } from "../instrument/status.ts";

/** A head that has not moved for so many times the freshness objective stands still. */
const STALLED_OBJECTIVES = 2;

/** Log lines about what has changed between two looks at the status: each thing once, until it changes back. */
export class Notices {
  readonly #log: Logger;
  readonly #live = new Map<number, boolean>();
  readonly #stalled = new Set<number>();
  /** Looks at which a source was failing, one after the other. */
  readonly #failing = new Map<string, number>();

  constructor(log: Logger) {
    this.#log = log;
  }

  look({ chains, at }: Status): void {
    for (const chain of chains) {
      this.#lookAtHead(chain, at);
      this.#lookAtSources(chain);
    }
  }

  #lookAtHead(chain: ChainStatus, at: number): void {
    const { id, name, head, headSeenAt, objectiveSeconds } = chain;
    if (chain.live && this.#live.get(id) === false) logEvent(this.#log, "chain.live", { chain: name, block: head });
    this.#live.set(id, chain.live);
    const seconds = headSeenAt === undefined ? 0 : (at - headSeenAt) / 1000;
    if (seconds <= STALLED_OBJECTIVES * objectiveSeconds) this.#stalled.delete(id);
    else if (!this.#stalled.has(id)) {
      this.#stalled.add(id);
      logEvent(this.#log, "chain.head_stalled", { chain: name, head, duration_ms: Math.round(seconds * 1000) });
    }
  }

  /** A source that fails once and answers at the second try is no news: that is what `fetch.retry` tells. */
  #lookAtSources({ name, sources }: ChainStatus): void {
    for (const source of sources) {
      const key = `${name} ${source.name}`;
      const looks = source.state === "failing" ? (this.#failing.get(key) ?? 0) + 1 : 0;
      this.#failing.set(key, looks);
      if (looks !== 2) continue;
      logEvent(this.#log, "source.failing", { chain: name, source: source.name, error: source.error });
    }
  }
}
