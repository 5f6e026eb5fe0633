import indexer from "./spindex.config.ts";

indexer.on("Token.Transfer", async ({ event, store }) => {
  const { from, to, value } = event.args;
  const sender = await store.account.getOrCreate({ id: from });
  store.account.set({ ...sender, balance: sender.balance - value });
  const receiver = await store.account.getOrCreate({ id: to });
  store.account.set({ ...receiver, balance: receiver.balance + value });
  const { number: block, timestamp } = event.block;
  store.transfer.insert({ id: event.id, from, to, value, block, timestamp });
});

indexer.on("Token.Approval", ({ event, store }) => {
  const { owner, spender, value: amount } = event.args;
  store.allowance.set({ owner, spender, amount });
  store.approval.insert({ id: event.id, owner, spender, amount });
});
