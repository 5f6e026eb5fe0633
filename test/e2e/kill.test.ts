import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../src/lib/clock.ts";
import { startCli, temporaryProject } from "../support/cli.ts";
import { tokenChain } from "../support/fake-chain.ts";
import { startFakeNode } from "../support/fake-node.ts";
import { createTestDatabase, type TestDatabase } from "../support/postgres.ts";
import { TOKEN_PROJECT } from "../support/token-project.ts";

const KILLS = 20;
/** Small runs, so that a kill finds the process before, in and after many transactions. */
const SMALL_RUNS = { SPINDEX_CAPACITY_CHANGES: "400" };

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

async function rowsOf(schema: string): Promise<unknown> {
  const tables: Record<string, unknown> = {};
  for (const [table, key] of [
    ["account", "id"],
    ["allowance", "owner, spender"],
    ["transfer", "id"],
  ] as const) {
    tables[table] = await database.query(
      `select count(*)::int as rows, md5(string_agg((to_jsonb(t) - '_checkpoint')::text, ',' order by ${key})) as md5 from ${schema}.${table} t`,
    );
  }
  return tables;
}

test(`a run that is killed at ${KILLS} random moments ends with the rows of an undisturbed run`, async () => {
  const seed = Number(process.env.SPINDEX_TEST_SEED ?? Math.floor(Math.random() * 2 ** 31));
  console.log(`seed ${seed} (SPINDEX_TEST_SEED=${seed} repeats it)`);
  const random = generator(seed);
  const node = await startFakeNode({ chain: tokenChain({ blocks: 10_000, transfersPerBlock: 4, holders: 50 }) });
  await using project = await temporaryProject(TOKEN_PROJECT);
  // Few blocks an answer: the run takes many steps.
  node.limitRange({ maxBlocks: 60 });
  const start = (schema: string) =>
    startCli(["start", "--once", "--schema", schema], {
      cwd: project.directory,
      env: { DATABASE_URL: database.url, RPC_URL: node.url, ...SMALL_RUNS },
    });
  const durableBlock = async (): Promise<number> => {
    const [chain] = await database
      .query<{ block: string | null }>("select block from killed_spindex.chains")
      .catch(() => []);
    return Number(chain?.block ?? -1);
  };
  try {
    const undisturbed = await start("undisturbed").ended;
    expect(undisturbed).toMatchObject({ exitCode: 0 });

    const progress: number[] = [];
    for (let kills = 0; kills < KILLS; kills++) {
      const run = start("killed");
      // Every other time after some requests, else after some durable blocks: never by the clock.
      const requests = node.httpRequests + 1 + Math.floor(random() * 40);
      const block = (progress.at(-1) ?? 0) + Math.floor(random() * 350);
      const isDue = async (): Promise<boolean> =>
        kills % 2 === 0 ? node.httpRequests >= requests : (await durableBlock()) >= block;
      while (run.child.exitCode === null && !(await isDue())) await systemClock.sleep(1);
      run.child.kill("SIGKILL");
      const { signal, exitCode } = await run.ended;
      expect(signal === "SIGKILL" || exitCode === 0).toBe(true);
      progress.push(await durableBlock());
    }
    console.log(`killed after blocks ${progress.join(", ")}`);
    // The kills were spread over the run, and none took anything back.
    expect(new Set(progress).size).toBeGreaterThan(KILLS / 3);
    expect(progress).toEqual(progress.toSorted((a, b) => a - b));
    expect(await start("killed").ended).toMatchObject({ exitCode: 0 });

    expect(await rowsOf("killed")).toEqual(await rowsOf("undisturbed"));
    const gaps = await database.query(
      `select from_checkpoint, before from (
         select from_checkpoint, lag(to_checkpoint, 1, 0::int8) over (order by write_seq) as before
         from killed_spindex.drain_runs
       ) r where from_checkpoint <> before + 1`,
    );
    expect(gaps, "every checkpoint is in exactly one write transaction").toEqual([]);
  } finally {
    await node.close();
  }
}, 120_000);

/** mulberry32: the same numbers for the same seed. */
function generator(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}
