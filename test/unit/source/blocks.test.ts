import { describe, expect, test } from "vitest";
import { BLOCK_FIELDS, TRANSACTION_FIELDS } from "../../../src/chain/fields.ts";
import { SpindexError } from "../../../src/errors.ts";
import { type FakeBlock, tokenChain } from "../../support/fake-chain.ts";
import { blockFieldsOf, transactionFieldsOf } from "../../support/fake-fields.ts";
import { type SourceBench, sourceBench } from "./source-bench.ts";

const chain = tokenChain({ blocks: 60 });
const ALL = { block: BLOCK_FIELDS, transaction: TRANSACTION_FIELDS };
const headerOf = ({ number, hash, parentHash, timestamp }: FakeBlock) => ({ number, hash, parentHash, timestamp });

/** HTTP requests by whether they asked for whole transactions, and how many calls they had. */
function callsOf({ node, telemetry }: SourceBench) {
  return {
    full: node.log.filter(({ params }) => params[1] === true).map(({ params }) => Number(params[0])),
    light: node.log.filter(({ params }) => params[1] === false).map(({ params }) => Number(params[0])),
    requests: telemetry.requests.map(({ calls }) => calls),
  };
}

async function errorOf(work: Promise<unknown>): Promise<SpindexError> {
  const error: unknown = await work.then(
    () => undefined,
    (reason: unknown) => reason,
  );
  if (!(error instanceof SpindexError)) throw new Error("no SpindexError");
  return error;
}

describe("blocks with fields", () => {
  test("have every selected field, of the wanted transactions too, in the order asked", async () => {
    const bench = await sourceBench({ chain });
    const { source, signal, telemetry } = bench;
    const asked = [
      { number: 3, transactions: [1] },
      { number: 99, transactions: [0] },
      { number: 0, transactions: [0, 3] },
      { number: 7, transactions: [] },
    ];
    const blocks = await source.blocks(asked, ALL, signal, telemetry);
    const expected = asked.map(({ number, transactions }) => {
      const block = chain.blocks[number];
      return (
        block && {
          header: headerOf(block),
          fields: blockFieldsOf(block),
          transactions: new Map(
            transactions.map((index) => {
              const log = block.logs[index] as FakeBlock["logs"][number];
              return [index, { hash: log.transactionHash, fields: transactionFieldsOf(log) }];
            }),
          ),
        }
      );
    });
    expect(blocks).toEqual(expected);
    expect(callsOf(bench)).toEqual({ light: [7], full: [3, 99, 0], requests: [1, 3] });
  });

  test("have nothing but what is selected", async () => {
    const { source, signal, telemetry } = await sourceBench({ chain });
    const fields = { block: ["baseFeePerGas"], transaction: ["gasPrice"] } as const;
    const [block] = await source.blocks([{ number: 5, transactions: [1] }], fields, signal, telemetry);
    expect(block?.fields).toEqual({ baseFeePerGas: 1_000_000_035n });
    expect([...(block?.transactions ?? [])].map(([index, { fields: some }]) => [index, some])).toEqual([
      [1, { gasPrice: 2_000_005_001n }],
    ]);
  });

  test("leave out a transaction that the block does not have", async () => {
    const { source, signal, telemetry } = await sourceBench({ chain });
    const [block] = await source.blocks([{ number: 5, transactions: [0, 2] }], ALL, signal, telemetry);
    expect([...(block?.transactions.keys() ?? [])]).toEqual([0]);
  });

  test("are asked in batches: ten whole blocks, a hundred without transactions", async () => {
    const bench = await sourceBench({ chain });
    const { source, signal, telemetry } = bench;
    const asked = chain.blocks.map(({ number }) => ({ number, transactions: number < 25 ? [0] : [] }));
    expect(await source.blocks(asked, ALL, signal, telemetry)).toHaveLength(60);
    expect(telemetry.requests.map(({ calls }) => calls).toSorted((a, b) => a - b)).toEqual([5, 10, 10, 35]);
    expect(bench.node.calls()).toBe(60);
  });

  const hex = "is no hexadecimal number but missing";
  test.each<[string, (block: Record<string, unknown>) => unknown, string]>([
    ["a field that is missing", ({ gasLimit, ...block }) => block, `gasLimit of block 5 ${hex}`],
    [
      "a decimal quantity",
      (block) => ({ ...block, baseFeePerGas: 7 }),
      "baseFeePerGas of block 5 is no hexadecimal number but 7",
    ],
    [
      "a short miner",
      (block) => ({ ...block, miner: "0x12" }),
      'miner of block 5 has 2 hexadecimal digits instead of 40: "0x12"',
    ],
    ["no transactions", ({ transactions, ...block }) => block, "the transactions of block 5 are no list but missing"],
    [
      "a bare hash for a transaction",
      (block) => ({ ...block, transactions: ["0x12"] }),
      'transaction 0 of block 5 is no object but "0x12"',
    ],
    [
      "a transaction without sender",
      (block) => {
        const [{ from, ...first }] = block.transactions as [Record<string, unknown>];
        return { ...block, transactions: [first] };
      },
      "from of transaction 0 of block 5 is no hexadecimal text but missing",
    ],
    [
      "a quantity beyond 256 bits",
      (block) => ({ ...block, difficulty: `0x1${"0".repeat(64)}` }),
      `difficulty of block 5 is "0x1${"0".repeat(64)}", beyond 256 bits`,
    ],
  ])("with %s are refused", async (_, change, what) => {
    const { node, source, signal, telemetry, host } = await sourceBench({ chain }, { retries: { budgetMs: 0 } });
    node.misbehave({ kind: "result", change: (block) => change(block as Record<string, unknown>) });
    const error = await errorOf(source.blocks([{ number: 5, transactions: [0] }], ALL, signal, telemetry));
    expect({ code: error.code, message: error.message }).toEqual({
      code: "SOURCE_ANSWER_INVALID",
      message: `${host} gave an invalid answer to eth_getBlockByNumber for block 5 (1 attempt): ${what}`,
    });
  });

  test("of old nodes and odd chains have null, or type 0, for what they leave out", async () => {
    const { node, source, signal, telemetry } = await sourceBench({ chain });
    node.misbehave({
      kind: "result",
      change: (result) => {
        const { nonce, mixHash, ...block } = result as Record<string, unknown>;
        const [{ type, to, ...first }] = block.transactions as [Record<string, unknown>];
        return { ...block, transactions: [first] };
      },
    });
    const fields = { block: ["nonce", "mixHash"], transaction: ["type", "to"] } as const;
    const [block] = await source.blocks([{ number: 5, transactions: [0] }], fields, signal, telemetry);
    expect(block?.fields).toEqual({ nonce: null, mixHash: null });
    expect(block?.transactions.get(0)?.fields).toEqual({ type: 0, to: null });
  });
});
