import { MAX_BLOCK_NUMBER, MAX_LOG_INDEX } from "../chain/event-id.ts";
import type { LogPage } from "../chain/log-page.ts";
import { AskedTexts } from "./asked-texts.ts";
import { hexRun, sameBytes } from "./hex-bytes.ts";
import { CLOSE_LIST, CLOSE_OBJECT, COLON, COMMA, keyBytes, OPEN_LIST, OPEN_OBJECT, QUOTE } from "./json-scanner.ts";
import { MAX_TRANSACTION_INDEX } from "./log-answer.ts";
import { RpcScanner } from "./rpc-scanner.ts";
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
const KEY_BYTES = KEYS.map(keyBytes);
const UNKNOWN_KEY = -1;

/** The keys and digits that a log has to have take more than this. */
const SMALLEST_LOG = 256;

class LogScanner extends RpcScanner {
  readonly #query: LogQuery;
  readonly #addresses: AskedTexts | undefined;
  readonly #topics: AskedTexts | undefined;
  readonly #page: LogPage;
  #row = 0;
  /** The key that followed each key in the log before: nodes keep to one order. */
  readonly #next = new Int8Array(KEYS.length + 1).fill(UNKNOWN_KEY);
  #hasTimestamps = true;

  constructor(body: Buffer, query: LogQuery) {
    super(body);
    this.#query = query;
    this.#addresses = query.addresses && new AskedTexts(body, this.view, query.addresses);
    this.#topics = query.topics.length === 0 ? undefined : new AskedTexts(body, this.view, query.topics);
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
    if (this.envelope() !== 1 || !this.end()) return undefined;
    const page = this.#page;
    const count = this.#row;
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

  protected override result(): boolean {
    if (!this.token(OPEN_LIST)) return false;
    if (this.token(CLOSE_LIST)) return true;
    do if (!this.#log()) return false;
    while (this.token(COMMA));
    return this.token(CLOSE_LIST);
  }

  #log(): boolean {
    if (this.#row >= this.#page.count || !this.token(OPEN_OBJECT)) return false;
    const row = this.#row;
    this.#page.blockTimestamp[row] = -1;
    let seen = 0;
    let before: number = KEYS.length;
    do {
      if (!this.token(QUOTE)) return false;
      const key = this.#key(before);
      if (key === UNKNOWN_KEY) {
        if (!this.text() || !this.token(COLON) || !this.value()) return false;
        continue;
      }
      seen |= 1 << key;
      this.#next[before] = key;
      before = key;
      if (!this.token(COLON) || !this.#field(key, row)) return false;
    } while (this.token(COMMA));
    if ((seen & REQUIRED) !== REQUIRED || !this.token(CLOSE_OBJECT) || !this.#isAsked(row)) return false;
    this.#row++;
    return true;
  }

  /** Which key begins here, its end included; the one after `before` in the last log is tried first. */
  #key(before: number): number {
    const guess = this.#next[before] as number;
    if (guess !== UNKNOWN_KEY && this.literal(KEY_BYTES[guess] as Buffer)) return guess;
    for (let key = 0; key < KEYS.length; key++) if (this.literal(KEY_BYTES[key] as Buffer)) return key;
    return UNKNOWN_KEY;
  }

  #field(key: number, row: number): boolean {
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
        return this.word("false");
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
    return sameBytes(this.view, blockHash[before] as number, blockHash[row] as number, 64);
  }

  #digits(column: Uint32Array, row: number, digits: number): boolean {
    const start = this.hex(digits);
    column[row] = start;
    return start >= 0;
  }

  #topicList(row: number): boolean {
    if (!this.token(OPEN_LIST)) return false;
    let count = 0;
    if (!this.token(CLOSE_LIST)) {
      do if (count === 4 || !this.#digits(this.#page.topics, row * 4 + count++, 64)) return false;
      while (this.token(COMMA));
      if (!this.token(CLOSE_LIST)) return false;
    }
    this.#page.topicCount[row] = count;
    return true;
  }

  #bytes(row: number): boolean {
    if (!this.opensHex()) return false;
    const end = hexRun(this.view, this.at);
    if (this.body[end] !== QUOTE) return false;
    this.#page.data[row] = this.at;
    this.#page.dataBytes[row] = (end - this.at) / 2;
    this.at = end + 1;
    return true;
  }

  #quantity(column: Float64Array | Int32Array, row: number, max: number): boolean {
    const number = this.quantity();
    column[row] = number;
    return number >= 0 && number <= max;
  }

  /** Not every node sends it, and some send zero. */
  #timestamp(row: number): boolean {
    const seconds = this.word("null") ? 0 : this.quantity();
    this.#page.blockTimestamp[row] = seconds > 0 ? seconds : -1;
    return seconds >= 0;
  }
}
