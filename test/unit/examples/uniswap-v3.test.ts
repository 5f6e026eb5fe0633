import { expect, test } from "vitest";
import indexer from "../../../examples/uniswap-v3/spindex.config.ts";
import "../../../examples/uniswap-v3/src/handlers/swap.ts";
import "../../../examples/uniswap-v3/src/handlers/liquidity.ts";
import { createTestIndexer } from "../../../src/testing/index.ts";

const trader = `0x${"a1".repeat(20)}` as const;
const pool = "0x88e6a0c2ddd26feeb64f039a2c41296fcb3f5640";
const minute = 1_700_000_040;

function swapped(amount0: bigint, amount1: bigint, tick: number) {
  return { sender: trader, recipient: trader, amount0, amount1, sqrtPriceX96: 2n ** 96n, liquidity: 77n, tick };
}

test("swaps of one minute are one row, the next minute begins another", async () => {
  const tested = createTestIndexer(indexer);
  const at = (number: number, timestamp: number) => ({ block: { number, timestamp } });
  tested.emit("Pool.Swap", { args: swapped(100n, -9n, 5), ...at(19_000_000, minute) });
  tested.emit("Pool.Swap", { args: swapped(-40n, 4n, -8), ...at(19_000_001, minute + 59) });
  tested.emit("Pool.Swap", { args: swapped(1n, -1n, 2), ...at(19_000_002, minute + 60) });
  await tested.process();
  expect(tested.get("poolMinute", { pool, minute: BigInt(minute) })).toEqual({
    pool,
    minute: BigInt(minute),
    swaps: 2,
    netAmount0: 60n,
    netAmount1: -5n,
    inAmount0: 100n,
    inAmount1: 4n,
    openTick: 5,
    closeTick: -8,
    lowestTick: -8,
    highestTick: 5,
    liquidity: 77n,
  });
  expect(tested.get("poolMinute", { pool, minute: BigInt(minute + 60) })).toMatchObject({ swaps: 1, openTick: 2 });
  expect(tested.get("pool", pool)).toEqual({ id: pool, swaps: 3n, sqrtPriceX96: 2n ** 96n, liquidity: 77n, tick: 2 });
  expect(tested.rows("swap")).toHaveLength(3);
});

test("liquidity that comes and goes is kept, event by event", async () => {
  const tested = createTestIndexer(indexer);
  const range = { owner: trader, tickLower: -887_220, tickUpper: 887_220 };
  const amounts = { amount0: 3n, amount1: 4n };
  tested.emit("Pool.Mint", { args: { sender: trader, ...range, amount: 10n, ...amounts } });
  tested.emit("Pool.Burn", { args: { ...range, amount: 10n, ...amounts } });
  tested.emit("Pool.Collect", { args: { ...range, recipient: trader, ...amounts } });
  await tested.process();
  expect(tested.rows("mint")).toMatchObject([{ pool, liquidity: 10n, tickLower: -887_220, ...amounts }]);
  expect(tested.rows("burn")).toMatchObject([{ pool, liquidity: 10n, tickUpper: 887_220, ...amounts }]);
  expect(tested.rows("collect")).toMatchObject([{ pool, recipient: trader, ...amounts }]);
});
