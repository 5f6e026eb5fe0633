import { createHash } from "node:crypto";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { createReplayServer, type ReplayOptions, type ReplayServer } from "../../../examples/replay/replay-server.ts";

const data = (name: string): string => new URL(`../../../examples/data/${name}`, import.meta.url).pathname;
const TRANSFER = "0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef";
const SYNC = "0x1c411e9a96e071241c2f21f7726b17ae89e3cab4c78be50e062b03a9fffbbad1";
const hex = (value: number): string => `0x${value.toString(16)}`;

interface Reply {
  readonly id: number;
  readonly result?: unknown;
  readonly error?: { readonly code: number; readonly message: string; readonly data?: unknown };
}
type Block = { number: string; hash: string; parentHash: string; timestamp: string; transactions: unknown[] };
type Log = Record<string, unknown> & { topics: string[]; blockHash: string; blockNumber: string };

async function post(url: string, body: unknown): Promise<unknown> {
  const response = await fetch(url, { method: "POST", body: typeof body === "string" ? body : JSON.stringify(body) });
  return response.json();
}
const request = (server: ReplayServer, method: string, ...params: unknown[]): Promise<Reply> =>
  post(server.url, { jsonrpc: "2.0", id: 7, method, params }) as Promise<Reply>;
async function call<T>(server: ReplayServer, method: string, ...params: unknown[]): Promise<T> {
  const reply = await request(server, method, ...params);
  expect(reply.error).toBeUndefined();
  return reply.result as T;
}
async function withServer(options: ReplayOptions, use: (server: ReplayServer) => Promise<void>): Promise<void> {
  const server = await createReplayServer(options);
  try {
    await use(server);
  } finally {
    await server.close();
  }
}

describe("a replay server over whole blocks", () => {
  let server: ReplayServer;
  beforeAll(async () => {
    server = await createReplayServer({ file: data("etl-blocks.ndjson.gz"), chainId: 1 });
  });
  afterAll(() => server.close());

  it("knows its chain, and its head is the last block of the file", async () => {
    expect([await call(server, "eth_chainId"), await call(server, "eth_blockNumber")]).toEqual(["0x1", hex(17173050)]);
    expect([server.first, server.last]).toEqual([1755634, 17173050]);
  });

  it("gives real blocks as the file has them", async () => {
    expect(await call(server, "eth_getBlockByNumber", hex(1755635), false)).toEqual({
      number: hex(1755635),
      hash: "0x1dec87ec1ba8e65b7773bb6f62249468948a28a427efd3d896a2ff7d7c591a67",
      parentHash: "0xa06fc36a7144c4bbb1f7ab13b541144414fa7808c119e8a4635e392ea544c178",
      timestamp: hex(1466669562),
      transactions: [],
    });
  });

  it("gives logs in the form of a node", async () => {
    const logs = await call<Log[]>(server, "eth_getLogs", { fromBlock: hex(1755634), toBlock: hex(1755635) });
    expect(logs).toHaveLength(2);
    expect(logs[1]).toEqual({
      address: "0x8b3b3b624c3c0397d3da8fd861512393d51dcbac",
      topics: [
        "0xe3e6ac9b8af8d4194beda053cf95abee2ac870c4fb5f26505181ef1d438512bf",
        "0x0000000000000000000000006498077292a0921c8804924fdf47b5e91e2a215f",
        "0x0000000000000000000000000000000000000000000000004563918244f40000",
      ],
      data: "0x",
      blockNumber: hex(1755635),
      blockHash: "0x1dec87ec1ba8e65b7773bb6f62249468948a28a427efd3d896a2ff7d7c591a67",
      blockTimestamp: hex(1466669562),
      transactionHash: "0x2e3dcd051a91d3a694f6b8de2ac4b5fe7acdba55f58bcf8471ff00d4a430074d",
      transactionIndex: "0x0",
      logIndex: "0x1",
      removed: false,
    });
  });

  it("filters logs by addresses, by topics with alternatives, and by block hash", async () => {
    const range = { fromBlock: "earliest", toBlock: "latest" };
    const weth = "0xC02aaA39b223FE8D0A0e5C4F27eAD9083C756Cc2";
    const counts = await Promise.all(
      [
        {},
        { topics: [TRANSFER] },
        { topics: [[TRANSFER, SYNC]] },
        { topics: [TRANSFER, null, null, null] },
        { topics: [null, null, `0x${"0".repeat(24)}8b3b3b624c3c0397d3da8fd861512393d51dcbac`] },
        { address: weth, topics: [TRANSFER] },
        { address: [weth.toLowerCase(), "0xbb9bc244d798123fde783fcc1c72d3bb8c189413"], topics: [TRANSFER] },
        { address: [] },
      ].map(async (filter) => (await call<Log[]>(server, "eth_getLogs", { ...range, ...filter })).length),
    );
    expect(counts).toEqual([683, 292, 292 + 69, 9, 1, 88, 89, 683]);
    const blockHash = "0xaa5ab9bb22d8020d438496a7edb4eff508b1c5128b0dc01fdecf57f96aac1bb3";
    expect(await call<Log[]>(server, "eth_getLogs", { blockHash })).toHaveLength(271);
  });

  it("knows the tags", async () => {
    const numbers = await Promise.all(
      ["latest", "safe", "finalized", "earliest"].map(async (tag) => {
        const block = await call<Block>(server, "eth_getBlockByNumber", tag, false);
        return Number(block.number);
      }),
    );
    expect(numbers).toEqual([17173050, 17172986, 17172986, 0]);
  });

  it("fills gaps with linked blocks whose hashes come from the chain id and the number", async () => {
    const digest = createHash("sha256").update("1:5000000").digest("hex");
    const block = await call<Block>(server, "eth_getBlockByNumber", hex(5_000_000), false);
    expect(block.hash).toBe(`0x${digest.slice(0, 48)}${(5_000_000).toString(16).padStart(16, "0")}`);
    for (const number of [1, 1755634, 1755635, 1755636, 5_000_001, 17173049, 17173050]) {
      const [before, after] = await Promise.all(
        [number - 1, number].map((n) => call<Block>(server, "eth_getBlockByNumber", hex(n), false)),
      );
      expect(after!.parentHash).toBe(before!.hash);
      expect(Number(after!.timestamp)).toBeGreaterThanOrEqual(Number(before!.timestamp));
      expect(await call<Block>(server, "eth_getBlockByHash", before!.hash, false)).toEqual(before);
    }
  });

  it("has no block above the head, nor one of an unknown hash", async () => {
    expect(await call(server, "eth_getBlockByNumber", hex(17173051), false)).toBeNull();
    expect(await call(server, "eth_getBlockByHash", `0x${"ab".repeat(32)}`, false)).toBeNull();
  });

  it("answers batches in order, with errors in their places", async () => {
    const batch = [
      { jsonrpc: "2.0", id: 1, method: "eth_chainId", params: [] },
      { jsonrpc: "2.0", id: 2, method: "eth_mine", params: [] },
      { jsonrpc: "2.0", id: 3, method: "eth_getBlockByNumber", params: ["soon", false] },
    ];
    expect(await post(server.url, batch)).toEqual([
      { jsonrpc: "2.0", id: 1, result: "0x1" },
      {
        jsonrpc: "2.0",
        id: 2,
        error: { code: -32601, message: "the method eth_mine does not exist/is not available" },
      },
      { jsonrpc: "2.0", id: 3, error: { code: -32602, message: '"soon" is not a block number or tag' } },
    ]);
    expect(await post(server.url, "{")).toMatchObject({ error: { code: -32700 } });
  });
});

describe("a replay server with limits and a moving head", () => {
  it("refuses too many logs with the range that fits", async () => {
    await withServer({ file: data("etl-blocks.ndjson.gz"), chainId: 1, maxLogs: 300 }, async (server) => {
      const reply = await request(server, "eth_getLogs", { fromBlock: "0x0", toBlock: "latest" });
      const to = hex(17173049);
      expect(reply.error).toEqual({
        code: -32005,
        message: `query returned more than 300 results. Try with this block range [0x0, ${to}].`,
        data: { from: "0x0", to, limit: 300 },
      });
      expect(await call<Log[]>(server, "eth_getLogs", { fromBlock: "0x0", toBlock: to })).toHaveLength(273);
    });
  });

  it("refuses too wide a range", async () => {
    await withServer({ file: data("etl-blocks.ndjson.gz"), chainId: 1, maxRange: 10 }, async (server) => {
      const reply = await request(server, "eth_getLogs", { fromBlock: "0x1", toBlock: "0xb" });
      expect(reply.error).toEqual({ code: -32000, message: "exceed maximum block range: 10" });
      expect(await call(server, "eth_getLogs", { fromBlock: "0x1", toBlock: "0xa" })).toEqual([]);
    });
  });

  it("shows blocks and logs up to the head only, which moves on into empty blocks", async () => {
    const options = { file: data("etl-blocks.ndjson.gz"), chainId: 1, head: 17173049 };
    await withServer(options, async (server) => {
      const filter = { fromBlock: hex(17173049), toBlock: hex(17173060) };
      expect(await call<Log[]>(server, "eth_getLogs", filter)).toHaveLength(271);
      server.advance();
      expect(await call<Log[]>(server, "eth_getLogs", filter)).toHaveLength(681);
      server.advance(2);
      expect(await call<Block>(server, "eth_getBlockByNumber", "latest", false)).toMatchObject({
        number: hex(17173052),
        timestamp: hex(1683030011 + 24),
      });
      expect(server.requests.get("eth_getLogs")).toBe(2);
    });
  });

  it("makes up hashes where the file has none, the same in blocks and logs, and leaves out block times if told to", async () => {
    const options = { file: data("univ3-mainnet-2024-01-05.ndjson.gz"), chainId: 1, blockTimestamp: false };
    await withServer(options, async (server) => {
      const [log] = await call<Log[]>(server, "eth_getLogs", { fromBlock: hex(18937381), toBlock: hex(18937381) });
      const block = await call<Block>(server, "eth_getBlockByNumber", hex(18937381), false);
      expect(log).toMatchObject({ blockNumber: block.number, blockHash: block.hash });
      expect(log).not.toHaveProperty("blockTimestamp");
    });
  });
});
