import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { SpindexError } from "../../../src/errors.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { type OpenStorageOptions, openStorage } from "../../../src/postgres/open.ts";
import type { PostgresStorage } from "../../../src/postgres/storage.ts";
import { changesOf, recordingWriteTelemetry, runOf } from "../../support/drain-runs.ts";
import { startFaultProxy } from "../../support/fault-proxy.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";
import { tableOf } from "../../support/tables.ts";

const account = tableOf(
  "account",
  [
    { name: "id", kind: "address" },
    { name: "balance", kind: "int256" },
    { name: "colour", kind: "enum", values: ["red", "blue"], nullable: true },
  ],
  { indexes: [{ columns: ["balance", "id"] }] },
);
const shared = tableOf("shared", [{ name: "id", kind: "text" }], { crossChain: true });

let database: TestDatabase;
const opened: PostgresStorage[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((storage) => storage.close("stopped")));
});

afterAll(() => database.drop());

async function open(options: Partial<OpenStorageOptions> = {}): Promise<PostgresStorage> {
  const storage = await openStorage({
    url: database.url,
    schema: "app",
    shard: "main",
    tables: [account, shared],
    fingerprint: { contracts: { Token: { addresses: ["0x01"], startBlock: 5 } } },
    chains: [{ id: 1, name: "mainnet" }],
    clock: systemClock,
    log: pino({ enabled: false }),
    holder: "host-a, process 7",
    budgetMs: 0,
    ...options,
  });
  opened.push(storage);
  return storage;
}

async function errorOf(work: Promise<unknown>): Promise<SpindexError> {
  const error = await work.then(
    () => undefined,
    (thrown: unknown) => thrown,
  );
  expect(error).toBeInstanceOf(SpindexError);
  return error as SpindexError;
}

describe("opening", () => {
  test("makes tables with chain, checkpoint, key and comments; no secondary index", async () => {
    const storage = await open();
    expect(storage.resume).toEqual({
      nextCheckpoint: 1,
      committedCheckpoint: 0,
      chains: [],
      emptyTables: new Set(["account", "shared"]),
    });
    const columns = await database.query(
      `select column_name as name, udt_name as type, is_nullable as nullable, collation_name as collation
       from information_schema.columns where table_schema = 'app' and table_name = 'account' order by ordinal_position`,
    );
    expect(columns).toEqual([
      { name: "id", type: "text", nullable: "NO", collation: "C" },
      { name: "balance", type: "numeric", nullable: "NO", collation: null },
      { name: "colour", type: "text", nullable: "YES", collation: "C" },
      { name: "chain_id", type: "int8", nullable: "NO", collation: null },
      { name: "_checkpoint", type: "int8", nullable: "NO", collation: null },
    ]);
    const indexes = await database.query(
      "select tablename, indexdef from pg_indexes where schemaname = 'app' order by tablename, indexname",
    );
    expect(indexes).toEqual([
      { tablename: "account", indexdef: "CREATE UNIQUE INDEX account_pkey ON app.account USING btree (id, chain_id)" },
      { tablename: "shared", indexdef: "CREATE UNIQUE INDEX shared_pkey ON app.shared USING btree (id)" },
    ]);
    const uncommented = await database.query(
      `select c.relname from pg_class c join pg_namespace n on n.oid = c.relnamespace
       where n.nspname in ('app', 'app_spindex') and c.relkind in ('r', 'v') and obj_description(c.oid, 'pg_class') is null`,
    );
    expect(uncommented).toEqual([]);
  });

  test("is refused while another process has the shard, and says which", async () => {
    await open();
    const error = await errorOf(open());
    expect(error.code).toBe("SHARD_TAKEN");
    expect(error.message).toMatch(/^shard main of schema app is taken by host-a, process 7 since 20\d\d-.*Z$/);
    const other = await open({ shard: "other", chains: [{ id: 10, name: "optimism" }] });
    expect(other.resume.chains).toEqual([]);
  });

  test("is refused for a chain of another shard", async () => {
    await open();
    const error = await errorOf(open({ shard: "third" }));
    expect([error.code, error.message]).toEqual([
      "DATABASE_INCOMPATIBLE",
      "a chain of shard third belongs to another shard in this schema",
    ]);
  });

  test("notes that a predecessor ended without a word", async () => {
    const schema = "killed";
    const proxy = await startFaultProxy(database.url);
    await open({ schema, url: proxy.url });
    // As after kill -9: every socket of the process is closed, and none can be made again.
    await proxy.close();
    await open({ schema, onStandby: () => {} });
    expect(await database.query("select outcome, exit_class from killed_spindex.starts order by id")).toEqual([
      { outcome: "killed", exit_class: "killed" },
      { outcome: null, exit_class: null },
    ]);
  });

  test("lists what differs from the definition that made the rows, and the choices", async () => {
    const schema = "changed";
    await (await open({ schema })).close("stopped");
    const wider = tableOf("account", [
      { name: "id", kind: "address" },
      { name: "balance", kind: "int256", nullable: true },
      { name: "memo", kind: "text", nullable: true },
    ]);
    const error = await errorOf(
      open({
        schema,
        tables: [wider, shared],
        fingerprint: { contracts: { Token: { addresses: ["0x01", "0x02"], startBlock: 6 } } },
      }),
    );
    expect(error.code).toBe("DATABASE_INCOMPATIBLE");
    expect(error.message.split("\n")).toEqual([
      "the rows in schema changed were made by another definition:",
      '  config.contracts.Token.addresses: added ("0x02")',
      "  config.contracts.Token.startBlock: changed from 5 to 6",
      '  tables.account.columns.balance: changed from "int256 not null" to "int256"',
      '  tables.account.columns.colour: removed (was "enum (red, blue)")',
      '  tables.account.columns.memo: added ("text")',
    ]);
    expect(error.fix).toContain('drop schema "changed" cascade; drop schema "changed_spindex" cascade;');
    await open({ schema });
  });

  test("makes indexes that were added to the schema", async () => {
    const schema = "indexed";
    await (await open({ schema, tables: [shared] })).close("stopped");
    const storage = await open({ schema, tables: [{ ...shared, indexes: [{ columns: ["id"] }] }] });
    storage.indexes.start(() => true);
    await storage.indexes.finish();
    expect(await database.query("select indexname from pg_indexes where schemaname = 'indexed' order by 1")).toEqual([
      { indexname: "shared_id_idx" },
      { indexname: "shared_pkey" },
    ]);
  });

  test("is refused for tables of a newer version, and for a schema that holds something else", async () => {
    await (await open({ schema: "newer" })).close("stopped");
    await database.query("update newer_spindex.meta set version = 99");
    expect((await errorOf(open({ schema: "newer" }))).code).toBe("DATABASE_NEWER");
    await database.query("create schema foreign_things; create table foreign_things.account (x int)");
    const error = await errorOf(open({ schema: "foreign_things" }));
    expect([error.code, error.message]).toEqual([
      "DATABASE_INCOMPATIBLE",
      'the schema foreign_things holds something that Spindex did not make: relation "account" already exists (SQLSTATE 42P07)',
    ]);
    const left = await database.query("select nspname from pg_namespace where nspname = 'foreign_things_spindex'");
    expect(left).toEqual([]);
  });

  test("knows which tables have rows of its chains", async () => {
    const schema = "filled";
    const first = await open({ schema });
    const row = { id: `0x${"a".repeat(40)}`, balance: 1n, colour: "red" };
    await first.write(
      runOf(1, { tables: [changesOf(account, { inserts: [[1, row]] }, 1)] }),
      recordingWriteTelemetry(),
    );
    await first.close("stopped");
    const again = await open({ schema });
    expect(again.resume.emptyTables).toEqual(new Set(["shared"]));
    const other = await open({ schema, shard: "other", chains: [{ id: 10, name: "optimism" }] });
    expect(other.resume.emptyTables).toEqual(new Set(["account", "shared"]));
  });

  test("tells a refusal from an outage", async () => {
    const missing = new URL(database.url);
    missing.pathname = "/no_such_database";
    const refused = await errorOf(open({ url: missing.href }));
    expect(refused.code).toBe("DATABASE_REFUSED");
    expect(refused.message).toContain('database "no_such_database" does not exist (SQLSTATE 3D000)');
    const away = await errorOf(open({ url: "postgresql://user:secret@localhost/db?host=/no/such/folder" }));
    expect(away.code).toBe("DATABASE_UNREACHABLE");
    expect(away.message).toContain("the database at /no/such/folder/db cannot be used (1 attempts): connect ENOENT");
    expect(away.message).not.toContain("secret");
  });
});
