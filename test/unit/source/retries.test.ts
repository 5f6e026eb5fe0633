import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { describe, expect, test } from "vitest";
import type { SpindexError } from "../../../src/errors.ts";
import { createJsonRpcSource } from "../../../src/source/json-rpc-source.ts";
import { RequestFailure } from "../../../src/source/request-failure.ts";
import { retryAfterMs, withRetries } from "../../../src/source/retry.ts";
import { RangeTooLarge } from "../../../src/source/source.ts";
import { tokenChain } from "../../support/fake-chain.ts";
import type { Misbehaviour } from "../../support/fake-node.ts";
import { recordingClock, recordingTelemetry } from "../../support/source-doubles.ts";
import { queryOf, sourceBench } from "./source-bench.ts";

const chain = tokenChain({ id: 5, blocks: 10 });

async function errorOf(work: Promise<unknown>): Promise<SpindexError> {
  return (await work.then(
    () => undefined,
    (error: unknown) => error,
  )) as SpindexError;
}

describe("what may pass is tried again", () => {
  test.each<[string, Misbehaviour]>([
    ["a status 500", { kind: "http", status: 500, body: "oops" }],
    ["a status 503 with JSON-RPC", { kind: "error", error: { code: -32603, message: "overloaded" }, status: 503 }],
    ["a cut connection", { kind: "cut" }],
    ["an error of the node", { kind: "error", error: { code: -32603, message: "internal error" } }],
    ["a rate limit by code", { kind: "error", error: { code: -32005, message: "too fast" } }],
    ["a rate limit by status", { kind: "http", status: 429, body: "" }],
  ])("%s", async (_, misbehaviour) => {
    const { source, signal, telemetry, node, clock } = await sourceBench({ chain });
    node.misbehave(misbehaviour, { times: 2 });
    expect(await source.chainId(signal, telemetry)).toBe(5);
    expect({ requests: node.httpRequests, sleeps: clock.sleeps }).toEqual({ requests: 3, sleeps: [250, 500] });
  });

  test("a silent node", async () => {
    const { source, signal, telemetry, node, clock } = await sourceBench({ chain }, { timeoutMs: 50 });
    node.misbehave({ kind: "hang" }, { times: 1 });
    expect(await source.chainId(signal, telemetry)).toBe(5);
    expect({ requests: node.httpRequests, sleeps: clock.sleeps }).toEqual({ requests: 2, sleeps: [250] });
  });

  test("waits grow to the maximum and use the budget to its end", async () => {
    const bench = await sourceBench({ chain }, { retries: { budgetMs: 30_000, firstMs: 1_000, maxMs: 8_000 } });
    bench.node.misbehave({ kind: "http", status: 503, body: "<h1>Service\n unavailable</h1>" });
    const error = await errorOf(bench.source.chainId(bench.signal, bench.telemetry));
    expect(bench.clock.sleeps).toEqual([1_000, 2_000, 4_000, 8_000, 8_000, 7_000]);
    expect({ code: error.code, exitCode: error.exitCode, message: error.message, fix: error.fix }).toEqual({
      code: "SOURCE_UNREACHABLE",
      exitCode: 75,
      message: `${bench.host} did not serve eth_chainId (7 attempts in 30 s); last: HTTP status 503: <h1>Service unavailable</h1>`,
      fix: "Check that the endpoint runs and can be reached from here, or use another one; then start again.",
    });
  });

  test("each wait is told", async () => {
    const bench = await sourceBench({ chain });
    const told: unknown[] = [];
    bench.node.misbehave({ kind: "http", status: 503, body: "" }, { times: 2 });
    const telemetry = {
      ...bench.telemetry,
      retrying: (attempt: number, waitMs: number, error: unknown) => told.push([attempt, waitMs, String(error)]),
    };
    await bench.source.chainId(bench.signal, telemetry);
    expect(told).toEqual([
      [1, 250, "RequestFailure: HTTP status 503"],
      [2, 500, "RequestFailure: HTTP status 503"],
    ]);
  });
});

describe("a node that says when to come back", () => {
  test("is obeyed", async () => {
    const { source, signal, telemetry, node, clock } = await sourceBench({ chain });
    node.misbehave({ kind: "http", status: 429, body: "slow down", headers: { "retry-after": "3" } }, { times: 1 });
    expect(await source.chainId(signal, telemetry)).toBe(5);
    expect(clock.sleeps).toEqual([3_000]);
  });

  test("ends the work at once when that is after the budget", async () => {
    const bench = await sourceBench({ chain });
    bench.node.misbehave({ kind: "http", status: 429, body: "slow down", headers: { "retry-after": "60" } });
    const error = await errorOf(bench.source.chainId(bench.signal, bench.telemetry));
    expect({ code: error.code, message: error.message, sleeps: bench.clock.sleeps }).toEqual({
      code: "SOURCE_UNREACHABLE",
      message: `${bench.host} limits the rate of requests and did not serve eth_chainId (1 attempt); last: HTTP status 429: slow down`,
      sleeps: [],
    });
  });

  test.each([
    ["120", 120_000],
    ["0", 0],
    ["Tue, 14 Nov 2023 22:13:25 GMT", 5_000],
    ["Tue, 14 Nov 2023 22:13:00 GMT", 0],
    ["soon", undefined],
    [undefined, undefined],
  ])("by %s", (header, expected) => {
    expect(retryAfterMs(header, Date.parse("Tue, 14 Nov 2023 22:13:20 GMT"))).toBe(expected);
  });
});

describe("what cannot pass ends at once", () => {
  test.each<[string, Misbehaviour, string]>([
    ["a wrong key", { kind: "http", status: 401, body: "invalid api key" }, "HTTP status 401: invalid api key"],
    [
      "no access, with JSON-RPC",
      { kind: "error", error: { code: -32000, message: "project ID does not have access" }, status: 403 },
      "error -32000: project ID does not have access",
    ],
    ["a wrong path", { kind: "http", status: 404, body: "<h1>Not Found</h1>" }, "HTTP status 404: <h1>Not Found</h1>"],
    [
      "a method that is not there",
      { kind: "error", error: { code: -32601, message: "the method eth_chainId does not exist" } },
      "error -32601: the method eth_chainId does not exist",
    ],
  ])("%s", async (_, misbehaviour, said) => {
    const bench = await sourceBench({ chain });
    bench.node.misbehave(misbehaviour);
    const error = await errorOf(bench.source.chainId(bench.signal, bench.telemetry));
    expect({ code: error.code, exitCode: error.exitCode, message: error.message, sleeps: bench.clock.sleeps }).toEqual({
      code: "SOURCE_REFUSED",
      exitCode: 2,
      message: `${bench.host} refuses eth_chainId: ${said}`,
      sleeps: [],
    });
  });
});

test("a node that is not there is tried within the budget", async () => {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  const clock = recordingClock();
  const url = `http://127.0.0.1:${port}/key`;
  const retries = { budgetMs: 1_000 };
  const source = createJsonRpcSource({ url, headers: {}, timeoutMs: 1_000, maxConcurrency: 1, retries, clock });
  const error = await errorOf(source.head(new AbortController().signal, recordingTelemetry()));
  await source.close();
  expect({ code: error.code, message: error.message, sleeps: clock.sleeps }).toEqual({
    code: "SOURCE_UNREACHABLE",
    message:
      `127.0.0.1:${port} did not serve eth_getBlockByNumber of the latest block (4 attempts in 1 s); ` +
      `last: no connection (connect ECONNREFUSED 127.0.0.1:${port})`,
    sleeps: [250, 500, 250],
  });
});

describe("a log query that is too much for the node", () => {
  const query = queryOf(0, 9);

  test("is passed on with the block the node suggests", async () => {
    const { source, signal, telemetry, node, clock, host } = await sourceBench({ chain });
    node.limitRange({ maxBlocks: 4, says: () => ({ code: -32602, message: "query exceeds max block range 4" }) });
    const error = await errorOf(source.logs(query, signal, telemetry));
    expect(error).toEqual(
      new RangeTooLarge(`${host} wants fewer blocks than 0 to 9: query exceeds max block range 4`, 3),
    );
    expect(clock.sleeps).toEqual([]);
    expect((await source.logs(queryOf(0, 3), signal, telemetry)).count).toBeGreaterThan(0);
  });

  test("is passed on when the answer is larger than what is read", async () => {
    const { source, signal, telemetry, host } = await sourceBench({ chain }, { maxAnswerBytes: 1_000 });
    const error = await errorOf(source.logs(query, signal, telemetry));
    expect(error).toEqual(
      new RangeTooLarge(`${host} cannot serve eth_getLogs for blocks 0 to 9: its answer is larger than 1000 bytes`),
    );
  });

  test("is passed on when the node is silent twice", async () => {
    const { source, signal, telemetry, node } = await sourceBench({ chain }, { timeoutMs: 40 });
    node.misbehave({ kind: "hang" });
    expect(await errorOf(source.logs(query, signal, telemetry))).toBeInstanceOf(RangeTooLarge);
    expect(node.httpRequests).toBe(2);
  });

  test("of one block alone is tried again within the budget", async () => {
    const { source, signal, telemetry, node, host } = await sourceBench({ chain }, { retries: { budgetMs: 500 } });
    node.limitRange({ maxLogs: 1, says: () => ({ code: -32000, message: "query timeout of 10 seconds exceeded" }) });
    const error = await errorOf(source.logs(queryOf(3, 3), signal, telemetry));
    expect({ code: error.code, message: error.message }).toEqual({
      code: "SOURCE_UNREACHABLE",
      message:
        `${host} did not serve eth_getLogs for blocks 3 to 3 (3 attempts in 1 s); ` +
        "last: error -32000: query timeout of 10 seconds exceeded",
    });
  });
});

describe("the retry loop", () => {
  const run = (clock = recordingClock(), signal = new AbortController().signal) => ({
    retries: { budgetMs: 1_000 },
    clock,
    signal,
    retrying: () => {},
    giveUp: (failure: RequestFailure, attempts: number, elapsedMs: number) =>
      new Error(`${failure.message}, ${attempts} attempts, ${elapsedMs} ms`),
  });

  test("lets every other error through", async () => {
    const clock = recordingClock();
    const bug = new TypeError("bug");
    await expect(withRetries(run(clock), () => Promise.reject(bug))).rejects.toBe(bug);
    expect(clock.sleeps).toEqual([]);
  });

  test("counts the time of the attempts too", async () => {
    const clock = recordingClock();
    const slow = async (): Promise<never> => {
      await clock.sleep(700);
      throw new RequestFailure("unavailable", "down");
    };
    await expect(withRetries(run(clock), slow)).rejects.toThrow("down, 2 attempts, 1650 ms");
  });

  test("stops when its signal aborts during a wait", async () => {
    const stop = new AbortController();
    const clock = { ...recordingClock(), sleep: async () => stop.abort(new Error("stopped")) };
    const failing = () => Promise.reject(new RequestFailure("unavailable", "down"));
    await expect(withRetries({ ...run(), clock, signal: stop.signal }, failing)).rejects.toThrow("stopped");
  });
});
