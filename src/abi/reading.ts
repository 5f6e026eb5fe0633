import type { LogPage } from "../chain/log-page.ts";
import { int32At, isZeroAt, viewOf } from "./hex-words.ts";
import { UndecodableLog, type UndecodableReason } from "./undecodable-log.ts";

/** Digits of a 32-byte word. */
export const WORD = 64;
/** Words that may be read more than once, as values that share their data make us do. */
const SHARED_WORDS = 8192;
/** How many times larger than the log's data its bytes and strings may be in all, when they share data. */
const SHARED_BYTES = 32;

/**
 * Reads a value. `at` is its place: of itself, or of the offset to it, which counts from `frame`, the first place of the
 * values that it stands among. Whoever calls has made sure that the places of the frame are in the data.
 */
export type ValueReader = (reading: Reading, at: number, frame: number) => unknown;

/** What a log must have so that the fixed places of an event can be read without further checks. */
export interface LogShape {
  readonly signature: string;
  readonly topics: number;
  /** Bytes of data. */
  readonly minBytes: number;
}

/**
 * The log being decoded: where its data lie, and what decoding may still cost. Positions are digits in the page's text.
 * Opened on one log after another, so that no object is made for a log.
 */
export class Reading {
  text: Buffer = Buffer.alloc(0);
  view: DataView = viewOf(this.text);
  /** First digit of the data, and the one after the last. */
  start = 0;
  end = 0;
  #signature = "";
  #wordsLeft = 0;
  #bytesLeft = 0;

  /** Turns to a row, whose first topic is taken for granted. */
  open(shape: LogShape, page: LogPage, row: number): void {
    const bytes = page.dataBytes[row] as number;
    this.#signature = shape.signature;
    if (page.topicCount[row] !== shape.topics) {
      this.fail("topic_count", `it has ${page.topicCount[row]} topics instead of ${shape.topics}`);
    }
    if (bytes < shape.minBytes) {
      this.fail("data_short", `it has ${bytes} bytes of data, at least ${shape.minBytes} are needed`);
    }
    this.text = page.text;
    this.view = viewOf(page.text);
    this.start = page.data[row] as number;
    this.end = this.start + bytes * 2;
    this.#wordsLeft = bytes / 32 + SHARED_WORDS;
    this.#bytesLeft = bytes * SHARED_BYTES;
  }

  /** Where the value lies whose offset stands at `at`, counted from `frame`. */
  tailOf(at: number, frame: number): number {
    const start = frame + this.#smallNumber(at) * 2;
    if (start >= this.end) this.fail("offset", "an offset points outside the data");
    return start;
  }

  /** The length that stands at `at`: more than the data have digits when it is absurd. */
  lengthAt(at: number): number {
    this.need(at, 32);
    return this.#smallNumber(at);
  }

  /** Fails unless the data hold `bytes` more bytes at `at`. */
  need(at: number, bytes: number, reason: "data_short" | "length" = "data_short"): void {
    if (at + bytes * 2 > this.end) this.fail(reason, `its data end before a value of ${bytes} bytes`);
  }

  /** Accounts for values about to be read, so that hostile data end decoding before it costs anything. */
  spendWords(words: number): void {
    this.#wordsLeft -= words;
    if (this.#wordsLeft < 0) this.fail("too_large", "its values share too much data");
  }

  spendBytes(bytes: number): void {
    this.#bytesLeft -= bytes;
    if (this.#bytesLeft < 0) this.fail("too_large", "its bytes and strings share too much data");
  }

  fail(reason: UndecodableReason, what: string): never {
    throw new UndecodableLog(this.#signature, reason, what);
  }

  /** An unsigned word, or infinity when it needs more than 32 bits: no data are that long. */
  #smallNumber(at: number): number {
    if (!isZeroAt(this.view, at, 56)) return Number.POSITIVE_INFINITY;
    return int32At(this.view, at + 56) >>> 0;
  }
}
