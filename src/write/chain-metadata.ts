/** What is known of a chain beside its rows. It holds no position: where to go on travels with the rows only. */
export interface ChainMetadata {
  readonly chainId: number;
  /** Highest validated block of the chain. */
  readonly head: number;
  /** The head was once reached, and everything up to it is durable. */
  readonly live: boolean;
  /** Each source of the chain, in the order of the configuration. */
  readonly sources: readonly SourceState[];
}

export interface SourceState {
  /** The endpoint's host. */
  readonly name: string;
  readonly state: "ok" | "failing";
}

/** What the chains look like at this moment; those of which nothing is known yet are left out. Cheap, never throws. */
export type ChainMetadataSource = () => readonly ChainMetadata[];

/** How long a change may wait to be written alone. */
const LIVE_MS = 1_000;
const BACKFILL_MS = 10_000;

/**
 * Says when chain metadata is to be written alone: when it differs from what is written, and no sooner than a second
 * after the last write when a chain is live, ten seconds in the backfill. A run takes it along at any time.
 */
export class MetadataSchedule {
  readonly #source: ChainMetadataSource;
  #written: readonly ChainMetadata[] = [];
  #writtenAt = Number.NEGATIVE_INFINITY;
  #notBefore = Number.NEGATIVE_INFINITY;

  constructor(source: ChainMetadataSource) {
    this.#source = source;
  }

  /** What is to be written now: everything, whether it has changed or not. */
  snapshot(): readonly ChainMetadata[] {
    return this.#source();
  }

  /** What is to be written alone at `now`; undefined: nothing, or not yet. */
  due(now: number): readonly ChainMetadata[] | undefined {
    if (now < this.#nextAt) return undefined;
    const chains = this.#source();
    return isSameMetadata(chains, this.#written) ? undefined : chains;
  }

  /** When to ask again after `now`, even if nothing tells to. */
  askAgainAt(now: number): number {
    return this.#nextAt > now ? this.#nextAt : now + this.#everyMs;
  }

  /** These are durable, written alone or with a run. */
  written(chains: readonly ChainMetadata[], at: number): void {
    this.#written = chains;
    this.#writtenAt = at;
  }

  /** The last attempt has failed: none before `at`. */
  postpone(at: number): void {
    this.#notBefore = at;
  }

  get #nextAt(): number {
    return Math.max(this.#notBefore, this.#writtenAt + this.#everyMs);
  }

  get #everyMs(): number {
    return this.#source().some(({ live }) => live) ? LIVE_MS : BACKFILL_MS;
  }
}

/** Whether two lists say the same, value by value. */
function isSameMetadata(a: readonly ChainMetadata[], b: readonly ChainMetadata[]): boolean {
  return isSameList(
    a,
    b,
    (one, other) =>
      one.chainId === other.chainId &&
      one.head === other.head &&
      one.live === other.live &&
      isSameList(one.sources, other.sources, (x, y) => x.name === y.name && x.state === y.state),
  );
}

function isSameList<T>(a: readonly T[], b: readonly T[], isSame: (one: T, other: T) => boolean): boolean {
  return a.length === b.length && a.every((one, at) => isSame(one, b[at] as T));
}
