import { expect, test } from "vitest";
import { blockJson, headOf, lastEventBlock, logsJson } from "../../../bench/chain.ts";

const size = { events: 1_000 };
interface Log {
  readonly blockNumber: string;
  readonly blockHash: string;
  readonly logIndex: string;
  readonly topics: readonly string[];
}

test("the benchmark's chain has as many events as asked for, each once, in blocks that link", () => {
  const logs = JSON.parse(logsJson(size, 0, headOf(size))) as Log[];
  expect(new Set(logs.map(({ blockNumber, logIndex }) => `${blockNumber} ${logIndex}`)).size).toBe(size.events);
  expect(logs.at(-1)?.blockNumber).toBe(`0x${lastEventBlock(size).toString(16)}`);
  for (let number = 1; number <= 3; number++) {
    const [parent, block] = [number - 1, number].map((n) => JSON.parse(blockJson(n)) as Record<string, string>);
    expect(block?.parentHash).toBe(parent?.hash);
    expect(block?.hash).toBe(logs.find(({ blockNumber }) => Number(blockNumber) === number)?.blockHash);
  }
});

test("its ranges are cut without a gap", () => {
  const whole = JSON.parse(logsJson(size, 0, headOf(size))) as unknown[];
  const parts = [
    [0, 9],
    [10, 10],
    [11, headOf(size)],
  ].flatMap(([from, to]) => JSON.parse(logsJson(size, from!, to!)) as unknown[]);
  expect(parts).toEqual(whole);
});
