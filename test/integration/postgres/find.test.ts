import fc from "fast-check";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { ByteWriter } from "../../../src/lib/byte-writer.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { findStatement } from "../../../src/postgres/find-statements.ts";
import { openStorage } from "../../../src/postgres/open.ts";
import { rowParserOf } from "../../../src/postgres/row-parsers.ts";
import type { PostgresStorage } from "../../../src/postgres/storage.ts";
import { createQueryShape } from "../../../src/store/query-shape.ts";
import { createRowShape } from "../../../src/store/row-shape.ts";
import type { ColumnKind, ColumnModel, Row, TableModel } from "../../../src/store/table.ts";
import { createMemoryCodec } from "../../../src/testing/memory-codec.ts";
import { MemoryDatabase } from "../../../src/testing/memory-database.ts";
import { changesOf, recordingWriteTelemetry, runOf } from "../../support/drain-runs.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";
import { tableOf } from "../../support/tables.ts";

const hex = (size: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: size, maxLength: size }).map((bytes) => `0x${Buffer.from(bytes).toString("hex")}`);

/** Few values of each kind, so that rows and queries meet, with those that languages order differently. */
const VALUES: Readonly<Record<Exclude<ColumnKind, "json">, readonly unknown[]>> = {
  int32: [-(2 ** 31), -1, 0, 7, 2 ** 31 - 1],
  int64: [-(2n ** 63n), -1n, 0n, 2n ** 63n - 1n],
  eventId: [0n, 5n, 2n ** 63n - 1n],
  uint256: [0n, 9n, 10n, 2n ** 256n - 1n],
  int256: [-(2n ** 255n), -10n, -9n, 0n, 2n ** 200n],
  numeric: ["-10.00", "-9.50", "0.00", "9.05", "10.00"],
  float64: [Number.NEGATIVE_INFINITY, -0.1, 0, 1e300, Number.POSITIVE_INFINITY, Number.NaN],
  bool: [true, false],
  text: ["", "A", "a", "B", "a b", "é", "\uffff", "\u{1f600}", "ab\u0001"],
  enum: ["red", "Blue", "it's"],
  bytes: ["0x", "0x00", "0x0001", "0x01", "0xff"],
  hash: fc.sample(hex(32), { seed: 1, numRuns: 3 }),
  address: fc.sample(hex(20), { seed: 2, numRuns: 3 }),
  timestamp: [-60_000_000_000, 0, 0.000001, 1_700_000_000.5, 9_000_000_000_000],
};
const KINDS = Object.keys(VALUES) as (keyof typeof VALUES)[];
const DETAILS: Partial<Record<ColumnKind, Partial<ColumnModel>>> = {
  numeric: { precision: 12, scale: 2 },
  enum: { values: ["red", "Blue", "it's"] },
};
const everything: TableModel = tableOf("everything", [
  { name: "id", kind: "int32" },
  ...KINDS.map((kind) => ({ name: kind, sqlName: `${kind}_value`, kind, nullable: true, ...DETAILS[kind] })),
]);
const pair: TableModel = tableOf(
  "pair",
  [
    { name: "owner", kind: "text" },
    { name: "part", kind: "bytes" },
    { name: "amount", kind: "int64" },
  ],
  { key: ["owner", "part"], indexes: [{ columns: ["amount"] }] },
);
const TABLES = [everything, pair];

let database: TestDatabase;
let storage: PostgresStorage;
const memory = new MemoryDatabase(TABLES);

beforeAll(async () => {
  database = await createTestDatabase();
  storage = await openStorage({
    url: database.url,
    schema: "found",
    shard: "main",
    tables: TABLES,
    fingerprint: {},
    chains: [{ id: 1, name: "mainnet" }],
    clock: systemClock,
    log: pino({ enabled: false }),
    holder: "test",
    budgetMs: 1_000,
  });
  memory.own("test");
});

afterAll(async () => {
  await storage.close("stopped");
  await database.drop();
});

let checkpoint = 0;

/** Writes the same rows to both. */
async function write(table: TableModel, rows: readonly Row[]): Promise<void> {
  checkpoint++;
  const shape = createRowShape(table);
  const shaped = rows.map((row) => shape.row({ ...row }));
  const upserts = shaped.map((row) => [checkpoint, row] as const);
  await storage.write(runOf(checkpoint, { tables: [changesOf(table, { upserts })] }), recordingWriteTelemetry());
  const encoded = new ByteWriter();
  for (const row of shaped) createMemoryCodec(table).encodeRow(encoded, 1, checkpoint, row);
  const run = runOf(checkpoint, { tables: [{ ...changesOf(table, {}), upserts: encoded.take() }] });
  memory.write(run, { token: "test", writeSeq: checkpoint, durableSeq: checkpoint - 1, starts: 1 });
}

const pickOf = (kind: keyof typeof VALUES): fc.Arbitrary<unknown> => fc.constantFrom(...VALUES[kind]);
const rowWithoutId = fc.record(
  Object.fromEntries(KINDS.map((kind) => [kind, fc.option(pickOf(kind), { nil: null, freq: 4 })])),
);
const comparison = fc.constantFrom(...KINDS).chain((kind) => {
  const value = pickOf(kind);
  const test = fc.oneof(
    fc.option(value, { nil: null }),
    fc.record({ eq: value }),
    fc.record({ ne: fc.option(value, { nil: null }) }),
    fc.record({ gt: value, lte: value }, { requiredKeys: [] }),
    fc.record({ gte: value }),
    fc.record({ lt: value }),
    fc.record({ in: fc.array(value, { maxLength: 3 }) }),
  );
  return test.map((made) => ({ [kind]: made }));
});
const where = fc.oneof(
  comparison,
  fc.array(comparison, { maxLength: 3 }).map((or) => ({ or })),
  fc.tuple(comparison, comparison).map(([first, second]) => ({ ...first, and: [second] })),
);
const orderBy = fc
  .uniqueArray(fc.constantFrom("id", ...KINDS), { maxLength: 3 })
  .chain((names) =>
    fc
      .array(fc.constantFrom("asc", "desc"), { minLength: names.length, maxLength: names.length })
      .map((directions) => Object.fromEntries(names.map((name, at) => [name, directions[at]]))),
  );
const options = fc.record({ where, orderBy, limit: fc.integer({ min: 1, max: 20 }) }, { requiredKeys: [] });

test("PostgreSQL and memory find the same rows in the same order, whatever they hold and whatever is asked", async () => {
  const rows = fc.sample(rowWithoutId, { seed: 7, numRuns: 150 });
  await write(
    everything,
    rows.map((row, id) => ({ id, ...row })),
  );
  const queryOf = createQueryShape(everything);
  await fc.assert(
    fc.asyncProperty(options, async (given) => {
      const query = queryOf(given);
      expect(await storage.rowsWhere(everything, 1, query)).toEqual(memory.rowsWhere(everything, 1, query));
    }),
    { numRuns: 400 },
  );
});

test("pages in the order of a key of several columns have each row once, as memory has them", async () => {
  const names = ["", "a", "B", "é", "\uffff", "\u{1f600}"];
  await write(
    pair,
    names.flatMap((owner) => ["0x", "0x00", "0xff"].map((part, at) => ({ owner, part, amount: BigInt(at) }))),
  );
  const read = async (from: Pick<PostgresStorage, "rowsAfter">): Promise<Row[]> => {
    const all: Row[] = [];
    for (let last: Row | undefined; ; last = all.at(-1)) {
      const page = await from.rowsAfter(pair, 1, last, 4);
      all.push(...page.map(({ row }) => row));
      if (page.length < 4) return all;
    }
  };
  const found = await read(storage);
  expect(found.length).toBe(18);
  expect(found).toEqual(await read({ rowsAfter: async (...page) => memory.rowsAfter(...page) }));
});

test("an index that a handler's find uses is built at once, and the planner takes it; pages go along the key", async () => {
  await database.query(
    `insert into found.pair (owner, part, amount, chain_id, _checkpoint)
     select 'o' || n, '\\x01', n, 1, 1 from generate_series(1, 50000) n`,
  );
  storage.indexes.start(() => false);
  const query = createQueryShape(pair)({ where: { amount: { gt: 49_990n } }, orderBy: { amount: "desc" }, limit: 5 });
  const explain = async (): Promise<string> => {
    const statement = findStatement({ user: "found", internal: "" }, pair, rowParserOf(pair), 1, query);
    const lines = await database.query(`explain ${statement.text}`, [...statement.values]);
    return lines.map((line) => Object.values(line)[0]).join("\n");
  };
  await database.query("analyze found.pair");
  expect(await explain()).not.toContain("pair_amount_idx");
  const [index] = pair.indexes;
  if (index !== undefined) storage.needIndex(pair, index);
  while (storage.indexes.status.done === 0) await systemClock.sleep(5);
  expect(await explain()).toContain("pair_amount_idx");
  expect((await storage.estimateRows([pair])).get("pair")).toBeGreaterThan(45_000);
  const page = await database.query(
    `explain select * from found.pair t where t.chain_id = 1 and (t.owner, t.part) > ('o2', '\\x01') order by t.owner, t.part limit 100`,
  );
  expect(JSON.stringify(page)).toContain("pair_pkey");
});
