import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { type Address, getContract, type Hex, parseAbi, parseAbiItem } from "viem";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ACCOUNTS, type Artifact, artifactOf, type Client, clientOf, startAnvil } from "../support/anvil.ts";
import { runCli, startCli, temporaryProject } from "../support/cli.ts";
import { codeBlocksOf } from "../support/markdown.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { TOKEN, TOKEN_PROJECT } from "../support/token-project.ts";

const ERC20 = artifactOf("@openzeppelin/contracts/build/contracts/ERC20PresetMinterPauser.json");
const FACTORY = artifactOf("@uniswap/v2-core/build/UniswapV2Factory.json");
const PAIR = artifactOf("@uniswap/v2-core/build/UniswapV2Pair.json");
const ZERO: Address = `0x${"0".repeat(40)}`;
const [ALICE, BOB, CAROL] = ACCOUNTS as [(typeof ACCOUNTS)[0], (typeof ACCOUNTS)[0], (typeof ACCOUNTS)[0]];

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function deploy(client: Client, { abi, bytecode }: Artifact, args: readonly unknown[]): Promise<Address> {
  const hash = await client.deployContract({ abi, bytecode, args, account: ALICE });
  const { contractAddress } = await client.waitForTransactionReceipt({ hash });
  if (contractAddress == null) throw new Error("not deployed");
  return contractAddress.toLowerCase() as Address;
}

/** Sends a transaction and waits until it is in a block. */
async function send(
  client: Client,
  account: (typeof ACCOUNTS)[0],
  address: Address,
  { abi }: Artifact,
  functionName: string,
  ...args: readonly unknown[]
): Promise<void> {
  const hash = await client.writeContract({ address, abi, functionName, args, account });
  const receipt = await client.waitForTransactionReceipt({ hash });
  expect(receipt.status).toBe("success");
}

test("a real ERC-20: mint, transfer, approve, burn, indexed once and then followed at the head", async () => {
  await using node = await startAnvil("--chain-id", "31337");
  const client = clientOf(node.url);
  const token = await deploy(client, ERC20, ["Token", "TKN"]);
  const transact = async (round: bigint): Promise<void> => {
    await send(client, ALICE, token, ERC20, "mint", BOB.address, 1_000n * 10n ** 18n + round);
    await send(client, BOB, token, ERC20, "transfer", CAROL.address, 300n + round);
    await send(client, BOB, token, ERC20, "transfer", BOB.address, 5n);
    await send(client, BOB, token, ERC20, "approve", ALICE.address, 2n ** 256n - 1n - round);
    await send(client, CAROL, token, ERC20, "burn", 7n);
  };
  await transact(1n);
  await using project = await temporaryProject({
    ...TOKEN_PROJECT,
    "spindex.config.ts": TOKEN_PROJECT["spindex.config.ts"].replace(TOKEN, token).replace("id: 1,", "id: 31337,"),
  });
  const env = { DATABASE_URL: database.url, RPC_URL: node.url };
  expect(await runCli(["start", "--once"], { cwd: project.directory, env })).toMatchObject({ exitCode: 0, stderr: "" });
  await expectToken(client, token);

  const following = startCli(["start"], { cwd: project.directory, env });
  try {
    for (const round of [2n, 3n, 4n]) {
      await transact(round);
      const head = Number(await client.getBlockNumber());
      await following.until(({ chains: [chain] }) => chain?.committed === head);
      await expectToken(client, token);
    }
    following.child.kill("SIGTERM");
    expect(await following.ended).toMatchObject({ exitCode: 0, stderr: "" });
  } finally {
    following.child.kill("SIGKILL");
  }
});

/** The files that a document's code blocks stand for. */
async function projectOf(document: string): Promise<Record<string, string>> {
  const text = await readFile(join(import.meta.dirname, "../..", document), "utf8");
  return Object.fromEntries(
    codeBlocksOf(text).flatMap(({ file, text: code }) => (file === undefined ? [] : [[file, code]])),
  );
}

/** The tables hold what the contract says, and what another library makes of the logs. */
async function expectToken(client: Client, token: Address): Promise<void> {
  const contract = getContract({
    address: token,
    abi: parseAbi([
      "function balanceOf(address) view returns (uint256)",
      "function totalSupply() view returns (uint256)",
      "function allowance(address,address) view returns (uint256)",
    ]),
    client,
  });
  const logs = await client.getLogs({
    address: token,
    event: parseAbiItem("event Transfer(address indexed from, address indexed to, uint256 value)"),
    fromBlock: 0n,
    strict: true,
  });
  const transfers = await database.query<Record<string, string>>(
    `select "from", "to", value::text, block::text from token.transfer order by id`,
  );
  expect(transfers).toEqual(
    logs.map(({ args, blockNumber }) => ({
      from: args.from.toLowerCase(),
      to: args.to.toLowerCase(),
      value: String(args.value),
      block: String(blockNumber),
    })),
  );
  const balances = await database.query<{ id: Address; balance: string }>(
    `select id, balance::text from token.account where id <> '${ZERO}' order by id`,
  );
  expect(balances.map(({ id }) => id)).toEqual([BOB.address.toLowerCase(), CAROL.address.toLowerCase()].toSorted());
  for (const { id, balance } of balances) expect(BigInt(balance)).toBe(await contract.read.balanceOf([id]));
  const [supply] = await database.query<{ supply: string }>(
    `select (-balance)::text as supply from token.account where id = '${ZERO}'`,
  );
  expect(BigInt(supply?.supply ?? -1)).toBe(await contract.read.totalSupply());
  const allowances = await database.query<Record<"owner" | "spender" | "amount", string>>(
    "select owner, spender, amount::text from token.allowance",
  );
  expect(allowances).toHaveLength(1);
  for (const { owner, spender, amount } of allowances) {
    expect(BigInt(amount as string)).toBe(await contract.read.allowance([owner as Hex, spender as Hex]));
  }
}

test("the README's project, as it is printed there: mint and burn", async () => {
  await using node = await startAnvil("--chain-id", "1");
  const client = clientOf(node.url, 1);
  const token = await deploy(client, ERC20, ["Token", "TKN"]);
  await send(client, ALICE, token, ERC20, "mint", BOB.address, 1_000n);
  await send(client, BOB, token, ERC20, "transfer", CAROL.address, 300n);
  await send(client, CAROL, token, ERC20, "burn", 50n);
  const files = await projectOf("README.md");
  const config = files["spindex.config.ts"] ?? "";
  // What the README names lies on mainnet: the address and the first block are all that is another here.
  const ours = config.replace(/0x[0-9a-f]{40}/, token).replace(/startBlock: [\d_]+/, "startBlock: 0");
  expect(ours).not.toBe(config);
  await using project = await temporaryProject({ ...files, "spindex.config.ts": ours });
  const env = { DATABASE_URL: database.url, MAINNET_RPC_URL: node.url };
  expect(await runCli(["start", "--once"], { cwd: project.directory, env })).toMatchObject({ exitCode: 0, stderr: "" });
  const schema = /name: "(\w+)"/.exec(ours)?.[1];
  expect(await database.query(`select id, balance::text from ${schema}.account order by balance`)).toEqual([
    { id: ZERO, balance: "-950" },
    { id: CAROL.address.toLowerCase(), balance: "250" },
    { id: BOB.address.toLowerCase(), balance: "700" },
  ]);
  expect(await database.query(`select "from", "to", value::text, memo from ${schema}.transfer order by id`)).toEqual([
    { from: ZERO, to: BOB.address.toLowerCase(), value: "1000", memo: null },
    { from: BOB.address.toLowerCase(), to: CAROL.address.toLowerCase(), value: "300", memo: null },
    { from: CAROL.address.toLowerCase(), to: ZERO, value: "50", memo: null },
  ]);
});

const SWAP_PROJECT = (factory: Address) => ({
  "schema.ts": `import { entity, t } from "spindex";
export const pair = entity({ id: t.address(), token0: t.address(), token1: t.address(), reserve0: t.uint256().default(0n), reserve1: t.uint256().default(0n), supply: t.uint256().default(0n), swaps: t.int32().default(0) });
export const swap = entity({ id: t.eventId(), pair: t.ref(() => pair), sender: t.address(), to: t.address(), in0: t.uint256(), in1: t.uint256(), out0: t.uint256(), out1: t.uint256() }, { appendOnly: true });
`,
  "spindex.config.ts": `import { defineIndexer, env, factory } from "spindex";
import * as schema from "./schema.ts";
export default defineIndexer({
  name: "swaps",
  schema,
  chains: { local: { id: 31337, sources: [{ rpc: env("RPC_URL") }] } },
  contracts: {
    Factory: {
      abi: ["event PairCreated(address indexed token0, address indexed token1, address pair, uint256)"],
      chains: { local: { address: "${factory}" } },
    },
    Pair: {
      abi: [
        "event Sync(uint112 reserve0, uint112 reserve1)",
        "event Swap(address indexed sender, uint256 amount0In, uint256 amount1In, uint256 amount0Out, uint256 amount1Out, address indexed to)",
        "event Transfer(address indexed from, address indexed to, uint256 value)",
      ],
      chains: { local: { address: factory({ contract: "Factory", event: "PairCreated", parameter: "pair" }) } },
    },
  },
});
`,
  "handlers.ts": `import indexer from "./spindex.config.ts";
const ZERO = "${ZERO}";
indexer.on("Factory.PairCreated", async ({ event, store }) => {
  const { token0, token1, pair } = event.args;
  await store.pair.getOrCreate({ id: pair, token0, token1 });
});
indexer.on("Pair.Sync", async ({ event, store }) => {
  await store.pair.update(event.log.address, { reserve0: event.args.reserve0, reserve1: event.args.reserve1 });
});
indexer.on("Pair.Transfer", async ({ event, store }) => {
  const { from, to, value } = event.args;
  await store.pair.update(event.log.address, ({ supply }) => ({ supply: supply + (from === ZERO ? value : 0n) - (to === ZERO && from !== ZERO ? value : 0n) }));
});
indexer.on("Pair.Swap", async ({ event, store }) => {
  const { sender, to, amount0In, amount1In, amount0Out, amount1Out } = event.args;
  const pair = event.log.address;
  await store.pair.update(pair, ({ swaps }) => ({ swaps: swaps + 1 }));
  store.swap.insert({ id: event.id, pair, sender, to, in0: amount0In, in1: amount1In, out0: amount0Out, out1: amount1Out });
});
`,
});

test("a real Uniswap v2 pair: liquidity, swaps and a burn end as the contract's own state", async () => {
  await using node = await startAnvil();
  const client = clientOf(node.url);
  const factory = await deploy(client, FACTORY, [ALICE.address]);
  const tokens = [await deploy(client, ERC20, ["A", "A"]), await deploy(client, ERC20, ["B", "B"])] as const;
  await send(client, ALICE, factory, FACTORY, "createPair", ...tokens);
  const pair = (
    (await client.readContract({ address: factory, abi: FACTORY.abi, functionName: "getPair", args: tokens })) as string
  ).toLowerCase() as Address;
  for (const token of tokens) await send(client, ALICE, token, ERC20, "mint", ALICE.address, 10n ** 24n);
  const [token0, token1] = tokens.toSorted() as [Address, Address];
  const pay = (token: Address, amount: bigint) => send(client, ALICE, token, ERC20, "transfer", pair, amount);
  await pay(token0, 10n ** 21n);
  await pay(token1, 4n * 10n ** 21n);
  await send(client, ALICE, pair, PAIR, "mint", ALICE.address);
  const swap = async (i: bigint): Promise<void> => {
    await pay(token0, i * 10n ** 18n);
    await send(client, ALICE, pair, PAIR, "swap", 0n, i * 3n * 10n ** 18n, BOB.address, "0x");
    await pay(token1, i * 10n ** 18n);
    await send(client, ALICE, pair, PAIR, "swap", i * 10n ** 17n, 0n, CAROL.address, "0x");
  };
  for (let i = 1n; i <= 5n; i++) await swap(i);
  await send(client, ALICE, pair, PAIR, "transfer", pair, 10n ** 20n);
  await send(client, ALICE, pair, PAIR, "burn", ALICE.address);

  await using project = await temporaryProject(SWAP_PROJECT(factory));
  const env = { DATABASE_URL: database.url, RPC_URL: node.url };
  expect(await runCli(["start", "--once"], { cwd: project.directory, env })).toMatchObject({ exitCode: 0, stderr: "" });

  await expectPair(client, pair, [token0, token1], 10);

  const following = startCli(["start"], { cwd: project.directory, env });
  try {
    await swap(7n);
    // What a pair was sent without a swap changes its reserves too.
    await pay(token0, 12_345n);
    await send(client, ALICE, pair, PAIR, "sync");
    const head = Number(await client.getBlockNumber());
    await following.until(({ chains: [chain] }) => chain?.committed === head);
    following.child.kill("SIGTERM");
    expect(await following.ended).toMatchObject({ exitCode: 0, stderr: "" });
    expect(await database.query("select processed_block::int as block from swaps.spindex_status")).toEqual([
      { block: head },
    ]);
    await expectPair(client, pair, [token0, token1], 12);
  } finally {
    following.child.kill("SIGKILL");
  }
});

/** The tables hold what the pair says of itself, and what another library makes of its logs. */
async function expectPair(
  client: Client,
  pair: Address,
  [token0, token1]: readonly [Address, Address],
  swapCount: number,
): Promise<void> {
  const read = (functionName: string) => client.readContract({ address: pair, abi: PAIR.abi, functionName });
  const [reserve0, reserve1] = (await read("getReserves")) as [bigint, bigint, number];
  expect(
    await database.query(
      "select id, token0, token1, reserve0::text, reserve1::text, supply::text, swaps from swaps.pair",
    ),
  ).toEqual([
    {
      id: pair,
      token0,
      token1,
      reserve0: String(reserve0),
      reserve1: String(reserve1),
      supply: String(await read("totalSupply")),
      swaps: swapCount,
    },
  ]);
  const logs = await client.getContractEvents({ address: pair, abi: PAIR.abi, eventName: "Swap", fromBlock: 0n });
  const swaps = await database.query(
    'select in0::text, in1::text, out0::text, out1::text, sender, "to" from swaps.swap order by id',
  );
  expect(swaps).toEqual(
    logs.map(({ args }) => {
      const { sender, to, amount0In, amount1In, amount0Out, amount1Out } = args as unknown as Record<
        string,
        bigint | string
      >;
      return {
        in0: String(amount0In),
        in1: String(amount1In),
        out0: String(amount0Out),
        out1: String(amount1Out),
        sender: String(sender).toLowerCase(),
        to: String(to).toLowerCase(),
      };
    }),
  );
}
