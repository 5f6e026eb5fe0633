import type { FetchedRange } from "../batch/batch.ts";
import type { BlockHeader } from "../chain/block.ts";
import type { ChainLabel } from "../chain/chain-label.ts";
import type { ChildAddress } from "../chain/child-address.ts";
import { SpindexError } from "../errors.ts";
import type { Telemetry } from "../instrument/telemetry.ts";
import type { Clock } from "../lib/clock.ts";
import { Exclusive } from "../lib/exclusive.ts";
import type { Source } from "../source/source.ts";
import type { ChildRegistry } from "./child-registry.ts";
import type { FactoryDiscovery } from "./factory-discovery.ts";
import type { HeadTracker } from "./head-tracker.ts";
import { coverLate } from "./late-children.ts";
import type { LogSelection } from "./log-selection.ts";
import type { RangeBuffer } from "./range-buffer.ts";
import { queryRange } from "./range-query.ts";
import type { RangeSizer } from "./range-sizer.ts";

export interface ChainFetcherOptions {
  readonly chain: ChainLabel;
  readonly source: Source;
  readonly selection: LogSelection;
  /** Further addresses of the selection's contracts. */
  readonly registry: ChildRegistry;
  /** What brings them; undefined: nothing does. */
  readonly discovery: FactoryDiscovery | undefined;
  readonly head: HeadTracker;
  readonly sizer: RangeSizer;
  readonly buffer: RangeBuffer;
  /** First block to fetch. */
  readonly nextBlock: number;
  /** The newest block that is known to belong to our version of the chain. */
  readonly lastHeader: BlockHeader | undefined;
  readonly pollIntervalMs: number;
  /** Stop at the head that is seen first. */
  readonly once: boolean;
  /** Queries under way at once. */
  readonly parallel: number;
  /** Called with each range in order, before it is put into the buffer; throws to refuse it. */
  readonly checkLink: (chain: ChainLabel, before: BlockHeader | undefined, headers: readonly BlockHeader[]) => void;
  readonly telemetry: Telemetry;
  readonly clock: Clock;
}

/** While far from the head there is no use in asking for it often. */
const BACKFILL_POLL_MS = 10_000;

/** The fetch loop of one chain: keeps its buffer filled, in order, up to the head, and follows the head from there. */
export class ChainFetcher {
  readonly #o: ChainFetcherOptions;
  #next: number;
  #last: BlockHeader | undefined;
  /** The head that was seen last. */
  #newest: BlockHeader | undefined;
  /** Fetching, or a pause of it. */
  readonly #turns = new Exclusive();
  #headAskedAt = Number.NEGATIVE_INFINITY;
  #stopBlock: number;

  constructor(options: ChainFetcherOptions) {
    this.#o = options;
    this.#next = options.nextBlock;
    this.#last = options.lastHeader;
    this.#stopBlock = options.selection.endBlock;
  }

  /** The highest block fetched. */
  get fetched(): number {
    return this.#next - 1;
  }

  /**
   * Runs until the chain's last wanted block is in the buffer, or `signal` aborts.
   * @throws SpindexError of the source, or of `checkLink`
   */
  async run(signal: AbortSignal): Promise<void> {
    const { head, buffer } = this.#o;
    const wake = (): void => buffer.changed.notify();
    signal.addEventListener("abort", wake, { once: true });
    try {
      await this.#followHead(signal);
      if (this.#o.once) this.#stopBlock = Math.min(this.#stopBlock, head.target);
      while (!signal.aborted && this.#next <= this.#stopBlock) {
        const target = Math.min(head.target, this.#stopBlock);
        if (this.#next <= target) await this.#turns.run(() => this.#fetchTo(target, signal));
        else await this.#waitAtHead(signal);
      }
    } catch (error) {
      if (!signal.aborted) throw error;
    } finally {
      signal.removeEventListener("abort", wake);
    }
    if (!signal.aborted) buffer.end();
  }

  /**
   * Covers the logs of addresses that handlers have registered, from their blocks on. Meanwhile nothing else is fetched:
   * what was asked for without them has been delivered before.
   * @param children from blocks that were not taken from the buffer
   * @throws as `run`
   */
  async cover(children: readonly ChildAddress[], signal: AbortSignal): Promise<void> {
    const covered = this.#turns.run(async () => {
      await this.#o.discovery?.settle();
      await coverLate(this.#o, children, this.fetched, signal);
    });
    this.#o.buffer.changed.notify();
    await covered;
  }

  async #waitAtHead(signal: AbortSignal): Promise<void> {
    this.#o.head.reachedHead();
    this.#o.buffer.atHead(true);
    const waitMs = this.#headAskedAt + this.#o.pollIntervalMs - this.#o.clock.now();
    if (waitMs > 0) await this.#o.clock.sleep(waitMs, signal);
    if (signal.aborted) return;
    await this.#followHead(signal);
    if (this.#next <= this.#o.head.target) this.#o.buffer.atHead(false);
  }

  /** Fetches up to `target`, a few queries ahead, while the buffer has room and nobody wants a pause. */
  async #fetchTo(target: number, signal: AbortSignal): Promise<void> {
    const { buffer, sizer, parallel, discovery, head } = this.#o;
    const underWay: AsyncGenerator<FetchedRange>[] = [];
    let asked = this.#next;
    const refill = (): void => {
      while (underWay.length < parallel && asked <= target && !buffer.isFull && !this.#turns.isWanted) {
        const last = Math.min(target, asked + sizer.blocks - 1);
        const isAlone = discovery !== undefined && last > head.finalized;
        if (isAlone && underWay.length > 0) return;
        const options = { ...this.#o, newest: this.#newest, lastBlock: this.#stopBlock };
        underWay.push(eager(queryRange(options, asked, last, signal)));
        asked = last + 1;
        if (isAlone) return;
      }
    };
    for (refill(); underWay.length > 0; refill()) {
      for await (const range of underWay.shift() as AsyncGenerator<FetchedRange>) this.#deliver(range);
      if (signal.aborted) return;
      await this.#whileFull(signal);
      if (this.#o.clock.now() - this.#headAskedAt > BACKFILL_POLL_MS) await this.#followHead(signal);
    }
  }

  #deliver(range: FetchedRange): void {
    this.#o.checkLink(this.#o.chain, this.#last, range.headers);
    this.#last = range.headers.at(-1) ?? this.#last;
    this.#next = range.toBlock + 1;
    const children = this.#o.registry.deliver(range.toBlock);
    this.#o.buffer.put(children.length === 0 ? range : { ...range, children });
  }

  async #whileFull(signal: AbortSignal): Promise<void> {
    const { buffer } = this.#o;
    const isHeld = (): boolean => buffer.isFull && !this.#turns.isWanted;
    while (isHeld() && !signal.aborted) {
      const next = buffer.changed.next();
      if (isHeld()) await next;
    }
  }

  async #followHead(signal: AbortSignal): Promise<void> {
    const { source, head, telemetry, chain, clock } = this.#o;
    const requests = telemetry.source(chain, source.name);
    this.#headAskedAt = clock.now();
    const [newest, finalized] = await Promise.all([source.head(signal, requests), source.finalized(signal, requests)]);
    if (finalized !== undefined && finalized.number > newest.number) {
      throw new SpindexError(
        "SOURCE_ANSWER_INVALID",
        `${source.name}: block ${finalized.number} is final, but the head is ${newest.number}`,
        { fix: "Use another endpoint for this chain." },
      );
    }
    if (newest.number === this.#last?.number) this.#o.checkLink(chain, this.#last, [newest]);
    this.#newest = newest;
    head.observe(newest.number, finalized?.number);
  }
}

/** Starts a generator's first step now, so that queries run side by side; its values and its error come out in order. */
function eager<T>(source: AsyncGenerator<T>): AsyncGenerator<T> {
  const first = source.next();
  first.catch(() => {});
  return (async function* () {
    for (let step = await first; !step.done; step = await source.next()) yield step.value;
  })();
}
