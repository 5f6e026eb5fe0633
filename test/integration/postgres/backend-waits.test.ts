import pg from "pg";
import { afterAll, beforeAll, expect, test } from "vitest";
import type { BackendWait } from "../../../src/instrument/waiting/backend-waits.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import type { PostgresBackendWaits } from "../../../src/postgres/backend-waits.ts";
import { openBackendWaits } from "../../../src/postgres/open.ts";
import { startFaultProxy } from "../../support/fault-proxy.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";

let database: TestDatabase;
let backendWaits: PostgresBackendWaits;

beforeAll(async () => {
  database = await createTestDatabase();
  await database.query("create table account (id int primary key); create table other (id int)");
  backendWaits = openBackendWaits({ url: database.url, clock: systemClock });
});

afterAll(async () => {
  await backendWaits.close();
  await database.drop();
});

interface Session extends AsyncDisposable {
  readonly pid: number;
  query(text: string): Promise<unknown>;
}

async function session(name: string, url = database.url): Promise<Session> {
  const client = new pg.Client({ connectionString: url, application_name: name });
  client.on("error", () => {});
  await client.connect();
  const { rows } = await client.query<{ pid: number }>("select pg_backend_pid() as pid");
  return { pid: rows[0]?.pid ?? 0, query: (text) => client.query(text), [Symbol.asyncDispose]: () => client.end() };
}

/** Asks until each of the sessions waits for a lock. */
async function locked(...pids: readonly number[]): Promise<readonly (BackendWait | undefined)[]> {
  for (;;) {
    const waits = await backendWaits.ask(pids);
    if (pids.every((pid) => waits.get(pid)?.blocker !== undefined)) return pids.map((pid) => waits.get(pid));
    await systemClock.sleep(5);
  }
}

test("at the head of the queue is the session that waits for no lock, however many wait between it and ours", async () => {
  await using head = await session("psql of somebody");
  await using between = await session("migration");
  await using ours = await session("spindex writer");
  await head.query("begin");
  await head.query("select count(*) from account where id = 42");
  const [{ since } = { since: undefined }] = await database.query<{ since: Date }>(
    "select xact_start as since from pg_stat_activity where pid = $1",
    [head.pid],
  );
  const altered = between.query("alter table account add column secret text default 'top secret'");
  await locked(between.pid);
  const inserted = ours.query("insert into account values (1)");
  const blocker = {
    pid: head.pid,
    state: "idle in transaction",
    since: since?.toISOString(),
    query: "select count(*) from account where id = ?",
    application: "psql of somebody",
  };
  expect(await locked(between.pid, ours.pid)).toEqual([
    { event: "Lock: relation", blocker: { ...blocker, count: 1 } },
    { event: "Lock: relation", blocker: { ...blocker, count: 2 } },
  ]);
  await head.query("commit");
  await Promise.all([altered, inserted]);
});

test("two transactions that want the same row: the one that has it, and what it is doing", async () => {
  await database.query("insert into account values (7)");
  await using holder = await session("holder");
  await using ours = await session("spindex writer");
  await holder.query("begin");
  await holder.query("update account set id = 8 where id = 7");
  const updated = ours.query("update account set id = 9 where id = 7");
  const [wait] = await locked(ours.pid);
  expect(wait).toMatchObject({ event: "Lock: transactionid", blocker: { pid: holder.pid, count: 1 } });
  await holder.query("rollback");
  await updated;
});

test("who waits for no lock has no blocker, and who waits for nothing is left out", async () => {
  await using idle = await session("idle");
  await using sleeping = await session("sleeping");
  const slept = sleeping.query("select pg_sleep(60)").catch(() => {});
  const asked = async (): Promise<ReadonlyMap<number, BackendWait>> => backendWaits.ask([idle.pid, sleeping.pid, 1]);
  while (!(await asked()).has(sleeping.pid)) await systemClock.sleep(5);
  expect(await asked()).toEqual(new Map([[sleeping.pid, { event: "Timeout: PgSleep", blocker: undefined }]]));
  await database.query("select pg_cancel_backend($1)", [sleeping.pid]);
  await slept;
});

test("a user who may not see other sessions still learns which one it is", async () => {
  await database.query("create role blind login password 'blind'; grant select on other to blind");
  const url = new URL(database.url);
  [url.username, url.password] = ["blind", "blind"];
  const blind = openBackendWaits({ url: url.href, clock: systemClock });
  try {
    await using holder = await session("holder");
    await using ours = await session("spindex reader", url.href);
    await holder.query("begin; lock table other");
    const read = ours.query("select from other");
    await locked(ours.pid);
    expect((await blind.ask([ours.pid])).get(ours.pid)?.blocker).toMatchObject({
      pid: holder.pid,
      state: undefined,
      since: undefined,
      query: "<insufficient privilege>",
    });
    await holder.query("rollback");
    await read;
  } finally {
    await blind.close();
    await database.query("drop owned by blind; drop role blind");
  }
});

test("an answer is waited for 2 s at most; the next question is asked on a new connection", async () => {
  const proxy = await startFaultProxy(database.url);
  const clock = { ...systemClock, sleep: (ms: number, signal?: AbortSignal) => systemClock.sleep(ms / 10, signal) };
  const asked = openBackendWaits({ url: proxy.url, clock });
  try {
    expect(await asked.ask([1])).toEqual(new Map());
    proxy.freeze();
    await expect(asked.ask([1])).rejects.toThrow(/no answer/);
    proxy.thaw();
    for (;;) {
      const answer = await asked.ask([1]).catch(() => undefined);
      if (answer !== undefined) break;
    }
  } finally {
    await asked.close();
    await proxy.close();
  }
});
