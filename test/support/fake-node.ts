import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import type { FakeBlock, FakeChain, FakeLog } from "./fake-chain.ts";
import { blockJson } from "./fake-fields.ts";

/** A JSON-RPC call as it came. */
export interface NodeCall {
  readonly id: unknown;
  readonly method: string;
  readonly params: readonly unknown[];
}

export interface NodeError {
  readonly code: number;
  readonly message: string;
  readonly data?: unknown;
}

/** What the node does instead of an honest answer. */
export type Misbehaviour =
  /** Any HTTP answer: an error page, a status, a header `retry-after`. */
  | { readonly kind: "http"; readonly status: number; readonly body: string; readonly headers?: Record<string, string> }
  /** The honest answer's text, changed: cut in the middle, another id. */
  | { readonly kind: "text"; readonly change: (text: string) => string }
  /** The honest result of each matching call, changed: a log too many, another chain id. */
  | { readonly kind: "result"; readonly change: (result: unknown, call: NodeCall) => unknown }
  /** An error for each matching call. */
  | { readonly kind: "error"; readonly error: NodeError; readonly status?: number }
  /** One error for a whole batch. */
  | { readonly kind: "batchError"; readonly error: NodeError; readonly status?: number }
  /** No answer at all; the connection stays open until the client closes it. */
  | { readonly kind: "hang" }
  /** The connection is closed in the middle of the answer. */
  | { readonly kind: "cut" };

/** When a node misbehaves. The first rule that fits a request is used. */
export interface MisbehaviourRule {
  /** Only requests with this method; default all. */
  readonly method?: string;
  /** Only requests for which this holds. */
  readonly when?: (calls: readonly NodeCall[]) => boolean;
  /** How many requests; default all that come. */
  readonly times?: number;
}

export interface RangeLimit {
  /** Most blocks of a log query. */
  readonly maxBlocks?: number;
  /** Most logs of an answer. */
  readonly maxLogs?: number;
  /** What the node says; default geth-like words with code -32005. */
  readonly says?: (fromBlock: number, toBlock: number) => NodeError;
}

export interface FakeNodeOptions {
  readonly chain: FakeChain;
  /** Number of the newest block that the node shows; default the last one of the chain. */
  readonly head?: number;
  /** Number of the finalized block; default none: the node does not know finality. */
  readonly finalized?: number;
  /** Whether logs carry `blockTimestamp`; default true. */
  readonly logTimestamps?: boolean;
  /** Most calls in a batch; default no limit. */
  readonly maxBatchCalls?: number;
}

/** A node that serves a chain from memory over HTTP on 127.0.0.1, and lies or fails on demand. */
export interface FakeNode {
  /** `http://127.0.0.1:port`. */
  readonly url: string;
  readonly port: number;
  readonly head: number;
  /** Shows more blocks of the chain, one by default. */
  advanceHead(blocks?: number): void;
  setHead(number: number): void;
  setFinalized(number: number | undefined): void;
  /** Serves another chain from now on, as after a reorg. The head moves to its last block, or to `head`. */
  setChain(chain: FakeChain, head?: number): void;
  limitRange(limit: RangeLimit | undefined): void;
  /** Misbehaves until the returned function is called or `rule.times` is used up. */
  misbehave(misbehaviour: Misbehaviour, rule?: MisbehaviourRule): () => void;
  /** HTTP requests so far. */
  readonly httpRequests: number;
  /** Calls so far, of one method or of all; a batch of ten counts ten. */
  calls(method?: string): number;
  /** Every call so far, in order. */
  readonly log: readonly NodeCall[];
  /** Ends open connections and stops listening. */
  close(): Promise<void>;
}

interface State {
  chain: FakeChain;
  head: number;
  finalized: number | undefined;
  limit: RangeLimit | undefined;
  readonly logTimestamps: boolean;
  readonly maxBatchCalls: number;
  readonly rules: { misbehaviour: Misbehaviour; rule: MisbehaviourRule; left: number }[];
  readonly log: NodeCall[];
  httpRequests: number;
}

export async function startFakeNode(options: FakeNodeOptions): Promise<FakeNode> {
  const state: State = {
    chain: options.chain,
    head: options.head ?? lastNumber(options.chain),
    finalized: options.finalized,
    limit: undefined,
    logTimestamps: options.logTimestamps ?? true,
    maxBatchCalls: options.maxBatchCalls ?? Number.POSITIVE_INFINITY,
    rules: [],
    log: [],
    httpRequests: 0,
  };
  const server = createServer((request, response) => void serve(request, response, state));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  return {
    url: `http://127.0.0.1:${port}`,
    port,
    get head() {
      return state.head;
    },
    advanceHead: (blocks = 1) => {
      state.head = Math.min(state.head + blocks, lastNumber(state.chain));
    },
    setHead: (number) => {
      state.head = number;
    },
    setFinalized: (number) => {
      state.finalized = number;
    },
    setChain: (chain, head) => {
      state.chain = chain;
      state.head = head ?? lastNumber(chain);
    },
    limitRange: (limit) => {
      state.limit = limit;
    },
    misbehave: (misbehaviour, rule = {}) => {
      const entry = { misbehaviour, rule, left: rule.times ?? Number.POSITIVE_INFINITY };
      state.rules.push(entry);
      return () => {
        entry.left = 0;
      };
    },
    get httpRequests() {
      return state.httpRequests;
    },
    calls: (method) => state.log.filter((call) => method === undefined || call.method === method).length,
    log: state.log,
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      server.closeAllConnections();
      await closed;
    },
  };
}

async function serve(request: IncomingMessage, response: ServerResponse, state: State): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request as AsyncIterable<Buffer>) chunks.push(chunk);
  const body = JSON.parse(Buffer.concat(chunks).toString()) as NodeCall | NodeCall[];
  const calls = Array.isArray(body) ? body : [body];
  state.httpRequests++;
  state.log.push(...calls);
  const misbehaviour = takeRule(calls, state);
  if (misbehaviour?.kind === "hang") return;
  if (misbehaviour?.kind === "http") {
    response.writeHead(misbehaviour.status, { "content-type": "text/html", ...misbehaviour.headers });
    response.end(misbehaviour.body);
    return;
  }
  const answer = answerOf(calls, Array.isArray(body), misbehaviour, state);
  let text = JSON.stringify(answer.body);
  if (misbehaviour?.kind === "text") text = misbehaviour.change(text);
  response.writeHead(answer.status, { "content-type": "application/json", "content-length": Buffer.byteLength(text) });
  if (misbehaviour?.kind === "cut") {
    response.write(text.slice(0, text.length / 2), () => response.destroy());
    return;
  }
  response.end(text);
}

function takeRule(calls: readonly NodeCall[], state: State): Misbehaviour | undefined {
  const found = state.rules.find(({ rule, left }) => {
    if (left <= 0 || !(rule.when?.(calls) ?? true)) return false;
    return rule.method === undefined || calls.some((call) => call.method === rule.method);
  });
  if (found === undefined) return undefined;
  found.left--;
  return found.misbehaviour;
}

function answerOf(
  calls: readonly NodeCall[],
  isBatch: boolean,
  misbehaviour: Misbehaviour | undefined,
  state: State,
): { status: number; body: unknown } {
  if (misbehaviour?.kind === "batchError") {
    const { error, status = 200 } = misbehaviour;
    return { status, body: { jsonrpc: "2.0", id: null, error } };
  }
  if (calls.length > state.maxBatchCalls) {
    return { status: 200, body: { jsonrpc: "2.0", id: null, error: { code: -32600, message: "batch too large" } } };
  }
  const status = misbehaviour?.kind === "error" ? (misbehaviour.status ?? 200) : 200;
  const answers = calls.map((call) => {
    const envelope = { jsonrpc: "2.0", id: call.id };
    if (misbehaviour?.kind === "error") return { ...envelope, error: misbehaviour.error };
    const outcome = outcomeOf(call, state);
    if ("error" in outcome || misbehaviour?.kind !== "result") return { ...envelope, ...outcome };
    return { ...envelope, result: misbehaviour.change(outcome.result, call) };
  });
  return { status, body: isBatch ? answers : answers[0] };
}

function outcomeOf(call: NodeCall, state: State): { result: unknown } | { error: NodeError } {
  switch (call.method) {
    case "eth_chainId":
      return { result: hex(state.chain.id) };
    case "net_version":
      return { result: String(state.chain.id) };
    case "eth_blockNumber":
      return { result: hex(state.head) };
    case "eth_getBlockByNumber": {
      const number = numberOf(call.params[0], state);
      const block = number === undefined ? undefined : blockAt(number, state);
      return { result: block === undefined ? null : blockJson(block, call.params[1] === true) };
    }
    case "eth_getLogs":
      return logsOf(call.params[0] as Filter, state);
    default:
      return { error: { code: -32601, message: `the method ${call.method} does not exist` } };
  }
}

interface Filter {
  readonly fromBlock?: string;
  readonly toBlock?: string;
  readonly address?: string | readonly string[] | null;
  readonly topics?: readonly (string | readonly string[] | null)[];
}

function logsOf(filter: Filter, state: State): { result: unknown } | { error: NodeError } {
  const from = numberOf(filter.fromBlock ?? "latest", state) ?? 0;
  const to = numberOf(filter.toBlock ?? "latest", state) ?? state.head;
  const { maxBlocks, maxLogs, says } = state.limit ?? {};
  const refusal = (): { error: NodeError } => ({
    error: says?.(from, to) ?? { code: -32005, message: `query returned more than ${maxLogs ?? 10_000} results` },
  });
  if (maxBlocks !== undefined && to - from + 1 > maxBlocks) return refusal();
  const addresses = listOf(filter.address);
  const result = [];
  for (let number = from; number <= Math.min(to, state.head); number++) {
    const block = blockAt(number, state);
    if (block === undefined) continue;
    for (const log of block.logs) {
      const isWanted = addresses === undefined || addresses.includes(log.address.toLowerCase());
      if (isWanted && hasTopics(log, filter.topics ?? [])) result.push(logJson(log, block, state.logTimestamps));
    }
  }
  return maxLogs !== undefined && result.length > maxLogs ? refusal() : { result };
}

function hasTopics(log: FakeLog, wanted: readonly (string | readonly string[] | null)[]): boolean {
  return wanted.every((any, place) => {
    const topics = listOf(any);
    const topic = log.topics[place];
    return topics === undefined || (topic !== undefined && topics.includes(topic.toLowerCase()));
  });
}

/** Lower-case texts, or undefined for "any". */
function listOf(value: string | readonly string[] | null | undefined): readonly string[] | undefined {
  if (value === null || value === undefined || value.length === 0) return undefined;
  return (typeof value === "string" ? [value] : value).map((text) => text.toLowerCase());
}

function numberOf(tag: unknown, state: State): number | undefined {
  if (tag === "latest" || tag === "pending") return state.head;
  if (tag === "earliest") return state.chain.blocks[0]?.number;
  if (tag === "finalized" || tag === "safe") return state.finalized;
  return Number(tag);
}

function blockAt(number: number, state: State): FakeBlock | undefined {
  const first = state.chain.blocks[0]?.number ?? 0;
  return number > state.head ? undefined : state.chain.blocks[number - first];
}

function logJson(log: FakeLog, block: FakeBlock, withTimestamp: boolean): unknown {
  return {
    address: log.address,
    topics: log.topics,
    data: log.data,
    blockNumber: hex(log.blockNumber),
    blockHash: log.blockHash,
    ...(withTimestamp ? { blockTimestamp: hex(block.timestamp) } : {}),
    transactionHash: log.transactionHash,
    transactionIndex: hex(log.transactionIndex),
    logIndex: hex(log.logIndex),
    removed: false,
  };
}

function lastNumber(chain: FakeChain): number {
  return chain.blocks.at(-1)?.number ?? -1;
}

function hex(number: number): string {
  return `0x${number.toString(16)}`;
}
