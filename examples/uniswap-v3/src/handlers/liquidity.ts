import indexer from "../../spindex.config.ts";

indexer.on("Pool.Mint", ({ event, store }) => {
  const { sender, owner, tickLower, tickUpper, amount, amount0, amount1 } = event.args;
  store.mint.insert({
    id: event.id,
    pool: event.log.address,
    block: event.block.number,
    logIndex: event.log.index,
    transactionHash: event.transaction.hash,
    timestamp: event.block.timestamp,
    sender,
    owner,
    tickLower,
    tickUpper,
    liquidity: amount,
    amount0,
    amount1,
  });
});

indexer.on("Pool.Burn", ({ event, store }) => {
  const { owner, tickLower, tickUpper, amount, amount0, amount1 } = event.args;
  store.burn.insert({
    id: event.id,
    pool: event.log.address,
    block: event.block.number,
    logIndex: event.log.index,
    transactionHash: event.transaction.hash,
    timestamp: event.block.timestamp,
    owner,
    tickLower,
    tickUpper,
    liquidity: amount,
    amount0,
    amount1,
  });
});

indexer.on("Pool.Collect", ({ event, store }) => {
  const { owner, recipient, tickLower, tickUpper, amount0, amount1 } = event.args;
  store.collect.insert({
    id: event.id,
    pool: event.log.address,
    block: event.block.number,
    logIndex: event.log.index,
    transactionHash: event.transaction.hash,
    timestamp: event.block.timestamp,
    owner,
    recipient,
    tickLower,
    tickUpper,
    amount0,
    amount1,
  });
});
