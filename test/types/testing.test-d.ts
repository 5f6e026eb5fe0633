import { defineIndexer, entity, t } from "spindex";
import { collectTraces, createTestIndexer, expectTrace } from "spindex/testing";
import { expectTypeOf } from "vitest";

const address = `0x${"00".repeat(20)}` as const;
const schema = {
  account: entity({ id: t.address(), balance: t.int256().default(0n) }),
  allowance: entity({ owner: t.address(), spender: t.address() }, { key: ["owner", "spender"] }),
  transfer: entity({ id: t.eventId(), value: t.uint256() }, { appendOnly: true }),
};
const indexer = defineIndexer({
  name: "kit",
  schema,
  chains: { mainnet: { id: 1, sources: [{ rpc: "http://localhost" }] } },
  contracts: {
    Token: {
      abi: ["event Transfer(address indexed from, uint256 value)", "event Paused()"],
      chains: { mainnet: { address } },
    },
  },
});
const tested = createTestIndexer(indexer);

// Events and arguments are those of the contracts.
tested.emit("Token.Transfer", { args: { from: address, value: 1n } });
tested.emit("Token.Transfer", { args: { from: address, value: 1n }, chain: "mainnet", block: 5, log: { index: 2 } });
tested.emit("Token.Paused", { args: {}, block: { number: 5n, timestamp: 1 } });
// @ts-expect-error there is no such event
tested.emit("Token.Unpaused", { args: {} });
// @ts-expect-error an argument is missing
tested.emit("Token.Transfer", { args: { from: address } });
// @ts-expect-error a uint256 is a bigint
tested.emit("Token.Transfer", { args: { from: address, value: 1 } });
// @ts-expect-error there is no such chain
tested.emit("Token.Paused", { args: {}, chain: "base" });

// Rows and keys are those of the schema.
expectTypeOf(tested.rows("account")).toEqualTypeOf<
  readonly { readonly id: `0x${string}`; readonly balance: bigint }[]
>();
expectTypeOf(tested.get("transfer", 5n)).toEqualTypeOf<{ readonly id: bigint; readonly value: bigint } | undefined>();
tested.get("allowance", { owner: address, spender: address });
// @ts-expect-error a key of two columns is an object
tested.get("allowance", address);
// @ts-expect-error there is no such entity
tested.rows("token");

// Names in checks of traces are those of the telemetry contract.
const traces = expectTrace(await (await collectTraces()).traces());
const batch = traces.one("spindex.batch", { "spindex.outcome": "durable" });
batch.child("spindex.batch.persist").linksTo("spindex.write_transaction").hasEvent("commit_sent");
// @ts-expect-error there is no such span
traces.one("spindex.bach");
// @ts-expect-error a batch has no such attribute
batch.has({ "spindex.batch.number": 1 });
// @ts-expect-error it is a number
batch.has({ "spindex.batch.id": "1" });
// @ts-expect-error a batch has no such event
batch.hasEvent("commit_sent");
