import { pino } from "pino";
import { afterAll, afterEach, beforeAll, describe, expect, test } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { openStorage } from "../../../src/postgres/open.ts";
import type { PostgresStorage } from "../../../src/postgres/storage.ts";
import type { Row } from "../../../src/store/table.ts";
import { WriteFailure } from "../../../src/write/storage.ts";
import { type ChangesInput, changesOf, recordingWriteTelemetry, runOf } from "../../support/drain-runs.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";
import { tableOf } from "../../support/tables.ts";

const account = tableOf("account", [
  { name: "id", kind: "int64" },
  { name: "balance", kind: "int256" },
]);
const ROWS = 1000;
/** In the middle of nowhere: not at an end, not at a power of two. */
const GUILTY = 613;

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

async function open(): Promise<{ storage: PostgresStorage; schema: string }> {
  const schema = `guilty_${++schemas}`;
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
  return { storage, schema };
}

async function failureOf(storage: PostgresStorage, checkpoint: number, input: ChangesInput): Promise<WriteFailure> {
  const run = runOf(checkpoint, { tables: [changesOf(account, input)] });
  const failure = await storage.write(run, recordingWriteTelemetry()).catch((error: unknown) => error);
  expect(failure).toBeInstanceOf(WriteFailure);
  return failure as WriteFailure;
}

const rows = (checkpoint: number, balance: (id: number) => bigint): readonly (readonly [number, Row])[] =>
  Array.from({ length: ROWS }, (_, i) => [checkpoint, { id: BigInt(i), balance: balance(i) }]);

/** What a rule of the user's own does to one row: the kind of trouble that no check of ours can foresee. */
async function refuse(schema: string, condition: string): Promise<void> {
  await database.query(`alter table ${schema}.account add constraint mine check (${condition}) not valid`);
}

const originAt = (index: number, checkpoint: number) => ({
  chainId: 1,
  block: 101 + index,
  checkpoint,
  logIndex: index + 1,
  handler: "Token.Transfer",
});

describe("a row that cannot be written is found, with the event that it came from", () => {
  test("among new rows", async () => {
    const { storage, schema } = await open();
    await refuse(schema, "balance < 999");
    const failure = await failureOf(storage, 1, { inserts: rows(1, (id) => (id === GUILTY ? 999n : 1n)) });
    expect(failure).toMatchObject({ kind: "fatal", statement: "COPY account", sqlState: "23514", table: "account" });
    expect(JSON.parse(failure.row ?? "")).toEqual({ id: GUILTY, balance: 999, chain_id: 1, _checkpoint: 1 });
    expect(failure.origin).toEqual(originAt(GUILTY, 1));
  });

  test("among new rows, when two have one key", async () => {
    const { storage } = await open();
    const twice = rows(1, () => 1n).map(
      ([checkpoint, row], i) => [checkpoint, i === GUILTY ? { ...row, id: 5n } : row] as const,
    );
    const failure = await failureOf(storage, 1, { inserts: twice });
    expect(failure).toMatchObject({ kind: "fatal", sqlState: "23505", origin: originAt(GUILTY, 1) });
    expect(JSON.parse(failure.row ?? "")).toMatchObject({ id: 5 });
  });

  test.each(["updates", "upserts"] as const)("among %s", async (kind) => {
    const { storage, schema } = await open();
    await storage.write(
      runOf(1, { tables: [changesOf(account, { inserts: rows(1, () => 1n) })] }),
      recordingWriteTelemetry(),
    );
    await refuse(schema, "balance < 999");
    const failure = await failureOf(storage, 2, { [kind]: rows(2, (id) => (id === GUILTY ? 999n : 2n)) });
    expect(failure).toMatchObject({ kind: "fatal", sqlState: "23514" });
    expect(JSON.parse(failure.row ?? "")).toEqual({ id: GUILTY, balance: 999, chain_id: 1, _checkpoint: 2 });
    expect(failure.origin).toEqual(originAt(GUILTY, 2));
  });

  test("among updates, when it is not in the table", async () => {
    const { storage, schema } = await open();
    await storage.write(
      runOf(1, { tables: [changesOf(account, { inserts: rows(1, () => 1n) })] }),
      recordingWriteTelemetry(),
    );
    await database.query(`delete from ${schema}.account where id = ${GUILTY}`);
    const failure = await failureOf(storage, 2, { updates: rows(2, () => 2n) });
    expect(failure.message).toContain("touched 999 of 1000 rows");
    expect(failure.origin).toEqual(originAt(GUILTY, 2));
  });

  test("among deletes", async () => {
    const { storage, schema } = await open();
    await storage.write(
      runOf(1, { tables: [changesOf(account, { inserts: rows(1, () => 1n) })] }),
      recordingWriteTelemetry(),
    );
    await database.query(
      `create table ${schema}.mine (id int8, chain_id int8, foreign key (id, chain_id) references ${schema}.account)`,
    );
    await database.query(`insert into ${schema}.mine values (${GUILTY}, 1)`);
    const failure = await failureOf(storage, 2, { deletes: rows(2, () => 1n).map(([, row]) => row) });
    expect(failure).toMatchObject({
      kind: "fatal",
      sqlState: "23503",
      row: expect.any(String),
      origin: originAt(GUILTY, 2),
    });
    expect(JSON.parse(failure.row ?? "")).toEqual({ id: GUILTY, chain_id: 1 });
  });

  test("and nothing of the search is left behind", async () => {
    const { storage, schema } = await open();
    await refuse(schema, "balance < 999");
    await failureOf(storage, 1, { inserts: rows(1, (id) => (id === GUILTY ? 999n : 1n)) });
    expect(await database.query(`select count(*)::int as n from ${schema}.account`)).toEqual([{ n: 0 }]);
    await storage.write(
      runOf(1, { tables: [changesOf(account, { inserts: rows(1, () => 1n) })] }),
      recordingWriteTelemetry(),
    );
    expect(await database.query(`select count(*)::int as n from ${schema}.account`)).toEqual([{ n: ROWS }]);
  });
});
