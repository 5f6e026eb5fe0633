import { MAX_BLOCK_NUMBER, MAX_LOG_INDEX } from "../chain/event-id.ts";
import type { LogPage } from "../chain/log-page.ts";
import { AskedTexts } from "./asked-texts.ts";
import { hexRun, isHex, sameBytes } from "./hex-bytes.ts";
import { MAX_TRANSACTION_INDEX } from "./log-answer.ts";
import type { LogQuery } from "./source.ts";

/**
 * Reads the logs of an answer to one `eth_getLogs` straight from its bytes: columns of numbers and offsets, no text, no
 * object. It understands what nodes send, keys in any order, with unknown ones among them; whatever it does not
 * understand, and whatever it would have to refuse, it leaves to `JSON.parse` and `logPageOfAnswer`.
 * @returns undefined: read it the other way
 */
export function scanLogs(body: Buffer, query: LogQuery): LogPage | undefined {
  return new LogScanner(body, query).page();
}

const QUOTE = 0x22;
const COLON = 0x3a;
const COMMA = 0x2c;
const BACKSLASH = 0x5c;
const [OPEN_OBJECT, CLOSE_OBJECT, OPEN_LIST, CLOSE_LIST] = [0x7b, 0x7d, 0x5b, 0x5d];

/** A log's keys; the place of a key in the list is its bit in what has been seen. */
const KEYS = [
  "address",
  "topics",
  "data",
  "blockNumber",
  "blockHash",
  "transactionHash",
  "transactionIndex",
  "logIndex",
  "blockTimestamp",
  "removed",
] as const;
const REQUIRED = 0xff;
const KEY_BYTES = KEYS.map((key) => Buffer.from(`${key}"`, "latin1"));
const UNKNOWN_KEY = -1;

const RESULT = Buffer.from('result"', "latin1");
const ID = Buffer.from('id"', "latin1");
const VERSION = Buffer.from('jsonrpc"', "latin1");

/** The keys and digits that a log has to have take more than this. */
const SMALLEST_LOG = 256;

/** Digits of a number that a double holds exactly. */
const MOST_DIGITS = 13;

class LogScanner {
  readonly #body: Buffer;
  readonly #view: DataView;
  readonly #query: LogQuery;
  readonly #addresses: AskedTexts | undefined;
  readonly #topics: AskedTexts | undefined;
  readonly #page: LogPage;
  #at = 0;
  #row = 0;
  /** The key that followed each key in the log before: nodes keep to one order. */
  readonly #next = new Int8Array(KEYS.length + 1).fill(UNKNOWN_KEY);
  #hasTimestamps = true;

  constructor(body: Buffer, query: LogQuery) {
    this.#body = body;
    this.#view = new DataView(body.buffer, body.byteOffset, body.length);
    this.#query = query;
    this.#addresses = query.addresses && new AskedTexts(body, this.#view, query.addresses);
    this.#topics = query.topics.length === 0 ? undefined : new AskedTexts(body, this.#view, query.topics);
    const count = Math.floor(body.length / SMALLEST_LOG) + 1;
    this.#page = {
      count,
      text: body,
      blockNumber: new Float64Array(count),
      blockTimestamp: new Float64Array(count),
      logIndex: new Int32Array(count),
      transactionIndex: new Int32Array(count),
      address: new Uint32Array(count),
      blockHash: new Uint32Array(count),
      transactionHash: new Uint32Array(count),
      topicCount: new Uint8Array(count),
      topics: new Uint32Array(count * 4),
      data: new Uint32Array(count),
      dataBytes: new Uint32Array(count),
    };
  }

  page(): LogPage | undefined {
    if (!this.#envelope()) return undefined;
    const page = this.#page;
    const [count] = [this.#row];
    if (!this.#hasTimestamps) page.blockTimestamp.fill(-1, 0, count);
    return {
      count,
      text: page.text,
      blockNumber: page.blockNumber.subarray(0, count),
      blockTimestamp: page.blockTimestamp.subarray(0, count),
      logIndex: page.logIndex.subarray(0, count),
      transactionIndex: page.transactionIndex.subarray(0, count),
      address: page.address.subarray(0, count),
      blockHash: page.blockHash.subarray(0, count),
      transactionHash: page.transactionHash.subarray(0, count),
      topicCount: page.topicCount.subarray(0, count),
      topics: page.topics.subarray(0, count * 4),
      data: page.data.subarray(0, count),
      dataBytes: page.dataBytes.subarray(0, count),
    };
  }

  /** `{"jsonrpc": "2.0", "id": 1, "result": [...]}`, in any order, and nothing else. */
  #envelope(): boolean {
    let hasId = false;
    let hasResult = false;
    if (!this.#token(OPEN_OBJECT)) return false;
    do {
      if (!this.#token(QUOTE)) return false;
      if (!hasResult && this.#literal(RESULT)) {
        hasResult = true;
        if (!this.#token(COLON) || !this.#list()) return false;
      } else if (!hasId && this.#literal(ID)) {
        hasId = true;
        if (!this.#token(COLON) || !this.#one()) return false;
      } else if (!this.#literal(VERSION) || !this.#token(COLON) || !this.#token(QUOTE) || !this.#text()) return false;
    } while (this.#token(COMMA));
    if (!this.#token(CLOSE_OBJECT)) return false;
    this.#blanks();
    return hasId && hasResult && this.#at === this.#body.length;
  }

  #list(): boolean {
    if (!this.#token(OPEN_LIST)) return false;
    if (this.#token(CLOSE_LIST)) return true;
    do if (!this.#log()) return false;
    while (this.#token(COMMA));
    return this.#token(CLOSE_LIST);
  }

  #log(): boolean {
    if (this.#row >= this.#page.count || !this.#token(OPEN_OBJECT)) return false;
    const row = this.#row;
    this.#page.blockTimestamp[row] = -1;
    let seen = 0;
    let before: number = KEYS.length;
    do {
      if (!this.#token(QUOTE)) return false;
      const key = this.#key(before);
      if (key === UNKNOWN_KEY) {
        if (!this.#text() || !this.#token(COLON) || !this.#plain()) return false;
        continue;
      }
      seen |= 1 << key;
      this.#next[before] = key;
      before = key;
      if (!this.#token(COLON) || !this.#value(key, row)) return false;
    } while (this.#token(COMMA));
    if ((seen & REQUIRED) !== REQUIRED || !this.#token(CLOSE_OBJECT) || !this.#isAsked(row)) return false;
    this.#row++;
    return true;
  }

  /** Which key begins here, its end included; the one after `before` in the last log is tried first. */
  #key(before: number): number {
    const guess = this.#next[before] as number;
    if (guess !== UNKNOWN_KEY && this.#literal(KEY_BYTES[guess] as Buffer)) return guess;
    for (let key = 0; key < KEYS.length; key++) if (this.#literal(KEY_BYTES[key] as Buffer)) return key;
    return UNKNOWN_KEY;
  }

  #value(key: number, row: number): boolean {
    const page = this.#page;
    switch (KEYS[key]) {
      case "address":
        return this.#digits(page.address, row, 40);
      case "topics":
        return this.#topicList(row);
      case "data":
        return this.#bytes(row);
      case "blockNumber":
        return this.#quantity(page.blockNumber, row, MAX_BLOCK_NUMBER);
      case "blockHash":
        return this.#digits(page.blockHash, row, 64);
      case "transactionHash":
        return this.#digits(page.transactionHash, row, 64);
      case "transactionIndex":
        return this.#quantity(page.transactionIndex, row, MAX_TRANSACTION_INDEX);
      case "logIndex":
        return this.#quantity(page.logIndex, row, MAX_LOG_INDEX);
      case "blockTimestamp":
        return this.#timestamp(row);
      default:
        // A log that was removed is refused.
        return this.#word("false");
    }
  }

  /** Within the query, and after the log before it: each log of a block is of the same block. */
  #isAsked(row: number): boolean {
    const { blockNumber, blockTimestamp, logIndex, blockHash, address, topics, topicCount } = this.#page;
    const block = blockNumber[row] as number;
    if (block < this.#query.fromBlock || block > this.#query.toBlock) return false;
    if (this.#addresses?.has(address[row] as number) === false) return false;
    if (this.#topics !== undefined && (topicCount[row] === 0 || !this.#topics.has(topics[row * 4] as number)))
      return false;
    if ((blockTimestamp[row] as number) < 0) this.#hasTimestamps = false;
    if (row === 0) return true;
    const before = row - 1;
    const blockBefore = blockNumber[before] as number;
    if (blockBefore !== block) return blockBefore < block;
    if (blockTimestamp[before] !== blockTimestamp[row]) this.#hasTimestamps = false;
    if ((logIndex[before] as number) >= (logIndex[row] as number)) return false;
    return sameBytes(this.#view, blockHash[before] as number, blockHash[row] as number, 64);
  }

  /** `"0x` and so many digits. */
  #digits(column: Uint32Array, row: number, digits: number): boolean {
    if (!this.#opensHex()) return false;
    column[row] = this.#at;
    if (!isHex(this.#view, this.#at, digits)) return false;
    this.#at += digits;
    return this.#body[this.#at++] === QUOTE;
  }

  #topicList(row: number): boolean {
    if (!this.#token(OPEN_LIST)) return false;
    let count = 0;
    if (!this.#token(CLOSE_LIST)) {
      do if (count === 4 || !this.#digits(this.#page.topics, row * 4 + count++, 64)) return false;
      while (this.#token(COMMA));
      if (!this.#token(CLOSE_LIST)) return false;
    }
    this.#page.topicCount[row] = count;
    return true;
  }

  #bytes(row: number): boolean {
    if (!this.#opensHex()) return false;
    const end = hexRun(this.#view, this.#at);
    if (this.#body[end] !== QUOTE) return false;
    this.#page.data[row] = this.#at;
    this.#page.dataBytes[row] = (end - this.#at) / 2;
    this.#at = end + 1;
    return true;
  }

  #quantity(column: Float64Array | Int32Array, row: number, max: number): boolean {
    if (!this.#opensHex()) return false;
    const number = this.#number();
    if (number < 0 || number > max) return false;
    column[row] = number;
    return true;
  }

  /** Not every node sends it, and some send zero. */
  #timestamp(row: number): boolean {
    let seconds = 0;
    if (!this.#word("null")) {
      if (!this.#opensHex()) return false;
      seconds = this.#number();
    }
    this.#page.blockTimestamp[row] = seconds > 0 ? seconds : -1;
    return seconds >= 0;
  }

  /** Digits up to the quote that ends them; -1 when it is no number that a double holds. */
  #number(): number {
    const body = this.#body;
    const start = this.#at;
    let number = 0;
    for (;;) {
      const byte = body[this.#at++] as number;
      if (byte === QUOTE) break;
      const digit = byte >= 0x30 && byte <= 0x39 ? byte - 0x30 : letterOf(byte);
      if (digit < 0) return -1;
      number = number * 16 + digit;
    }
    const digits = this.#at - 1 - start;
    return digits === 0 || digits > MOST_DIGITS ? -1 : number;
  }

  #opensHex(): boolean {
    if (!this.#token(QUOTE)) return false;
    const isHexText = this.#body[this.#at] === 0x30 && this.#body[this.#at + 1] === 0x78;
    this.#at += 2;
    return isHexText;
  }

  /** The value of a key that nobody asked for: a text, a number or a word, but nothing with parts. */
  #plain(): boolean {
    if (this.#token(QUOTE)) return this.#text();
    return this.#word("null") || this.#word("true") || this.#word("false") || this.#wholeNumber();
  }

  #wholeNumber(): boolean {
    this.#blanks();
    const start = this.#at;
    while (isDigit(this.#body[this.#at])) this.#at++;
    const digits = this.#at - start;
    return digits === 1 || (digits > 1 && this.#body[start] !== 0x30);
  }

  /** The rest of a text. With an escape in it, it is left to others. */
  #text(): boolean {
    for (;;) {
      const byte = this.#body[this.#at++];
      if (byte === QUOTE) return true;
      if (byte === undefined || byte < 0x20 || byte === BACKSLASH) return false;
    }
  }

  /** The number 1: the only call of the request. */
  #one(): boolean {
    this.#blanks();
    if (this.#body[this.#at] !== 0x31) return false;
    this.#at++;
    // Nothing that would make another number of it.
    const next = this.#body[this.#at];
    return next === COMMA || next === CLOSE_OBJECT || isBlank(next);
  }

  #word(word: string): boolean {
    this.#blanks();
    for (let i = 0; i < word.length; i++) if (this.#body[this.#at + i] !== word.charCodeAt(i)) return false;
    this.#at += word.length;
    return true;
  }

  /** Goes past these bytes, if they stand here. */
  #literal(bytes: Buffer): boolean {
    for (let i = 0; i < bytes.length; i++) if (this.#body[this.#at + i] !== bytes[i]) return false;
    this.#at += bytes.length;
    return true;
  }

  /** Goes past this byte, if it comes next. */
  #token(byte: number): boolean {
    if (this.#body[this.#at] !== byte) {
      this.#blanks();
      if (this.#body[this.#at] !== byte) return false;
    }
    this.#at++;
    return true;
  }

  #blanks(): void {
    while (isBlank(this.#body[this.#at])) this.#at++;
  }
}

function letterOf(byte: number): number {
  const lower = byte | 0x20;
  return lower >= 0x61 && lower <= 0x66 ? lower - 0x57 : -1;
}

function isDigit(byte: number | undefined): boolean {
  return byte !== undefined && byte >= 0x30 && byte <= 0x39;
}

function isBlank(byte: number | undefined): boolean {
  return byte === 0x20 || byte === 0x0a || byte === 0x0d || byte === 0x09;
}
