import type { StoreOf } from "spindex";
import type * as schema from "../../schema.ts";
import indexer from "../../spindex.config.ts";

type Address = `0x${string}`;
type Store = StoreOf<typeof schema>;

const zeroAddress = "0x0000000000000000000000000000000000000000";

const byKind = { help: "Transfers of fungible tokens, by what they are.", labels: ["kind"] } as const;

indexer.on("Erc20.Transfer", async ({ event, store, metrics }) => {
  const { from, to, value } = event.args;
  const kind = from === zeroAddress ? "mint" : to === zeroAddress ? "burn" : "move";
  metrics.counter("transfers", byKind).add(1, { kind });
  store.transfer.insert({
    id: event.id,
    token: event.log.address,
    standard: "erc20",
    from,
    to,
    value,
    block: event.block.number,
    logIndex: event.log.index,
    transactionHash: event.transaction.hash,
    timestamp: event.block.timestamp,
  });
  await move(store, event.log.address, from, to, value);
});

indexer.on("Erc721.Transfer", async ({ event, store }) => {
  const { from, to, tokenId } = event.args;
  store.transfer.insert({
    id: event.id,
    token: event.log.address,
    standard: "erc721",
    from,
    to,
    value: tokenId,
    block: event.block.number,
    logIndex: event.log.index,
    transactionHash: event.transaction.hash,
    timestamp: event.block.timestamp,
  });
  await move(store, event.log.address, from, to, 1n);
});

async function move(store: Store, id: Address, from: Address, to: Address, amount: bigint): Promise<void> {
  const token = await store.token.getOrCreate({ id });
  // Anyone may emit any amount: sums wrap at 256 bits, as they would in a contract.
  const volume = BigInt.asUintN(256, token.volume + amount);
  store.token.set({ ...token, transfers: token.transfers + 1n, volume });
  await addBalance(store, id, from, -amount);
  await addBalance(store, id, to, amount);
}

async function addBalance(store: Store, token: Address, owner: Address, amount: bigint): Promise<void> {
  // Tokens are minted from the zero address and burnt to it: nobody's account.
  if (owner === zeroAddress) return;
  const account = await store.account.getOrCreate({ token, owner });
  store.account.set({ ...account, balance: BigInt.asIntN(256, account.balance + amount) });
}
