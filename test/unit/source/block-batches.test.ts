import { describe, expect, test } from "vitest";
import type { SpindexError } from "../../../src/errors.ts";
import { tokenChain } from "../../support/fake-chain.ts";
import type { Misbehaviour } from "../../support/fake-node.ts";
import { type SourceBench, sourceBench } from "./source-bench.ts";

const chain = tokenChain({ blocks: 300 });
const numbers = Array.from({ length: 250 }, (_, number) => number);

async function hashes({ source, signal, telemetry }: SourceBench, asked: readonly number[]) {
  return (await source.headers(asked, signal, telemetry)).map((header) => header?.hash);
}

function expected(asked: readonly number[]) {
  return asked.map((number) => chain.blocks[number]?.hash);
}

function sizes({ telemetry }: SourceBench): number[] {
  return telemetry.requests.map((request) => request.calls);
}

describe("headers", () => {
  test("are asked in batches of 100 at most", async () => {
    const bench = await sourceBench({ chain });
    expect(await hashes(bench, numbers)).toEqual(expected(numbers));
    expect(sizes(bench).sort()).toEqual([100, 100, 50]);
  });

  test("are asked in the batches that the node takes, and it is not tried again", async () => {
    const bench = await sourceBench({ chain, maxBatchCalls: 30 }, { maxConcurrency: 1 });
    const asked = numbers.slice(0, 60);
    expect(await hashes(bench, asked)).toEqual(expected(asked));
    expect(await hashes(bench, asked)).toEqual(expected(asked));
    expect(sizes(bench)).toEqual([60, 30, 30, 30, 30]);
    expect(bench.clock.sleeps).toEqual([]);
  });

  test.each<[string, Misbehaviour]>([
    ["one error", { kind: "batchError", error: { code: -32600, message: "batch requests are not supported" } }],
    ["a status 413", { kind: "http", status: 413, body: "" }],
    ["a status 400", { kind: "http", status: 400, body: "cannot unmarshal array" }],
  ])("are asked one by one of a node that refuses batches with %s", async (_, misbehaviour) => {
    const bench = await sourceBench({ chain }, { maxConcurrency: 1 });
    bench.node.misbehave(misbehaviour, { when: (calls) => calls.length > 1 });
    const asked = [0, 1, 2, 3];
    expect(await hashes(bench, asked)).toEqual(expected(asked));
    expect(sizes(bench)).toEqual([4, 2, 1, 1, 1, 1]);
  });

  test("of a batch whose answer is too large are asked in smaller ones", async () => {
    const bench = await sourceBench({ chain }, { maxConcurrency: 1, maxAnswerBytes: 8_000 });
    const asked = numbers.slice(0, 8);
    expect(await hashes(bench, asked)).toEqual(expected(asked));
    expect(sizes(bench)).toEqual([8, 4, 4]);
  });

  test("that came are kept when others of their batch failed", async () => {
    const bench = await sourceBench({ chain }, { maxConcurrency: 1 });
    const tooFast = { code: 429, message: "compute units per second capacity exceeded" };
    const limitTo = (count: number): Misbehaviour => ({
      kind: "text",
      change: (text) =>
        JSON.stringify(
          (JSON.parse(text) as { id: number }[]).map((answer) =>
            answer.id <= count ? answer : { jsonrpc: "2.0", id: answer.id, error: tooFast },
          ),
        ),
    });
    bench.node.misbehave(limitTo(2), { times: 2 });
    const asked = numbers.slice(0, 6);
    expect(await hashes(bench, asked)).toEqual(expected(asked));
    expect(sizes(bench)).toEqual([6, 4, 2]);
    expect(bench.clock.sleeps).toEqual([250, 500]);
  });

  test("of a batch that the node is too slow for are asked in smaller ones, for this time only", async () => {
    const bench = await sourceBench({ chain }, { maxConcurrency: 1, timeoutMs: 60 });
    bench.node.misbehave({ kind: "hang" }, { times: 1 });
    const asked = numbers.slice(0, 4);
    expect(await hashes(bench, asked)).toEqual(expected(asked));
    expect(await hashes(bench, asked)).toEqual(expected(asked));
    expect(sizes(bench)).toEqual([4, 2, 2, 4]);
  });

  test.each(["header not found", "Unknown block", "cannot query unfinalized data"])(
    "of a block that is not there are undefined, also when the node says: %s",
    async (message) => {
      const bench = await sourceBench({ chain });
      bench.node.misbehave({ kind: "error", error: { code: -32000, message } });
      expect(await hashes(bench, [400])).toEqual([undefined]);
    },
  );

  test("fail as a whole when a batch fails, and the other batches are stopped", async () => {
    const bench = await sourceBench({ chain }, { maxConcurrency: 4 });
    bench.node.misbehave(
      { kind: "http", status: 401, body: "no" },
      { when: (calls) => calls.some((call) => call.params[0] === "0x0") },
    );
    bench.node.misbehave({ kind: "hang" });
    const error = await hashes(bench, numbers).catch((thrown: unknown) => thrown as SpindexError);
    expect(error).toMatchObject({
      code: "SOURCE_REFUSED",
      message: `${bench.host} refuses eth_getBlockByNumber for 100 blocks from 0: HTTP status 401: no`,
    });
    expect(bench.telemetry.requests.map((request) => request.outcome)).toEqual(["failed", "failed", "failed"]);
  });

  test("of no block need no request", async () => {
    const bench = await sourceBench({ chain });
    expect(await hashes(bench, [])).toEqual([]);
    expect(bench.node.httpRequests).toBe(0);
  });
});
