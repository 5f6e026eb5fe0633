import fc from "fast-check";
import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { BatchSlice } from "../../../src/batch/batch.ts";
import { createBatch, isInsideWindow } from "../../../src/batch/create-batch.ts";
import type { BlockHeader } from "../../../src/chain/block.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { createRowCodec } from "../../../src/postgres/copy-codec.ts";
import { openStorage } from "../../../src/postgres/open.ts";
import type { PostgresStorage } from "../../../src/postgres/storage.ts";
import type { RollbackOutcome } from "../../../src/reorg/rollback.ts";
import { Store } from "../../../src/store/store.ts";
import { WriteFailure } from "../../../src/write/storage.ts";
import { recordingWriteTelemetry, runOf } from "../../support/drain-runs.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";
import { silentTransaction } from "../../support/silent-telemetry.ts";
import { account, insert, remove, set, sliceOf, transfer, WIDE } from "../../support/store-fixture.ts";

let database: TestDatabase;
const opened: PostgresStorage[] = [];
let schemas = 0;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  await Promise.all(opened.splice(0).map((storage) => storage.close("stopped")));
});
afterAll(() => database.drop());

const newSchema = (): string => `prune_${++schemas}`;

async function open(schema: string): Promise<PostgresStorage> {
  const storage = await openStorage({
    url: database.url,
    schema,
    shard: "main",
    tables: [account, transfer],
    fingerprint: {},
    chains: [
      { id: 1, name: "one" },
      { id: 2, name: "two" },
    ],
    clock: systemClock,
    log: pino({ enabled: false }),
    holder: "test",
    budgetMs: 2_000,
  });
  opened.push(storage);
  return storage;
}

const header = (number: number): BlockHeader => ({
  number,
  hash: `0x${number.toString(16).padStart(64, "0")}`,
  parentHash: `0x${(number - 1).toString(16).padStart(64, "0")}`,
  timestamp: number * 10,
});

interface PlannedOp {
  readonly do: "set" | "delete" | "insert";
  readonly id: number;
  readonly value: number;
}

/** Blocks of one chain that come in one batch; what they do, block by block. */
interface PlannedBatch {
  readonly chainId: number;
  readonly blocks: readonly (readonly PlannedOp[])[];
  /** How far finality is behind the last of them. */
  readonly lag: number;
}

/** Processes the batches and writes each of them as a run of its own. */
async function index(storage: PostgresStorage, batches: readonly PlannedBatch[]): Promise<void> {
  const store = new Store({
    tables: [account, transfer],
    emptyTables: storage.resume.emptyTables,
    codecOf: createRowCodec,
    reader: storage,
    committed: 0,
    nextCheckpoint: 1,
    progress: [],
    limits: WIDE,
    clock: systemClock,
  });
  const heads = new Map<number, { number: number; finalized: number }>();
  let inserted = 0;
  for (const [at, { chainId, blocks, lag }] of batches.entries()) {
    const before = heads.get(chainId) ?? { number: 0, finalized: 0 };
    const number = before.number + blocks.length;
    const head = { number, finalized: Math.max(before.finalized, number - lag), live: false };
    heads.set(chainId, head);
    const numbers = blocks.map((_, i) => before.number + 1 + i);
    const slice = sliceOf({ chainId, blocks: numbers, toBlock: number, head });
    const headers = numbers.filter((block) => block >= head.finalized || block === number).map(header);
    const whole: BatchSlice = { ...slice, range: { ...slice.range, headers } };
    let left: BatchSlice | undefined = whole;
    const take = (): BatchSlice | undefined => {
      const taken = left;
      left = undefined;
      return taken;
    };
    const batch = createBatch({
      id: at + 1,
      firstCheckpoint: store.nextCheckpoint,
      room: { items: 1e9, bytes: 1e9 },
      supplies: [{ chainId, isEmpty: false, take }],
      shardInsideWindow: [...heads.values()].some((one) => one.number > one.finalized),
    });
    if (batch === undefined) throw new Error("no batch");
    store.beginBatch(batch);
    blocks.forEach((ops, i) => {
      const block = before.number + 1 + i;
      store.beginBlock(chainId, block, batch.checkpoints.from + i, isInsideWindow(whole, block));
      store.beginEvent(0, "Test.Event");
      for (const { do: what, id, value } of ops) {
        if (what === "set") set(store, account, { id, balance: BigInt(value) });
        else if (what === "delete") remove(store, account, id);
        else insert(store, { id: BigInt(++inserted), value: BigInt(value) });
      }
    });
    store.commitBatch(batch);
    const run = store.takeRun();
    if (run === undefined) throw new Error("no run");
    await storage.write(run, recordingWriteTelemetry());
    store.durable(run);
  }
}

/** Prunes in small steps, up to so many of them. */
async function prune(storage: PostgresStorage, maxRows = 3, maxSteps = Number.POSITIVE_INFINITY): Promise<string[]> {
  const steps: string[] = [];
  for (let plan = await storage.planPruning(); plan.length > 0; plan = await storage.planPruning()) {
    for (const pruning of plan) {
      for (let isDone = false; !isDone; ) {
        if (steps.length >= maxSteps) return steps;
        const outcome = await pruning.step(maxRows, recordingWriteTelemetry());
        expect(outcome.rows).toBeLessThanOrEqual(maxRows);
        steps.push(`${pruning.table} ${outcome.rows}`);
        ({ isDone } = outcome);
      }
    }
  }
  return steps;
}

function rollBack(
  storage: PostgresStorage,
  chainId: number,
  fromBlock: number,
  toBlock: number,
): Promise<RollbackOutcome> {
  const request = { chainId, toBlock, fromBlock, orphaned: [], found: header(toBlock + 1) };
  return storage.rollBack(request, silentTransaction);
}

async function contentsOf(schema: string): Promise<unknown> {
  return {
    account: await database.query(
      `select id, balance::text, chain_id::int, _checkpoint::int from ${schema}.account order by chain_id, id`,
    ),
    transfer: await database.query(`select id::int, _checkpoint::int from ${schema}.transfer order by chain_id, id`),
    chains: await database.query(
      `select chain_id::int, block::int, block_timestamp::int, checkpoint::int, finalized::int
       from ${schema}_spindex.chains order by chain_id`,
    ),
  };
}

const op: fc.Arbitrary<PlannedOp> = fc.record({
  do: fc.constantFrom("set", "set", "delete", "insert"),
  id: fc.integer({ min: 1, max: 4 }),
  value: fc.integer({ min: 0, max: 99 }),
});
const batches: fc.Arbitrary<PlannedBatch[]> = fc.array(
  fc.record({
    chainId: fc.constantFrom(1, 1, 2),
    blocks: fc.array(fc.array(op, { minLength: 1, maxLength: 3 }), { minLength: 1, maxLength: 4 }),
    lag: fc.integer({ min: 0, max: 8 }),
  }),
  { minLength: 2, maxLength: 12 },
);

describe("pruning", () => {
  test("takes nothing that a rollback to any block inside the window needs", { timeout: 120_000 }, async () => {
    await fc.assert(
      fc.asyncProperty(batches, fc.nat(12), fc.nat(), async (planned, maxSteps, skip) => {
        const [plain, pruned] = [newSchema(), newSchema()];
        const [a, b] = [await open(plain), await open(pruned)];
        await index(a, planned);
        await index(b, planned);
        await prune(b, 3, maxSteps);
        const before = await contentsOf(plain);
        expect(await contentsOf(pruned)).toEqual(before);
        const [aResume, bResume] = [await a.readResume(), await b.readResume()];
        for (const [at, chain] of aResume.chains.entries()) {
          const kept = bResume.chains[at];
          // Enough headers are left to find any common ancestor.
          expect(kept?.floor).toBe(chain.floor);
          expect(kept?.headers).toEqual(chain.headers.slice(-(kept?.headers.length ?? 0)));
          const needed = chain.headers.filter(({ number }) => number >= chain.floor);
          expect(kept?.headers).toEqual(expect.arrayContaining(needed.length > 0 ? needed : chain.headers.slice(-1)));
          let from = chain.block;
          for (let to = from - 1 - (skip % 2); to >= chain.floor; to -= 1 + (skip % 3)) {
            await rollBack(a, chain.chainId, from, to);
            await rollBack(b, chain.chainId, from, to);
            from = to;
            expect(await contentsOf(pruned), `chain ${chain.chainId} at ${to}`).toEqual(await contentsOf(plain));
          }
        }
        await Promise.all(opened.splice(0).map((storage) => storage.close("stopped")));
        for (const schema of [plain, pruned]) {
          await database.query(`drop schema ${schema} cascade`);
          await database.query(`drop schema ${schema}_spindex cascade`);
        }
      }),
      { numRuns: 15 },
    );
  });

  const TWENTY_BLOCKS = Array.from(
    { length: 20 },
    (_, at): PlannedBatch => ({
      chainId: 1,
      blocks: [[{ do: "set", id: 1 + (at % 2), value: at }]],
      lag: 5,
    }),
  );

  async function numbersOf(schema: string): Promise<unknown> {
    const internal = `${schema}_spindex`;
    const list = async (column: string, table: string): Promise<unknown> =>
      (await database.query(`select ${column}::int as n from ${internal}.${table} order by 1`)).map(({ n }) => n);
    return {
      history: await list("_changed_at", "account_history"),
      checkpoints: await list("checkpoint", "checkpoints"),
      blocks: await list("number", "blocks"),
      floors: await database.query(`select history_floor::int from ${internal}.chains where chain_id = 1`),
    };
  }

  const up = (from: number, to: number): number[] => Array.from({ length: to - from + 1 }, (_, at) => from + at);

  test("leaves the window, the position and the header at its floor, and the runs", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    await index(storage, TWENTY_BLOCKS);
    const before = await database.query(`select count(*)::int from ${schema}_spindex.drain_runs`);
    expect(storage.kept).toEqual({ history: new Map([["account", 20]]), effects: 0 });
    const steps = await prune(storage, 6);
    expect(steps).toEqual(["chains 0", "account_history 6", "account_history 6", "account_history 3", ...CHECKPOINTS]);
    expect(await numbersOf(schema)).toEqual({
      history: up(16, 20),
      checkpoints: up(15, 20),
      blocks: up(15, 20),
      floors: [{ history_floor: 15 }],
    });
    expect(await database.query(`select count(*)::int from ${schema}_spindex.drain_runs`)).toEqual(before);
    expect(await prune(storage)).toEqual([]);
    // What is left is known without a query, and is what the next start counts.
    const left = { history: new Map([["account", 5]]), effects: 0 };
    expect(storage.kept).toEqual(left);
    await storage.close("stopped");
    expect((await open(schema)).kept).toEqual(left);
  });

  test("knows what a rollback has left of the history once the resume point is read", async () => {
    const storage = await open(newSchema());
    await index(storage, TWENTY_BLOCKS);
    await rollBack(storage, 1, 20, 17);
    await storage.readResume();
    expect(storage.kept.history.get("account")).toBe(17);
  });

  test("counts many rows by the planner's estimate", async () => {
    const schema = newSchema();
    await (await open(schema)).close("stopped");
    await database.query(
      `insert into ${schema}_spindex.account_history (chain_id, id, _changed_at, _checkpoint)
       select 1, n, n, 0 from generate_series(1, 120000) n`,
    );
    await database.query(`analyze ${schema}_spindex.account_history`);
    expect((await open(schema)).kept.history.get("account")).toBe(120_000);
  });
  const CHECKPOINTS = ["checkpoints 6", "checkpoints 6", "checkpoints 2", "blocks 6", "blocks 6", "blocks 2"];

  test("raises the floor before anything is deleted: a crash in between leaves a floor that holds", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    await index(storage, TWENTY_BLOCKS);
    const before = await numbersOf(schema);
    expect(await prune(storage, 5, 1)).toEqual(["chains 0"]);
    expect(await numbersOf(schema)).toEqual({ ...(before as object), floors: [{ history_floor: 15 }] });
    expect((await storage.readResume()).chains[0]?.floor).toBe(15);
  });

  test("keeps the newest edge of a chain in the backfill, and nothing else of it", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    await index(
      storage,
      Array.from({ length: 10 }, (_, at) => ({ ...(TWENTY_BLOCKS[at] as PlannedBatch), lag: 0 })),
    );
    await prune(storage);
    expect(await numbersOf(schema)).toMatchObject({ history: [], checkpoints: [], blocks: [10] });
  });

  test("forgets audit rows after 90 days, but never the start that runs", async () => {
    const schema = newSchema();
    const internal = `${schema}_spindex`;
    await (await open(schema)).close("stopped");
    const storage = await open(schema);
    await database.query(`
      update ${internal}.starts set started_at = now() - interval '91 days';
      insert into ${internal}.reorgs (shard, write_seq, chain_id, ancestor_block, orphaned_to_block, orphaned_hashes,
        found_block, found_hash, rows_restored, rows_deleted, rolled_back_at)
      select 'main', n, 1, 1, 2, '{}', 3, '0x', 0, 0, now() - make_interval(days => 92 - n) from generate_series(1, 4) n;
      insert into ${internal}.skipped_events (shard, chain_id, block, log_index, checkpoint, transaction_hash, handler,
        message, skipped_at)
      select 'main', 1, n, 0, n, '0x', 'A.B', 'no', now() - make_interval(days => 100 - n) from generate_series(1, 20) n`);
    expect(await prune(storage, 4)).toEqual([
      "reorgs 2",
      "skipped_events 4",
      "skipped_events 4",
      "skipped_events 2",
      "starts 1",
    ]);
    expect(await database.query(`select min(block)::int from ${internal}.skipped_events`)).toEqual([{ min: 11 }]);
    expect(await database.query(`select count(*)::int from ${internal}.starts`)).toEqual([{ count: 1 }]);
  });

  test("waits neither for readers nor for rows that others have locked", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    await index(storage, TWENTY_BLOCKS);
    await database.query("begin isolation level repeatable read");
    await database.query(`select * from ${schema}_spindex.account_history where _changed_at in (2, 3) for update`);
    await prune(storage, 5);
    await database.query("commit");
    expect(await numbersOf(schema)).toMatchObject({ history: [2, 3, ...up(16, 20)] });
  });

  test("gives up on a table that someone has locked; a run is written meanwhile and after", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    await index(storage, TWENTY_BLOCKS);
    const [, history] = await storage.planPruning();
    await database.query("begin");
    await database.query(`lock table ${schema}_spindex.account_history in exclusive mode`);
    const failure = await history?.step(5, recordingWriteTelemetry()).catch((error: unknown) => error);
    expect(failure).toBeInstanceOf(WriteFailure);
    expect(failure).toMatchObject({ kind: "transient", sqlState: "55P03" });
    await storage.write(runOf(21), recordingWriteTelemetry());
    await database.query("commit");
    expect(await history?.step(5, recordingWriteTelemetry())).toMatchObject({ rows: 5, isDone: false });
  });

  test("is fenced like every write", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    await index(storage, TWENTY_BLOCKS);
    const before = await numbersOf(schema);
    const plan = await storage.planPruning();
    await database.query(`update ${schema}_spindex.shards set token = 'other', starts = starts + 1`);
    for (const pruning of plan) {
      const failure = await pruning.step(5, recordingWriteTelemetry()).catch((error: unknown) => error);
      expect(failure).toMatchObject({ kind: "fenced" });
    }
    expect(await numbersOf(schema)).toEqual(before);
  });

  test("finds its rows by index, however many there are, and does not pass again over what it has deleted", async () => {
    const schema = newSchema();
    const internal = `${schema}_spindex`;
    const storage = await open(schema);
    await database.query(`
      insert into ${internal}.account_history (id, chain_id, _changed_at) select 1, 1 + n % 2, n from generate_series(1, 100000) n;
      insert into ${internal}.checkpoints select 'main', n, 1 + n % 2, n from generate_series(1, 100000) n;
      insert into ${internal}.blocks select 'main', c, n, '0x', '0x', n from generate_series(1, 50000) n, generate_series(1, 2) c;
      update ${internal}.chains set block = 100000, checkpoint = 100000, finalized = 40000;
      analyze ${internal}.account_history; analyze ${internal}.checkpoints; analyze ${internal}.blocks;
      update ${internal}.shards set next_checkpoint = 100001, committed_checkpoint = 100000`);
    // A reader that is there all along keeps the dead rows from being cleaned away.
    await database.query("begin isolation level repeatable read");
    await database.query("select 1");
    const steps = await prune(storage, 5_000);
    await database.query("commit");
    expect(steps.length).toBeLessThan(40);
    await Promise.all(opened.splice(0).map((one) => one.close("stopped")));
    // Statistics are complete once the sessions have ended.
    const scans = await database.query(
      `select relname, seq_tup_read::int as read, n_tup_del::int as deleted from pg_stat_user_tables
       where schemaname = $1 and relname in ('account_history', 'checkpoints', 'blocks') order by 1`,
      [internal],
    );
    expect(scans).toEqual([
      { relname: "account_history", read: expect.any(Number), deleted: 40_000 },
      { relname: "blocks", read: expect.any(Number), deleted: 79_998 },
      { relname: "checkpoints", read: expect.any(Number), deleted: 39_998 },
    ]);
    for (const { read } of scans) expect(read).toBe(0);
  });
});
