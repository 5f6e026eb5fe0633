import { type LogFilter, quantity, type ReplayChain, type ReplayLog } from "./replay-chain.ts";

/** What the replayed node allows, as hosted nodes do. */
export interface RpcLimits {
  /** Most logs in one answer. */
  readonly maxLogs: number;
  /** Most blocks in one `eth_getLogs`. */
  readonly maxRange: number;
  /** Blocks between the newest one and the finalized one. */
  readonly finalityDepth: number;
}

/** The newest block that the node knows of now. */
export type Head = () => number;

/** An error as JSON-RPC answers it. */
export class RpcError extends Error {
  override readonly name = "RpcError";
  readonly code: number;
  readonly data: unknown;

  constructor(code: number, message: string, data?: unknown) {
    super(message);
    this.code = code;
    this.data = data;
  }
}

/**
 * Answers one call of a JSON-RPC node over a replayed chain with the JSON of its result. Blocks above the head do not
 * exist: `null`, and no logs.
 * @throws RpcError
 */
export function answerCall(
  chain: ReplayChain,
  head: Head,
  limits: RpcLimits,
  method: string,
  params: readonly unknown[],
): string {
  switch (method) {
    case "eth_chainId":
      return JSON.stringify(quantity(chain.chainId));
    case "eth_blockNumber":
      return JSON.stringify(quantity(head()));
    case "eth_getBlockByNumber":
      return blockJson(chain, head(), blockNumber(params[0], head(), limits));
    case "eth_getBlockByHash":
      return blockJson(chain, head(), chain.numberOfHash(String(params[0]).toLowerCase()));
    case "eth_getLogs":
      return logsJson(chain, head(), limits, params[0]);
    default:
      throw new RpcError(-32601, `the method ${method} does not exist/is not available`);
  }
}

function blockJson(chain: ReplayChain, head: number, number: number | undefined): string {
  if (number === undefined || number > head) return "null";
  const { hash, parentHash, timestamp } = chain.header(number);
  // Transactions are not replayed: block files do not hold them.
  const header = { number: quantity(number), hash, parentHash, timestamp: quantity(timestamp), transactions: [] };
  return JSON.stringify(header);
}

function logsJson(chain: ReplayChain, head: number, limits: RpcLimits, param: unknown): string {
  if (typeof param !== "object" || param === null)
    throw new RpcError(-32602, "eth_getLogs: a filter object is missing");
  const filter = logFilter(chain, head, limits, param as Readonly<Record<string, unknown>>);
  if (filter.toBlock - filter.fromBlock >= limits.maxRange) {
    throw new RpcError(-32000, `exceed maximum block range: ${limits.maxRange}`);
  }
  const logs = chain.logs(filter);
  if (logs.length > limits.maxLogs) throw tooManyLogs(filter, logs, limits.maxLogs);
  return `[${logs.map((log) => log.json).join(",")}]`;
}

/** Says it in Infura's words, with the range that would have passed. */
function tooManyLogs(filter: LogFilter, logs: readonly ReplayLog[], limit: number): RpcError {
  const from = quantity(filter.fromBlock);
  const to = quantity(Math.max(filter.fromBlock, logs[limit]!.block - 1));
  const message = `query returned more than ${limit} results. Try with this block range [${from}, ${to}].`;
  return new RpcError(-32005, message, { from, to, limit });
}

function logFilter(
  chain: ReplayChain,
  head: number,
  limits: RpcLimits,
  filter: Readonly<Record<string, unknown>>,
): LogFilter {
  const addresses = wantedTexts(filter.address, "address");
  const topics = (Array.isArray(filter.topics) ? filter.topics : []).map((wanted) => wantedTexts(wanted, "topics"));
  if (filter.blockHash !== undefined) {
    const number = chain.numberOfHash(String(filter.blockHash).toLowerCase());
    if (number === undefined || number > head) throw new RpcError(-32000, "unknown block");
    return { fromBlock: number, toBlock: number, addresses, topics };
  }
  const fromBlock = blockNumber(filter.fromBlock ?? "latest", head, limits);
  const toBlock = blockNumber(filter.toBlock ?? "latest", head, limits);
  if (fromBlock > toBlock) throw new RpcError(-32602, "invalid block range params");
  return { fromBlock, toBlock: Math.min(toBlock, head), addresses, topics };
}

/** One text or several; nothing, `null` and an empty list mean any. */
function wantedTexts(value: unknown, name: string): ReadonlySet<string> | undefined {
  if (value === undefined || value === null) return undefined;
  const values: readonly unknown[] = Array.isArray(value) ? value : [value];
  if (values.length === 0) return undefined;
  const texts = values.map((text) => {
    if (typeof text !== "string" || !/^0x[0-9a-f]*$/i.test(text)) {
      throw new RpcError(-32602, `eth_getLogs: ${name}: ${JSON.stringify(text)} is not hex`);
    }
    return text.toLowerCase();
  });
  return new Set(texts);
}

function blockNumber(value: unknown, head: number, limits: RpcLimits): number {
  switch (value) {
    case "latest":
    case "pending":
      return head;
    case "safe":
    case "finalized":
      return Math.max(0, head - limits.finalityDepth);
    case "earliest":
      return 0;
  }
  if (typeof value !== "string" || !/^0x(0|[1-9a-f][0-9a-f]*)$/i.test(value)) {
    throw new RpcError(-32602, `${JSON.stringify(value)} is not a block number or tag`);
  }
  return Number.parseInt(value, 16);
}
