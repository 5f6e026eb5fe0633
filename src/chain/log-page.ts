/** A log of a block, as a row of columns is made from it. Hex texts keep their `0x` and may be of any case. */
export interface LogFields {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly blockNumber: number;
  readonly blockHash: string;
  /** Unix seconds, or -1 when the source does not say. */
  readonly blockTimestamp: number;
  readonly transactionHash: string;
  readonly transactionIndex: number;
  readonly logIndex: number;
}

/**
 * The logs of one answer as columns over one buffer of hexadecimal text, so that a log costs no object.
 * Texts are ASCII hex digits in `text`; a column holds the offset of the first digit (after `0x`).
 * Hex digits may be of either case: readers must not depend on it.
 */
export interface LogPage {
  readonly count: number;
  readonly text: Buffer;
  readonly blockNumber: Float64Array;
  /** Unix seconds; -1 while unknown. Filled by the fetch loop before the page leaves it. */
  readonly blockTimestamp: Float64Array;
  readonly logIndex: Int32Array;
  readonly transactionIndex: Int32Array;
  /** Offset of 40 digits. */
  readonly address: Uint32Array;
  /** Offset of 64 digits. */
  readonly blockHash: Uint32Array;
  /** Offset of 64 digits. */
  readonly transactionHash: Uint32Array;
  readonly topicCount: Uint8Array;
  /** Four offsets of 64 digits a row; only the first `topicCount` of a row have a meaning. */
  readonly topics: Uint32Array;
  readonly data: Uint32Array;
  /** Bytes of data: half its digits. */
  readonly dataBytes: Uint32Array;
}

/** A row of the columns. */
const ROW_BYTES = 80;

/** Memory that rows of a page hold, about: their share of it. */
export function pageBytesOf({ count, text }: LogPage, rows: number): number {
  return rows === 0 ? 0 : rows * ROW_BYTES + Math.ceil((text.length * rows) / count);
}

/** Makes a page of logs in the order given. The texts are joined into one buffer. */
export function logPageOf(logs: readonly LogFields[]): LogPage {
  const count = logs.length;
  let digits = 0;
  for (const log of logs) digits += 40 + 64 * (2 + log.topics.length) + Math.max(0, log.data.length - 2);
  const page: LogPage = {
    count,
    // Of its own, not a piece of a shared block: it can be released.
    text: Buffer.allocUnsafeSlow(digits),
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
  let at = 0;
  const put = (hex: string): number => {
    const start = at;
    at += page.text.write(hex.slice(2), at, "latin1");
    return start;
  };
  logs.forEach((log, row) => {
    page.blockNumber[row] = log.blockNumber;
    page.blockTimestamp[row] = log.blockTimestamp;
    page.logIndex[row] = log.logIndex;
    page.transactionIndex[row] = log.transactionIndex;
    page.address[row] = put(log.address);
    page.blockHash[row] = put(log.blockHash);
    page.transactionHash[row] = put(log.transactionHash);
    page.topicCount[row] = log.topics.length;
    log.topics.forEach((topic, position) => {
      page.topics[row * 4 + position] = put(topic);
    });
    page.data[row] = put(log.data);
    page.dataBytes[row] = (log.data.length - 2) / 2;
  });
  return page;
}

/** The text of `digits` hex digits at `offset`, with its prefix, in lower case. */
export function hexAt(page: LogPage, offset: number, digits: number): `0x${string}` {
  return `0x${page.text.toString("latin1", offset, offset + digits).toLowerCase()}`;
}

/** A page of some rows of another one, ascending; the text is shared. */
export function selectRows(page: LogPage, rows: Uint32Array): LogPage {
  if (rows.length === page.count) return page;
  const topics = new Uint32Array(rows.length * 4);
  rows.forEach((row, i) => {
    topics.set(page.topics.subarray(row * 4, row * 4 + 4), i * 4);
  });
  return {
    count: rows.length,
    text: page.text,
    blockNumber: picked(Float64Array, page.blockNumber, rows),
    blockTimestamp: picked(Float64Array, page.blockTimestamp, rows),
    logIndex: picked(Int32Array, page.logIndex, rows),
    transactionIndex: picked(Int32Array, page.transactionIndex, rows),
    address: picked(Uint32Array, page.address, rows),
    blockHash: picked(Uint32Array, page.blockHash, rows),
    transactionHash: picked(Uint32Array, page.transactionHash, rows),
    topicCount: picked(Uint8Array, page.topicCount, rows),
    topics,
    data: picked(Uint32Array, page.data, rows),
    dataBytes: picked(Uint32Array, page.dataBytes, rows),
  };
}

/**
 * Gives the memory of the text back at once, instead of when garbage is next collected: answers are large, and come fast.
 * Pages that share the text lose it too. Numbers stay; `isReleased` tells whoever would read a text.
 */
export function releaseText({ text }: LogPage): void {
  // A piece of a larger block is not ours alone.
  if (text.length === text.buffer.byteLength) (text.buffer as ArrayBuffer).transfer(0);
}

/** The texts of the page are gone; a page of no logs has none. */
export function isReleased(page: LogPage): boolean {
  return page.text.length === 0;
}

type Column = Float64Array | Int32Array | Uint32Array | Uint8Array;

function picked<T extends Column>(kind: new (length: number) => T, column: T, rows: Uint32Array): T {
  const result = new kind(rows.length);
  for (let i = 0; i < rows.length; i++) result[i] = column[rows[i] as number] as number;
  return result;
}
