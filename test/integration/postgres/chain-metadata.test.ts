import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import type { ChainProgress } from "../../../src/batch/batch.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { openStorage } from "../../../src/postgres/open.ts";
import type { PostgresStorage } from "../../../src/postgres/storage.ts";
import type { ChainMetadata } from "../../../src/write/chain-metadata.ts";
import { recordingWriteTelemetry, runOf } from "../../support/drain-runs.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";

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

const newSchema = (): string => `metadata_${++schemas}`;

async function open(schema: string): Promise<PostgresStorage> {
  const storage = await openStorage({
    url: database.url,
    schema,
    shard: "main",
    tables: [],
    fingerprint: {},
    chains: [
      { id: 1, name: "mainnet" },
      { id: 10, name: "optimism" },
    ],
    clock: systemClock,
    log: pino({ enabled: false }),
    holder: "test",
    budgetMs: 2_000,
  });
  opened.push(storage);
  return storage;
}

const known = (more: Partial<ChainMetadata> = {}): ChainMetadata => ({
  chainId: 1,
  head: 500,
  live: false,
  sources: [{ name: "node", state: "ok" }],
  ...more,
});

function progressTo(block: number, more: Partial<ChainProgress> = {}): ChainProgress {
  const head = { number: 400, finalized: 336, live: false };
  return { chainId: 1, block, timestamp: block * 10, checkpoint: block, head, headers: [], ...more };
}

function chainOf(schema: string, chainId = 1): Promise<unknown[]> {
  return database.query(
    `select block::int, checkpoint::int, head::int, finalized::int, live, history_floor::int, sources
     from ${schema}_spindex.chains where chain_id = $1`,
    [chainId],
  );
}

async function shardOf(schema: string): Promise<unknown> {
  const [shard] = await database.query(
    `select write_seq::int, next_checkpoint::int, committed_checkpoint::int, written_at from ${schema}_spindex.shards`,
  );
  return shard;
}

describe("chain metadata written alone", () => {
  test("says what is known of the chains, and nothing of where to go on", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    const sources = [
      { name: "a", state: "ok" },
      { name: "b", state: "failing" },
    ] as const;
    expect(await storage.writeMetadata([known({ live: true, sources })], recordingWriteTelemetry())).toEqual({
      alreadyDurable: false,
    });
    expect(await chainOf(schema)).toEqual([
      { block: null, checkpoint: null, head: 500, finalized: null, live: true, history_floor: null, sources },
    ]);
    expect((await storage.readResume()).chains).toEqual([]);
  });

  test("shows nobody 0 blocks behind before both ends are known", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    const behind = async (): Promise<unknown[]> => {
      const rows = await database.query(
        `select chain, processed_block::int, head_block::int, blocks_behind::int from ${schema}.spindex_status`,
      );
      return rows.map((row) => Object.values(row));
    };
    expect(await behind()).toEqual([
      ["mainnet", null, null, null],
      ["optimism", null, null, null],
    ]);
    await storage.writeMetadata([known()], recordingWriteTelemetry());
    expect(await behind()).toEqual([
      ["mainnet", null, 500, null],
      ["optimism", null, null, null],
    ]);
    await storage.write(runOf(1, { progress: [progressTo(300)] }), recordingWriteTelemetry(), [known({ head: 500 })]);
    await storage.write(runOf(2, { progress: [progressTo(600)] }), recordingWriteTelemetry(), [known({ head: 500 })]);
    expect(await behind()).toEqual([
      ["mainnet", 600, 500, 0],
      ["optimism", null, null, null],
    ]);
  });

  test("leaves progress and finality as the rows have made them", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    await storage.write(runOf(1, { progress: [progressTo(300, { checkpoint: 1 })] }), recordingWriteTelemetry());
    const before = await storage.readResume();
    await storage.writeMetadata([known(), known({ chainId: 10, head: 7 })], recordingWriteTelemetry());
    expect(await storage.readResume()).toEqual(before);
    expect(await chainOf(schema)).toEqual([
      {
        block: 300,
        checkpoint: 1,
        head: 500,
        finalized: 336,
        live: false,
        history_floor: 300,
        sources: known().sources,
      },
    ]);
    expect(await chainOf(schema, 10)).toMatchObject([{ block: null, head: 7 }]);
  });

  test("takes the next write number and no checkpoint", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    await storage.write(runOf(1), recordingWriteTelemetry());
    const before = await shardOf(schema);
    await storage.writeMetadata([known()], recordingWriteTelemetry());
    expect(await shardOf(schema)).toEqual({ ...(before as object), write_seq: 2 });
    await storage.write(runOf(2), recordingWriteTelemetry());
    expect(await shardOf(schema)).toMatchObject({ write_seq: 3, next_checkpoint: 3, committed_checkpoint: 2 });
  });

  test("is not written by a process that another has replaced", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    await database.query(
      `update ${schema}_spindex.shards set token = 'other', holder = 'someone', starts = starts + 1`,
    );
    const failure = await storage.writeMetadata([known()], recordingWriteTelemetry()).catch((error: unknown) => error);
    expect(failure).toMatchObject({ kind: "fenced" });
    expect(await chainOf(schema)).toMatchObject([{ head: null }]);
  });

  test("a liveness that was written is not taken back", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    await storage.writeMetadata([known({ live: true })], recordingWriteTelemetry());
    await storage.writeMetadata([known({ live: false })], recordingWriteTelemetry());
    expect(await chainOf(schema)).toMatchObject([{ live: true }]);
  });
});

describe("chain metadata of a run", () => {
  test("is in the run's transaction, newer than the head that the run's blocks were fetched at", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    const telemetry = recordingWriteTelemetry();
    const metadata = [known(), known({ chainId: 10, head: 7, live: true })];
    await storage.write(runOf(1, { mode: "keep", progress: [progressTo(300)] }), telemetry, metadata);
    expect(await chainOf(schema)).toEqual([
      {
        block: 300,
        checkpoint: 300,
        head: 500,
        finalized: 336,
        live: false,
        history_floor: null,
        sources: known().sources,
      },
    ]);
    expect(await chainOf(schema, 10)).toMatchObject([{ block: null, head: 7, live: true, history_floor: null }]);
    expect(telemetry.statements.filter(({ table }) => table === "chains")).toEqual([
      expect.objectContaining({ purpose: "chain_meta", rows: 2 }),
    ]);
  });
});

describe("metadata whose COMMIT has no known outcome", () => {
  /** The connection breaks after COMMIT was sent: with the write durable, or not. */
  async function cut(storage: PostgresStorage, isDurable: boolean): Promise<void> {
    const telemetry = recordingWriteTelemetry({
      commit: async (run) => {
        if (isDurable) await run();
        await database.query("select pg_terminate_backend($1)", [telemetry.backendPid]);
        throw Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
      },
    });
    const failure = await storage.writeMetadata([known()], telemetry).catch((error: unknown) => error);
    expect(failure).toMatchObject({ kind: "outcome_unknown" });
  }

  test.each([
    [[true], 500],
    [[false], null],
    [[true, false, true, false], 500],
  ])("does not stand in the way of the next run (durable: %j)", async (cuts, head) => {
    const schema = newSchema();
    const storage = await open(schema);
    for (const isDurable of cuts) await cut(storage, isDurable);
    expect(await chainOf(schema)).toMatchObject([{ head }]);
    expect(await storage.write(runOf(1), recordingWriteTelemetry())).toEqual({ alreadyDurable: false });
    expect(await storage.write(runOf(2), recordingWriteTelemetry())).toEqual({ alreadyDurable: false });
    expect(await shardOf(schema)).toMatchObject({ committed_checkpoint: 2 });
  });

  test("nor of a run whose own outcome is unknown: it happens once", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    await cut(storage, true);
    const run = runOf(1);
    const telemetry = recordingWriteTelemetry({
      commit: async (commit) => {
        await commit();
        throw Object.assign(new Error("read ECONNRESET"), { code: "ECONNRESET" });
      },
    });
    await expect(storage.write(run, telemetry)).rejects.toMatchObject({ kind: "outcome_unknown" });
    expect(await storage.write(run, recordingWriteTelemetry())).toEqual({ alreadyDurable: true });
    expect(await database.query(`select count(*)::int from ${schema}_spindex.drain_runs`)).toEqual([{ count: 1 }]);
  });

  test("a database that lost a run is still found out", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    await storage.write(runOf(1), recordingWriteTelemetry());
    await storage.write(runOf(2), recordingWriteTelemetry());
    await cut(storage, true);
    await database.query(`update ${schema}_spindex.shards set write_seq = 1`);
    await expect(storage.write(runOf(3), recordingWriteTelemetry())).rejects.toMatchObject({ kind: "went_back" });
  });
});
