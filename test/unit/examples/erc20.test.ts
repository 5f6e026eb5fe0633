import { expect, test } from "vitest";
import indexer from "../../../examples/erc20/spindex.config.ts";
import "../../../examples/erc20/src/handlers/transfers.ts";
import { createTestIndexer } from "../../../src/testing/index.ts";

const nobody = `0x${"0".repeat(40)}` as const;
const alice = `0x${"a1".repeat(20)}` as const;
const bob = `0x${"b0".repeat(20)}` as const;
const token = `0x${"70".repeat(20)}` as const;
const log = { address: token };

test("a mint, a transfer and a burn leave the balances that a contract would have", async () => {
  const tested = createTestIndexer(indexer);
  tested.emit("Erc20.Transfer", { args: { from: nobody, to: alice, value: 100n }, block: 2_000_000, log });
  tested.emit("Erc20.Transfer", { args: { from: alice, to: bob, value: 30n }, log });
  const burn = tested.emit("Erc20.Transfer", { args: { from: bob, to: nobody, value: 10n }, log });
  await tested.process();
  expect(tested.rows("account")).toEqual([
    { token, owner: alice, balance: 70n },
    { token, owner: bob, balance: 20n },
  ]);
  expect(tested.get("token", token)).toEqual({ id: token, transfers: 3n, volume: 140n });
  expect(tested.get("transfer", burn)).toEqual({
    id: burn,
    token,
    standard: "erc20",
    from: bob,
    to: nobody,
    value: 10n,
    block: 2_000_002n,
    logIndex: 0,
    transactionHash: `0x${(2_000_002).toString(16).padStart(56, "0")}00000000`,
    timestamp: Date.UTC(2021, 0, 1) / 1000 + 12 * 2_000_002,
  });
});

test("a token of ERC-721 is one piece, whatever its id", async () => {
  const tested = createTestIndexer(indexer);
  tested.emit("Erc721.Transfer", { args: { from: nobody, to: alice, tokenId: 77n }, log });
  tested.emit("Erc721.Transfer", { args: { from: alice, to: bob, tokenId: 77n }, log });
  await tested.process();
  expect(tested.rows("account")).toEqual([
    { token, owner: alice, balance: 0n },
    { token, owner: bob, balance: 1n },
  ]);
  expect(tested.rows("transfer").map(({ standard, value }) => [standard, value])).toEqual([
    ["erc721", 77n],
    ["erc721", 77n],
  ]);
});

test("sums wrap at 256 bits", async () => {
  const tested = createTestIndexer(indexer);
  const value = 2n ** 256n - 1n;
  tested.emit("Erc20.Transfer", { args: { from: nobody, to: alice, value }, log });
  tested.emit("Erc20.Transfer", { args: { from: nobody, to: alice, value: 2n }, log });
  await tested.process();
  expect(tested.get("account", { token, owner: alice })?.balance).toBe(1n);
  expect(tested.get("token", token)?.volume).toBe(1n);
});
