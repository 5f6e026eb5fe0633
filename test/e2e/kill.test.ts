import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { type CliProcess, startCli, temporaryProject } from "../support/cli.ts";
import { forkChain, tokenChain, transferLog } from "../support/fake-chain.ts";
import { type FakeNode, startFakeNode } from "../support/fake-node.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";

import { TOKEN, TOKEN_PROJECT } from "../support/token-project.ts";
import { type Pick, pickFrom } from "../support/world/steps.ts";

const KILLS = 20;
/** Small runs, so that a kill finds the process before, in and after many transactions. */
const SMALL_RUNS = { SPINDEX_CAPACITY_CHANGES: "600" };
const BLOCKS = 1_000;
/** The second half of the chain is written with history. */
const WINDOW = 500;

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const TABLES = [
  ["account", "id"],
  ["allowance", "owner, spender"],
  ["transfer", "id"],
] as const;

async function rowsOf(schema: string): Promise<unknown> {
  const tables: Record<string, unknown> = {};
  for (const [table, key] of TABLES) {
    tables[table] = await database.query(
      `select count(*)::int as rows, md5(string_agg((to_jsonb(t) - '_checkpoint')::text, ',' order by ${key})) as md5 from ${schema}.${table} t`,
    );
  }
  return tables;
}

/** The last block whose rows are durable; before the first write -1. */
async function durableBlock(): Promise<number> {
  const [chain] = await database
    .query<{ block: string | null }>("select block from killed_spindex.chains")
    .catch(() => []);
  return Number(chain?.block ?? -1);
}

/** Whether at this moment a transaction has written something that is not durable yet. */
async function isWriting(): Promise<boolean> {
  const backends = await database.query(
    `select from pg_stat_activity
     where datname = current_database() and application_name like 'spindex%' and backend_xid is not null`,
  );
  return backends.length > 0;
}

/** Waits for a moment that is told by what the process has done; where in a transaction it falls, chance decides. */
async function awaitMoment(
  kind: "requests" | "durable" | "writing",
  run: CliProcess,
  node: FakeNode,
  pick: Pick,
): Promise<void> {
  const requests = node.httpRequests + 1 + pick(40);
  const block = (await durableBlock()) + 1 + pick(85);
  const isDue = {
    requests: async () => node.httpRequests >= requests,
    durable: async () => (await durableBlock()) >= block,
    writing: async () => (await durableBlock()) >= block && (await isWriting()),
  }[kind];
  while (run.child.exitCode === null && !(await isDue())) await systemClock.sleep(3);
  if (kind === "durable") await systemClock.sleep(pick(20));
}

test(`a run that is killed at ${KILLS} random moments ends with the rows of an undisturbed run`, async () => {
  const seed = Number(process.env.SPINDEX_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed} (SPINDEX_TEST_SEED=${seed} repeats its choices)`);
  const pick = pickFrom(seed);
  const main = tokenChain({ blocks: BLOCKS, transfersPerBlock: 16, holders: 50 });
  const node = await startFakeNode({ chain: main });
  // Few blocks an answer: the run takes many steps.
  node.limitRange({ maxBlocks: 10 });
  await using project = await temporaryProject({
    ...TOKEN_PROJECT,
    "spindex.config.ts": TOKEN_PROJECT["spindex.config.ts"].replace("maxReorgDepth: 10", `maxReorgDepth: ${WINDOW}`),
  });
  const start = (schema: string): CliProcess =>
    startCli(["start", "--once", "--schema", schema], {
      cwd: project.directory,
      env: { DATABASE_URL: database.url, RPC_URL: node.url, ...SMALL_RUNS },
    });
  try {
    expect(await start("undisturbed").ended).toMatchObject({ exitCode: 0 });

    const progress: number[] = [];
    for (let kills = 0; kills < KILLS; kills++) {
      const run = start("killed");
      await awaitMoment((["durable", "writing", "requests"] as const)[kills % 3] ?? "durable", run, node, pick);
      run.child.kill("SIGKILL");
      const { signal, exitCode } = await run.ended;
      expect(signal === "SIGKILL" || exitCode === 0).toBe(true);
      progress.push(await durableBlock());
    }
    console.log(`killed after blocks ${progress.join(", ")}`);
    // The kills were spread over the run, and none took anything back.
    expect(new Set(progress).size).toBeGreaterThan(KILLS / 2);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(await start("killed").ended).toMatchObject({ exitCode: 0 });
    expect(await rowsOf("killed")).toEqual(await rowsOf("undisturbed"));
    await expectWholeCheckpoints();

    // What the killed runs kept for a rollback is whole too.
    const ancestor = BLOCKS - 1 - pick(WINDOW - 10);
    node.setChain(
      forkChain(main, ancestor, {
        blocks: BLOCKS - ancestor,
        logs: (block) => [
          transferLog({ token: TOKEN, from: TOKEN, to: main.blocks[block % 50]!.logs[0]!.address, value: 1n }),
        ],
      }),
    );
    const [again, fresh] = await Promise.all([start("killed").ended, start("fresh").ended]);
    expect(again).toMatchObject({ exitCode: 0 });
    expect(fresh).toMatchObject({ exitCode: 0 });
    expect(await rowsOf("killed")).toEqual(await rowsOf("fresh"));
    expect(await database.query("select ancestor_block::int from killed_spindex.reorgs")).toEqual([
      { ancestor_block: ancestor },
    ]);
  } finally {
    await node.close();
  }
}, 240_000);

/** Every checkpoint is in exactly one write transaction, and every row belongs to one. */
async function expectWholeCheckpoints(): Promise<void> {
  const gaps = await database.query(
    `select from_checkpoint, before from (
       select from_checkpoint, lag(to_checkpoint, 1, 0::int8) over (order by write_seq) as before
       from killed_spindex.drain_runs
     ) r where from_checkpoint <> before + 1`,
  );
  expect(gaps).toEqual([]);
  const [shard] = await database.query(
    `select committed_checkpoint = (select max(to_checkpoint) from killed_spindex.drain_runs) as "isCovered",
       committed_checkpoint + 1 = next_checkpoint as "isLast",
       (select count(distinct start_id)::int from killed_spindex.drain_runs) > 1 as "isOfManyStarts"
     from killed_spindex.shards`,
  );
  expect(shard).toEqual({ isCovered: true, isLast: true, isOfManyStarts: true });
  for (const [table] of TABLES) {
    const strays = await database.query(
      `select 1 from killed.${table} t where not exists (
         select 1 from killed_spindex.drain_runs r where t._checkpoint between r.from_checkpoint and r.to_checkpoint)`,
    );
    expect(strays).toEqual([]);
  }
}
