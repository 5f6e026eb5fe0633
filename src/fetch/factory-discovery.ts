import type { EventDecoder } from "../abi/decoder.ts";
import { UndecodableLog } from "../abi/undecodable-log.ts";
import type { ChildAddress } from "../chain/child-address.ts";
import type { Address } from "../chain/hex.ts";
import type { LogPage } from "../chain/log-page.ts";
import { SpindexError } from "../errors.ts";
import type { SourceTelemetry } from "../instrument/fetch-telemetry.ts";
import { backoffMs } from "../lib/backoff.ts";
import type { Clock } from "../lib/clock.ts";
import { RangeTooLarge, type Source } from "../source/source.ts";
import type { ChildRegistry } from "./child-registry.ts";
import type { LogSelection } from "./log-selection.ts";
import type { RangeSizer } from "./range-sizer.ts";

/** An event that brings addresses; its place in a list is its route in the discovery's selection. */
export interface FactoryEvent {
  /** A handler gets it as well: then processing counts what does not decode. */
  readonly isHandled: boolean;
  readonly decoder: EventDecoder;
  /** Which contracts get which of its arguments. */
  readonly children: readonly { readonly contract: string; readonly parameter: string }[];
}

export interface FactoryDiscoveryOptions {
  readonly source: Source;
  /** The events of factories: where they count, by their routes. */
  readonly selection: LogSelection;
  readonly events: readonly FactoryEvent[];
  readonly registry: ChildRegistry;
  /** Of its own: events of factories are rare, so its ranges are wide. */
  readonly sizer: RangeSizer;
  /** The first block whose factory events are not known. */
  readonly nextBlock: number;
  readonly requests: () => SourceTelemetry;
  readonly onUndecodable: (error: UndecodableLog) => void;
  readonly clock: Clock;
}

interface ReadPage {
  readonly page: LogPage;
  /** Rows that have been looked at and counted. */
  readonly done: Set<number>;
}

/** A node that does not have the end of a range yet cannot be believed about its logs. */
const MISSING_ATTEMPTS = 5;
const MISSING_BACKOFF = { firstMs: 200, maxMs: 3_000 };

/**
 * Finds the addresses that factories bring before the logs of these addresses are asked for: reads the factories' own
 * events ahead of the fetch loop, in wide ranges, where no block can be replaced any more. Above that the fetch of a
 * range reads them itself, so that they are of the same blocks as its logs.
 */
export class FactoryDiscovery {
  readonly #o: FactoryDiscoveryOptions;
  #next: number;
  #step: Promise<void> | undefined;

  constructor(options: FactoryDiscoveryOptions) {
    this.#o = options;
    this.#next = options.nextBlock;
  }

  /** To go back to: see `forgetSince`. */
  get mark(): number {
    return this.#o.registry.mark;
  }

  /** Forgets what `read` has added since a mark: it was of other blocks. */
  forgetSince(mark: number): void {
    this.#o.registry.forgetSince(mark);
  }

  /** All factory events up to this block are known. */
  get through(): number {
    return this.#next - 1;
  }

  /**
   * Until everything up to `block` is known. Begins to read the next range when it comes near the end of what is.
   * @param limit the last block that may be read: it can no longer be replaced
   * @throws SpindexError of the source
   */
  async reach(block: number, limit: number, signal: AbortSignal): Promise<void> {
    while (this.through < Math.min(block, limit)) {
      this.#begin(limit, signal);
      await this.#step;
    }
    if (this.through < limit && this.through - block < this.#o.sizer.blocks) this.#begin(limit, signal);
  }

  /** Until nothing is under way. */
  async settle(): Promise<void> {
    await this.#step?.catch(() => {});
  }

  /**
   * Reads a range that may still be replaced, and adds what it finds.
   * @returns the pages read, to be compared with the blocks' headers; when these differ, what was added is to be forgotten
   * @throws RangeTooLarge; SpindexError of the source
   */
  async read(
    fromBlock: number,
    toBlock: number,
    signal: AbortSignal,
    requests: SourceTelemetry,
  ): Promise<readonly LogPage[]> {
    return this.#passes(this.#o.selection, fromBlock, toBlock, signal, requests);
  }

  /** A range that was given to `read` has been found to be right. */
  readThrough(block: number): void {
    this.#next = Math.max(this.#next, block + 1);
  }

  /** Addresses that have become factories late: what they have brought from their blocks on is added. */
  async catchUp(factories: readonly ChildAddress[], signal: AbortSignal): Promise<void> {
    const selection = this.#o.selection.of(factories);
    const requests = this.#o.requests();
    if (selection.queries(0, this.through).length === 0) return;
    for (let from = Math.min(...factories.map(({ block }) => block)); from <= this.through; ) {
      from = (await this.#range(selection, from, this.through, signal, requests)) + 1;
    }
  }

  #begin(limit: number, signal: AbortSignal): void {
    const { selection } = this.#o;
    this.#step ??= this.#range(selection, this.#next, limit, signal, this.#o.requests())
      .then((last) => this.readThrough(last))
      .finally(() => {
        this.#step = undefined;
      });
    // Whoever waits for it gets the error; when nobody does yet, the next one tries again.
    this.#step.catch(() => {});
  }

  /** Reads as wide a range as the node allows. @returns its last block */
  async #range(
    selection: LogSelection,
    from: number,
    limit: number,
    signal: AbortSignal,
    requests: SourceTelemetry,
  ): Promise<number> {
    const { sizer } = this.#o;
    for (let last = Math.min(limit, from + sizer.blocks - 1); ; ) {
      try {
        const pages = await this.#passes(selection, from, last, signal, requests);
        await this.#requireBlock(last, signal, requests);
        const logs = pages.reduce((sum, { count }) => sum + count, 0);
        sizer.answered(last - from + 1, logs);
        return last;
      } catch (error) {
        if (!(error instanceof RangeTooLarge) || last === from) throw error;
        const suggested = error.suggestedToBlock;
        last = from + sizer.refused(last - from + 1, suggested === undefined ? undefined : suggested - from + 1) - 1;
      }
    }
  }

  /** Each pass asks the factories that the one before it has found: one pass when factories have no factories. */
  async #passes(
    selection: LogSelection,
    from: number,
    to: number,
    signal: AbortSignal,
    requests: SourceTelemetry,
  ): Promise<readonly LogPage[]> {
    const { source, registry } = this.#o;
    const read: ReadPage[] = [];
    for (let asked = selection; ; ) {
      const mark = registry.mark;
      const anywhere = asked.askedAnywhere(to);
      for (const query of asked.queries(from, to)) {
        read.push({ page: await source.logs(query, signal, requests), done: new Set() });
      }
      while (read.some((page) => this.#addAll(page)));
      asked = this.#o.selection.of(registry.since(mark).filter(({ contract }) => !anywhere.has(contract)));
      if (asked.queries(from, to).length === 0) return read.map(({ page }) => page);
    }
  }

  /** @returns whether any of it is new: then other logs may count that did not before */
  #addAll({ page, done }: ReadPage): boolean {
    const { selection, events, registry, onUndecodable } = this.#o;
    const { rows, routes } = selection.route(page);
    let isNew = false;
    rows.forEach((row, i) => {
      if (done.has(row)) return;
      done.add(row);
      const { decoder, children, isHandled } = events[routes[i] as number] as FactoryEvent;
      try {
        const args = decoder.decode(page, row);
        const block = page.blockNumber[row] as number;
        for (const { contract, parameter } of children) {
          const added = registry.add({ contract, address: args[parameter] as Address, block });
          isNew ||= added;
        }
      } catch (error) {
        if (!(error instanceof UndecodableLog)) throw error;
        if (!isHandled) onUndecodable(error);
      }
    });
    return isNew;
  }

  async #requireBlock(block: number, signal: AbortSignal, requests: SourceTelemetry): Promise<void> {
    const { source, clock } = this.#o;
    for (let attempt = 1; ; attempt++) {
      const [header] = await source.headers([block], signal, requests);
      if (header !== undefined) return;
      if (attempt === MISSING_ATTEMPTS || signal.aborted) {
        const fix = "Use another endpoint for this chain, or see whether the node is in sync.";
        throw new SpindexError("SOURCE_ANSWER_INVALID", `${source.name} has no block ${block}, though it is final`, {
          fix,
        });
      }
      await clock.sleep(backoffMs(attempt, MISSING_BACKOFF, clock), signal);
    }
  }
}
