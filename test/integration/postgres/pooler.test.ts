import { pino } from "pino";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { Connection } from "../../../src/postgres/connection.ts";
import { parseDatabaseUrl } from "../../../src/postgres/database-url.ts";
import { openStorage } from "../../../src/postgres/open.ts";
import { requireOwnSessions } from "../../../src/postgres/session-lock.ts";
import type { PostgresStorage } from "../../../src/postgres/storage.ts";
import { changesOf, recordingWriteTelemetry, runOf } from "../../support/drain-runs.ts";
import { hasPgbouncer, startPgbouncer } from "../../support/pgbouncer.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";
import { tableOf } from "../../support/tables.ts";

const account = tableOf("account", [{ name: "id", kind: "address" }]);

let database: TestDatabase;
beforeAll(async () => {
  database = await createTestDatabase();
});
afterAll(() => database.drop());

const open = (url: string, schema: string): Promise<PostgresStorage> =>
  openStorage({
    url,
    schema,
    shard: "main",
    tables: [account],
    fingerprint: {},
    chains: [{ id: 1, name: "mainnet" }],
    clock: systemClock,
    log: pino({ enabled: false }),
    holder: "test",
    budgetMs: 0,
  });

describe("a pooler that lends one server session to several connections", () => {
  const url = () => parseDatabaseUrl(database.url);
  const connect = () => Connection.open({ url: url(), clock: systemClock, applicationName: "test" });

  test("is told from a server by a lock that both connections can take", async () => {
    const session = await connect();
    await expect(requireOwnSessions(url(), "key", session, session)).rejects.toMatchObject({
      code: "DATABASE_PROXY",
      exitCode: 2,
      fix: "Point DATABASE_URL directly to PostgreSQL, or to a pooler in session mode.",
    });
    await session.end();
  });

  test("is told from a server by a connection that changes its session", async () => {
    const [one, two, three] = [await connect(), await connect(), await connect()];
    let turn = 0;
    // As with many sessions in the pool: each statement of the second connection meets another one.
    const wandering = {
      server: two.server,
      query: (...args: Parameters<Connection["query"]>) => (turn++ % 2 ? two : three).query(...args),
    };
    await expect(requireOwnSessions(url(), "key", one, wandering as Connection)).rejects.toMatchObject({
      code: "DATABASE_PROXY",
    });
    await Promise.all([one.end(), two.end(), three.end()]);
  });

  test("is not seen where there is none, and no lock is left behind", async () => {
    const [one, two] = [await connect(), await connect()];
    await requireOwnSessions(url(), "key", one, two);
    expect(
      await database.query(
        "select from pg_locks join pg_database d on d.oid = database where locktype = 'advisory' and datname = current_database()",
      ),
    ).toEqual([]);
    await Promise.all([one.end(), two.end()]);
  });
});

describe.skipIf(!(await hasPgbouncer()))("a real pgbouncer", () => {
  test("in transaction mode is refused with the reason, and nothing is made", async () => {
    const pooler = await startPgbouncer(database.url, "transaction");
    await expect(open(pooler.url, "pooled")).rejects.toMatchObject({
      code: "DATABASE_PROXY",
      message: expect.stringMatching(
        /lends one server session to several connections \(a pooler in transaction mode\)$/,
      ),
    });
    expect(await database.query("select from pg_namespace where nspname like 'pooled%'")).toEqual([]);
    await pooler.stop();
  });

  test("in session mode is as good as the server: writes, lock and lease work", async () => {
    const pooler = await startPgbouncer(database.url, "session");
    const storage = await open(pooler.url, "sessions");
    const row = { id: `0x${"a".repeat(40)}` };
    await storage.write(
      runOf(1, { tables: [changesOf(account, { upserts: [[1, row]] }, 1)] }),
      recordingWriteTelemetry(),
    );
    await expect(open(database.url, "sessions")).rejects.toMatchObject({ code: "SHARD_TAKEN" });
    await storage.close("stopped");
    const again = await open(database.url, "sessions");
    expect(again.resume.committedCheckpoint).toBe(1);
    await again.close("stopped");
    await pooler.stop();
  });
});
