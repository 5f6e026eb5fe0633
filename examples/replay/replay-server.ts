import { once } from "node:events";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { readBlockFile } from "./block-file.ts";
import { ReplayChain } from "./replay-chain.ts";
import { answerCall, RpcError, type RpcLimits } from "./rpc.ts";

export interface ReplayOptions {
  /** A block file: examples/data/README.md says what it holds. */
  readonly file: string;
  readonly chainId: number;
  /** 0, the default: any free port. */
  readonly port?: number;
  /** Most logs in one answer; more are refused with the range that would fit. Default 10,000. */
  readonly maxLogs?: number;
  /** Most blocks in one log query. Default: no limit. */
  readonly maxRange?: number;
  /** The newest block at first. Default: the last one of the file. Above it there are empty blocks. */
  readonly head?: number;
  /** Blocks between the head and the one called finalized. Default 64. */
  readonly finalityDepth?: number;
  /** Whether logs tell the time of their block, as many nodes do by now. Default true. */
  readonly blockTimestamp?: boolean;
}

export interface ReplayServer {
  readonly url: string;
  /** First and last block of the file. */
  readonly first: number;
  readonly last: number;
  /** Calls answered so far, by method. */
  readonly requests: ReadonlyMap<string, number>;
  /** Moves the head up, by one block if nothing else is said. */
  advance(blocks?: number): void;
  close(): Promise<void>;
}

/** Serves a block file as a JSON-RPC node does: single calls and batches over HTTP, with the limits of hosted nodes. */
export async function createReplayServer(options: ReplayOptions): Promise<ReplayServer> {
  const blocks = await readBlockFile(options.file);
  const chain = new ReplayChain(blocks, {
    chainId: options.chainId,
    blockTimestamp: options.blockTimestamp ?? true,
  });
  const limits: RpcLimits = {
    maxLogs: options.maxLogs ?? 10_000,
    maxRange: options.maxRange ?? Number.POSITIVE_INFINITY,
    finalityDepth: options.finalityDepth ?? 64,
  };
  const requests = new Map<string, number>();
  let head = options.head ?? chain.last;

  const answer = (call: unknown): string => {
    const { id = null, method, params } = (call ?? {}) as { id?: unknown; method?: unknown; params?: unknown };
    const envelope = `{"jsonrpc":"2.0","id":${JSON.stringify(id)}`;
    try {
      if (typeof method !== "string") throw new RpcError(-32600, "invalid request");
      requests.set(method, (requests.get(method) ?? 0) + 1);
      const result = answerCall(chain, () => head, limits, method, Array.isArray(params) ? params : []);
      return `${envelope},"result":${result}}`;
    } catch (error) {
      return `${envelope},"error":${errorJson(error)}}`;
    }
  };

  const server = createServer((request, response) => {
    serve(request, response, answer).catch((error: unknown) => response.destroy(error as Error));
  });
  server.keepAliveTimeout = 60_000;
  server.listen(options.port ?? 0, "127.0.0.1");
  await once(server, "listening");
  const { port } = server.address() as AddressInfo;

  return {
    url: `http://127.0.0.1:${port}`,
    first: chain.first,
    last: chain.last,
    requests,
    advance: (by = 1) => {
      head += by;
    },
    close: () =>
      new Promise((resolve) => {
        server.close(() => resolve());
        server.closeAllConnections();
      }),
  };
}

async function serve(
  request: IncomingMessage,
  response: ServerResponse,
  answer: (call: unknown) => string,
): Promise<void> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk as Buffer);
  const body = answerBody(Buffer.concat(chunks).toString("utf8"), answer);
  response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
  response.end(body);
}

function answerBody(text: string, answer: (call: unknown) => string): string {
  let calls: unknown;
  try {
    calls = JSON.parse(text);
  } catch {
    return '{"jsonrpc":"2.0","id":null,"error":{"code":-32700,"message":"parse error"}}';
  }
  return Array.isArray(calls) ? `[${calls.map(answer).join(",")}]` : answer(calls);
}

function errorJson(error: unknown): string {
  if (!(error instanceof RpcError)) return JSON.stringify({ code: -32603, message: String(error) });
  const { code, message, data } = error;
  return JSON.stringify({ code, message, ...(data === undefined ? {} : { data }) });
}
