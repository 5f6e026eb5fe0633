import indexer from "../../spindex.config.ts";

indexer.on("Pool.Swap", async ({ event, store }) => {
  const { sender, recipient, amount0, amount1, sqrtPriceX96, liquidity, tick } = event.args;
  const pool = event.log.address;
  store.swap.insert({
    id: event.id,
    pool,
    block: event.block.number,
    logIndex: event.log.index,
    transactionHash: event.transaction.hash,
    timestamp: event.block.timestamp,
    sender,
    recipient,
    amount0,
    amount1,
    sqrtPriceX96,
    liquidity,
    tick,
  });

  const { swaps } = await store.pool.getOrCreate({ id: pool });
  store.pool.set({ id: pool, swaps: swaps + 1n, sqrtPriceX96, liquidity, tick });

  const minute = BigInt(event.block.timestamp - (event.block.timestamp % 60));
  const before = await store.poolMinute.get({ pool, minute });
  store.poolMinute.set({
    pool,
    minute,
    swaps: (before?.swaps ?? 0) + 1,
    netAmount0: (before?.netAmount0 ?? 0n) + amount0,
    netAmount1: (before?.netAmount1 ?? 0n) + amount1,
    inAmount0: (before?.inAmount0 ?? 0n) + positive(amount0),
    inAmount1: (before?.inAmount1 ?? 0n) + positive(amount1),
    openTick: before?.openTick ?? tick,
    closeTick: tick,
    lowestTick: Math.min(before?.lowestTick ?? tick, tick),
    highestTick: Math.max(before?.highestTick ?? tick, tick),
    liquidity,
  });
});

function positive(amount: bigint): bigint {
  return amount > 0n ? amount : 0n;
}
