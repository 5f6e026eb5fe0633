import { entity, many, t } from "spindex";

export const token = entity({
  id: t.address(),
  transfers: t.int64().default(0n),
  /** The sum of all amounts that were moved. */
  volume: t.uint256().default(0n),
  accounts: many(() => account, "token"),
});

/** What an owner holds of a token, counted from the first indexed block on: so it can be negative. */
export const account = entity(
  { token: t.ref(() => token), owner: t.address(), balance: t.int256().default(0n) },
  { key: ["token", "owner"] },
);

/** One row an event. */
export const transfer = entity(
  {
    id: t.eventId(),
    token: t.ref(() => token),
    standard: t.enum(["erc20", "erc721"]),
    from: t.address(),
    to: t.address(),
    /** The amount; with ERC-721 the id of the one token that was moved. */
    value: t.uint256(),
    block: t.int64(),
    logIndex: t.int32(),
    transactionHash: t.hash(),
    timestamp: t.timestamp(),
  },
  { appendOnly: true, indexes: [["token", "block"]] },
);
