import type { LogPage } from "./log-page.ts";

/** Two pages as one. */
export interface MergedPage {
  readonly page: LogPage;
  /** For each of its rows, the row that it was: of the first page, or, counted on after its last one, of the second. */
  readonly rows: Uint32Array;
}

/** The logs of two pages in chain order; one that both have comes once, from the first. The texts are copied. */
export function mergePages(first: LogPage, second: LogPage): MergedPage {
  const rows = mergedRows(first, second);
  const text = Buffer.allocUnsafeSlow(first.text.length + second.text.length);
  first.text.copy(text);
  second.text.copy(text, first.text.length);
  const count = rows.length;
  const page: LogPage = {
    count,
    text,
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
  for (let row = 0; row < count; row++) {
    const from = rows[row] as number;
    if (from < first.count) copyRow(first, from, page, row, 0);
    else copyRow(second, from - first.count, page, row, first.text.length);
  }
  return { page, rows };
}

function mergedRows(first: LogPage, second: LogPage): Uint32Array {
  const rows = new Uint32Array(first.count + second.count);
  let count = 0;
  let [a, b] = [0, 0];
  while (a < first.count || b < second.count) {
    const order = a === first.count ? 1 : b === second.count ? -1 : compare(first, a, second, b);
    if (order === 0) b++;
    rows[count++] = order <= 0 ? a++ : first.count + b++;
  }
  return rows.subarray(0, count);
}

function compare(first: LogPage, a: number, second: LogPage, b: number): number {
  const blocks = (first.blockNumber[a] as number) - (second.blockNumber[b] as number);
  return blocks === 0 ? (first.logIndex[a] as number) - (second.logIndex[b] as number) : blocks;
}

function copyRow(from: LogPage, row: number, to: LogPage, at: number, shift: number): void {
  to.blockNumber[at] = from.blockNumber[row] as number;
  to.blockTimestamp[at] = from.blockTimestamp[row] as number;
  to.logIndex[at] = from.logIndex[row] as number;
  to.transactionIndex[at] = from.transactionIndex[row] as number;
  to.address[at] = (from.address[row] as number) + shift;
  to.blockHash[at] = (from.blockHash[row] as number) + shift;
  to.transactionHash[at] = (from.transactionHash[row] as number) + shift;
  to.topicCount[at] = from.topicCount[row] as number;
  for (let i = 0; i < 4; i++) to.topics[at * 4 + i] = (from.topics[row * 4 + i] as number) + shift;
  to.data[at] = (from.data[row] as number) + shift;
  to.dataBytes[at] = from.dataBytes[row] as number;
}
