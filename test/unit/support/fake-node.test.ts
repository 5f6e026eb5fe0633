import { expect, onTestFinished, test } from "vitest";
import { buildChain, type FakeChain, forkChain, tokenChain } from "../../support/fake-chain.ts";
import { type FakeNodeOptions, startFakeNode } from "../../support/fake-node.ts";

async function nodeOf(options: FakeNodeOptions) {
  const node = await startFakeNode(options);
  onTestFinished(() => node.close());
  async function call(method: string, ...params: unknown[]): Promise<unknown> {
    const body = JSON.stringify({ jsonrpc: "2.0", id: 1, method, params });
    const answer = (await (await fetch(node.url, { method: "POST", body })).json()) as Record<string, unknown>;
    return "result" in answer ? answer.result : answer.error;
  }
  return { node, call };
}

function isLinked(chain: FakeChain): boolean {
  return chain.blocks.every((block, place) => place === 0 || block.parentHash === chain.blocks[place - 1]?.hash);
}

test("the same plan makes the same chain, linked by hashes that another seed changes", () => {
  const chain = tokenChain({ from: 100, blocks: 20 });
  expect(isLinked(chain)).toBe(true);
  expect(tokenChain({ from: 100, blocks: 20 })).toEqual(chain);
  const other = tokenChain({ from: 100, blocks: 20, seed: "other" });
  expect(other.blocks.some((block, place) => block.hash === chain.blocks[place]?.hash)).toBe(false);
});

test("a fork shares the blocks up to its ancestor and is linked to it", () => {
  const chain = buildChain({ blocks: 10 });
  const fork = forkChain(chain, 6, { blocks: 5 });
  expect(isLinked(fork)).toBe(true);
  expect(fork.blocks.map((block, place) => block.hash === chain.blocks[place]?.hash)).toEqual([
    ...Array(7).fill(true),
    ...Array(5).fill(false),
  ]);
});

test("a node shows no block above its head, which can grow and move to another chain", async () => {
  const chain = tokenChain({ blocks: 10 });
  const { node, call } = await nodeOf({ chain, head: 4 });
  const query = { fromBlock: "0x4", toBlock: "0x9" };
  expect(await call("eth_blockNumber")).toBe("0x4");
  expect(await call("eth_getBlockByNumber", "0x5", false)).toBe(null);
  expect(await call("eth_getLogs", query)).toHaveLength(2);
  node.advanceHead(2);
  expect(await call("eth_getLogs", query)).toHaveLength(6);
  const fork = forkChain(chain, 5, { blocks: 8 });
  node.setChain(fork);
  expect(await call("eth_getBlockByNumber", "latest", false)).toMatchObject({
    number: "0xd",
    hash: fork.blocks[13]?.hash,
    parentHash: fork.blocks[12]?.hash,
  });
});

test("a node misbehaves as often as asked, and counts what it was asked", async () => {
  const { node, call } = await nodeOf({ chain: buildChain({ id: 7, blocks: 1 }) });
  const error = { code: -32000, message: "busy" };
  node.misbehave({ kind: "error", error }, { method: "eth_chainId", times: 1 });
  const heal = node.misbehave({ kind: "result", change: () => "0x8" }, { method: "eth_chainId" });
  expect(await call("eth_blockNumber")).toBe("0x0");
  expect(await call("eth_chainId")).toEqual(error);
  expect(await call("eth_chainId")).toBe("0x8");
  heal();
  expect(await call("eth_chainId")).toBe("0x7");
  expect({ all: node.calls(), chainId: node.calls("eth_chainId"), http: node.httpRequests }).toEqual({
    all: 4,
    chainId: 3,
    http: 4,
  });
});
