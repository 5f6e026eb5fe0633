// A JSON-RPC node over the synthetic chain, in a process of its own: its CPU time is not the indexer's.
import { once } from "node:events";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { blockJson, CHAIN_ID, finalizedOf, headOf, logsJson, quantity } from "./chain.ts";

/** As hosted nodes allow. */
const MAX_RANGE = 200;

interface Call {
  readonly id: number;
  readonly method: string;
  readonly params: readonly unknown[];
}

const size = { events: Number(process.argv[2]) };
/** Answers cost more than requests, and every run asks the same. */
const logAnswers = new Map<string, string>();

const server = createServer((request, response) => {
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => {
    const calls = JSON.parse(Buffer.concat(chunks).toString()) as Call | Call[];
    const body = Array.isArray(calls) ? `[${calls.map(answer).join(",")}]` : answer(calls);
    response.writeHead(200, { "content-type": "application/json", "content-length": Buffer.byteLength(body) });
    response.end(body);
  });
});
server.listen(0, "127.0.0.1");
await once(server, "listening");
console.log(`http://127.0.0.1:${(server.address() as AddressInfo).port}`);

function answer({ id, method, params }: Call): string {
  const envelope = `{"jsonrpc":"2.0","id":${JSON.stringify(id)}`;
  const result = resultOf(method, params);
  return result === undefined
    ? `${envelope},"error":{"code":-32000,"message":"exceed maximum block range: ${MAX_RANGE}"}}`
    : `${envelope},"result":${result}}`;
}

function resultOf(method: string, params: readonly unknown[]): string | undefined {
  switch (method) {
    case "eth_chainId":
      return `"${quantity(CHAIN_ID)}"`;
    case "eth_blockNumber":
      return `"${quantity(headOf(size))}"`;
    case "eth_getBlockByNumber": {
      const number = numberOf(params[0]);
      return number > headOf(size) ? "null" : blockJson(number);
    }
    case "eth_getLogs": {
      const { fromBlock, toBlock } = params[0] as { fromBlock: string; toBlock: string };
      return logsOf(numberOf(fromBlock), numberOf(toBlock));
    }
    default:
      throw new Error(`the benchmark's node does not know ${method}`);
  }
}

function logsOf(from: number, to: number): string | undefined {
  if (to - from >= MAX_RANGE) return undefined;
  const range = `${from} ${to}`;
  let logs = logAnswers.get(range);
  if (logs === undefined) {
    logs = logsJson(size, from, to);
    logAnswers.set(range, logs);
  }
  return logs;
}

function numberOf(tag: unknown): number {
  if (tag === "finalized" || tag === "safe") return finalizedOf(size);
  return tag === "latest" ? headOf(size) : Number(tag);
}
