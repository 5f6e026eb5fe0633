import { defineIndexer, entity, env, factory, t } from "spindex";

const schema = { account: entity({ id: t.address() }) };
const chains = { mainnet: { id: 1, sources: [{ rpc: env("MAINNET_RPC_URL") }] } } as const;
const mainnet = { address: "any" } as const;
const base = { name: "test", schema, chains } as const;

defineIndexer({
  ...base,
  handlers: ["./a.ts", "./b.ts"],
  chains: {
    mainnet: {
      id: 1,
      sources: [{ rpc: "http://a", headers: { authorization: env("KEY") }, timeoutMs: 1 }, { rpc: env("B") }],
      maxReorgDepth: 64,
      blockLag: 1,
      pollIntervalMs: 1_000,
    },
  },
  contracts: {
    Token: { abi: ["event Paused()"], chains: { mainnet: { address: ["0x01"], startBlock: 0, endBlock: 1 } } },
  },
});

// A misspelt type, a line that is no signature, a signature without an end: each is an error at its own text.
defineIndexer({
  ...base,
  contracts: {
    Token: {
      abi: [
        "event Good(address who)",
        // @ts-expect-error unknown type "adress" in "event Transfer(adress from)"
        "event Transfer(adress from)",
        // @ts-expect-error unknown type "uint257" in "event Inner((uint257 a, bool b)[] list)"
        "event Inner((uint257 a, bool b)[] list)",
        // @ts-expect-error not a signature: "evnt Transfer(address from)"
        "evnt Transfer(address from)",
        // @ts-expect-error not an event signature: "event Transfer(address from"
        "event Transfer(address from",
        // @ts-expect-error not a signature: "Transfer"
        "Transfer",
      ],
      chains: { mainnet },
    },
  },
});

const abi = ["event Paused()"] as const;
const widened: string[] = ["event Paused()"];
const json = [{ type: "event", name: "Paused", inputs: [] }];
// @ts-expect-error the signatures must be written in place, or declared `as const`
defineIndexer({ ...base, contracts: { Token: { abi: widened, chains: { mainnet } } } });
// @ts-expect-error this ABI has no types: declare it `as const`, or make it with `spindex abi add <file>`
defineIndexer({ ...base, contracts: { Token: { abi: json, chains: { mainnet } } } });
// @ts-expect-error there is no chain polygon
defineIndexer({ ...base, contracts: { Token: { abi, chains: { polygon: { address: "any" } } } } });
// @ts-expect-error an address begins with 0x
defineIndexer({ ...base, contracts: { Token: { abi, chains: { mainnet: { address: "every" } } } } });
// @ts-expect-error the address is missing
defineIndexer({ ...base, contracts: { Token: { abi, chains: { mainnet: { startBlock: 1 } } } } });
// @ts-expect-error the ABI is missing
defineIndexer({ ...base, contracts: { Token: { chains: { mainnet } } } });

const contracts = { Token: { abi, chains: { mainnet } } } as const;
// @ts-expect-error a chain needs a source
defineIndexer({ ...base, contracts, chains: { mainnet: { id: 1, sources: [] } } });
// @ts-expect-error an undefined variable: env("NAME") is meant
defineIndexer({ ...base, contracts, chains: { mainnet: { id: 1, sources: [{ rpc: process.env.RPC }] } } });
// @ts-expect-error there is no such setting
defineIndexer({ ...base, contracts, handler: "./a.ts" });
// @ts-expect-error there is no such setting of a chain
defineIndexer({ ...base, contracts, chains: { mainnet: { id: 1, sources: [{ rpc: "http://a" }], reorgDepth: 1 } } });
// @ts-expect-error the schema is missing
defineIndexer({ name: "test", chains, contracts });

// A factory: its contract, its event and an address among that event's arguments.
const pairs = {
  Factory: {
    abi: [
      "event PairCreated(address indexed token, address pair, uint256)",
      "event Made(address)",
      "event Made(address who, bool b)",
    ],
    chains: { mainnet },
  },
  Json: {
    abi: [{ type: "event", name: "Opened", inputs: [{ name: "at", type: "address", indexed: true }] }],
    chains: { mainnet: { address: "registered" } },
  },
} as const;
const pairAbi = ["event Sync()"] as const;
defineIndexer({
  ...base,
  contracts: {
    ...pairs,
    Pair: {
      abi: pairAbi,
      chains: { mainnet: { address: factory({ contract: "Factory", event: "PairCreated", parameter: "pair" }) } },
    },
    ByJson: {
      abi: pairAbi,
      chains: { mainnet: { address: factory({ contract: "Json", event: "Opened", parameter: "at" }), startBlock: 1 } },
    },
    ByOverload: {
      abi: pairAbi,
      chains: { mainnet: { address: factory({ contract: "Factory", event: "Made(address)", parameter: "arg0" }) } },
    },
  },
});
defineIndexer({
  ...base,
  contracts: {
    ...pairs,
    NoContract: {
      abi: pairAbi,
      // @ts-expect-error there is no contract Factry
      chains: { mainnet: { address: factory({ contract: "Factry", event: "PairCreated", parameter: "pair" }) } },
    },
    NoEvent: {
      abi: pairAbi,
      // @ts-expect-error Factory has no event PairCreatd
      chains: { mainnet: { address: factory({ contract: "Factory", event: "PairCreatd", parameter: "pair" }) } },
    },
    NoParameter: {
      abi: pairAbi,
      // @ts-expect-error PairCreated has no argument pear
      chains: { mainnet: { address: factory({ contract: "Factory", event: "PairCreated", parameter: "pear" }) } },
    },
    NoAddress: {
      abi: pairAbi,
      // @ts-expect-error arg2 is a uint256
      chains: { mainnet: { address: factory({ contract: "Factory", event: "PairCreated", parameter: "arg2" }) } },
    },
    Overloaded: {
      abi: pairAbi,
      // @ts-expect-error Made is overloaded: its signature is the name
      chains: { mainnet: { address: factory({ contract: "Factory", event: "Made", parameter: "arg0" }) } },
    },
  },
});
