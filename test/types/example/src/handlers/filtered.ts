import indexer from "../../spindex.config.ts";

const A = "0x00000000000000000000000000000000000000aa";

indexer.on(
  "Token.Transfer",
  { where: [{ from: A }, { to: A }], startBlock: 1, onError: "stop" },
  async ({ event, store, chain, log }) => {
    const { from: owner, to: spender, value: amount } = event.args;
    const known = await store.allowance.get({ owner, spender });
    if (known === undefined) store.allowance.set({ owner, spender, amount });
    else await store.allowance.update({ owner, spender }, (row) => ({ amount: row.amount + amount }));
    if (chain.live) log.info("transfer", { chain: chain.name, id: event.idOf(0) });
  },
);
