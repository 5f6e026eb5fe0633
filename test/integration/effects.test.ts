import { afterAll, beforeAll, beforeEach, describe, expect, test } from "vitest";
import { createEffect, defineIndexer, entity, t } from "../../src/index.ts";
import { limitsOf } from "../../src/indexer/limits.ts";
import { systemClock } from "../../src/lib/clock.ts";
import { pruneEffects } from "../../src/postgres/prune-effects.ts";
import { fakeAddress, forkChain, tokenChain, transferLog } from "../support/fake-chain.ts";
import { type FakeNode, startFakeNode } from "../support/fake-node.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { startIndexer } from "../support/run-indexer.ts";

const TOKEN = fakeAddress(0xee20) as `0x${string}`;
const CHAIN = tokenChain({ blocks: 40, transfersPerBlock: 2 });

let database: TestDatabase;
let node: FakeNode;
beforeAll(async () => {
  database = await createTestDatabase();
  node = await startFakeNode({ chain: CHAIN, head: 20 });
});
beforeEach(() => node.setChain(CHAIN, 20));
afterAll(async () => {
  await node.close();
  await database.drop();
});

interface Options {
  /** Inputs of the calls that were really made. */
  readonly calls: unknown[];
  readonly cache?: boolean;
  /** The output gets another type. */
  readonly wide?: boolean;
  readonly fail?: (to: string) => boolean;
}

/** Looks up the number of each receiver, by an effect. */
function numbering(name: string, { calls, cache = true, wide = false, fail = () => false }: Options) {
  const getNumber = createEffect(
    { name: "number", input: { of: t.address() }, output: wide ? t.uint256() : t.int64(), cache, rateLimit: false },
    async ({ of }) => {
      calls.push(of);
      if (fail(of)) throw new Error("service down");
      return BigInt(of) * 10n;
    },
  );
  const indexer = defineIndexer({
    name,
    schema: { account: entity({ id: t.address(), number: t.uint256() }) },
    chains: { local: { id: 1, sources: [{ rpc: node.url }], maxReorgDepth: 30, pollIntervalMs: 20 } },
    contracts: {
      Token: {
        abi: ["event Transfer(address indexed from, address indexed to, uint256 value)"],
        chains: { local: { address: TOKEN } },
      },
    },
  });
  indexer.on("Token.Transfer", { onError: "skip" }, async ({ event, store, effect }) => {
    const { to } = event.args;
    store.account.set({ id: to, number: await effect(getNumber, { of: to }) });
  });
  return indexer;
}

const HOLDERS = [1, 2, 3, 4, 5].map((number) => fakeAddress(number));

async function storedIn(schema: string): Promise<unknown[]> {
  return database.query(
    `select effect, input, output, chain_id::int, _checkpoint::int from ${schema}_spindex.effects order by input->>'of'`,
  );
}

const runOnce = async (indexer: ReturnType<typeof numbering>): Promise<void> => {
  expect(await startIndexer(indexer, database.url, { once: true }).ended).toBe("ended");
};

describe("an effect with cache: true", () => {
  test("is called once for each input, and not again after a restart", async () => {
    const calls: unknown[] = [];
    await runOnce(numbering("kept", { calls }));
    expect(calls).toEqual(HOLDERS);
    expect(await storedIn("kept")).toEqual(
      HOLDERS.map((of, at) => ({
        effect: "number",
        input: { of },
        output: `${(at + 1) * 10}n`,
        chain_id: 1,
        _checkpoint: 1,
      })),
    );
    node.setHead(25);
    const running = startIndexer(numbering("kept", { calls }), database.url, { once: true });
    expect(await running.ended).toBe("ended");
    expect(calls).toEqual(HOLDERS);
    expect(await running.metric("spindex_effect_calls_total", { effect: "number", outcome: "stored" })).toBe(5);
    expect(await running.metric("spindex_effect_calls_total", { effect: "number", outcome: "memory" })).toBe(5);
    const rows = await database.query("select number::int from kept.account order by id");
    expect(rows.map(({ number }) => number)).toEqual([10, 20, 30, 40, 50]);
  });

  test("is called again once its output has another type, and the new output replaces the old one", async () => {
    const calls: unknown[] = [];
    await runOnce(numbering("retyped", { calls }));
    const before = await database.query("select output_type from retyped_spindex.effects");
    node.setHead(25);
    await runOnce(numbering("retyped", { calls, wide: true }));
    expect(calls.toSorted()).toEqual([...HOLDERS, ...HOLDERS].toSorted());
    const after = await database.query<{ output_type: string }>("select output_type from retyped_spindex.effects");
    expect(after).toHaveLength(5);
    expect(after).not.toContainEqual(before[0]);
    node.setHead(30);
    await runOnce(numbering("retyped", { calls, wide: true }));
    expect(calls).toHaveLength(10);
  });

  test("is forgotten by a rollback where the call was orphaned, and only there", async () => {
    const calls: unknown[] = [];
    const newcomer = (number: number) => (block: number) => [
      transferLog({ token: TOKEN, from: fakeAddress(1), to: fakeAddress(number), value: BigInt(block) }),
    ];
    const running = startIndexer(numbering("orphaned", { calls }), database.url);
    await running.until(({ chains: [chain] }) => chain?.committed === 20);
    node.setChain(forkChain(CHAIN, 20, { blocks: 2, logs: newcomer(6), seed: "first" }));
    await running.until(({ chains: [chain] }) => chain?.committed === 22);
    expect(await storedIn("orphaned")).toHaveLength(6);
    node.setChain(forkChain(CHAIN, 18, { blocks: 6, logs: newcomer(7), seed: "second" }));
    await running.until(({ chains: [chain] }) => chain?.committed === 24);
    await running.stop();
    const stored = (await storedIn("orphaned")) as { input: { of: string } }[];
    expect(stored.map(({ input }) => input.of)).toEqual([...HOLDERS, fakeAddress(7)]);
    // After the rollback nothing is in memory: what was called before the orphaned blocks is read.
    expect(calls).toEqual([...HOLDERS, fakeAddress(6), fakeAddress(7)]);
  });

  test("that fails is stored nowhere, and the handler's policy applies", async () => {
    const calls: unknown[] = [];
    await runOnce(numbering("failing", { calls, fail: (of) => of === HOLDERS[2] }));
    const stored = (await storedIn("failing")) as { input: { of: string } }[];
    expect(stored.map(({ input }) => input.of)).toEqual(HOLDERS.filter((_, at) => at !== 2));
    const received = CHAIN.blocks
      .slice(0, 21)
      .flatMap(({ logs }) => logs)
      .filter(({ topics }) => topics[2]?.endsWith("3"));
    expect(calls.filter((of) => of === HOLDERS[2])).toHaveLength(received.length);
    const [skipped] = await database.query(
      "select count(*)::int, min(message) as message from failing_spindex.skipped_events",
    );
    expect(skipped).toEqual({
      count: received.length,
      message: `the effect number failed for {"of":"${HOLDERS[2]}"}: service down`,
    });
  });
});

test("an effect without cache: true is called once a batch, and stored nowhere", async () => {
  const calls: unknown[] = [];
  await runOnce(numbering("passing", { calls, cache: false }));
  expect(calls.length).toBeGreaterThanOrEqual(HOLDERS.length);
  expect(await storedIn("passing")).toEqual([]);
});

describe("pruning stored outputs", () => {
  const prune = (schema: string, more: { effect?: string; olderThanMs?: number } = {}): Promise<number> =>
    pruneEffects({ url: database.url, schema, clock: systemClock, ...more });

  test("takes those of an effect, or of an age, beside a running indexer, which calls for them again", async () => {
    const calls: unknown[] = [];
    const running = startIndexer(numbering("pruned", { calls }), database.url, {
      // Nothing stays in memory: what is asked for is read.
      limits: limitsOf({
        capacityChanges: 1_000,
        capacityBytes: 1024 * 1024,
        cacheBytes: 0,
        writeRetryBudgetMs: 5_000,
        startBudgetMs: 5_000,
      }),
    });
    await running.until(({ chains: [chain] }) => chain?.committed === 20);
    expect(calls).toEqual(HOLDERS);
    expect(await prune("pruned", { effect: "another" })).toBe(0);
    expect(await prune("pruned", { olderThanMs: 3_600_000 })).toBe(0);
    await database.query("update pruned_spindex.drain_runs set written_at = written_at - interval '2 h'");
    await database.query("update pruned_spindex.effects set _checkpoint = 1000 where input->>'of' = $1", [HOLDERS[0]]);
    // The newest of them is of a later run than any that is so old.
    expect(await prune("pruned", { effect: "number", olderThanMs: 3_600_000 })).toBe(4);
    expect(await storedIn("pruned")).toMatchObject([{ input: { of: HOLDERS[0] } }]);
    expect(await prune("pruned")).toBe(1);
    node.setHead(25);
    await running.until(({ chains: [chain] }) => chain?.committed === 25);
    expect(await running.stop()).toBe("stopped");
    expect(calls).toEqual([...HOLDERS, ...calls.slice(5)]);
    expect(calls.slice(5).toSorted()).toEqual(HOLDERS.toSorted());
    expect(await storedIn("pruned")).toHaveLength(5);
  });

  test("takes any number, and leaves what others have locked", async () => {
    await runOnce(numbering("many", { calls: [] }));
    await database.query(`insert into many_spindex.effects
      select 'bulk', lpad(n::text, 64, '0'), 't', '1', '1', 1, 1 from generate_series(1, 12000) n`);
    await database.query("begin; select from many_spindex.effects where effect = 'number' for update");
    expect(await prune("many")).toBe(12_000);
    await database.query("rollback");
    expect(await storedIn("many")).toHaveLength(5);
  });

  test("says where there is nothing of an indexer", async () => {
    await expect(prune("nowhere")).rejects.toMatchObject({
      code: "DATABASE_INCOMPATIBLE",
      message: "there are no tables of an indexer in the schema nowhere",
    });
  });
});
