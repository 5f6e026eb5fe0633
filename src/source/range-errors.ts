import type { RpcError } from "./json-rpc.ts";
import { type LogQuery, RangeTooLarge } from "./source.ts";

/**
 * The ways in which nodes and providers say that a log query asks for too much. Codes do not tell: the same text comes
 * with different ones, and -32000, -32005 and -32602 mean many things. So the text decides, wherever it stands: in the
 * message, or in `data` behind a bare "invalid params". The test beside lists real texts and where they were seen.
 */

/** They say how many blocks they allow: `{n}` stands for that number. */
const BLOCK_LIMITS: readonly RegExp[] = [
  "limited to (?:a |an )?(?:0 - )?{n} ?(?:blocks? )?(?:range|blocks?)", // QuickNode, BlockPI, Base, 1RPC, Blast
  "up to (?:a|an) {n} block range", // Alchemy, Aurora
  "max(?:imum)? (?:allowed )?(?:block )?range(?: is| of|:| =)? ?{n}", // Cloudflare, PublicNode, BSC, reth, zkEVM, Celo
  "maximum allowed (?:number of requested blocks )?is {n}", // thirdweb, Sei
  "maximum is set to {n}", // Avalanche, Flare
  "range \\d+ exceeds (?:the )?limit of {n}", // Infura, Linea, Ronin
  "range \\d+ is bigger than range limit {n}", // Tenderly
  "ranges over {n} blocks are not supported", // dRPC
  "range is too large, max is {n} blocks", // Merkle
  "at most {n} blocks", // Coinbase
  "range greater than {n} max", // Mantle, Swell
  "block range exceeds {n}", // Somnia
  "query must be smaller than size {n}", // Harmony
  "too wide \\(maximum {n}\\)", // Moonbeam
  "too wide blocks range, the limit is {n}", // Sonic, Fantom
  "blocks distance: {n}", // Cronos, Kava, Ankr
  "allowed for your plan \\(\\d+ > {n}\\)", // Blast API
  "range exceeds server limit, narrow your filter: {n}", // Erigon
].map((text) => new RegExp(text.replace("{n}", "(\\d[\\d,.]*k?)\\b"), "i"));

/** They say no number of blocks, or count something else. */
const OTHER_REFUSALS: readonly RegExp[] = [
  /query returned more than [\w ,]*(?:results|logs)/i, // Infura, zkSync, Nethermind, PulseChain
  /exceeds? max(?:imum)? results/i, // reth
  /too many (?:logs|results|blocks)/i, // Nethermind, Erigon, Avalanche
  /logs matched by query exceeds? limit/i, // Arbitrum
  /response size (?:exceeded|should not|is larger|exceeds)/i, // Alchemy, 1RPC
  /response (?:is )?too (?:large|big)/i, // Optimism, Base, geth, Ankr
  /(?:block|toblock'?) ranges? (?:is )?(?:too|bigger|larger|limit exceeded|threshold exceeded)/i, // Base, Ankr, Scroll, Chainstack
  /range (?:is )?too (?:large|wide|big|high)/i,
  /range exceeds max(?:imum)?/i, // Besu
  /exceed(?:s|ed)? (?:the )?max(?:imum)? (?:allowed|block range)/i, // BSC, eRPC
  /query exceeds range/i, // Celo
  /(?:reduce|limit|smaller|narrow) (?:your |the |down )?(?:block range|range|query range|fromblock)/i,
  /query timeout/i, // Infura, Moonbeam, Frontier
  /quer(?:y|ies) timed out/i,
  /request timed out|request was canceled due to enabled timeout|context deadline exceeded/i, // geth, Nethermind, Erigon
  /execution (?:aborted|timeout)|execution timed out/i,
  /memory capacity exceeded/i, // Helios
  /^limit exceeded$/i, // BSC
];

/** A range that would have been served. */
const SUGGESTED_RANGES: readonly RegExp[] = [
  /\[\s*(0x[0-9a-f]+)\s*,\s*(0x[0-9a-f]+)\s*\]/i, // Infura, Alchemy, zkSync, Nethermind
  /with the range (\d+)\s*-\s*(\d+)/i, // reth
];

/** Being asked too often is no matter of the range, though it is said with the same codes and some of the words. */
const RATE_LIMITS: readonly RegExp[] = [
  /rate.?limit|rate exceeded|request rate|throttl/i,
  /too many (?:requests|concurrent)/i,
  /(?:per|\/) ?(?:second|sec|minute|day)\b/i,
  /daily (?:request|limit)|request (?:count|limit)|monthly|quota|compute units|credits|capacity limit/i,
];

/** True when the node says in words, or by the HTTP status, that it was asked too often. */
export function saysRateLimit(error: RpcError): boolean {
  return error.status === 429 || says(error, RATE_LIMITS);
}

/** The error as a wish for fewer blocks, or undefined when it says something else. */
export function rangeTooLargeOf(error: RpcError, query: LogQuery, host: string): RangeTooLarge | undefined {
  const text = textOf(error);
  if (saysRateLimit(error)) return undefined;
  const blocks = allowedBlocks(text);
  const isRefusal = blocks !== undefined || error.status === 413 || says(error, OTHER_REFUSALS);
  if (!isRefusal) return undefined;
  const suggested = suggestedRange(text) ?? suggestedByData(error.data);
  const width = suggested ?? blocks;
  const message = `${host} wants fewer blocks than ${query.fromBlock} to ${query.toBlock}: ${error.message}`;
  if (width === undefined) return new RangeTooLarge(message);
  const toBlock = query.fromBlock + width - 1;
  // Some nodes suggest the very range that they refuse.
  return new RangeTooLarge(message, toBlock < query.toBlock ? toBlock : undefined);
}

/** Of several limits the smallest; of blocks, not of results. */
function allowedBlocks(text: string): number | undefined {
  let least: number | undefined;
  for (const pattern of BLOCK_LIMITS) {
    const found = pattern.exec(text)?.[1];
    const blocks = found === undefined ? undefined : countOf(found);
    if (blocks !== undefined && (least === undefined || blocks < least)) least = blocks;
  }
  return least;
}

/** `10,000`, `2K`. */
function countOf(text: string): number | undefined {
  const digits = text.replace(/[,.]/g, "");
  const count = /k$/i.test(digits) ? Number(digits.slice(0, -1)) * 1000 : Number(digits);
  return Number.isSafeInteger(count) && count > 0 ? count : undefined;
}

/** The width of a suggested range in blocks. It is applied from our first block, whatever its own. */
function suggestedRange(text: string): number | undefined {
  for (const pattern of SUGGESTED_RANGES) {
    const [, from, to] = pattern.exec(text) ?? [];
    if (from !== undefined && to !== undefined) return widthOf(Number(from), Number(to));
  }
  return undefined;
}

/** Infura's `data: {from, to, limit}`. */
function suggestedByData(data: unknown): number | undefined {
  if (typeof data !== "object" || data === null || !("from" in data) || !("to" in data)) return undefined;
  return widthOf(Number(data.from), Number(data.to));
}

function widthOf(from: number, to: number): number | undefined {
  const width = to - from + 1;
  return Number.isSafeInteger(width) && width > 0 ? width : undefined;
}

function says(error: RpcError, patterns: readonly RegExp[]): boolean {
  const texts = [error.message, textOf(error)];
  return patterns.some((pattern) => texts.some((text) => pattern.test(text)));
}

function textOf(error: RpcError): string {
  if (error.data === undefined || error.data === null) return error.message;
  return `${error.message} ${typeof error.data === "string" ? error.data : JSON.stringify(error.data)}`;
}
