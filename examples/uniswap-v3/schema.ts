import { entity, t } from "spindex";

/** A pool after its last swap. */
export const pool = entity({
  id: t.address(),
  swaps: t.int64().default(0n),
  sqrtPriceX96: t.uint256().default(0n),
  liquidity: t.uint256().default(0n),
  tick: t.int32().default(0),
});

/** Where an event was found: every append-only entity has these columns. */
const event = {
  id: t.eventId(),
  pool: t.ref(() => pool),
  block: t.int64(),
  logIndex: t.int32(),
  transactionHash: t.hash(),
  timestamp: t.timestamp(),
};

/** A position of liquidity, and the amounts that moved. */
const position = {
  owner: t.address(),
  tickLower: t.int32(),
  tickUpper: t.int32(),
  amount0: t.uint256(),
  amount1: t.uint256(),
};

const appendOnly = { appendOnly: true, indexes: [["pool", "block"]] } as const;

export const swap = entity(
  {
    ...event,
    sender: t.address(),
    recipient: t.address(),
    /** As the pool sees it: positive came in, negative went out. */
    amount0: t.int256(),
    amount1: t.int256(),
    sqrtPriceX96: t.uint256(),
    liquidity: t.uint256(),
    tick: t.int32(),
  },
  appendOnly,
);
export const mint = entity({ ...event, ...position, sender: t.address(), liquidity: t.uint256() }, appendOnly);
export const burn = entity({ ...event, ...position, liquidity: t.uint256() }, appendOnly);
export const collect = entity({ ...event, ...position, recipient: t.address() }, appendOnly);

/** A pool's swaps in one minute. */
export const poolMinute = entity(
  {
    pool: t.ref(() => pool),
    /** Unix seconds of its start. */
    minute: t.int64(),
    swaps: t.int32(),
    /** Sums of the amounts, and of the positive ones alone. */
    netAmount0: t.int256(),
    netAmount1: t.int256(),
    inAmount0: t.int256(),
    inAmount1: t.int256(),
    openTick: t.int32(),
    closeTick: t.int32(),
    lowestTick: t.int32(),
    highestTick: t.int32(),
    /** After the last swap. */
    liquidity: t.uint256(),
  },
  { key: ["pool", "minute"] },
);
