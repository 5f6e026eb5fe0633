import { onTestFinished } from "vitest";
import type { LogPage } from "../../../src/chain/log-page.ts";
import { hexAt } from "../../../src/chain/log-page.ts";
import { createJsonRpcSource, type JsonRpcSourceOptions } from "../../../src/source/json-rpc-source.ts";
import type { LogQuery, Source } from "../../../src/source/source.ts";
import { type FakeNode, type FakeNodeOptions, startFakeNode } from "../../support/fake-node.ts";
import {
  type RecordingClock,
  type RecordingTelemetry,
  recordingClock,
  recordingTelemetry,
} from "../../support/source-doubles.ts";

export interface SourceBench {
  readonly node: FakeNode;
  readonly source: Source;
  readonly clock: RecordingClock;
  readonly telemetry: RecordingTelemetry;
  readonly signal: AbortSignal;
  /** `127.0.0.1:port`. */
  readonly host: string;
}

/** A source over a fake node, both closed with the test. The path of the address is a secret. */
export async function sourceBench(
  node: FakeNodeOptions,
  options: Partial<JsonRpcSourceOptions> = {},
): Promise<SourceBench> {
  const fake = await startFakeNode(node);
  const clock = recordingClock();
  const source = createJsonRpcSource({
    url: `${fake.url}/v2/secret-api-key`,
    headers: {},
    timeoutMs: 5_000,
    maxConcurrency: 4,
    retries: { budgetMs: 10_000 },
    clock,
    ...options,
  });
  onTestFinished(async () => {
    await source.close();
    await fake.close();
  });
  const host = `127.0.0.1:${fake.port}`;
  return { node: fake, source, clock, telemetry: recordingTelemetry(), signal: new AbortController().signal, host };
}

/** A page's rows with their texts, to be compared. */
export function rowsOf(page: LogPage): readonly Record<string, unknown>[] {
  return Array.from({ length: page.count }, (_, row) => ({
    address: hexAt(page, page.address[row] as number, 40),
    topics: Array.from({ length: page.topicCount[row] as number }, (_topic, place) =>
      hexAt(page, page.topics[row * 4 + place] as number, 64),
    ),
    data: hexAt(page, page.data[row] as number, (page.dataBytes[row] as number) * 2),
    blockNumber: page.blockNumber[row],
    blockHash: hexAt(page, page.blockHash[row] as number, 64),
    blockTimestamp: page.blockTimestamp[row],
    transactionHash: hexAt(page, page.transactionHash[row] as number, 64),
    transactionIndex: page.transactionIndex[row],
    logIndex: page.logIndex[row],
  }));
}

export function queryOf(fromBlock: number, toBlock: number, query: Partial<LogQuery> = {}): LogQuery {
  return { fromBlock, toBlock, addresses: undefined, topics: [], ...query };
}
