import { entity, t } from "spindex";

export const account = entity({ id: t.address(), balance: t.int256().default(0n) });
export const allowance = entity(
  { owner: t.address(), spender: t.address(), amount: t.uint256() },
  { key: ["owner", "spender"] },
);
export const transfer = entity(
  {
    id: t.eventId(),
    from: t.address(),
    to: t.address(),
    value: t.uint256(),
    block: t.int64(),
    timestamp: t.timestamp(),
  },
  { appendOnly: true },
);
export const approval = entity(
  { id: t.eventId(), owner: t.address(), spender: t.address(), amount: t.uint256() },
  { appendOnly: true },
);
