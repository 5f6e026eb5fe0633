import { describe, expect, test } from "vitest";
import type { BlockHeader } from "../../../src/chain/block.ts";
import { type DurableChain, planRollback, type RollbackRequest } from "../../../src/reorg/rollback.ts";
import type { Source } from "../../../src/source/source.ts";
import { recordingTelemetry } from "../../support/source-doubles.ts";

const header = (number: number, fork = "a"): BlockHeader => ({
  number,
  hash: `0x${fork}${number}`,
  parentHash: `0x${fork}${number - 1}`,
  timestamp: number,
});
const headers = (from: number, to: number): BlockHeader[] =>
  Array.from({ length: to - from + 1 }, (_, at) => header(from + at));

/** A source whose chain is another one above `common`, and ends at `head`. */
function forkedSource(common: number, head: number, asked: number[][] = []): Source {
  const refuse = (): never => {
    throw new Error("nothing but headers is asked for");
  };
  return {
    name: "node",
    chainId: refuse,
    head: refuse,
    finalized: refuse,
    blocks: refuse,
    logs: refuse,
    close: refuse,
    headers: async (numbers) => {
      asked.push([...numbers]);
      return numbers.map((number) => (number > head ? undefined : header(number, number > common ? "b" : "a")));
    },
  };
}

const FOUND = header(21, "b");
const startBlock = 5;

function plan(durable: Omit<DurableChain, "startBlock">, source: Source): Promise<RollbackRequest | undefined> {
  const chain = { name: "mainnet", id: 1 };
  return planRollback(
    chain,
    { startBlock, ...durable },
    FOUND,
    source,
    new AbortController().signal,
    recordingTelemetry(),
  );
}

describe("a chain goes back", () => {
  test("to the newest of its blocks that the source has too", async () => {
    expect(await plan({ block: 20, floor: 10, headers: headers(10, 20) }, forkedSource(17, 30))).toEqual({
      chainId: 1,
      toBlock: 17,
      fromBlock: 20,
      orphaned: [header(18), header(19), header(20)],
      found: FOUND,
    });
  });

  test("also where the source's chain has become shorter", async () => {
    const request = await plan({ block: 20, floor: 10, headers: headers(10, 20) }, forkedSource(17, 18));
    expect([request?.toBlock, request?.orphaned.length]).toEqual([17, 3]);
  });

  test("as a whole, to before its first block, when even that can be orphaned", async () => {
    const young = { block: 8, floor: -1, headers: headers(5, 8) };
    expect(await plan(young, forkedSource(3, 30))).toEqual({
      chainId: 1,
      toBlock: 4,
      childrenTo: -1,
      fromBlock: 8,
      orphaned: headers(5, 8),
      found: FOUND,
    });
  });

  test("over many headers, the newest first, and asks for no more than it must", async () => {
    const asked: number[][] = [];
    const request = await plan({ block: 300, floor: 1, headers: headers(1, 300) }, forkedSource(220, 400, asked));
    expect([request?.toBlock, request?.orphaned.length]).toEqual([220, 80]);
    expect(asked.map((numbers) => [numbers.length, numbers[0], numbers.at(-1)])).toEqual([
      [64, 300, 237],
      [64, 236, 173],
    ]);
  });

  test("to the floor itself", async () => {
    expect((await plan({ block: 20, floor: 17, headers: headers(17, 20) }, forkedSource(17, 30)))?.toBlock).toBe(17);
  });

  test("nowhere when nothing durable was orphaned", async () => {
    expect(await plan({ block: 20, floor: 10, headers: headers(10, 20) }, forkedSource(20, 30))).toBeUndefined();
  });
});

describe("a reorg that is too deep", () => {
  test("below the floor is refused, although older headers are stored", async () => {
    await expect(plan({ block: 20, floor: 18, headers: headers(10, 20) }, forkedSource(17, 30))).rejects.toMatchObject({
      code: "REORG_TOO_DEEP",
      details: { chain: "mainnet", floor: 18, block: 21 },
    });
  });

  test("is refused when no stored block is the source's", async () => {
    await expect(plan({ block: 20, floor: 10, headers: headers(10, 20) }, forkedSource(5, 30))).rejects.toMatchObject({
      code: "REORG_TOO_DEEP",
    });
  });
});
