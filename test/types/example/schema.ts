import { entity, many, t } from "spindex";

export const account = entity({
  id: t.address(),
  balance: t.int256().default(0n),
  transfersOut: many(() => transfer, "from"),
});
export const allowance = entity(
  { owner: t.address(), spender: t.address(), amount: t.uint256() },
  { key: ["owner", "spender"] },
);
export const transfer = entity(
  {
    id: t.eventId(),
    from: t.ref(() => account),
    to: t.ref(() => account),
    value: t.uint256(),
    block: t.int64(),
    memo: t.text().nullable(),
  },
  { appendOnly: true, indexes: [["from", "block"]] },
);
