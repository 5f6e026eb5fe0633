import {
  type ContextOf,
  defineIndexer,
  type EventKey,
  type EventOf,
  entity,
  type HandlerContext,
  type StoreOf,
  t,
} from "spindex";
import { expectTypeOf } from "vitest";

type Hex = `0x${string}`;

const account = entity({ id: t.address() });
const tokenAbi = [
  "event Transfer(address indexed from, address indexed to, uint256 value)",
  "event Unnamed(uint8, string indexed, (uint256 amount, bool) pair)",
  "event Paused()",
  "event Listed(Order order, uint[] ids)",
  "struct Order { address owner; int24 tick; }",
  "function balanceOf(address owner) view returns (uint256)",
  "error Refused(string reason)",
] as const;
const jsonAbi = [
  { type: "function", name: "totalSupply", stateMutability: "view", inputs: [], outputs: [{ type: "uint256" }] },
  {
    type: "event",
    name: "Moved",
    anonymous: false,
    inputs: [
      { name: "from", type: "address", indexed: true },
      { name: "", type: "uint8", indexed: false },
      {
        name: "order",
        type: "tuple[]",
        indexed: false,
        components: [
          { name: "id", type: "uint64" },
          { name: "tag", type: "bytes4" },
        ],
      },
    ],
  },
  {
    type: "event",
    name: "Moved",
    anonymous: false,
    inputs: [{ name: "order", type: "tuple", components: [{ name: "id", type: "uint64" }] }],
  },
  { type: "event", name: "Hidden", anonymous: true, inputs: [] },
] as const;

const indexer = defineIndexer({
  name: "test",
  schema: { account },
  chains: {
    mainnet: { id: 1, sources: [{ rpc: "http://localhost:8545" }] },
    base: { id: 8453, sources: [{ rpc: "http://localhost:8546" }] },
  },
  contracts: {
    Token: {
      abi: tokenAbi,
      chains: { mainnet: { address: "any" } },
    },
    Market: { abi: jsonAbi, chains: { base: { address: ["0x01", "0x02"], startBlock: 1, endBlock: 2 } } },
  },
});

expectTypeOf<EventKey<{ Token: typeof tokenAbi; Market: typeof jsonAbi }>>().toEqualTypeOf<
  | "Token.Transfer"
  | "Token.Unnamed"
  | "Token.Paused"
  | "Token.Listed"
  | "Market.Moved(address,uint8,(uint64,bytes4)[])"
  | "Market.Moved((uint64))"
>();

// Functions that handlers call name what they are given.
type Transfer = EventOf<typeof indexer, "Token.Transfer">;
expectTypeOf<Transfer["args"]>().toEqualTypeOf<{ readonly from: Hex; readonly to: Hex; readonly value: bigint }>();
expectTypeOf<ContextOf<typeof indexer, "Token.Transfer">>().toEqualTypeOf<
  HandlerContext<Transfer, StoreOf<{ account: typeof account }>, "mainnet" | "base", "Token" | "Market">
>();
const onTransfer = (context: ContextOf<typeof indexer, "Token.Transfer">): void => void context.event.args.value;
indexer.on("Token.Transfer", onTransfer);

indexer.on("Token.Transfer", ({ event, chain, log }) => {
  expectTypeOf(event.args).toEqualTypeOf<{ readonly from: Hex; readonly to: Hex; readonly value: bigint }>();
  expectTypeOf(event.id).toEqualTypeOf<bigint>();
  expectTypeOf(event.idOf(1)).toEqualTypeOf<bigint>();
  expectTypeOf(event.name).toEqualTypeOf<"Transfer">();
  expectTypeOf(event.contract).toEqualTypeOf<"Token">();
  expectTypeOf(event.block).toEqualTypeOf<{
    readonly number: bigint;
    readonly timestamp: number;
    readonly hash: Hex;
  }>();
  expectTypeOf(event.transaction).toEqualTypeOf<{ readonly hash: Hex; readonly index: number }>();
  expectTypeOf(event.log).toEqualTypeOf<{ readonly address: Hex; readonly index: number }>();
  expectTypeOf(chain).toEqualTypeOf<{
    readonly id: number;
    readonly name: "mainnet" | "base";
    readonly live: boolean;
  }>();
  expectTypeOf(log.warn).toBeCallableWith("slow", { waitMs: 1 });
  // @ts-expect-error the event has no such argument
  event.args.amount;
  // @ts-expect-error arguments are readonly
  event.args.value = 1n;
});

// Unnamed parameters get the name of their position; an indexed text is known by its hash.
indexer.on("Token.Unnamed", ({ event }) => {
  expectTypeOf(event.args.arg0).toEqualTypeOf<number>();
  expectTypeOf(event.args.arg1).toEqualTypeOf<Hex>();
  expectTypeOf(event.args.pair[0]).toEqualTypeOf<bigint>();
});
indexer.on("Token.Paused", ({ event }) => {
  expectTypeOf<keyof typeof event.args>().toEqualTypeOf<never>();
});
indexer.on("Token.Listed", ({ event }) => {
  expectTypeOf(event.args.order.owner).toEqualTypeOf<Hex>();
  expectTypeOf(event.args.order.tick).toEqualTypeOf<number>();
  expectTypeOf(event.args.ids).toEqualTypeOf<readonly bigint[]>();
});
indexer.on("Market.Moved(address,uint8,(uint64,bytes4)[])", ({ event }) => {
  expectTypeOf(event.args.from).toEqualTypeOf<Hex>();
  expectTypeOf(event.args.arg1).toEqualTypeOf<number>();
  expectTypeOf(event.args.order[0]!.id).toEqualTypeOf<bigint>();
  expectTypeOf(event.args.order[0]!.tag).toEqualTypeOf<Hex>();
});

// @ts-expect-error there is no such event
indexer.on("Token.Nope", () => {});
// @ts-expect-error there is no such contract
indexer.on("Coin.Transfer", () => {});
// @ts-expect-error the bare name of an overloaded event
indexer.on("Market.Moved", () => {});
// @ts-expect-error an anonymous event has no topic
indexer.on("Market.Hidden", () => {});
// @ts-expect-error a handler is missing
indexer.on("Token.Transfer");
// @ts-expect-error a handler gives nothing back
indexer.on("Token.Paused", (): number => 1);

const A = "0x00000000000000000000000000000000000000aa";
indexer.on("Token.Transfer", { where: { from: [A, A], to: A } }, () => {});
indexer.on(
  "Token.Transfer",
  { where: [{ from: A }, { to: A }], startBlock: 1, endBlock: 2, onError: "skip" },
  () => {},
);
indexer.on("Token.Unnamed", { where: { arg1: "0x01" } }, () => {});
// @ts-expect-error value is not indexed
indexer.on("Token.Transfer", { where: { value: 1n } }, () => {});
// @ts-expect-error an address is text
indexer.on("Token.Transfer", { where: { from: 1n } }, () => {});
// @ts-expect-error there is no such policy
indexer.on("Token.Transfer", { onError: "retry" }, () => {});
// @ts-expect-error there is no such option
indexer.on("Token.Transfer", { from: 1 }, () => {});

// What `fields` names is there; the default fields stay.
indexer.on(
  "Token.Transfer",
  { fields: { block: ["baseFeePerGas", "miner"], transaction: ["gasPrice", "to", "nonce"] }, where: { from: A } },
  ({ event }) => {
    expectTypeOf(event.args).toEqualTypeOf<{ readonly from: Hex; readonly to: Hex; readonly value: bigint }>();
    expectTypeOf(event.block).toEqualTypeOf<{
      readonly number: bigint;
      readonly timestamp: number;
      readonly hash: Hex;
      readonly baseFeePerGas: bigint | null;
      readonly miner: Hex;
    }>();
    expectTypeOf(event.transaction).toEqualTypeOf<{
      readonly hash: Hex;
      readonly index: number;
      readonly gasPrice: bigint;
      readonly to: Hex | null;
      readonly nonce: number;
    }>();
    // @ts-expect-error Property 'gasUsed' does not exist on type 'BlockWith<"miner" | "baseFeePerGas", "more by { fields: { block: [\"…\"] } }">'
    event.block.gasUsed;
    // @ts-expect-error Property 'input' does not exist on type 'TransactionWith<"nonce" | "gasPrice" | "to", "more by { fields: { transaction: [\"…\"] } }">'
    event.transaction.input;
  },
);
indexer.on("Token.Transfer", { fields: { transaction: ["input"] } }, ({ event }) => {
  expectTypeOf(event.transaction.input).toEqualTypeOf<Hex>();
  // @ts-expect-error the block has its default fields alone
  event.block.miner;
});
indexer.on("Token.Transfer", ({ event }) => {
  // @ts-expect-error nothing is selected
  event.block.miner;
  // @ts-expect-error nothing is selected
  event.transaction.gasPrice;
});
// Names declared elsewhere are given `as const`; functions that handlers call name their fields.
const fields = { block: ["size"], transaction: ["type"] } as const;
const withFields = (context: ContextOf<typeof indexer, "Token.Transfer", typeof fields>): void => {
  expectTypeOf(context.event.block.size).toEqualTypeOf<bigint>();
  expectTypeOf(context.event.transaction.type).toEqualTypeOf<number>();
};
indexer.on("Token.Transfer", { fields }, withFields);
// A function that needs no field takes events with more of them.
indexer.on("Token.Transfer", { fields }, onTransfer);
// @ts-expect-error it needs fields that are not selected
indexer.on("Token.Transfer", withFields);
// @ts-expect-error there is no such field: "baseFee" is not assignable to BlockField
indexer.on("Token.Transfer", { fields: { block: ["miner", "baseFee"] } }, () => {});
// @ts-expect-error a field of the transaction, not of the block
indexer.on("Token.Transfer", { fields: { block: ["gasPrice"] } }, () => {});
// @ts-expect-error there are fields of the block and of the transaction
indexer.on("Token.Transfer", { fields: { block: ["miner"], log: ["data"] } }, () => {});

indexer.onSetup(async ({ store, chain, log }) => {
  store.account.set({ id: "0x01" });
  expectTypeOf(await store.account.get("0x01")).toEqualTypeOf<{ readonly id: Hex } | undefined>();
  expectTypeOf(chain.name).toEqualTypeOf<"mainnet" | "base">();
  log.info("set up");
});
// @ts-expect-error no event has happened yet
indexer.onSetup(({ event }) => void event);
// @ts-expect-error a handler is missing
indexer.onSetup();

// Addresses are registered for contracts of the configuration.
indexer.on("Token.Transfer", ({ event, register }) => {
  register("Market", event.args.to);
  // @ts-expect-error there is no contract Markt
  register("Markt", event.args.to);
  // @ts-expect-error no address
  register("Market", "to");
});
// @ts-expect-error the set-up comes before all blocks
indexer.onSetup(({ register }) => register);
