import { defineIndexer, env } from "spindex";
import * as schema from "./schema.ts";

export default defineIndexer({
  name: "uniswap_v3",
  schema,
  chains: { mainnet: { id: 1, sources: [{ rpc: env("MAINNET_RPC_URL") }] } },
  contracts: {
    Pool: {
      abi: [
        "event Swap(address indexed sender, address indexed recipient, int256 amount0, int256 amount1, uint160 sqrtPriceX96, uint128 liquidity, int24 tick)",
        "event Mint(address sender, address indexed owner, int24 indexed tickLower, int24 indexed tickUpper, uint128 amount, uint256 amount0, uint256 amount1)",
        "event Burn(address indexed owner, int24 indexed tickLower, int24 indexed tickUpper, uint128 amount, uint256 amount0, uint256 amount1)",
        "event Collect(address indexed owner, address recipient, int24 indexed tickLower, int24 indexed tickUpper, uint128 amount0, uint128 amount1)",
      ],
      chains: {
        mainnet: {
          address: [
            "0x88e6A0c2dDD26FEEb64F039a2c41296FcB3f5640", // USDC/WETH 0.05 %
            "0x8ad599c3A0ff1De082011EFDDc58f1908eb6e6D8", // USDC/WETH 0.3 %
            "0x82c427AdFDf2d245Ec51D8046b41c4ee87F0d29C", // oSQTH/WETH
          ],
          startBlock: 18_937_381,
        },
      },
    },
  },
});
