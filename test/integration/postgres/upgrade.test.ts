import { readdirSync, readFileSync } from "node:fs";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { INTERNAL_VERSION, migrationsFrom } from "../../../src/postgres/migrations.ts";
import { fakeAddress, forkChain, transferLog } from "../../support/fake-chain.ts";
import { type FakeNode, startFakeNode } from "../../support/fake-node.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";
import { startIndexer } from "../../support/run-indexer.ts";
import { UPGRADE_CHAIN, UPGRADE_HEAD, upgradeProject } from "../../support/upgrade-project.ts";

const DATA = new URL("../../data/", import.meta.url);
const TABLES = ["account", "last", "transfer"];
/** Each version that was ever released, with a database that it made. */
const fixtures = readdirSync(DATA).flatMap((file) => /^internal-v(\d+)\.sql$/.exec(file)?.[1] ?? []);

let node: FakeNode;
beforeAll(async () => {
  node = await startFakeNode({ chain: UPGRADE_CHAIN, head: UPGRADE_HEAD });
});
afterAll(() => node.close());

/** Everything about the tables but the order of columns. */
function catalogueOf(database: TestDatabase): Promise<unknown[]> {
  return database.query(`
    with tables as (
      select c.oid as id, n.nspname || '.' || c.relname as name from pg_class c join pg_namespace n on n.oid = c.relnamespace
      where n.nspname in ('upgrade', 'upgrade_spindex') and c.relkind in ('r', 'v')
    )
    select name, 'comment' as part, obj_description(id, 'pg_class') as what from tables
    union all
    select name, 'column ' || attname, concat_ws(' ', format_type(atttypid, atttypmod), case when attnotnull then 'not null' end,
        nullif(attcollation, 0)::regcollation, attidentity, pg_get_expr(adbin, adrelid), col_description(id, attnum))
      from tables join pg_attribute a on attrelid = id left join pg_attrdef d on adrelid = attrelid and adnum = attnum
      where attnum > 0 and not attisdropped
    union all
    select name, 'index', indexdef from tables join pg_indexes on name = schemaname || '.' || tablename
    union all
    select name, 'constraint ' || conname, pg_get_constraintdef(k.oid) from tables join pg_constraint k on conrelid = id
    union all
    select name, 'view', pg_get_viewdef(id) from tables where exists (select from pg_class v where v.oid = id and relkind = 'v')
    order by 1, 2, 3`);
}

async function rowsOf(database: TestDatabase, schema: string): Promise<Record<string, unknown>> {
  const tables: Record<string, unknown> = {};
  for (const table of TABLES) {
    const rows = await database.query(
      `select to_jsonb(t) - '_checkpoint' as row from ${schema}.${table} t order by id`,
    );
    tables[table] = rows.map(({ row }) => row);
  }
  return tables;
}

const internal = (database: TestDatabase, what: string) => database.query(`select ${what}`);

describe.each(fixtures)("a database of version %s", (version) => {
  let database: TestDatabase;
  beforeAll(async () => {
    node.setChain(UPGRADE_CHAIN, UPGRADE_HEAD);
    database = await createTestDatabase();
    await database.query(readFileSync(new URL(`internal-v${version}.sql`, DATA), "utf8"));
  });
  afterAll(() => database.drop());

  test("is upgraded by a start, keeps its rows, and is then as a new one", async () => {
    const before = await rowsOf(database, "upgrade");
    await startIndexer(upgradeProject(node.url), database.url, { once: true }).ended;
    expect(await rowsOf(database, "upgrade")).toEqual(before);
    expect(await internal(database, "version from upgrade_spindex.meta")).toEqual([{ version: INTERNAL_VERSION }]);
    expect(await internal(database, "starts from upgrade_spindex.shards")).toEqual([{ starts: "4" }]);
    expect(await internal(database, "outcome, exit_class from upgrade_spindex.starts order by id")).toEqual(
      Array.from({ length: 4 }, () => ({ outcome: "stopped", exit_class: "ok" })),
    );
    const fresh = await createTestDatabase();
    await startIndexer(upgradeProject(node.url), fresh.url, { once: true }).ended;
    expect(await catalogueOf(database)).toEqual(await catalogueOf(fresh));
    await fresh.drop();
  });

  test("is not changed by a second start", async () => {
    const tables = () =>
      internal(
        database,
        "c.oid, c.relname, c.xmin::text from pg_class c where relnamespace = 'upgrade_spindex'::regnamespace order by 1",
      );
    const before = await tables();
    await startIndexer(upgradeProject(node.url), database.url, { once: true }).ended;
    expect((await tables()).map(({ oid }) => oid)).toEqual(before.map(({ oid }) => oid));
    expect(await internal(database, "version from upgrade_spindex.meta")).toEqual([{ version: INTERNAL_VERSION }]);
  });

  test("goes on: indexes more blocks, and takes back some that the older version wrote", async () => {
    const running = startIndexer(upgradeProject(node.url), database.url);
    node.setHead(UPGRADE_HEAD + 2);
    await running.until(({ chains: [chain] }) => chain?.committed === UPGRADE_HEAD + 2);
    const fork = forkChain(UPGRADE_CHAIN, UPGRADE_HEAD - 4, {
      blocks: 9,
      logs: (block) => [
        transferLog({ token: fakeAddress(0xee20), from: fakeAddress(1), to: fakeAddress(2), value: BigInt(block) }),
      ],
    });
    node.setChain(fork);
    await running.until(({ chains: [chain] }) => chain?.committed === UPGRADE_HEAD + 5);
    await running.stop();
    const fresh = await createTestDatabase();
    await startIndexer(upgradeProject(node.url), fresh.url, { once: true }).ended;
    expect(await rowsOf(database, "upgrade")).toEqual(await rowsOf(fresh, "upgrade"));
    await fresh.drop();
  });
});

test("every version but this one has a fixture", () => {
  expect(fixtures.map(Number).sort((a, b) => a - b)).toEqual(
    Array.from({ length: INTERNAL_VERSION - 1 }, (_, at) => at + 1),
  );
});

test("tables of this version need no statement", () => {
  expect(migrationsFrom(INTERNAL_VERSION, { user: "a", internal: "b" }, [])).toEqual([]);
});

describe("an upgrade", () => {
  test("waits for the shard: while another process has it nothing is changed", async () => {
    const database = await createTestDatabase();
    await database.query(readFileSync(new URL("internal-v1.sql", DATA), "utf8"));
    // A process of version 1: it has the lock, and knows no lease.
    await database.query("select pg_advisory_lock(hashtextextended($1, 0))", ['spindex ["upgrade","default"]']);
    node.setChain(UPGRADE_CHAIN, UPGRADE_HEAD);
    const waiting = startIndexer(upgradeProject(node.url), database.url, { once: true });
    const { standby } = await waiting.until((status) => status.standby !== undefined);
    expect(standby?.holder).toMatch(/ process \d+$/);
    expect(await internal(database, "version from upgrade_spindex.meta")).toEqual([{ version: 1 }]);
    await database.query("select pg_advisory_unlock_all()");
    expect(await waiting.ended).toBe("ended");
    expect(await internal(database, "version from upgrade_spindex.meta")).toEqual([{ version: INTERNAL_VERSION }]);
    await database.drop();
  });

  test("tries again while a reader has a table that it changes, and lets writers and readers through meanwhile", async () => {
    const database = await createTestDatabase();
    await database.query(readFileSync(new URL("internal-v1.sql", DATA), "utf8"));
    await database.query("begin; select from upgrade_spindex.starts");
    node.setChain(UPGRADE_CHAIN, UPGRADE_HEAD);
    const waiting = startIndexer(upgradeProject(node.url), database.url, { once: true });
    await waiting.until((status) => status.standby !== undefined);
    await database.query("commit");
    expect(await waiting.ended).toBe("ended");
    expect(await internal(database, "version from upgrade_spindex.meta")).toEqual([{ version: INTERNAL_VERSION }]);
    await database.drop();
  });

  test("that fails leaves the older version as it was", async () => {
    const database = await createTestDatabase();
    await database.query(readFileSync(new URL("internal-v1.sql", DATA), "utf8"));
    // In the way of the last statements: a column of that name is there.
    await database.query("alter table upgrade_spindex.starts add column exit_class text");
    const before = await catalogueOf(database);
    await expect(startIndexer(upgradeProject(node.url), database.url, { once: true }).ended).rejects.toThrow(
      'column "exit_class" of relation "starts" already exists',
    );
    expect(await catalogueOf(database)).toEqual(before);
    expect(await internal(database, "version from upgrade_spindex.meta")).toEqual([{ version: 1 }]);
    await database.drop();
  });
});
