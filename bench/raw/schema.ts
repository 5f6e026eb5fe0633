import { entity, t } from "spindex";

export const log = entity(
  {
    id: t.eventId(),
    address: t.address(),
    kind: t.text(),
    from: t.address(),
    to: t.address(),
    value: t.uint256(),
    block: t.int64(),
    logIndex: t.int32(),
    transaction: t.hash(),
    timestamp: t.timestamp(),
  },
  { appendOnly: true },
);
