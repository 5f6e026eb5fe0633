import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, test, vi } from "vitest";
import { SpindexError } from "../../../src/errors.ts";
import { type OpenStorageOptions, openStorage } from "../../../src/postgres/open.ts";
import type { ShardHolder } from "../../../src/postgres/shard-holder.ts";
import type { PostgresStorage } from "../../../src/postgres/storage.ts";
import type { DrainRun } from "../../../src/store/drain-run.ts";
import { WriteFailure } from "../../../src/write/storage.ts";
import { changesOf, recordingWriteTelemetry, runOf } from "../../support/drain-runs.ts";
import { fastClock } from "../../support/fast-clock.ts";
import { startFaultProxy } from "../../support/fault-proxy.ts";
import { ManualClock } from "../../support/manual-clock.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";
import { silentTransaction } from "../../support/silent-telemetry.ts";
import { tableOf } from "../../support/tables.ts";

const account = tableOf("account", [
  { name: "id", kind: "address" },
  { name: "balance", kind: "int256" },
]);
const A = `0x${"a".repeat(40)}`;
const runWith = (checkpoint: number, balance: bigint) =>
  runOf(checkpoint, { tables: [changesOf(account, { upserts: [[checkpoint, { id: A, balance }]] }, 1)] });

let database: TestDatabase;
let schemas = 0;
const opened: PostgresStorage[] = [];

beforeAll(async () => {
  database = await createTestDatabase();
});

afterEach(async () => {
  await Promise.all(opened.splice(0).map((storage) => storage.close("stopped")));
});

afterAll(() => database.drop());

const newSchema = (): string => `one_writer_${++schemas}`;

async function open(schema: string, options: Partial<OpenStorageOptions> = {}): Promise<PostgresStorage> {
  const storage = await openStorage({
    url: database.url,
    schema,
    shard: "main",
    tables: [account],
    fingerprint: {},
    chains: [{ id: 1, name: "mainnet" }],
    clock: fastClock(10),
    log: pino({ enabled: false }),
    holder: "first",
    budgetMs: 100_000,
    ...options,
  });
  opened.push(storage);
  return storage;
}

interface Standby {
  readonly storage: Promise<PostgresStorage>;
  /** What it was told of its holder so far. */
  readonly told: readonly (ShardHolder | undefined)[];
}

/** A second process that waits; resolves when it has looked once. */
async function standBy(schema: string, options: Partial<OpenStorageOptions> = {}): Promise<Standby> {
  const told: (ShardHolder | undefined)[] = [];
  const waiting = Promise.withResolvers<void>();
  const storage = open(schema, {
    holder: "second",
    onStandby: (holder) => {
      told.push(holder);
      waiting.resolve();
    },
    ...options,
  });
  storage.catch(waiting.reject);
  await waiting.promise;
  return { storage, told };
}

const balances = (schema: string) => database.query(`select balance, _checkpoint from ${schema}.account`);
const expire = (schema: string) =>
  database.query(`update ${schema}_spindex.leases set expires_at = clock_timestamp() - interval '1 ms'`);

async function failureOf(work: Promise<unknown>): Promise<WriteFailure> {
  const failure = await work.then(
    () => undefined,
    (error: unknown) => error,
  );
  expect(failure).toBeInstanceOf(WriteFailure);
  return failure as WriteFailure;
}

/** As the persistence loop does: the same write again while it may help. */
async function retried(storage: PostgresStorage, run: DrainRun): Promise<unknown> {
  for (;;) {
    try {
      return await storage.write(run, recordingWriteTelemetry());
    } catch (error) {
      if (!(error instanceof WriteFailure) || !["transient", "outcome_unknown"].includes(error.kind)) throw error;
    }
  }
}

describe("a second process", () => {
  test("says who has the shard and since when, once, and takes over when it is let go", async () => {
    const schema = newSchema();
    const first = await open(schema);
    const [row] = await database.query<{ since: Date }>(`select acquired_at as since from ${schema}_spindex.shards`);
    const { storage, told } = await standBy(schema);
    await first.write(runWith(1, 5n), recordingWriteTelemetry());
    expect(told).toEqual([{ holder: "first", since: row?.since.getTime() }]);
    await first.close("stopped");
    expect(first.isHeld).toBe(false);
    const second = await storage;
    expect(told).toHaveLength(1);
    expect(second.isHeld).toBe(true);
  });

  test("resumes from what is durable when it takes over, not from what it saw while waiting", async () => {
    const schema = newSchema();
    const first = await open(schema);
    const { storage } = await standBy(schema);
    await first.write(runWith(1, 5n), recordingWriteTelemetry());
    await first.write(runWith(2, 6n), recordingWriteTelemetry());
    await first.close("stopped");
    const second = await storage;
    expect(second.resume).toMatchObject({ nextCheckpoint: 3, committedCheckpoint: 2, emptyTables: new Set() });
    await second.write(runWith(3, 7n), recordingWriteTelemetry());
    expect(await balances(schema)).toEqual([{ balance: "7", _checkpoint: "3" }]);
  });

  test("creates and changes nothing while it waits", async () => {
    const schema = newSchema();
    await open(schema);
    const catalogue = () =>
      database.query(`select n.nspname, c.relname, c.xmin::text from pg_class c join pg_namespace n on n.oid = c.relnamespace
        where n.nspname !~ '^pg_' order by 1, 2`);
    const rows = () =>
      database.query(`select (select jsonb_agg(to_jsonb(s)) from ${schema}_spindex.shards s) as shards,
        (select jsonb_agg(to_jsonb(s)) from ${schema}_spindex.starts s) as starts,
        (select jsonb_agg(to_jsonb(c)) from ${schema}_spindex.chains c) as chains`);
    const before = [await catalogue(), await rows()];
    const stop = new AbortController();
    const clock = fastClock(10);
    const { storage } = await standBy(schema, { clock, signal: stop.signal });
    await clock.sleep(3_000);
    expect([await catalogue(), await rows()]).toEqual(before);
    stop.abort();
    await expect(storage).rejects.toBe(stop.signal.reason);
    expect([await catalogue(), await rows()]).toEqual(before);
  });

  test("waits for one that is making its tables, and makes none itself", async () => {
    const schema = newSchema();
    await database.query("select pg_advisory_lock(hashtextextended($1, 0))", [`spindex ["${schema}","main"]`]);
    const { storage, told } = await standBy(schema);
    expect(told).toEqual([undefined]);
    expect(await database.query("select from pg_namespace where nspname like $1", [`${schema}%`])).toEqual([]);
    await database.query("select pg_advisory_unlock_all()");
    expect((await storage).resume.committedCheckpoint).toBe(0);
  });

  test("says at once that it could never use these tables", async () => {
    const schema = newSchema();
    await open(schema);
    await expect(open(schema, { fingerprint: { other: 1 }, onStandby: () => {} })).rejects.toMatchObject({
      code: "DATABASE_INCOMPATIBLE",
    });
  });

  test("without permission to wait is refused at once, with the holder", async () => {
    const schema = newSchema();
    await open(schema);
    const refused = await open(schema, { holder: "second" }).catch((error: unknown) => error);
    expect(refused).toBeInstanceOf(SpindexError);
    expect(refused).toMatchObject({ code: "SHARD_TAKEN", exitCode: 75 });
    expect((refused as SpindexError).message).toMatch(
      new RegExp(`^shard main of schema ${schema} is taken by first since 20\\d\\d-.*Z$`),
    );
  });

  test("is one of several that wait: one takes over, the others wait for that one", async () => {
    const schema = newSchema();
    const first = await open(schema);
    const names = ["second", "third", "fourth"];
    const waiting = await Promise.all(names.map((holder) => standBy(schema, { holder })));
    const order: string[] = [];
    const done = waiting.map(async ({ storage }, at) => {
      const owner = await storage;
      order.push(names[at] ?? "");
      await owner.write(runWith(order.length, 5n), recordingWriteTelemetry());
      await owner.close("stopped");
    });
    await first.close("stopped");
    await Promise.all(done);
    const starts = await database.query(`select holder, outcome from ${schema}_spindex.starts order by id`);
    expect(starts).toEqual(["first", ...order].map((holder) => ({ holder, outcome: "stopped" })));
    expect(await balances(schema)).toEqual([{ balance: "5", _checkpoint: "3" }]);
  });

  test("waits for whoever has locked the shard's row, and ends no session of theirs", async () => {
    const schema = newSchema();
    await (await open(schema)).close("stopped");
    await database.query(`begin; select from ${schema}_spindex.shards for update`);
    const { storage, told } = await standBy(schema);
    expect(told.map((holder) => holder?.holder)).toEqual(["first"]);
    await database.query("commit");
    expect((await storage).isHeld).toBe(true);
  });

  test("outlives a lost connection while it waits", async () => {
    const schema = newSchema();
    const first = await open(schema);
    const { storage } = await standBy(schema);
    await database.query(
      `select pg_terminate_backend(pid, 1000) from pg_stat_activity a
       where application_name = 'spindex lease' and datname = current_database()
         and not exists (select from ${schema}_spindex.leases where lease_pid = a.pid)`,
    );
    await first.close("stopped");
    expect((await storage).isHeld).toBe(true);
  });
});

describe("a holder that is killed", () => {
  test("is replaced as soon as its session has ended, long before its lease expires", async () => {
    const schema = newSchema();
    const proxy = await startFaultProxy(database.url);
    const first = await open(schema, { url: proxy.url });
    await first.write(runWith(1, 5n), recordingWriteTelemetry());
    const { storage } = await standBy(schema);
    // As after kill -9: every socket of the process is closed, and none can be made again.
    await proxy.close();
    const second = await storage;
    expect(second.resume.committedCheckpoint).toBe(1);
    const [before] = await database.query(
      `select s.outcome, s.exit_class from ${schema}_spindex.starts s order by id limit 1`,
    );
    expect(before).toEqual({ outcome: "killed", exit_class: "killed" });
  });

  test("is waited for while its last write is still under way in the server, and the write is seen", async () => {
    const schema = newSchema();
    const first = await open(schema);
    await first.write(runWith(1, 5n), recordingWriteTelemetry());
    const inWrite = Promise.withResolvers<void>();
    const goOn = Promise.withResolvers<void>();
    const writing = first.write(
      runWith(2, 6n),
      recordingWriteTelemetry({
        commit: async (commit) => {
          inWrite.resolve();
          await goOn.promise;
          return commit();
        },
      }),
    );
    await inWrite.promise;
    const { storage, told } = await standBy(schema);
    await database.query(`select pg_terminate_backend(lease_pid, 1000) from ${schema}_spindex.leases`);
    goOn.resolve();
    expect(await writing).toEqual({ alreadyDurable: false });
    // It may have its session back before the other has looked: then it goes on.
    await first.close("stopped");
    expect((await storage).resume.committedCheckpoint).toBe(2);
    expect(told.map((holder) => holder?.holder)).toEqual(["first"]);
  });
});

describe("a holder that hangs", () => {
  test("with an open transaction is ended when its lease has expired, and can write nothing when it wakes up", async () => {
    const schema = newSchema();
    const proxy = await startFaultProxy(database.url);
    const first = await open(schema, { url: proxy.url, clock: new ManualClock() });
    await first.write(runWith(1, 5n), recordingWriteTelemetry());
    // The process stands still in the middle of a write: it holds the row's lock and its session lives.
    const zombieRun = runWith(2, 99n);
    const write = first.write(
      zombieRun,
      recordingWriteTelemetry({
        commit: async (commit) => {
          proxy.freeze();
          return commit();
        },
      }),
    );
    const outcome = failureOf(write);
    const { storage } = await standBy(schema);
    await expire(schema);
    const second = await storage;
    expect(second.resume.committedCheckpoint).toBe(1);
    await second.write(runWith(2, 6n), recordingWriteTelemetry());
    // It wakes up; what it tried to connect to in the meantime is cut off.
    proxy.thaw();
    proxy.refuse();
    proxy.accept();
    expect((await outcome).kind).toBe("outcome_unknown");
    expect((await failureOf(retried(first, zombieRun))).kind).toBe("fenced");
    expect(await balances(schema)).toEqual([{ balance: "6", _checkpoint: "2" }]);
    await opened.shift()?.close("WRITER_FENCED");
    await proxy.close();
  });

  test("is replaced on expiry also when its sessions cannot be ended, and is fenced", async () => {
    const schema = newSchema();
    // Its clock stands still: it renews nothing.
    const first = await open(schema, { clock: new ManualClock() });
    const { storage } = await standBy(schema);
    // Another session than the ones that are noted: so none is ended, and the lock stays with the first.
    await database.query(`update ${schema}_spindex.leases set lease_pid = 0, writer_pid = 0`);
    await expire(schema);
    const second = await storage;
    expect(first.isHeld).toBe(true); // as far as it can know
    const failure = await failureOf(first.write(runWith(1, 99n), recordingWriteTelemetry()));
    expect([failure.kind, failure.message]).toEqual(["fenced", "shard main is now written by second"]);
    await second.write(runWith(1, 6n), recordingWriteTelemetry());
    expect(await balances(schema)).toEqual([{ balance: "6", _checkpoint: "1" }]);
  });

  test("is left alone while it renews, however long its write takes", async () => {
    const schema = newSchema();
    const clock = fastClock(10);
    const first = await open(schema, { clock });
    const { storage, told } = await standBy(schema);
    const writing = first.write(
      runWith(1, 5n),
      recordingWriteTelemetry({
        commit: async (commit) => {
          // Longer than the lease lasts, and the row that every write locks is locked all the time.
          await clock.sleep(20_000);
          return commit();
        },
      }),
    );
    expect(await writing).toEqual({ alreadyDurable: false });
    expect(first.isHeld).toBe(true);
    expect(told).toHaveLength(1);
    await first.close("stopped");
    await storage;
  });
});

describe("a zombie, whose token is an old one", () => {
  async function zombie(schema: string): Promise<{ first: PostgresStorage; second: PostgresStorage }> {
    const first = await open(schema, { clock: new ManualClock() });
    await first.write(runWith(1, 5n), recordingWriteTelemetry());
    const { storage } = await standBy(schema);
    await database.query(`update ${schema}_spindex.leases set lease_pid = 0, writer_pid = 0`);
    await expire(schema);
    return { first, second: await storage };
  }
  const written = (schema: string) =>
    database.query(`select s.write_seq, s.next_checkpoint, c.block, c.head, c.live,
        (select count(*) from ${schema}_spindex.reorgs) as reorgs, (select count(*) from ${schema}.account) as accounts
      from ${schema}_spindex.shards s join ${schema}_spindex.chains c using (shard)`);

  test("cannot write a run", async () => {
    const schema = newSchema();
    const { first } = await zombie(schema);
    const before = await written(schema);
    const failure = await failureOf(first.write(runWith(2, 99n), recordingWriteTelemetry()));
    expect(failure.kind).toBe("fenced");
    expect(await written(schema)).toEqual(before);
  });

  test("cannot write metadata", async () => {
    const schema = newSchema();
    const { first } = await zombie(schema);
    const before = await written(schema);
    const failure = await failureOf(
      first.writeMetadata([{ chainId: 1, head: 99, live: true, sources: [] }], recordingWriteTelemetry()),
    );
    expect(failure.kind).toBe("fenced");
    expect(await written(schema)).toEqual(before);
  });

  test("cannot roll a chain back", async () => {
    const schema = newSchema();
    const { first } = await zombie(schema);
    const before = await written(schema);
    const hash = `0x${"1".repeat(64)}` as const;
    const failure = await failureOf(
      first.rollBack(
        {
          chainId: 1,
          fromBlock: 9,
          toBlock: 5,
          orphaned: [],
          found: { number: 6, hash, parentHash: hash, timestamp: 1 },
        },
        silentTransaction,
      ),
    );
    expect(failure.kind).toBe("fenced");
    expect(await written(schema)).toEqual(before);
  });

  test("learns it from its next renewal, says so, and writes nothing from then on", async () => {
    const schema = newSchema();
    const lines: { event: string }[] = [];
    const log = pino({ level: "info" }, { write: (line) => void lines.push(JSON.parse(line)) });
    const clock = new ManualClock();
    const first = await open(schema, { clock, log });
    const { storage } = await standBy(schema);
    await database.query(`update ${schema}_spindex.leases set lease_pid = 0, writer_pid = 0`);
    await expire(schema);
    await storage;
    const lost = Promise.withResolvers<void>();
    first.lost.addEventListener("abort", () => lost.resolve());
    clock.advance(5_000);
    await lost.promise;
    expect(first.isHeld).toBe(false);
    expect(first.lost.reason).toMatchObject({
      code: "WRITER_FENCED",
      exitCode: 75,
      message: `another process has taken over: shard main of schema ${schema} is now held by second`,
    });
    expect(lines.map(({ event }) => event)).toEqual(["database.prepared", "lease.acquired", "lease.lost"]);
    expect((await failureOf(first.write(runWith(1, 99n), recordingWriteTelemetry()))).kind).toBe("fenced");
    expect(await balances(schema)).toEqual([]);
  });
});

describe("a database restored from a backup of before this process had the shard", () => {
  /** What is restored, in SQL, and what a write is told. */
  const backups: readonly (readonly [what: string, restore: (schema: string) => string, message: string])[] = [
    [
      "of the owner before it",
      (schema) => `update ${schema}_spindex.shards set token = 'older', starts = starts - 1;
                   update ${schema}_spindex.leases set token = 'older'`,
      "shard main is that of a time before this process had it",
    ],
    [
      "and taken by another process since",
      (schema) => `update ${schema}_spindex.shards set token = 'other', holder = 'other';
                   update ${schema}_spindex.leases set token = 'other'`,
      "shard main is that of a time before this process had it",
    ],
    [
      "when the shard was unknown",
      (schema) =>
        `delete from ${schema}_spindex.leases; delete from ${schema}_spindex.chains; delete from ${schema}_spindex.shards`,
      "it does not know shard main any more",
    ],
  ];

  test.each(backups)("%s: is told from a take-over, by a write and by the lease", async (_, restore, message) => {
    const schema = newSchema();
    const clock = new ManualClock();
    const first = await open(schema, { clock });
    await database.query(restore(schema));
    const failure = await failureOf(first.write(runWith(1, 5n), recordingWriteTelemetry()));
    expect([failure.kind, failure.message]).toEqual(["went_back", message]);
    const lost = Promise.withResolvers<void>();
    first.lost.addEventListener("abort", () => lost.resolve());
    clock.advance(5_000);
    await lost.promise;
    expect(first.lost.reason).toMatchObject({
      code: "DATABASE_WENT_BACK",
      exitCode: 75,
      message: `the database lost writes that it had confirmed: ${message}`,
    });
    expect((await failureOf(first.write(runWith(1, 5n), recordingWriteTelemetry()))).kind).toBe("went_back");
    expect(await balances(schema)).toEqual([]);
  });

  test("without any of its tables: is told by the next write", async () => {
    const schema = newSchema();
    const first = await open(schema, { clock: new ManualClock() });
    await database.query(`drop schema ${schema} cascade; drop schema ${schema}_spindex cascade`);
    const failure = await failureOf(
      first.writeMetadata([{ chainId: 1, head: 99, live: true, sources: [] }], recordingWriteTelemetry()),
    );
    expect([failure.kind, failure.message]).toEqual(["went_back", "it does not know shard main any more"]);
  });
});

describe("a lease that cannot be renewed", () => {
  test("lapses after 15 s: nothing is written until a renewal shows that nobody has taken the shard", async () => {
    const schema = newSchema();
    const lines: { event: string }[] = [];
    const log = pino({ level: "info" }, { write: (line) => void lines.push(JSON.parse(line)) });
    const clock = new ManualClock();
    const first = await open(schema, { clock, log });
    const rename = (from: string, to: string) =>
      database.query(`alter table ${schema}_spindex.${from} rename to ${to}`);
    await rename("leases", "away");
    for (let second = 1; second <= 14; second++) {
      clock.advance(1_000);
      await clock.turn();
      expect(first.isHeld).toBe(true);
    }
    // Still held: what is written now is covered by the token.
    await first.write(runWith(1, 5n), recordingWriteTelemetry());
    clock.advance(1_000);
    expect(first.isHeld).toBe(false);
    const failure = await failureOf(first.write(runWith(2, 6n), recordingWriteTelemetry()));
    expect([failure.kind, failure.message]).toEqual(["transient", "the lease has lapsed and could not be renewed"]);
    expect(await balances(schema)).toEqual([{ balance: "5", _checkpoint: "1" }]);
    await rename("away", "leases");
    await first.write(runWith(2, 6n), recordingWriteTelemetry());
    expect(first.isHeld).toBe(true);
    expect(lines.map(({ event }) => event)).toEqual([
      "database.prepared",
      "lease.acquired",
      "lease.renewal_failed",
      "lease.renewed",
    ]);
  });

  test("is renewed at once on a new session when its session has ended", async () => {
    const schema = newSchema();
    const clock = new ManualClock();
    const first = await open(schema, { clock });
    const [before] = await database.query<{ lease_pid: number }>(`select lease_pid from ${schema}_spindex.leases`);
    await database.query("select pg_terminate_backend($1, 1000)", [before?.lease_pid]);
    await vi.waitFor(async () => {
      const [after] = await database.query<{ lease_pid: number }>(`select lease_pid from ${schema}_spindex.leases`);
      expect(after?.lease_pid).not.toBe(before?.lease_pid);
    });
    // The lock is its again, too.
    await expect(open(schema, { holder: "second" })).rejects.toMatchObject({ code: "SHARD_TAKEN" });
    expect(first.isHeld).toBe(true);
  });

  test("is renewed every 5 s by the clock, for 15 s by the database's clock", async () => {
    const schema = newSchema();
    const clock = new ManualClock();
    await open(schema, { clock });
    const lease = () =>
      database.query<{ left: number; renewed: Date }>(
        `select extract(epoch from expires_at - renewed_at)::int as left, renewed_at as renewed from ${schema}_spindex.leases`,
      );
    const [first] = await lease();
    expect(first?.left).toBe(15);
    clock.advance(4_999);
    await clock.turn();
    expect(await lease()).toEqual([first]);
    clock.advance(1);
    await vi.waitFor(async () => {
      const [second] = await lease();
      expect(second?.left).toBe(15);
      expect(second?.renewed.getTime()).toBeGreaterThan(first?.renewed.getTime() ?? 0);
    });
  });
});

describe("a start", () => {
  test("counts the starts of the shard and says how the one before ended", async () => {
    const schema = newSchema();
    const seen: unknown[] = [];
    for (const outcome of ["stopped", "HANDLER_FAILED", "WRITE_RETRIES_EXHAUSTED", "DATABASE_INCOMPATIBLE"]) {
      const storage = await open(schema);
      seen.push(storage.starts);
      await storage.close(outcome);
    }
    seen.push((await open(schema)).starts);
    expect(seen).toEqual([
      { count: 1, lastExit: undefined },
      { count: 2, lastExit: { code: "stopped", class: "ok" } },
      { count: 3, lastExit: { code: "HANDLER_FAILED", class: "bug" } },
      { count: 4, lastExit: { code: "WRITE_RETRIES_EXHAUSTED", class: "retry" } },
      { count: 5, lastExit: { code: "DATABASE_INCOMPATIBLE", class: "fix" } },
    ]);
  });

  test("takes a predecessor that wrote nothing of its end for killed; one that was only replaced still leaves its word", async () => {
    const schema = newSchema();
    const first = await open(schema, { clock: new ManualClock() });
    const { storage } = await standBy(schema);
    await database.query(`update ${schema}_spindex.leases set lease_pid = 0, writer_pid = 0`);
    await expire(schema);
    expect((await storage).starts).toEqual({ count: 2, lastExit: { code: "killed", class: "killed" } });
    await first.close("WRITER_FENCED");
    expect(await database.query(`select outcome, exit_class from ${schema}_spindex.starts order by id`)).toEqual([
      { outcome: "WRITER_FENCED", exit_class: "retry" },
      { outcome: null, exit_class: null },
    ]);
  });

  test("that fails while it takes the shard leaves everything as it was", async () => {
    const schema = newSchema();
    await (await open(schema)).close("stopped");
    const rows = () => database.query(`select token, holder, starts from ${schema}_spindex.shards`);
    const before = await rows();
    await expect(open(schema, { fingerprint: { other: 1 } })).rejects.toMatchObject({ code: "DATABASE_INCOMPATIBLE" });
    await expect(open(schema, { shard: "other" })).rejects.toMatchObject({ code: "DATABASE_INCOMPATIBLE" });
    expect(await rows()).toEqual(before);
  });
});
