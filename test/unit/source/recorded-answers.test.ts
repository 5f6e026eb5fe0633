import { readFileSync } from "node:fs";
import { gunzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { logPageOfAnswer } from "../../../src/source/log-answer.ts";
import type { LogQuery } from "../../../src/source/source.ts";
import { rowsOf } from "./source-bench.ts";

interface RecordedLog {
  readonly address: string;
  readonly topics: readonly string[];
  readonly data: string;
  readonly blockNumber: string;
  readonly blockHash: string;
  readonly blockTimestamp: string;
  readonly transactionHash: string;
  readonly transactionIndex: string;
  readonly logIndex: string;
}

interface RecordedCase {
  readonly chain: string;
  readonly source: string;
  readonly request: {
    readonly params: readonly {
      readonly fromBlock?: string;
      readonly toBlock?: string;
      readonly address?: string | readonly string[];
      readonly topics?: readonly (string | readonly string[])[];
    }[];
  };
  readonly response: { readonly result: readonly RecordedLog[] | null };
}

const file = new URL("../../data/rpc-getlogs-cases.ndjson.gz", import.meta.url);
const cases = gunzipSync(readFileSync(file))
  .toString()
  .trim()
  .split("\n")
  .map((line) => JSON.parse(line) as RecordedCase)
  // Queries by block hash and without a range are none that the source makes.
  .filter(({ request }) => request.params[0]?.fromBlock !== undefined);

function queryOfCase({ request }: RecordedCase): LogQuery {
  const { fromBlock, toBlock, address, topics = [] } = request.params[0] ?? {};
  const lower = (texts: string | readonly string[] | undefined) =>
    [texts ?? []].flat().map((text) => text.toLowerCase() as `0x${string}`);
  const addresses = lower(address);
  return {
    fromBlock: Number(fromBlock),
    toBlock: Number(toBlock),
    addresses: addresses.length === 0 ? undefined : addresses,
    topics: lower(topics[0]),
  };
}

describe("what a real node answered", () => {
  test("is there", () => {
    expect(cases.length).toBe(23);
  });

  test.each(cases)("is accepted whole: $source", (recorded) => {
    const result = recorded.response.result ?? [];
    expect(rowsOf(logPageOfAnswer(result, queryOfCase(recorded)))).toEqual(
      result.map((log) => ({
        address: log.address,
        topics: log.topics,
        data: log.data,
        blockNumber: Number(log.blockNumber),
        blockHash: log.blockHash,
        blockTimestamp: Number(log.blockTimestamp),
        transactionHash: log.transactionHash,
        transactionIndex: Number(log.transactionIndex),
        logIndex: Number(log.logIndex),
      })),
    );
  });

  test.each(cases.filter(({ response }) => response.result?.length))(
    "is refused for a smaller range than it was for: $source",
    (recorded) => {
      const query = queryOfCase(recorded);
      const blocks = (recorded.response.result ?? []).map((log) => Number(log.blockNumber));
      const toBlock = Math.max(...blocks) - 1;
      expect(() => logPageOfAnswer(recorded.response.result, { ...query, toBlock })).toThrow(/outside the asked range/);
    },
  );
});
