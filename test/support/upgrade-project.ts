import { type AnyIndexer, defineIndexer, entity, t } from "../../src/index.ts";
import { fakeAddress, tokenChain } from "./fake-chain.ts";

const TOKEN = fakeAddress(0xee20) as `0x${string}`;

/** The chain that the databases in test/data are made from: they hold its first 41 blocks. */
export const UPGRADE_CHAIN = tokenChain({ blocks: 60, transfersPerBlock: 3 });
export const UPGRADE_HEAD = 40;

/**
 * The project whose databases, made by older versions, lie in test/data. It never changes: its rows were made by it. A
 * table of each kind, with indexes, a nullable column, an enum and rows that were deleted.
 */
export function upgradeProject(rpc: string, name = "upgrade"): AnyIndexer {
  const schema = {
    account: entity({ id: t.address(), balance: t.int256().default(0n), memo: t.text().nullable() }),
    last: entity({ id: t.address(), block: t.int64(), size: t.enum(["small", "large"]) }, { indexes: [["block"]] }),
    transfer: entity({ id: t.eventId(), from: t.address(), to: t.address(), value: t.uint256() }, { appendOnly: true }),
  };
  const indexer = defineIndexer({
    name,
    schema,
    chains: { local: { id: 1, sources: [{ rpc }], maxReorgDepth: 10, pollIntervalMs: 20 } },
    contracts: {
      Token: {
        abi: ["event Transfer(address indexed from, address indexed to, uint256 value)"],
        chains: { local: { address: TOKEN } },
      },
    },
  });
  indexer.on("Token.Transfer", async ({ event, store }) => {
    const { from, to, value } = event.args;
    const sender = await store.account.getOrCreate({ id: from, memo: null });
    store.account.set({ ...sender, balance: sender.balance - value, memo: `to ${to}` });
    const receiver = await store.account.getOrCreate({ id: to, memo: null });
    store.account.set({ ...receiver, balance: receiver.balance + value });
    store.transfer.insert({ id: event.id, from, to, value });
    if (event.block.number % 4n === 0n) store.last.delete(from);
    else store.last.set({ id: from, block: event.block.number, size: value < 25n ? "small" : "large" });
  });
  return indexer as unknown as AnyIndexer;
}
