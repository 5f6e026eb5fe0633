import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { Connection } from "../../../src/postgres/connection.ts";
import { parseDatabaseUrl } from "../../../src/postgres/database-url.ts";
import { IndexBuilder } from "../../../src/postgres/index-builder.ts";
import { openStorage } from "../../../src/postgres/open.ts";
import type { PostgresStorage } from "../../../src/postgres/storage.ts";
import { changesOf, recordingWriteTelemetry, runOf } from "../../support/drain-runs.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";
import { tableOf } from "../../support/tables.ts";

const account = tableOf(
  "account",
  [
    { name: "id", kind: "int32" },
    { name: "balance", kind: "int64" },
  ],
  { indexes: [{ columns: ["balance"] }, { columns: ["balance", "id"] }] },
);
const INDEXES = ["account_balance_id_idx", "account_balance_idx"];

let database: TestDatabase;
const opened: PostgresStorage[] = [];
const builders: IndexBuilder[] = [];
let schemas = 0;

beforeAll(async () => {
  database = await createTestDatabase();
});
afterEach(async () => {
  await Promise.all(builders.splice(0).map((builder) => builder.stop()));
  await Promise.all(opened.splice(0).map((storage) => storage.close("stopped")));
});
afterAll(() => database.drop());

const newSchema = (): string => `indexed_${++schemas}`;

async function open(schema: string): Promise<PostgresStorage> {
  const storage = await openStorage({
    url: database.url,
    schema,
    shard: "main",
    tables: [account],
    fingerprint: {},
    chains: [{ id: 1, name: "mainnet" }],
    clock: systemClock,
    log: pino({ enabled: false }),
    holder: "test",
    budgetMs: 2_000,
  });
  opened.push(storage);
  return storage;
}

async function fill(schema: string, rows: number): Promise<void> {
  await database.query(
    `insert into ${schema}.account (id, balance, chain_id, _checkpoint) select n, n % 7, 1, 1 from generate_series(1, $1::int) n`,
    [rows],
  );
}

async function indexesOf(schema: string): Promise<unknown> {
  return database.query(
    `select c.relname as name, i.indisvalid as valid from pg_index i join pg_class c on c.oid = i.indexrelid
     join pg_namespace n on n.oid = c.relnamespace
     where n.nspname = $1 and c.relname like 'account%idx' order by 1`,
    [schema],
  );
}

const valid = INDEXES.map((name) => ({ name, valid: true }));

/** A builder of its own, whose waits are short. */
function builderOf(schema: string, lines: unknown[] = []): IndexBuilder {
  const builder = new IndexBuilder({
    names: { user: schema, internal: `${schema}_spindex` },
    tables: [account],
    connect: () =>
      Connection.open({
        url: parseDatabaseUrl(database.url),
        applicationName: "spindex indexes",
        clock: systemClock,
      }),
    clock: { ...systemClock, sleep: (ms, signal) => systemClock.sleep(ms / 100, signal) },
    log: pino({ level: "info" }, { write: (line: string) => void lines.push(JSON.parse(line)) }),
  });
  builders.push(builder);
  return builder;
}

/** What goes on in the server at this moment, also within a transaction. */
async function activity(text: string): Promise<unknown[]> {
  await database.query("select pg_stat_clear_snapshot()");
  return database.query(text);
}

/** Asks again and again until it holds. */
async function until(condition: () => boolean | Promise<boolean>): Promise<void> {
  while (!(await condition())) await systemClock.sleep(5);
}

describe("secondary indexes", () => {
  test("are not made with a new table, nor before it is time", async () => {
    const schema = newSchema();
    await open(schema);
    const builder = builderOf(schema);
    let isTime = false;
    let asked = 0;
    builder.start(() => {
      asked++;
      return isTime;
    });
    await until(() => asked >= 3);
    expect(await indexesOf(schema)).toEqual([]);
    expect(builder.status).toEqual({ building: undefined, done: 0, total: 2, progress: undefined });
    isTime = true;
    await until(() => builder.status.done === 2);
    expect(await indexesOf(schema)).toEqual(valid);
  });

  test("are built at the end of the work, whether it was time before or not", async () => {
    const schema = newSchema();
    const lines: { event?: string; index?: string }[] = [];
    await open(schema);
    const builder = builderOf(schema, lines);
    builder.start(() => false);
    await builder.finish();
    expect(await indexesOf(schema)).toEqual(valid);
    const said = lines.filter(({ event }) => event?.startsWith("index."));
    expect(said.map(({ event, index }) => `${event} ${index}`)).toEqual([
      "index.building account_balance_idx",
      "index.built account_balance_idx",
      "index.building account_balance_id_idx",
      "index.built account_balance_id_idx",
    ]);
    expect(builder.status).toEqual({ building: undefined, done: 2, total: 2, progress: undefined });
  });

  test("that are missing are built at once when a database is opened again, those that are there are left alone", async () => {
    const schema = newSchema();
    await (await open(schema)).close("stopped");
    await database.query(`create index account_balance_idx on ${schema}.account (balance)`);
    const [before] = await database.query(`select '${schema}.account_balance_idx'::regclass::oid as oid`);
    const storage = await open(schema);
    storage.indexes.start(() => true);
    await until(() => storage.indexes.status.done === 2);
    expect(await indexesOf(schema)).toEqual(valid);
    expect(await database.query(`select '${schema}.account_balance_idx'::regclass::oid as oid`)).toEqual([before]);
  });

  test("that a broken build has left invalid are dropped at the start, and built again when it is time", async () => {
    const schema = newSchema();
    await (await open(schema)).close("stopped");
    await database.query(`create index account_balance_idx on ${schema}.account (balance)`);
    await database.query("update pg_index set indisvalid = false where indexrelid = $1::regclass", [
      `${schema}.account_balance_idx`,
    ]);
    await open(schema);
    const builder = builderOf(schema);
    let isTime = false;
    builder.start(() => isTime);
    await until(async () => ((await indexesOf(schema)) as unknown[]).length === 0);
    isTime = true;
    await until(() => builder.status.done === 2);
    expect(await indexesOf(schema)).toEqual(valid);
  });

  test("are built while runs are written: a build waits for old transactions, a run does not wait for the build", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    const builder = builderOf(schema);
    await fill(schema, 20_000);
    // An old transaction that has written holds the build up, for as long as it likes.
    await database.query("begin");
    await database.query(`update ${schema}.account set balance = 8 where id = 1`);
    builder.start(() => true);
    await until(() => builder.status.building !== undefined);
    await until(
      async () =>
        (await activity("select from pg_stat_progress_create_index where phase like 'waiting for writers%'")).length >
        0,
    );
    for (let run = 1; run <= 5; run++) {
      const changes = changesOf(account, { updates: [[run, { id: 2, balance: BigInt(100 + run) }]] });
      await storage.write(runOf(run, { tables: [changes] }), recordingWriteTelemetry());
    }
    expect(builder.status).toMatchObject({ building: "account_balance_idx", done: 0 });
    await database.query("commit");
    await until(() => builder.status.done === 2);
    expect(await indexesOf(schema)).toEqual(valid);
    await database.query("set enable_seqscan = off");
    expect(await database.query(`select id from ${schema}.account where balance = 105`)).toEqual([{ id: 2 }]);
    await database.query("reset enable_seqscan");
  });

  test("tell how far they are", async () => {
    const schema = newSchema();
    await open(schema);
    const builder = builderOf(schema);
    await fill(schema, 20_000);
    await database.query("begin");
    await database.query(`update ${schema}.account set balance = 8 where id = 1`);
    builder.start(() => true);
    await until(() => builder.status.progress !== undefined);
    expect(builder.status).toEqual({ building: "account_balance_idx", done: 0, total: 2, progress: 0 });
    await database.query("commit");
    await builder.finish();
    expect(builder.status.progress).toBeUndefined();
  });

  test("that cannot be built cost nothing but a line of the log", async () => {
    const schema = newSchema();
    const lines: { event?: string; index?: string; err?: { message?: string } }[] = [];
    const storage = await open(schema);
    const builder = builderOf(schema, lines);
    // The name of the second one is taken.
    await database.query(`create sequence ${schema}.account_balance_id_idx`);
    builder.start(() => true);
    await until(() => lines.some(({ event }) => event === "index.failed"));
    const run = runOf(1, { tables: [changesOf(account, { inserts: [[1, { id: 1, balance: 1n }]] })] });
    await storage.write(run, recordingWriteTelemetry());
    await builder.finish();
    expect(builder.status).toEqual({ building: undefined, done: 1, total: 2, progress: undefined });
    expect(lines.findLast(({ event }) => event === "index.failed")).toMatchObject({
      level: 40,
      index: "account_balance_id_idx",
      err: { message: expect.stringContaining("already exists") },
    });
    expect(await indexesOf(schema)).toEqual([{ name: "account_balance_idx", valid: true }]);
  });

  test("that failed are tried again", async () => {
    const schema = newSchema();
    const lines: { event?: string }[] = [];
    await open(schema);
    const builder = builderOf(schema, lines);
    await database.query(`create sequence ${schema}.account_balance_idx`);
    builder.start(() => true);
    await until(() => lines.some(({ event }) => event === "index.failed"));
    await database.query(`drop sequence ${schema}.account_balance_idx`);
    await until(() => builder.status.done === 2);
    expect(await indexesOf(schema)).toEqual(valid);
  });

  test("are left half-done when the storage is closed: the build is cancelled on the server", async () => {
    const schema = newSchema();
    const storage = await open(schema);
    await fill(schema, 1_000);
    await database.query("begin");
    await database.query(`update ${schema}.account set balance = 8 where id = 1`);
    storage.indexes.start(() => true);
    await until(() => storage.indexes.status.building !== undefined);
    await until(
      async () => (await activity("select from pg_stat_progress_create_index where phase like 'waiting%'")).length > 0,
    );
    await storage.close("stopped");
    expect(await activity("select from pg_stat_progress_create_index")).toEqual([]);
    await database.query("commit");
    const next = await open(schema);
    next.indexes.start(() => true);
    await until(() => next.indexes.status.done === 2);
    expect(await indexesOf(schema)).toEqual(valid);
  });

  test("are built by one process of a schema at a time", async () => {
    const schema = newSchema();
    await open(schema);
    const builder = builderOf(schema);
    await database.query("select pg_advisory_lock(hashtextextended($1, 2))", [`spindex ${schema}`]);
    // What another process is building looks like this until it is done.
    await database.query(`create index account_balance_idx on ${schema}.account (balance)`);
    await database.query("update pg_index set indisvalid = false where indexrelid = $1::regclass", [
      `${schema}.account_balance_idx`,
    ]);
    builder.start(() => true);
    await systemClock.turn();
    await until(
      async () =>
        (await activity("select from pg_stat_activity where application_name = 'spindex indexes'")).length > 0,
    );
    await until(
      async () =>
        (await activity("select from pg_stat_activity where application_name = 'spindex indexes'")).length === 0,
    );
    expect(await indexesOf(schema)).toEqual([{ name: "account_balance_idx", valid: false }]);
    await database.query("select pg_advisory_unlock_all()");
    await until(() => builder.status.done === 2);
    expect(await indexesOf(schema)).toEqual(valid);
  });
});
