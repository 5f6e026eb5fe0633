import { defineIndexer, env } from "spindex";
import * as schema from "./schema.ts";

const everyToken = { mainnet: { address: "any", startBlock: 1_755_634 } } as const;

export default defineIndexer({
  name: "erc20",
  schema,
  chains: { mainnet: { id: 1, sources: [{ rpc: env("MAINNET_RPC_URL"), maxRangeBlocks: 20_000_000 }] } },
  // Both standards have the same signature, and so the same first topic. What is indexed tells them apart.
  contracts: {
    Erc20: {
      abi: ["event Transfer(address indexed from, address indexed to, uint256 value)"],
      chains: everyToken,
    },
    Erc721: {
      abi: ["event Transfer(address indexed from, address indexed to, uint256 indexed tokenId)"],
      chains: everyToken,
    },
  },
});
