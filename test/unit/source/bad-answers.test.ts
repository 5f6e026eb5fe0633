import { describe, expect, test } from "vitest";
import type { SpindexError } from "../../../src/errors.ts";
import { fakeAddress, fakeHash, TRANSFER_TOPIC, tokenChain } from "../../support/fake-chain.ts";
import type { Misbehaviour } from "../../support/fake-node.ts";
import { queryOf, type SourceBench, sourceBench } from "./source-bench.ts";

/** Two transfers a block: logs 0 and 1 of the answer are of block 5, 2 and 3 of block 6. */
const chain = tokenChain({ blocks: 20 });
const token = fakeAddress(0xee20) as `0x${string}`;
const query = queryOf(5, 6, { addresses: [token], topics: [TRANSFER_TOPIC] });

type Log = Record<string, unknown>;

/** Every answer has the log at `place` changed. */
function changedLog(place: number, change: (log: Log) => Log): Misbehaviour {
  return { kind: "result", change: (logs) => (logs as Log[]).map((log, at) => (at === place ? change(log) : log)) };
}

function text(change: (text: string) => string): Misbehaviour {
  return { kind: "text", change };
}

async function errorOf(work: Promise<unknown>): Promise<SpindexError> {
  return (await work.then(
    () => undefined,
    (error: unknown) => error,
  )) as SpindexError;
}

function logsError(bench: SourceBench): Promise<SpindexError> {
  return errorOf(bench.source.logs(query, bench.signal, bench.telemetry));
}

describe("an invalid answer to a log query is tried again, then ends the work with a message that shows it", () => {
  test.each<[string, Misbehaviour, string]>([
    [
      "HTML",
      { kind: "http", status: 200, body: "<!DOCTYPE html>\n<html><body>Welcome to nginx</body></html>" },
      "its answer is not JSON: <!DOCTYPE html> <html><body>Welcome to nginx</body></html>",
    ],
    [
      "truncated JSON",
      text((body) => body.slice(0, 300)),
      'its answer is not JSON: {"jsonrpc":"2.0","id":1,"result":[{"address":"0x00000000000000000000000000000000…',
    ],
    ["an empty body", text(() => ""), "its answer is empty"],
    [
      "another id",
      text((body) => body.replace('"id":1', '"id":7')),
      'its answer has the id 7, which no call has: {"jsonrpc":"2.0","id":7,"result":[{"address":"0x00000000000000000000000000000000…',
    ],
    ["a list", text(() => "[]"), "its answer is not a JSON-RPC object: []"],
    ["a text", text(() => '"ok"'), 'its answer is not a JSON-RPC object: "ok"'],
    [
      "neither result nor error",
      text(() => '{"jsonrpc":"2.0","id":1}'),
      'its answer has neither result nor error: {"jsonrpc":"2.0","id":1}',
    ],
    ["null", { kind: "result", change: () => null }, "its result is no list of logs but null"],
    ["an object", { kind: "result", change: () => ({ logs: [] }) }, 'its result is no list of logs but {"logs":[]}'],
    ["a log that is null", { kind: "result", change: () => [null] }, "log 0 is no object but null"],
    [
      "a number in place of a hexadecimal one",
      changedLog(1, (log) => ({ ...log, blockNumber: 5 })),
      "the block number of log 1 is no hexadecimal number but 5",
    ],
    [
      "a log without index, as of a pending block",
      changedLog(1, (log) => ({ ...log, logIndex: null })),
      "the log index of log 1 is no hexadecimal number but null",
    ],
    [
      "a log index beyond what an event id holds",
      changedLog(1, (log) => ({ ...log, logIndex: "0x40000" })),
      'the log index of log 1 is "0x40000", beyond 262143',
    ],
    [
      "a 33-byte hash",
      changedLog(0, (log) => ({ ...log, blockHash: `0x${"ab".repeat(33)}` })),
      `the block hash of log 0 has 66 hexadecimal digits instead of 64: "0x${"ab".repeat(33)}"`,
    ],
    [
      "a missing transaction hash",
      changedLog(0, ({ transactionHash: _, ...log }) => log),
      "the transaction hash of log 0 is no hexadecimal text but missing",
    ],
    [
      "data of an odd length",
      changedLog(3, (log) => ({ ...log, data: "0x123" })),
      'the data of log 3 has 3 hexadecimal digits instead of an even number: "0x123"',
    ],
    [
      "data that is not hexadecimal",
      changedLog(3, (log) => ({ ...log, data: "0xzz" })),
      'the data of log 3 is no hexadecimal text but "0xzz"',
    ],
    [
      "five topics",
      changedLog(2, (log) => ({ ...log, topics: Array.from({ length: 5 }, () => TRANSFER_TOPIC) })),
      "log 2 has 5 topics; a log has at most 4",
    ],
    [
      "topics that are no list",
      changedLog(2, (log) => ({ ...log, topics: TRANSFER_TOPIC })),
      `the topics of log 2 are no list but "${TRANSFER_TOPIC}"`,
    ],
    ["a removed log", changedLog(2, () => ({ removed: true })), 'log 2 is marked as removed: {"removed":true}'],
    [
      "a log of a block that was not asked for",
      changedLog(3, (log) => ({ ...log, blockNumber: "0x7" })),
      "log 3 is of block 7, outside the asked range",
    ],
    [
      "a log of an address that was not asked for",
      changedLog(3, (log) => ({ ...log, address: fakeAddress(0xbad) })),
      `log 3 (block 6) is of the address ${fakeAddress(0xbad)}, which was not asked for`,
    ],
    [
      "a log of an event that was not asked for",
      changedLog(3, (log) => ({ ...log, topics: [fakeHash("Approval")] })),
      `log 3 (block 6) has ${fakeHash("Approval")}, which was not asked for`,
    ],
    [
      "a log without topics where one was asked for",
      changedLog(3, (log) => ({ ...log, topics: [] })),
      "log 3 (block 6) has no first topic, which was not asked for",
    ],
    [
      "the same log twice",
      { kind: "result", change: (logs) => [...(logs as Log[]), (logs as Log[])[1]] },
      "the log with index 1 of block 5 comes twice",
    ],
    [
      "two logs in one place",
      changedLog(3, (log) => ({ ...log, logIndex: "0x0" })),
      "the log with index 0 of block 6 comes twice",
    ],
    [
      "a block with two hashes",
      changedLog(3, (log) => ({ ...log, blockHash: fakeHash("other") })),
      `block 6 has two hashes: ${chain.blocks[6]?.hash} and ${fakeHash("other")}`,
    ],
  ])("%s", async (_, misbehaviour, what) => {
    const bench = await sourceBench({ chain });
    bench.node.misbehave(misbehaviour);
    const error = await logsError(bench);
    const { httpRequests } = bench.node;
    expect({ code: error.code, exitCode: error.exitCode, message: error.message }).toEqual({
      code: "SOURCE_ANSWER_INVALID",
      exitCode: 75,
      message: `${bench.host} gave an invalid answer to eth_getLogs for blocks 5 to 6 (${httpRequests} attempts in 10 s): ${what}`,
    });
    expect(httpRequests).toBeGreaterThan(3);
    expect(bench.telemetry.requests.map((request) => request.outcome)).toEqual(Array(httpRequests).fill("failed"));
  });
});

test("an invalid answer that does not come again costs one wait", async () => {
  const bench = await sourceBench({ chain });
  bench.node.misbehave({ kind: "http", status: 200, body: "<html>" }, { times: 1 });
  const page = await bench.source.logs(query, bench.signal, bench.telemetry);
  expect({ count: page.count, sleeps: bench.clock.sleeps }).toEqual({ count: 4, sleeps: [250] });
});

test("an invalid answer is tried for a minute, however long the budget is", async () => {
  const bench = await sourceBench({ chain }, { retries: { budgetMs: 600_000 } });
  bench.node.misbehave({ kind: "http", status: 200, body: "<html>" });
  const error = await logsError(bench);
  expect(error.code).toBe("SOURCE_ANSWER_INVALID");
  expect(bench.clock.sleeps.reduce((sum, ms) => sum + ms, 0)).toBe(60_000);
});

describe("an invalid header", () => {
  type Change = (block: Record<string, unknown>) => unknown;

  test.each<[string, Change, string]>([
    ["another block", (block) => ({ ...block, number: "0x6" }), "block 5 was asked and block 6 came"],
    ["no hash", ({ hash: _, ...block }) => block, "the hash of block 5 is no hexadecimal text but missing"],
    [
      "a short parent hash",
      (block) => ({ ...block, parentHash: "0x12" }),
      'the parent hash of block 5 has 2 hexadecimal digits instead of 64: "0x12"',
    ],
    [
      "a timestamp in decimal",
      (block) => ({ ...block, timestamp: 1_700_000_000 }),
      "the timestamp of block 5 is no hexadecimal number but 1700000000",
    ],
    ["a text", () => "0x5", 'block 5 is no object but "0x5"'],
  ])("with %s is refused", async (_, change, what) => {
    const bench = await sourceBench({ chain }, { retries: { budgetMs: 0 } });
    bench.node.misbehave({ kind: "result", change: (block) => change(block as Record<string, unknown>) });
    const error = await errorOf(bench.source.headers([5], bench.signal, bench.telemetry));
    expect({ code: error.code, message: error.message }).toEqual({
      code: "SOURCE_ANSWER_INVALID",
      message: `${bench.host} gave an invalid answer to eth_getBlockByNumber for block 5 (1 attempt): ${what}`,
    });
  });

  test("of the head may not be null", async () => {
    const bench = await sourceBench({ chain }, { retries: { budgetMs: 0 } });
    bench.node.misbehave({ kind: "result", change: () => null });
    expect((await errorOf(bench.source.head(bench.signal, bench.telemetry))).message).toBe(
      `${bench.host} gave an invalid answer to eth_getBlockByNumber of the latest block (1 attempt): the block is no object but null`,
    );
  });
});

describe("an invalid batch", () => {
  type Envelope = { id: number };

  test.each<[string, (answers: Envelope[]) => unknown, string]>([
    ["a call without answer", (answers) => answers.slice(1), "3 calls were sent and no answer has the id 1"],
    ["two answers to one call", ([first, , third]) => [first, first, third], "two answers have the id 1"],
    [
      "an answer to no call",
      ([first, second]) => [first, second, { id: 4 }],
      "its answer has the id 4, which no call has",
    ],
    ["an answer alone", ([first]) => first, "its answer to a batch is not a list"],
  ])("with %s is refused", async (_, change, what) => {
    const bench = await sourceBench({ chain }, { retries: { budgetMs: 0 } });
    bench.node.misbehave({ kind: "text", change: (body) => JSON.stringify(change(JSON.parse(body) as Envelope[])) });
    const error = await errorOf(bench.source.headers([5, 6, 7], bench.signal, bench.telemetry));
    const start = `${bench.host} gave an invalid answer to eth_getBlockByNumber for 3 blocks from 5 (1 attempt): ${what}: `;
    expect({ code: error.code, start: error.message.slice(0, start.length) }).toEqual({
      code: "SOURCE_ANSWER_INVALID",
      start,
    });
  });
});

test("no message shows the path, the query, the credentials or the headers of an endpoint", async () => {
  const bench = await sourceBench(
    { chain },
    { headers: { authorization: "Bearer header-secret" }, retries: { budgetMs: 0 } },
  );
  const page = "bad gateway for http://127.0.0.1/v2/secret-api-key with Bearer header-secret and secret-api-key";
  const shown = "bad gateway for 127.0.0.1 with … and …";
  const error = { code: -32000, message: page };
  const messages: string[] = [];
  for (const misbehaviour of [
    { kind: "http", status: 502, body: page },
    { kind: "http", status: 200, body: page },
    { kind: "error", error },
    { kind: "error", error: { code: -32000, message: `block range too large ${page}` } },
  ] satisfies Misbehaviour[]) {
    const heal = bench.node.misbehave(misbehaviour);
    messages.push((await logsError(bench)).message);
    heal();
  }
  const work = "eth_getLogs for blocks 5 to 6";
  expect(messages.map((message) => message.replaceAll(bench.host, "HOST"))).toEqual([
    `HOST did not serve ${work} (1 attempt); last: HTTP status 502: ${shown}`,
    `HOST gave an invalid answer to ${work} (1 attempt): its answer is not JSON: ${shown}`,
    `HOST did not serve ${work} (1 attempt); last: error -32000: ${shown}`,
    `HOST wants fewer blocks than 5 to 6: block range too large ${shown}`,
  ]);
});
