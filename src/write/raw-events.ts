import type { BatchSlice } from "../batch/batch.ts";
import type { LogPage } from "../chain/log-page.ts";
import { assert } from "../errors.ts";
import { ByteWriter, NO_ROWS } from "../lib/byte-writer.ts";
import type { Clock } from "../lib/clock.ts";
import { storedText } from "../lib/stored-text.ts";
import type { DrainRun } from "../store/drain-run.ts";

/** What a handler was given of a log. */
export interface HandledLog {
  readonly contract: string;
  readonly event: string;
  readonly address: string;
  readonly transactionHash: string;
  readonly args: Readonly<Record<string, unknown>>;
}

/** A row of the table `raw_events`. */
export interface RawEventRow extends Omit<HandledLog, "args"> {
  readonly chainId: number;
  readonly block: number;
  readonly logIndex: number;
  /** Unix seconds. */
  readonly timestamp: number;
  readonly checkpoint: number;
  /** A JSON value: bigints as decimal text; no text that a database cannot hold. */
  readonly args: unknown;
}

/** Turns a row of `raw_events` into the bytes that the storage takes. */
export interface RawEventCodec {
  /** Reserves, writes and ends one row. */
  encodeRawEvent(out: ByteWriter, row: RawEventRow): void;
}

export interface RawEventsOptions {
  /** Reads the log that an event route takes; undefined: it was given to no handler. */
  readonly read: (route: number, page: LogPage, row: number) => HandledLog | undefined;
  readonly codec: RawEventCodec;
  readonly clock: Clock;
}

/** A run with its raw events, and how many of their texts were escaped. */
export interface WithRawEvents {
  readonly run: DrainRun;
  readonly escapes: number;
}

/** So much is encoded before the event loop gets a turn: a few milliseconds. */
const EVENTS_A_TURN = 500;
const BYTES_A_TURN = 256 * 1024;

/** Makes the raw events of a run from the slices that its batches have kept: when it is written, never before. */
export class RawEvents {
  readonly #o: RawEventsOptions;

  constructor(options: RawEventsOptions) {
    this.#o = options;
  }

  /**
   * @param blocking does each part of the work: everything else stands still meanwhile
   * @returns the run that is to be written in place of this one, at every attempt
   */
  async addTo(run: DrainRun, blocking: <T>(part: () => T) => T = (part) => part()): Promise<WithRawEvents> {
    const encoding = new Encoding(this.#o);
    const parts = encoding.run(run);
    while (blocking(() => parts.next()).done !== true) await this.#o.clock.turn();
    const { out, escapes } = encoding;
    return { run: { ...run, rawEvents: out.rows === 0 ? NO_ROWS : out.take() }, escapes };
  }
}

class Encoding {
  readonly out = new ByteWriter();
  escapes = 0;
  readonly #o: RawEventsOptions;
  #turnAt = { rows: EVENTS_A_TURN, bytes: BYTES_A_TURN };

  constructor(options: RawEventsOptions) {
    this.#o = options;
  }

  /** Stops where the event loop is due a turn. */
  *run({ batches }: DrainRun): Generator<void, void> {
    for (const { slices = [], checkpoints } of batches) {
      let next = checkpoints.from;
      for (const slice of slices) next = yield* this.#slice(slice, next);
      assert(slices.length === 0 || next === checkpoints.to + 1, "raw events have other positions than their batch");
    }
  }

  /** @returns the checkpoint of the next position: each block with events has one, and the slice's end, if it has none */
  *#slice(slice: BatchSlice, first: number): Generator<void, number> {
    const { blockNumber } = slice.range.page;
    let next = first;
    let block = -1;
    for (let row = slice.fromRow; row < slice.toRow; row++) {
      if (blockNumber[row] !== block) {
        block = blockNumber[row] as number;
        next++;
      }
      this.#row(slice, row, next - 1);
      if (this.out.rows < this.#turnAt.rows && this.out.bytes < this.#turnAt.bytes) continue;
      yield;
      this.#turnAt = { rows: this.out.rows + EVENTS_A_TURN, bytes: this.out.bytes + BYTES_A_TURN };
    }
    return block === slice.throughBlock ? next : next + 1;
  }

  #row({ range }: BatchSlice, row: number, checkpoint: number): void {
    const { page, routes, chainId } = range;
    const log = this.#o.read(routes[row] as number, page, row);
    if (log === undefined) return;
    this.#o.codec.encodeRawEvent(this.out, {
      ...log,
      chainId,
      block: page.blockNumber[row] as number,
      logIndex: page.logIndex[row] as number,
      timestamp: page.blockTimestamp[row] as number,
      checkpoint,
      args: this.#json(log.args),
    });
  }

  /** Bigints as decimal text; nothing that a database cannot hold, however deep. */
  #json(value: unknown): unknown {
    switch (typeof value) {
      case "bigint":
        return String(value);
      case "string":
        return this.#text(value);
      case "object": {
        if (value === null) return null;
        if (Array.isArray(value)) return value.map((item) => this.#json(item));
        const entries = Object.entries(value).map(([name, item]) => [this.#text(name), this.#json(item)] as const);
        return Object.fromEntries(entries);
      }
      default:
        return value;
    }
  }

  #text(text: string): string {
    const stored = storedText(text);
    if (stored !== text) this.escapes++;
    return stored;
  }
}
