import type { EventOf } from "spindex";
import indexer from "./spindex.config.ts";

indexer.on("Token.Transfer", ({ event, store }) => {
  const { from, to, value } = event.args;
  store.log.insert({ ...place(event), kind: "Transfer", from, to, value });
});

indexer.on("Token.Approval", ({ event, store }) => {
  const { owner, spender, value } = event.args;
  store.log.insert({ ...place(event), kind: "Approval", from: owner, to: spender, value });
});

type AnyEvent = Pick<EventOf<typeof indexer, "Token.Transfer">, "id" | "block" | "log" | "transaction">;

function place({ id, block, log, transaction }: AnyEvent) {
  return {
    id,
    address: log.address,
    block: block.number,
    logIndex: log.index,
    transaction: transaction.hash,
    timestamp: block.timestamp,
  };
}
