import { defineIndexer, env } from "spindex";
import * as schema from "./schema.ts";

export default defineIndexer({
  name: "erc20",
  schema,
  handlers: "./src/handlers/**/*.ts",
  chains: { mainnet: { id: 1, sources: [{ rpc: env("MAINNET_RPC_URL") }] } },
  contracts: {
    Token: {
      abi: ["event Transfer(address indexed from, address indexed to, uint256 value)"],
      chains: { mainnet: { address: "0x…", startBlock: 12_000_000 } },
    },
  },
});
