import { defineIndexer, env } from "spindex";
import * as schema from "./schema.ts";

const [address, endBlock] = [process.env["BENCH_TOKEN"] as `0x${string}`, Number(process.env["BENCH_END"])];

export default defineIndexer({
  name: "bench",
  schema,
  chains: { bench: { id: 990_099, sources: [{ rpc: env("BENCH_RPC") }] } },
  contracts: {
    Token: {
      abi: [
        "event Transfer(address indexed from, address indexed to, uint256 value)",
        "event Approval(address indexed owner, address indexed spender, uint256 value)",
      ],
      chains: { bench: { address, endBlock } },
    },
  },
});
