/** The synthetic chain of the benchmark: every block follows from its number, so nothing is stored. */

/** The project in bench/erc20 indexes this token on the chain with this id. */
export const TOKEN = `0x${"c0ffee".padStart(40, "0")}`;
export const CHAIN_ID = 990_099;
export const EVENTS_PER_BLOCK = 40;

const TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const APPROVAL = "0x8c5be1e5ebec7d5bd14f71427d1e84f3dd0314c0f7b2291e5b200ac8c7c3b925";
/** Empty blocks above the last event: the whole load is final, as in a backfill. */
const TAIL_BLOCKS = 200;
const FINALITY_DEPTH = 64;
const EVENTS_PER_ACCOUNT = 10;

export interface ChainSize {
  readonly events: number;
}

export function lastEventBlock({ events }: ChainSize): number {
  return Math.ceil(events / EVENTS_PER_BLOCK);
}

export function headOf(size: ChainSize): number {
  return lastEventBlock(size) + TAIL_BLOCKS;
}

export function finalizedOf(size: ChainSize): number {
  return headOf(size) - FINALITY_DEPTH;
}

export function blockJson(number: number): string {
  return JSON.stringify({
    number: quantity(number),
    hash: hashOf("b", number),
    parentHash: hashOf("b", number - 1),
    timestamp: quantity(timestampOf(number)),
    transactions: [],
  });
}

/** The logs of a range, as the JSON of a node's result. */
export function logsJson(size: ChainSize, from: number, to: number): string {
  const logs: string[] = [];
  const last = Math.min(to, lastEventBlock(size));
  // Block 0 has none.
  for (let block = Math.max(1, from); block <= last; block++) {
    const first = (block - 1) * EVENTS_PER_BLOCK;
    const place = `"blockNumber":"${quantity(block)}","blockHash":"${hashOf("b", block)}","blockTimestamp":"${quantity(timestampOf(block))}"`;
    for (let index = 0; index < EVENTS_PER_BLOCK && first + index < size.events; index++) {
      logs.push(logJson(size, first + index, index, place));
    }
  }
  return `[${logs.join(",")}]`;
}

/** 95 of 100 events are transfers, the others approvals; few accounts are in most of them, as on real chains. */
function logJson({ events }: ChainSize, event: number, index: number, place: string): string {
  const accounts = Math.max(1_000, Math.floor(events / EVENTS_PER_ACCOUNT));
  const topic = scramble(event, 1) % 100 < 95 ? TRANSFER : APPROVAL;
  const [from, to] = [accountTopic(accounts, event, 2), accountTopic(accounts, event, 3)];
  const value = scramble(event, 4).toString(16).padStart(64, "0");
  return `{"address":"${TOKEN}","topics":["${topic}","${from}","${to}"],"data":"0x${value}",${place},"transactionHash":"${hashOf("d", event)}","transactionIndex":"${quantity(index)}","logIndex":"${quantity(index)}","removed":false}`;
}

/** Rank r is chosen with a probability of about 1/r. */
function accountTopic(accounts: number, event: number, salt: number): string {
  const rank = Math.floor((accounts + 1) ** (scramble(event, salt) / 2 ** 32));
  return `0x${(0xace0000 + rank).toString(16).padStart(64, "0")}`;
}

/** 32 bits that look random. */
function scramble(number: number, salt: number): number {
  let hash = Math.imul(number ^ Math.imul(salt, 0x9e3779b9), 0x85ebca6b);
  hash = Math.imul(hash ^ (hash >>> 16), 0x7feb352d);
  hash = Math.imul(hash ^ (hash >>> 15), 0x846ca68b);
  return (hash ^ (hash >>> 16)) >>> 0;
}

function hashOf(kind: "b" | "d", number: number): string {
  return `0x${kind}${(number + 1).toString(16).padStart(63, "0")}`;
}

function timestampOf(number: number): number {
  return 1_600_000_000 + 12 * number;
}

export function quantity(value: number): string {
  return `0x${value.toString(16)}`;
}
