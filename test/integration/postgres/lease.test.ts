import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { Connection } from "../../../src/postgres/connection.ts";
import { parseDatabaseUrl } from "../../../src/postgres/database-url.ts";
import { Lease } from "../../../src/postgres/lease.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";

let database: TestDatabase;

beforeAll(async () => {
  database = await createTestDatabase();
});

afterAll(() => database.drop());

const connect = (): Promise<Connection> =>
  Connection.open({ url: parseDatabaseUrl(database.url), clock: systemClock, applicationName: "test" });
const acquire = (key: string, waitMs = 0): Promise<Lease | undefined> =>
  Lease.acquire({ key, connect, clock: systemClock, waitMs });

test("one session has it until it ends, however it ends", async () => {
  const first = (await acquire("one")) as Lease;
  expect(await acquire("one")).toBeUndefined();
  const waiting = acquire("one", 5_000);
  await database.query("select pg_terminate_backend($1, 1000)", [first.backendPid]);
  const second = await waiting;
  expect(second).toBeDefined();
  await first.regain();
  await second?.release();
  await first.regain();
  expect(await acquire("one")).toBeUndefined();
  await first.release();
});

test("it tells a server from a pooler that lends one session to several clients", async () => {
  const session = await connect();
  const pooled = (await Lease.acquire({
    key: "pool",
    connect: () => Promise.resolve(session),
    clock: systemClock,
    waitMs: 0,
  })) as Lease;
  expect(await pooled.isShared(session)).toBe(true);
  await pooled.release();
  const direct = (await acquire("direct")) as Lease;
  const other = await connect();
  expect(await direct.isShared(other)).toBe(false);
  await other.end();
  await direct.release();
});
