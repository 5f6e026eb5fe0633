import { execFile } from "node:child_process";
import { chown, mkdir, rm, stat } from "node:fs/promises";
import { dirname, join } from "node:path";
import { promisify } from "node:util";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import type { IndexerOptions } from "../../../src/indexer/options.ts";
import { createLog } from "../../../src/instrument/log.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { startFakeNode } from "../../support/fake-node.ts";
import { fastClock } from "../../support/fast-clock.ts";
import { startFaultProxy } from "../../support/fault-proxy.ts";
import {
  committedBlock,
  LEDGER_BLOCKS,
  ledgerChain,
  ledgerIndexer,
  requireWhole,
  type Sql,
  smallRuns,
  undisturbedLedger,
} from "../../support/ledger.ts";
import { startOwnServer } from "../../support/own-server.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";
import { type RunningIndexer, startIndexer } from "../../support/run-indexer.ts";

const LAST = LEDGER_BLOCKS - 1;

let database: TestDatabase;
let rows: Record<string, unknown>;

beforeAll(async () => {
  database = await createTestDatabase();
  const node = await startFakeNode({ chain: ledgerChain() });
  rows = await undisturbedLedger(database, database.url, node);
  await node.close();
});

afterAll(() => database.drop());

interface Ledger extends AsyncDisposable {
  readonly running: RunningIndexer;
  /** The server refuses what is written next, again and again, with this SQLSTATE. */
  refused(sqlState: string): Promise<void>;
  /** The server has been mended: everything is written, by the same process. */
  requireEnded(sql?: Sql): Promise<void>;
}

/** A live indexer that has everything up to block 20, in a schema of its own. */
async function liveLedger(schema: string, options: Partial<IndexerOptions> = {}): Promise<Ledger> {
  const node = await startFakeNode({ chain: ledgerChain(), head: 20 });
  const lines: string[] = [];
  const log = createLog({ level: "warn", format: "json", destination: { write: (line) => lines.push(line) } });
  const running = startIndexer(ledgerIndexer(schema, node), options.databaseUrl ?? database.url, {
    limits: smallRuns(),
    clock: fastClock(10),
    log,
    ...options,
  });
  await running.until(() => committedBlock(running) === 20);
  return {
    running,
    refused: async (sqlState) => {
      node.setHead(120);
      const retries = (): number =>
        lines.filter((line) => line.includes("write.retry") && line.includes(sqlState)).length;
      await running.until(() => retries() >= 4);
      expect(committedBlock(running)).toBeLessThan(120);
      expect(running.status().failure).toBeUndefined();
    },
    requireEnded: async (sql = database) => {
      node.setHead(LAST);
      await running.until(() => committedBlock(running) === LAST);
      expect(await running.stop()).toBe("stopped");
      expect(running.status().starts?.count).toBe(1);
      await requireWhole(sql, schema, rows);
    },
    [Symbol.asyncDispose]: () => node.close(),
  };
}

test("statements that take longer than statement_timeout are tried again until somebody raises it", async () => {
  const schema = "timeouts";
  const limits = smallRuns({}, { capacityChanges: 100_000, maximumChanges: 100_000, maximumBatches: 512 });
  await using ledger = await liveLedger(schema, { limits });
  const name = new URL(database.url).pathname.slice(1);
  await database.query(`
    create function public.linger() returns trigger language plpgsql as
      $$ begin perform pg_catalog.pg_sleep(0.08); return null; end $$;
    create trigger slow before insert or update on ${schema}.account for each statement execute function public.linger();
    alter database ${name} set statement_timeout = '40ms';
    select pg_terminate_backend(pid) from pg_stat_activity
      where datname = current_database() and application_name like 'spindex %'`);
  await ledger.refused("57014");
  // The sessions that are there keep what they have: only new ones are better off.
  await database.query(`alter database ${name} reset statement_timeout`);
  await ledger.requireEnded();
});

describe("a lock that another session holds for too long is waited out", () => {
  test.each([
    [
      "on an entity's table",
      "locked_table",
      (schema: string) => `lock table ${schema}.account in access exclusive mode`,
    ],
    ["on the shard's row", "locked_shard", (schema: string) => `select from ${schema}_spindex.shards for update`],
  ])("%s", async (_, schema, lock) => {
    // A connection waits for a lock for half of the time after which its silence would be taken for its end.
    const limits = smallRuns({ databaseSilenceMs: 200 });
    await using ledger = await liveLedger(schema, { limits, clock: systemClock });
    await database.query("begin");
    await database.query(lock(schema));
    await ledger.refused("55P03");
    await database.query("rollback");
    await ledger.requireEnded();
  });
});

describe("a full disk is waited out", () => {
  test("as PostgreSQL reports it", async () => {
    const proxy = await startFaultProxy(database.url);
    await using ledger = await liveLedger("disk_full", { databaseUrl: proxy.url });
    const mend = proxy.failStatements(/^copy .*transfer/i, {
      sqlState: "53100",
      message: "could not extend file: No space left on device",
    });
    await ledger.refused("53100");
    mend();
    await ledger.requireEnded();
    await proxy.close();
  });

  const canMount = process.getuid?.() === 0 && process.platform === "linux";
  test.skipIf(!canMount)("on a tablespace that is really full", async ({ skip }) => {
    await using server = await startOwnServer();
    const place = join(dirname(server.dataDir), "small");
    await using _mounted = (await mounted(place, server.dataDir)) ?? skip("nothing can be mounted here");
    await server.query(`create tablespace small location '${place}'`);
    await using ledger = await liveLedger("tablespace", { databaseUrl: server.url });
    await server.query("alter table tablespace.transfer set tablespace small");
    await server.query("create table filler (x text) tablespace small");
    await expect(
      server.query("insert into filler select repeat('x', 1000) from generate_series(1, 10000)"),
    ).rejects.toMatchObject({ code: "53100" });
    await ledger.refused("53100");
    await server.query("drop table filler");
    await ledger.requireEnded(server);
    await ledger[Symbol.asyncDispose]();
    await server.stop();
  });
});

const run = promisify(execFile);

/** A file system of 2 MB for the server's user; undefined where this machine does not allow it. */
async function mounted(place: string, likeOwner: string): Promise<AsyncDisposable | undefined> {
  await mkdir(place);
  try {
    await run("mount", ["-t", "tmpfs", "-o", "size=2m", "tmpfs", place]);
  } catch {
    await rm(place, { recursive: true });
    return undefined;
  }
  const { uid, gid } = await stat(likeOwner);
  await chown(place, uid, gid);
  return {
    [Symbol.asyncDispose]: async () => {
      await run("umount", [place]);
    },
  };
}
