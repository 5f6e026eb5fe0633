import { describe, expect, test } from "vitest";
import type { RpcError } from "../../../src/source/json-rpc.ts";
import { rangeTooLargeOf, saysRateLimit } from "../../../src/source/range-errors.ts";

interface Case {
  readonly who: string;
  /** Where the text is documented or was seen. */
  readonly seen: string;
  readonly error: {
    readonly code: number;
    readonly message: string;
    readonly data?: unknown;
    readonly status?: number;
  };
  /** The last block suggested for a query of blocks 1,000 to 1,000,999. */
  readonly toBlock: number | undefined;
}

const CAPTURED = "captured from the public endpoint, 2026-09-08";
const PONDER = "ponder-sh/ponder packages/utils getLogsRetryHelper";

const CASES: readonly Case[] = [
  {
    who: "Alchemy, two limits and a range",
    seen: "ethers-io/ethers.js#4703",
    error: {
      code: -32602,
      message:
        "Log response size exceeded. You can make eth_getLogs requests with up to a 2K block range and no limit on the response size, or you can request any block range with a cap of 10K logs in the response. Based on your parameters and the response size limit, this block range should work: [0x3e8, 0x7cf]",
    },
    toBlock: 1_999,
  },
  {
    who: "Alchemy, free plan",
    seen: "boundless-xyz/boundless#838",
    error: {
      code: -32600,
      message:
        "You can make eth_getLogs requests with up to a 500 block range. Based on your parameters, this block range should work: [0x1a30dfd, 0x1a30ff0]",
      status: 400,
    },
    toBlock: 1_499,
  },
  {
    who: "Alchemy, size",
    seen: "ponder-sh/ponder CHANGELOG 0.0.95",
    error: { code: -32602, message: "Response size is larger than 150MB limit" },
    toBlock: undefined,
  },
  {
    who: "Infura, results",
    seen: "ethers-io/ethers.js#4703",
    error: {
      code: -32005,
      message: "query returned more than 10000 results. Try with this block range [0xCB3D, 0xCB46].",
      data: { from: "0xCB3D", limit: 10000, to: "0xCB46" },
    },
    toBlock: 1_009,
  },
  {
    who: "Infura, range in data only",
    seen: "smartcontractkit/chainlink evm client error tests",
    error: {
      code: -32005,
      message: "query returned more than 10000 results",
      data: { from: "0x10", limit: 10000, to: "0x1f" },
    },
    toBlock: 1_015,
  },
  {
    who: "Infura, blocks",
    seen: "INFURA/infura#237",
    error: { code: -32602, message: "range 1000000 exceeds limit of 10000" },
    toBlock: 10_999,
  },
  {
    who: "Infura, time",
    seen: "rotki node inquirer; Infura docs, eth_getLogs constraints",
    error: { code: -32005, message: "query timeout exceeded" },
    toBlock: undefined,
  },
  {
    who: "QuickNode",
    seen: "OffchainLabs/arbitrum-sdk#609",
    error: { code: -32614, message: "eth_getLogs is limited to a 10,000 range", status: 413 },
    toBlock: 10_999,
  },
  {
    who: "QuickNode, free plan",
    seen: "QuickNode docs, eth_getLogs: 5 blocks on free plans",
    error: { code: -32615, message: "eth_getLogs is limited to a 5 range" },
    toBlock: 1_004,
  },
  {
    who: "QuickNode, documented",
    seen: "QuickNode docs, error code reference, 413",
    error: { code: -32602, message: "eth_getLogs and eth_newFilter are limited to a 10,000 blocks range" },
    toBlock: 10_999,
  },
  {
    who: "Ankr, blocks",
    seen: PONDER,
    error: { code: -32600, message: "block range is too wide" },
    toBlock: undefined,
  },
  {
    who: "Ankr, size",
    seen: "range-limit tests of a public log follower",
    error: { code: -32602, message: "Response is too big" },
    toBlock: undefined,
  },
  {
    who: "Cronos, Kava, Ankr TAC",
    seen: CAPTURED,
    error: { code: -32000, message: "maximum [from, to] blocks distance: 2000", data: null },
    toBlock: 2_999,
  },
  {
    who: "geth, time",
    seen: "smartcontractkit/chainlink evm client error tests; go-ethereum rpc/errors.go",
    error: { code: -32002, message: "request timed out" },
    toBlock: undefined,
  },
  {
    who: "geth, size",
    seen: "ethereum/go-ethereum#26681",
    error: { code: -32003, message: "response too large" },
    toBlock: undefined,
  },
  {
    who: "Erigon, blocks",
    seen: "erigontech/erigon#19721",
    error: { code: -32000, message: "query block range exceeds server limit, narrow your filter: 1000" },
    toBlock: 1_999,
  },
  {
    who: "Erigon, results",
    seen: "erigontech/erigon#19721",
    error: { code: -32000, message: "query returns too many logs, narrow your filter: 20000" },
    toBlock: undefined,
  },
  {
    who: "cdk-erigon, Polygon zkEVM, Merlin",
    seen: `0xPolygon/cdk-erigon#1706; ${CAPTURED}`,
    error: { code: -32000, message: "block range too large, max range: 10000" },
    toBlock: 10_999,
  },
  {
    who: "reth, blocks",
    seen: "paradigmxyz/reth#8558; foundry-rs/foundry#12687",
    error: { code: -32602, message: "query exceeds max block range 100000" },
    toBlock: 100_999,
  },
  {
    who: "reth, results",
    seen: "foundry-rs/foundry#12687",
    error: { code: -32602, message: "query exceeds max results 20000, retry with the range 1000-1062" },
    toBlock: 1_062,
  },
  {
    who: "reth, suggesting what it refuses",
    seen: "paradigmxyz/reth#23810",
    error: { code: -32602, message: "query exceeds max results 20000, retry with the range 1000-1000999" },
    toBlock: undefined,
  },
  {
    who: "Nethermind, results",
    seen: "NethermindEth/nethermind EthRpcModule tests",
    error: { code: -32005, message: "Too many logs requested. Max logs per response is 20000." },
    toBlock: undefined,
  },
  {
    who: "Nethermind behind Gnosis, hint in data",
    seen: CAPTURED,
    error: {
      code: -32602,
      message: "invalid params",
      data: "Query returned more than 50000 results. Try with this block range [0x1000000, 0x1000009].",
    },
    toBlock: 1_009,
  },
  {
    who: "Nethermind, time",
    seen: "NethermindEth/nethermind JsonRpcService.cs",
    error: { code: -32016, message: "eth_getLogs request was canceled due to enabled timeout." },
    toBlock: undefined,
  },
  {
    who: "Besu",
    seen: "besu-eth/besu RpcErrorType.java",
    error: { code: -32005, message: "Requested range exceeds maximum RPC range limit" },
    toBlock: undefined,
  },
  {
    who: "Cloudflare",
    seen: CAPTURED,
    error: {
      code: -32047,
      message: "Invalid eth_getLogs request. 'fromBlock'-'toBlock' range too large. Max range: 800",
    },
    toBlock: 1_799,
  },
  {
    who: "BlockPI",
    seen: "foundry-rs/foundry#12687",
    error: {
      code: -32602,
      message:
        "eth_getLogs is limited to 1024 block range. Please check the parameter requirements at  https://docs.blockpi.io/documentations/api-reference",
    },
    toBlock: 2_023,
  },
  {
    who: "Chainstack",
    seen: PONDER,
    error: { code: -32602, message: "Block range limit exceeded. See more details at https://docs.chainstack.com" },
    toBlock: undefined,
  },
  {
    who: "dRPC",
    seen: "foundry-rs/foundry#12687",
    error: { code: 35, message: "ranges over 10000 blocks are not supported on freetier" },
    toBlock: 10_999,
  },
  {
    who: "zkSync Era, Abstract",
    seen: CAPTURED,
    error: {
      code: -32602,
      message: "Query returned more than 10000 results. Try with this block range [0x100000, 0x1000bb].",
    },
    toBlock: 1_187,
  },
  { who: "BSC data seed", seen: CAPTURED, error: { code: -32005, message: "limit exceeded" }, toBlock: undefined },
  {
    who: "BSC, PublicNode",
    seen: "ethers-io/ethers.js#1816",
    error: { code: -32602, message: "exceed maximum block range: 5000" },
    toBlock: 5_999,
  },
  {
    who: "Immutable",
    seen: CAPTURED,
    error: { code: -32000, message: "exceeded maximum block range: 5000" },
    toBlock: 5_999,
  },
  {
    who: "Tron",
    seen: PONDER,
    error: { code: -32600, message: "exceed max block range: 5000" },
    toBlock: 5_999,
  },
  {
    who: "Polygon",
    seen: "public capture of polygon-rpc.com",
    error: { code: -32603, message: "internal error", data: { message: "block range is too wide" } },
    toBlock: undefined,
  },
  {
    who: "Avalanche, Flare",
    seen: CAPTURED,
    error: { code: -32000, message: "requested too many blocks from 50331648 to 51380224, maximum is set to 2048" },
    toBlock: 3_047,
  },
  {
    who: "Sonic, Fantom",
    seen: `go-opera gossip/filters; ${CAPTURED}`,
    error: { code: -32000, message: "too wide blocks range, the limit is 100" },
    toBlock: 1_099,
  },
  {
    who: "Harmony",
    seen: CAPTURED,
    error: { code: -32000, message: "GetLogs query must be smaller than size 1024" },
    toBlock: 2_023,
  },
  {
    who: "Arbitrum",
    seen: CAPTURED,
    error: { code: -32000, message: "logs matched by query exceeds limit of 10000" },
    toBlock: undefined,
  },
  {
    who: "PulseChain",
    seen: CAPTURED,
    error: {
      code: -32000,
      message: "query returned more than allowed number of logs, try with smaller block range",
    },
    toBlock: undefined,
  },
  {
    who: "Ronin, limit in data",
    seen: CAPTURED,
    error: {
      code: -32602,
      message: "Invalid params",
      data: "requested block range 16777217 exceeds the limit of 200; narrow your fromBlock/toBlock",
    },
    toBlock: 1_199,
  },
  {
    who: "1RPC, blocks",
    seen: CAPTURED,
    error: { code: -32602, message: "eth_getLogs is limited to 0 - 50 blocks range" },
    toBlock: 1_049,
  },
  {
    who: "1RPC, size",
    seen: PONDER,
    error: { code: -32602, message: "response size should not greater than 10000000 bytes" },
    toBlock: undefined,
  },
  {
    who: "Celo",
    seen: CAPTURED,
    error: { code: -32602, message: "query exceeds range, retry smaller (max block range 5000, got 16777216)" },
    toBlock: 5_999,
  },
  {
    who: "Mantle, Swell",
    seen: CAPTURED,
    error: { code: -32602, message: "block range greater than 10000 max" },
    toBlock: 10_999,
  },
  {
    who: "Base, Optimism, size",
    seen: "ethereum-optimism proxyd backend.go",
    error: { code: -32020, message: "backend response too large", status: 500 },
    toBlock: undefined,
  },
  {
    who: "Optimism, blocks",
    seen: PONDER,
    error: { code: -32000, message: "Block range is too large" },
    toBlock: undefined,
  },
  {
    who: "Scroll",
    seen: "scroll-tech/go-ethereum#529",
    error: { code: -32000, message: "block range is bigger than maxBlockRange" },
    toBlock: undefined,
  },
  {
    who: "Morph",
    seen: "enviodev/hyperindex#605",
    error: {
      code: -32000,
      message: "block range is larger than max block range, block range = 5120, max block range = 5000",
    },
    toBlock: 5_999,
  },
  {
    who: "Tenderly, limit in data",
    seen: "bobanetwork/boba_legacy#827",
    error: {
      code: -32602,
      message: "invalid params",
      data: { error_id: "4ed94073", payload: "range 9009594 is bigger than range limit 2000" },
    },
    toBlock: 2_999,
  },
  {
    who: "thirdweb",
    seen: PONDER,
    error: { code: -32602, message: "Maximum allowed number of requested blocks is 3500" },
    toBlock: 4_499,
  },
  {
    who: "Merkle",
    seen: "foundry-rs/foundry#12687",
    error: { code: -32603, message: "eth_getLogs range is too large, max is 1k blocks" },
    toBlock: 1_999,
  },
  {
    who: "Coinbase",
    seen: PONDER,
    error: { code: -32602, message: "please limit the query to at most 1,000 blocks" },
    toBlock: 1_999,
  },
  { who: "Somnia", seen: PONDER, error: { code: -32000, message: "block range exceeds 1000" }, toBlock: 1_999 },
  {
    who: "Moonbeam, blocks",
    seen: "moonbeam-foundation/moonbeam#3250",
    error: { code: -32603, message: "block range is too wide (maximum 1024)" },
    toBlock: 2_023,
  },
  {
    who: "Moonbeam and other Frontier chains, time",
    seen: "polkadot-evm/frontier client/rpc",
    error: { code: -32603, message: "query timeout of 10 seconds exceeded" },
    toBlock: undefined,
  },
  {
    who: "Blast API",
    seen: PONDER,
    error: { code: -32600, message: "The requested range exceeds the range allowed for your plan (20000 > 10000)." },
    toBlock: 10_999,
  },
  {
    who: "eRPC",
    seen: PONDER,
    error: { code: -32012, message: "range threshold exceeded: block range exceeded max allowed" },
    toBlock: undefined,
  },
  {
    who: "Helios",
    seen: "range-limit tests of a public log follower",
    error: { code: -32603, message: 'Error serializing response: Error("Memory capacity exceeded")' },
    toBlock: undefined,
  },
  {
    who: "Candle",
    seen: "AlphaWallet/alpha-wallet-ios#5277",
    error: { code: -32600, message: "block range too high" },
    toBlock: undefined,
  },
  {
    who: "any gateway, by the HTTP status",
    seen: "RFC 9110, 413 Content Too Large",
    error: { code: -32000, message: "request failed", status: 413 },
    toBlock: undefined,
  },
];

const query = { fromBlock: 1_000, toBlock: 1_000_999, addresses: undefined, topics: [] };

function errorOf(error: Case["error"]): RpcError {
  return { status: 200, data: undefined, retryAfter: undefined, ...error };
}

describe("a node that wants fewer blocks", () => {
  test.each(CASES)("is understood: $who", ({ error, toBlock }) => {
    const found = rangeTooLargeOf(errorOf(error), query, "rpc.example.com");
    expect({ name: found?.name, message: found?.message, toBlock: found?.suggestedToBlock }).toEqual({
      name: "RangeTooLarge",
      message: `rpc.example.com wants fewer blocks than 1000 to 1000999: ${error.message}`,
      toBlock,
    });
  });

  test("is never asked for less than a block, whatever number it says", () => {
    const error = errorOf({ code: -32000, message: "exceeded maximum block range: 0" });
    expect(rangeTooLargeOf(error, query, "h")?.suggestedToBlock).toBe(undefined);
  });

  test("of several limits the smallest counts", () => {
    const error = errorOf({
      code: -32000,
      message: "block range too large, max range: 2000",
      data: "eth_getLogs is limited to 0 - 50 blocks range",
    });
    expect(rangeTooLargeOf(error, query, "h")?.suggestedToBlock).toBe(1_049);
  });
});

describe("other errors are no matter of the range", () => {
  test.each([
    { code: -32000, message: "header not found" },
    { code: -32601, message: "the method eth_getLogs does not exist/is not available" },
    { code: -32602, message: "invalid params" },
    { code: -32603, message: "service temporarily unavailable" },
    { code: -32000, message: "missing trie node" },
    {
      code: -32000,
      message: "One of the blocks specified in filter (fromBlock, toBlock or blockHash) cannot be found.",
    },
    {
      code: -32602,
      message: "Archive requests require a personal token. Get one at: https://www.allnodes.com/publicnode",
    },
    { code: -32011, message: "no backend is currently healthy to serve traffic" },
  ])("$message", (error) => {
    expect(rangeTooLargeOf(errorOf(error), query, "h")).toBe(undefined);
    expect(saysRateLimit(errorOf(error))).toBe(false);
  });

  test.each([
    { code: -32005, message: "daily request count exceeded, request rate limited" },
    { code: -32005, message: "project ID request rate exceeded" },
    { code: 429, message: "Your app has exceeded its compute units per second capacity." },
    { code: -32007, message: "50/second request limit reached - reduce calls per second or upgrade your account" },
    { code: -32005, message: "Too Many Requests" },
    { code: -32000, message: "Unable to rent an instance of IEthRpcModule. Too many concurrent requests." },
    { code: -32016, message: "over rate limit" },
    { code: -32000, message: "whatever", status: 429 },
  ])("but of the rate: $message", (error) => {
    expect(rangeTooLargeOf(errorOf(error), query, "h")).toBe(undefined);
    expect(saysRateLimit(errorOf(error))).toBe(true);
  });
});
