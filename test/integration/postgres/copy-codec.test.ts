import fc from "fast-check";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { ByteWriter } from "../../../src/lib/byte-writer.ts";
import { systemClock } from "../../../src/lib/clock.ts";
import { Connection } from "../../../src/postgres/connection.ts";
import { codecColumnsOf, createRowCodec } from "../../../src/postgres/copy-codec.ts";
import { parseDatabaseUrl } from "../../../src/postgres/database-url.ts";
import { entityDdl, schemaNamesOf } from "../../../src/postgres/ddl.ts";
import { PostgresRowReader } from "../../../src/postgres/row-reader.ts";
import { quoteNames } from "../../../src/postgres/sql.ts";
import type { ColumnModel, Row, TableModel } from "../../../src/store/table.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";
import { columnOf, tableOf } from "../../support/tables.ts";

const names = schemaNamesOf("codec");
const CHAIN = 10_000_000_000;
const INT64_MAX = 2n ** 63n - 1n;
const UINT256_MAX = 2n ** 256n - 1n;
const hexText = (bytes: Uint8Array): string => `0x${Buffer.from(bytes).toString("hex")}`;
const bytesOf = (size: number): fc.Arbitrary<string> =>
  fc.uint8Array({ minLength: size, maxLength: size }).map(hexText);
/** As PostgreSQL prints `numeric(30,6)`. */
const decimal = fc.bigInt({ min: -(10n ** 30n) + 1n, max: 10n ** 30n - 1n }).map((n) => {
  const digits = (n < 0n ? -n : n).toString().padStart(7, "0");
  return `${n < 0n ? "-" : ""}${digits.slice(0, -6)}.${digits.slice(-6)}`;
});
const storedText = fc.string({ unit: "grapheme" }).filter((text) => !text.includes("\0") && text.isWellFormed());

/** Values that come back as they went in. */
const VALUES: Readonly<Record<ColumnModel["kind"], fc.Arbitrary<unknown>>> = {
  int32: fc.integer(),
  int64: fc.bigInt({ min: -INT64_MAX - 1n, max: INT64_MAX }),
  eventId: fc.bigInt({ min: 0n, max: INT64_MAX }),
  // By size in bits, so that small, middle and huge numbers are all met.
  uint256: fc
    .tuple(fc.integer({ min: 0, max: 256 }), fc.bigInt({ min: 0n, max: UINT256_MAX }))
    .map(([bits, n]) => BigInt.asUintN(bits, n)),
  int256: fc
    .tuple(fc.integer({ min: 1, max: 256 }), fc.bigInt({ min: 0n, max: UINT256_MAX }))
    .map(([bits, n]) => BigInt.asIntN(bits, n)),
  numeric: decimal,
  float64: fc.double(),
  bool: fc.boolean(),
  text: storedText,
  bytes: fc.uint8Array({ maxLength: 100 }).map(hexText),
  hash: bytesOf(32),
  address: bytesOf(20),
  timestamp: fc.integer({ min: -60_000_000_000, max: 60_000_000_000 }),
  json: fc.jsonValue().map((value) => JSON.parse(JSON.stringify(value)) as unknown),
  enum: fc.constantFrom("red", "it's", "blue"),
};

const KINDS = Object.keys(VALUES) as ColumnModel["kind"][];
const DETAILS: Partial<Record<ColumnModel["kind"], Partial<ColumnModel>>> = {
  numeric: { precision: 30, scale: 6 },
  enum: { values: ["red", "it's", "blue"] },
};

const everything: TableModel = tableOf("everything", [
  { name: "id", kind: "int32" },
  ...KINDS.flatMap((kind) => [
    columnOf({ name: kind, sqlName: `${kind}_value`, kind, ...DETAILS[kind] }),
    columnOf({ name: `${kind}OrNull`, sqlName: `${kind}_or_null`, kind, nullable: true, ...DETAILS[kind] }),
    columnOf({ name: `${kind}s`, sqlName: `${kind}_array`, kind, array: true, ...DETAILS[kind] }),
  ]),
]);

const rowWithoutId: fc.Arbitrary<Row> = fc.record(
  Object.fromEntries(
    KINDS.flatMap((kind) => [
      [kind, VALUES[kind]],
      [`${kind}OrNull`, fc.option(VALUES[kind], { nil: null })],
      [`${kind}s`, fc.array(VALUES[kind], { maxLength: 4 })],
    ]),
  ),
);

describe("rows written by COPY", () => {
  let database: TestDatabase;
  let connection: Connection;
  let reader: PostgresRowReader;

  beforeAll(async () => {
    database = await createTestDatabase();
    const connect = (): Promise<Connection> =>
      Connection.open({ url: parseDatabaseUrl(database.url), clock: systemClock, applicationName: "test" });
    connection = await connect();
    reader = new PostgresRowReader({ names, connect, clock: systemClock, budgetMs: 1_000 });
    await connection.run(`create schema ${names.user}; create schema ${names.internal}`);
    await make(everything);
  });

  afterAll(async () => {
    await reader.close();
    await connection.end();
    await database.drop();
  });

  const make = async (table: TableModel): Promise<void> => {
    for (const statement of entityDdl(names, table)) await connection.run(statement);
  };

  const write = async (table: TableModel, rows: readonly Row[]): Promise<void> => {
    const out = new ByteWriter();
    const codec = createRowCodec(table);
    for (const row of rows) codec.encodeRow(out, CHAIN, 7, row);
    const columns = quoteNames(codecColumnsOf(table).row);
    const copied = await connection.copy(
      `copy ${names.user}.${table.sqlName} (${columns}) from stdin (format binary)`,
      out.take(),
    );
    expect(copied).toBe(rows.length);
  };

  test("are read back as they were, whatever they hold", async () => {
    let nextId = 0;
    await fc.assert(
      fc.asyncProperty(fc.array(rowWithoutId, { minLength: 1, maxLength: 20 }), async (partial) => {
        const rows = partial.map((row) => ({ id: nextId++, ...row }));
        await write(everything, rows);
        const found = await reader.rowsByKey(everything, CHAIN, rows);
        const sorted = found.toSorted((a, b) => Number(a.row.id) - Number(b.row.id));
        expect(sorted).toEqual(rows.map((row) => ({ row, checkpoint: 7 })));
      }),
      { numRuns: 60 },
    );
  });

  test("are frozen when read, with all that they hold", async () => {
    const table = tableOf("frozen_rows", [
      { name: "id", kind: "int32" },
      { name: "data", kind: "json" },
      { name: "list", kind: "int32", array: true },
    ]);
    await make(table);
    await write(table, [{ id: 1, data: { a: [{ b: 1 }] }, list: [1, 2] }]);
    const [found] = await reader.rowsByKey(table, CHAIN, [{ id: 1 }]);
    const row = found?.row as { data: { a: [object] }; list: number[] };
    expect([row, row.data, row.data.a, row.data.a[0], row.list].map(Object.isFrozen)).toEqual([
      true,
      true,
      true,
      true,
      true,
    ]);
  });

  test("hold what the server prints for the extremes", async () => {
    const table = tableOf("extremes", [
      { name: "id", kind: "int32" },
      { name: "big", kind: "uint256" },
      { name: "signed", kind: "int256" },
      { name: "exact", kind: "numeric", precision: 20, scale: 4 },
      { name: "long", kind: "int64" },
      { name: "float", kind: "float64" },
      { name: "time", kind: "timestamp" },
    ]);
    await make(table);
    const edges = [0n, 1n, 9_999n, 10_000n, 10n ** 16n - 1n, 10n ** 16n, 2n ** 53n - 1n, 2n ** 53n, 2n ** 53n + 1n];
    const wide = [...edges, 10n ** 18n, 10n ** 32n + 1n, 2n ** 128n, 2n ** 255n, UINT256_MAX];
    const rows = wide.map((big, id) => ({
      id,
      big,
      signed: big === UINT256_MAX ? -(2n ** 255n) : big === 2n ** 255n ? 2n ** 255n - 1n : -big,
      exact: ["0", "-0.0001", "9999999999999999.9999", "10000", "0.5", "-12.30", "00012.3400"][id % 7] as string,
      long: [INT64_MAX, -INT64_MAX - 1n, -1n, 0n, 2n ** 32n][id % 5] as bigint,
      float: [Number.MAX_VALUE, -0, Number.NaN, Number.NEGATIVE_INFINITY, 5e-324][id % 5] as number,
      time: [0, -1, 946_684_800, 253_402_300_800, 1_700_000_000.123456][id % 5] as number,
    }));
    await write(table, rows);
    const printed = await database.query(
      `select id, big::text, signed::text, exact::text, long::text, float::text, extract(epoch from time)::text as time
       from codec.extremes order by id`,
    );
    const exact = ["0.0000", "-0.0001", "9999999999999999.9999", "10000.0000", "0.5000", "-12.3000", "12.3400"];
    const floats = ["1.7976931348623157e+308", "-0", "NaN", "-Infinity", "5e-324"];
    const times = ["0.000000", "-1.000000", "946684800.000000", "253402300800.000000", "1700000000.123456"];
    expect(printed).toEqual(
      rows.map(({ id, big, signed, long }) => ({
        id,
        big: String(big),
        signed: String(signed),
        exact: exact[id % 7],
        long: String(long),
        float: floats[id % 5],
        time: times[id % 5],
      })),
    );
  });

  test("replace what PostgreSQL's text and jsonb cannot hold", async () => {
    const table = tableOf("junk", [
      { name: "id", kind: "text" },
      { name: "data", kind: "json" },
      { name: "list", kind: "text", array: true },
    ]);
    await make(table);
    const junk = "a\0b\ud800c\udc00";
    const clean = "a\ufffdb\ufffdc\ufffd";
    const escaped = "\\u0000 \\ud800 \\";
    await write(table, [
      { id: junk, data: { [junk]: [junk, escaped, "\u0001", "😀"] }, list: [junk, '"{},\\', "NULL", ""] },
    ]);
    expect(await reader.rowsByKey(table, CHAIN, [{ id: junk }])).toEqual([
      {
        row: { id: clean, data: { [clean]: [clean, escaped, "\u0001", "😀"] }, list: [clean, '"{},\\', "NULL", ""] },
        checkpoint: 7,
      },
    ]);
  });

  test("may be larger than a chunk of the writer", async () => {
    const table = tableOf("large", [
      { name: "id", kind: "int32" },
      { name: "body", kind: "text" },
      { name: "raw", kind: "bytes" },
      { name: "list", kind: "text", array: true },
    ]);
    await make(table);
    const rows = [1, 2].map((id) => ({
      id,
      body: "é".repeat(300_000),
      raw: `0x${"ab".repeat(400_000)}`,
      list: Array.from({ length: 100 }, () => "y".repeat(10_000)),
    }));
    await write(table, rows);
    const found = await reader.rowsByKey(table, CHAIN, rows);
    expect(found.map(({ row }) => row)).toEqual(rows);
  });
});

describe("rows are found", () => {
  let database: TestDatabase;
  let connection: Connection;
  let reader: PostgresRowReader;

  beforeAll(async () => {
    database = await createTestDatabase();
    const connect = (): Promise<Connection> =>
      Connection.open({ url: parseDatabaseUrl(database.url), clock: systemClock, applicationName: "test" });
    connection = await connect();
    reader = new PostgresRowReader({ names, connect, clock: systemClock, budgetMs: 1_000 });
    await connection.run(`create schema ${names.user}; create schema ${names.internal}`);
  });

  afterAll(async () => {
    await reader.close();
    await connection.end();
    await database.drop();
  });

  test.each(KINDS.filter((kind) => !["json", "float64", "bool", "enum", "timestamp", "numeric"].includes(kind)))(
    "by a key of kind %s, of their chain only",
    async (kind) => {
      const table = tableOf(`by_${kind.toLowerCase()}`, [
        { name: "id", kind },
        { name: "n", kind: "int32" },
      ]);
      for (const statement of entityDdl(names, table)) await connection.run(statement);
      const keys =
        fc.sample(fc.uniqueArray(VALUES[kind], { minLength: 5, maxLength: 5 }), { numRuns: 1, seed: 1 })[0] ?? [];
      const out = new ByteWriter();
      const codec = createRowCodec(table);
      keys.forEach((id, n) => {
        codec.encodeRow(out, n === 0 ? 2 : 1, 3, { id, n } as Row);
      });
      await connection.copy(`copy codec.${table.sqlName} from stdin (format binary)`, out.take());
      const found = await reader.rowsByKey(
        table,
        1,
        keys.map((id) => ({ id }) as Row),
      );
      expect(found.map(({ row }) => row.n).toSorted()).toEqual([1, 2, 3, 4]);
    },
  );

  test("by several key columns, and across chains when they are shared", async () => {
    const table = tableOf(
      "pairs",
      [
        { name: "owner", kind: "address" },
        { name: "amount", kind: "uint256" },
        { name: "spender", kind: "bytes" },
      ],
      { key: ["spender", "owner"], crossChain: true },
    );
    for (const statement of entityDdl(names, table)) await connection.run(statement);
    const row = (n: number): Row => ({ owner: `0x${"1".repeat(40)}`, amount: BigInt(n), spender: `0x0${n}` });
    const out = new ByteWriter();
    const codec = createRowCodec(table);
    for (const n of [1, 2, 3]) codec.encodeRow(out, n, 9, row(n));
    await connection.copy("copy codec.pairs from stdin (format binary)", out.take());
    const found = await reader.rowsByKey(table, 5, [row(2), row(3), row(4)]);
    expect(found.toSorted((a, b) => Number(a.row.amount) - Number(b.row.amount))).toEqual([
      { row: row(2), checkpoint: 9 },
      { row: row(3), checkpoint: 9 },
    ]);
  });
});
