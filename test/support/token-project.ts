import { fakeAddress } from "./fake-chain.ts";

/** The token of `tokenChain`. */
export const TOKEN: string = fakeAddress(0xee20);

/** The files of an ERC-20 project as a user writes it; its node is RPC_URL, its token TOKEN. */
export const TOKEN_PROJECT: Readonly<Record<"schema.ts" | "spindex.config.ts" | "handlers.ts", string>> = {
  "schema.ts": `import { entity, many, t } from "spindex";
export const account = entity({ id: t.address(), balance: t.int256().default(0n), transfersOut: many(() => transfer, "from") });
export const allowance = entity({ owner: t.address(), spender: t.address(), amount: t.uint256() }, { key: ["owner", "spender"] });
export const transfer = entity(
  { id: t.eventId(), from: t.ref(() => account), to: t.ref(() => account), value: t.uint256(), block: t.int64(), memo: t.text().nullable() },
  { appendOnly: true, indexes: [["from", "block"]] },
);
`,
  "spindex.config.ts": `import { defineIndexer, env } from "spindex";
import * as schema from "./schema.ts";
export default defineIndexer({
  name: "token",
  schema,
  chains: { local: { id: 1, sources: [{ rpc: env("RPC_URL") }], maxReorgDepth: 10, pollIntervalMs: 50 } },
  contracts: {
    Token: {
      abi: [
        "event Transfer(address indexed from, address indexed to, uint256 value)",
        "event Approval(address indexed owner, address indexed spender, uint256 value)",
      ],
      chains: { local: { address: "${TOKEN}" } },
    },
  },
});
`,
  "handlers.ts": `import indexer from "./spindex.config.ts";
indexer.on("Token.Transfer", async ({ event, store }) => {
  const { from, to, value } = event.args;
  const sender = await store.account.getOrCreate({ id: from });
  store.account.set({ ...sender, balance: sender.balance - value });
  const receiver = await store.account.getOrCreate({ id: to });
  store.account.set({ ...receiver, balance: receiver.balance + value });
  store.transfer.insert({ id: event.id, from, to, value, block: event.block.number, memo: null });
});
indexer.on("Token.Approval", ({ event, store }) => {
  const { owner, spender, value: amount } = event.args;
  store.allowance.set({ owner, spender, amount });
});
`,
};
