import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, onTestFinished, test } from "vitest";
import { createJsonRpcSource } from "../../../src/source/json-rpc-source.ts";
import { buildChain, fakeAddress, TRANSFER_TOPIC, tokenChain, transferLog } from "../../support/fake-chain.ts";
import { recordingClock, recordingTelemetry } from "../../support/source-doubles.ts";
import { queryOf, rowsOf, sourceBench } from "./source-bench.ts";

const chain = tokenChain({ id: 11155111, blocks: 30 });

function headerAt(number: number) {
  const block = chain.blocks[number];
  return { number, hash: block?.hash, parentHash: block?.parentHash, timestamp: block?.timestamp };
}

describe("a source over an honest node", () => {
  test("is named by the host alone", async () => {
    const { source, host } = await sourceBench({ chain });
    expect(source.name).toBe(host);
  });

  test("knows the chain id", async () => {
    const { source, signal, telemetry } = await sourceBench({ chain });
    expect(await source.chainId(signal, telemetry)).toBe(11155111);
  });

  test("knows the head and the finalized block", async () => {
    const { source, signal, telemetry, node } = await sourceBench({ chain, head: 20, finalized: 12 });
    node.advanceHead();
    expect(await source.head(signal, telemetry)).toEqual(headerAt(21));
    expect(await source.finalized(signal, telemetry)).toEqual(headerAt(12));
  });

  test("says nothing of finality when the node does not", async () => {
    const { source, signal, telemetry, node } = await sourceBench({ chain });
    expect(await source.finalized(signal, telemetry)).toBe(undefined);
    node.misbehave({ kind: "error", error: { code: -39001, message: "Unknown block" } });
    expect(await source.finalized(signal, telemetry)).toBe(undefined);
  });

  test("gives headers in the order asked, undefined for blocks that are not there", async () => {
    const { source, signal, telemetry, node } = await sourceBench({ chain });
    const headers = await source.headers([7, 3, 99, 7], signal, telemetry);
    expect(headers).toEqual([headerAt(7), headerAt(3), undefined, headerAt(7)]);
    expect({ requests: node.httpRequests, calls: node.calls() }).toEqual({ requests: 1, calls: 3 });
  });

  test("gives the logs of a range as a page", async () => {
    const logs = [
      transferLog({ token: fakeAddress(1), from: fakeAddress(2), to: fakeAddress(3), value: 7n }),
      { address: fakeAddress(4), topics: [], data: "0x" },
    ];
    const two = buildChain({ blocks: 2, logs: (number) => (number === 1 ? logs : []) });
    const { source, signal, telemetry } = await sourceBench({ chain: two });
    const [transfer, plain] = two.blocks[1]?.logs ?? [];
    expect(rowsOf(await source.logs(queryOf(0, 1), signal, telemetry))).toEqual([
      { ...transfer, blockTimestamp: 1_700_000_012 },
      { ...plain, blockTimestamp: 1_700_000_012 },
    ]);
  });

  test("asks for addresses and first topics", async () => {
    const { source, signal, telemetry, node } = await sourceBench({ chain });
    const addresses = [fakeAddress(0xee20), fakeAddress(0xee21)] as `0x${string}`[];
    const page = await source.logs(queryOf(5, 6, { addresses, topics: [TRANSFER_TOPIC] }), signal, telemetry);
    expect(page.count).toBe(4);
    expect(node.log.map((call) => call.params)).toEqual([
      [{ fromBlock: "0x5", toBlock: "0x6", address: addresses, topics: [[TRANSFER_TOPIC]] }],
    ]);
  });

  test("asks nobody for the logs of no address: to a node an empty list means any", async () => {
    const { source, signal, telemetry, node } = await sourceBench({ chain });
    const page = await source.logs(queryOf(0, 9, { addresses: [] }), signal, telemetry);
    expect({ count: page.count, requests: node.httpRequests }).toEqual({ count: 0, requests: 0 });
  });

  test("leaves timestamps unknown when the logs do not all carry one", async () => {
    const { source, signal, telemetry } = await sourceBench({ chain, logTimestamps: false });
    const page = await source.logs(queryOf(5, 6), signal, telemetry);
    expect([...page.blockTimestamp]).toEqual([-1, -1, -1, -1]);
  });

  test.each([
    ["zero in one of them", "0x0"],
    ["missing in one of them", undefined],
    ["not the same within a block", "0x1"],
    ["no hexadecimal number", "soon"],
  ])("leaves timestamps unknown when they are %s", async (_, blockTimestamp) => {
    const { source, signal, telemetry, node } = await sourceBench({ chain });
    node.misbehave({
      kind: "result",
      change: (logs) => (logs as object[]).map((log, place) => (place === 1 ? { ...log, blockTimestamp } : log)),
    });
    const page = await source.logs(queryOf(5, 6), signal, telemetry);
    expect([...page.blockTimestamp]).toEqual([-1, -1, -1, -1]);
  });

  test("puts logs that come in another order into chain order", async () => {
    const { source, signal, telemetry, node } = await sourceBench({ chain });
    const ordered = rowsOf(await source.logs(queryOf(0, 9), signal, telemetry));
    node.misbehave({ kind: "result", change: (logs) => [...(logs as object[])].reverse() });
    expect(rowsOf(await source.logs(queryOf(0, 9), signal, telemetry))).toEqual(ordered);
  });

  test("matches the answers of a batch by their ids", async () => {
    const { source, signal, telemetry, node } = await sourceBench({ chain });
    node.misbehave({ kind: "text", change: (text) => JSON.stringify((JSON.parse(text) as object[]).reverse()) });
    expect(await source.headers([1, 2, 3], signal, telemetry)).toEqual([headerAt(1), headerAt(2), headerAt(3)]);
  });

  test("tells telemetry of each request, without path or credentials", async () => {
    const { source, signal, telemetry, node } = await sourceBench({ chain });
    await source.headers([1, 2, 3], signal, telemetry);
    node.misbehave({ kind: "error", error: { code: -32000, message: "header not found" } }, { times: 1 });
    await source.logs(queryOf(1, 2), signal, telemetry);
    const to = { host: "127.0.0.1", port: node.port };
    expect(telemetry.requests).toEqual([
      { method: "eth_getBlockByNumber", calls: 3, outcome: "ok", ...to },
      { method: "eth_getLogs", calls: 1, outcome: "ok", errorCode: -32000, ...to },
      { method: "eth_getLogs", calls: 1, outcome: "ok", ...to },
    ]);
  });

  test("keeps to its number of requests at once", async () => {
    const { source, signal, telemetry } = await sourceBench({ chain }, { maxConcurrency: 2, maxBatchCalls: 1 });
    let running = 0;
    let most = 0;
    const counting: typeof telemetry = {
      ...telemetry,
      request: async (start, run) => {
        most = Math.max(most, ++running);
        try {
          return await telemetry.request(start, run);
        } finally {
          running--;
        }
      },
    };
    await source.headers([1, 2, 3, 4, 5, 6], signal, counting);
    expect({ most, requests: telemetry.requests.length }).toEqual({ most: 2, requests: 6 });
  });

  test("ends with the reason of its signal, while it waits for an answer or for its turn", async () => {
    const { source, telemetry, node } = await sourceBench({ chain }, { maxConcurrency: 1 });
    node.misbehave({ kind: "hang" });
    const stop = new AbortController();
    const answers = [source.head(stop.signal, telemetry), source.head(stop.signal, telemetry)];
    const reason = new Error("stopped");
    stop.abort(reason);
    expect(await Promise.allSettled(answers)).toEqual([
      { status: "rejected", reason },
      { status: "rejected", reason },
    ]);
  });
});

test("closing a source ends what is under way, and nothing is tried again", async () => {
  const { source, signal, telemetry, node, clock, host } = await sourceBench({ chain });
  node.misbehave({ kind: "hang" });
  const answer = source.head(signal, telemetry).catch((error: unknown) => String(error));
  await expect.poll(() => node.httpRequests).toBe(1);
  await source.close();
  expect({ answer: await answer, sleeps: clock.sleeps }).toEqual({
    answer: `Error: the source ${host} was closed`,
    sleeps: [],
  });
});

test("a request carries the path, the headers and the credentials of the address", async () => {
  const seen: unknown[] = [];
  const server = createServer((request, response) => {
    const { authorization, "x-key": key, "content-type": type } = request.headers;
    seen.push({ method: request.method, url: request.url, authorization, key, type });
    response.end('{"jsonrpc":"2.0","id":1,"result":"0x1"}');
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const source = createJsonRpcSource({
    url: `http://user:pass%20word@127.0.0.1:${(server.address() as AddressInfo).port}/v2/key?project=9`,
    headers: { "x-key": "abc" },
    timeoutMs: 1_000,
    maxConcurrency: 1,
    retries: { budgetMs: 0 },
    clock: recordingClock(),
  });
  onTestFinished(async () => {
    await source.close();
    server.close();
  });
  await source.chainId(new AbortController().signal, recordingTelemetry());
  const authorization = `Basic ${Buffer.from("user:pass word").toString("base64")}`;
  expect(seen).toEqual([
    { method: "POST", url: "/v2/key?project=9", authorization, key: "abc", type: "application/json" },
  ]);
});
