import fc from "fast-check";
import { pino } from "pino";
import { afterAll, beforeAll, expect, test } from "vitest";
import { systemClock } from "../../../src/lib/clock.ts";
import { openStorage } from "../../../src/postgres/open.ts";
import type { PostgresStorage } from "../../../src/postgres/storage.ts";
import { createRowShape } from "../../../src/store/row-shape.ts";
import type { Row, TableModel } from "../../../src/store/table.ts";
import { changesOf, recordingWriteTelemetry, runOf } from "../../support/drain-runs.ts";
import { createTestDatabase, type TestDatabase } from "../../support/postgres.ts";
import { tableOf } from "../../support/tables.ts";

const table: TableModel = tableOf(
  "note",
  [
    { name: "name", kind: "text" },
    { name: "part", kind: "int32" },
    { name: "amount", kind: "numeric", precision: 30, scale: 6 },
    { name: "at", kind: "timestamp" },
    { name: "texts", kind: "text", array: true },
    { name: "data", kind: "json" },
  ],
  { key: ["name", "part"] },
);

/** Anything that JavaScript calls a text: NUL and lone surrogates too. */
const text = fc.oneof(
  fc.string({ unit: "binary" }),
  fc
    .array(fc.constantFrom("a", "\0", "\ud800", "\udc00", "\ufffd", "\\u0000", '"', "😀"), { maxLength: 6 })
    .map((units) => units.join("")),
);
const json = fc.letrec<{ value: unknown }>((tie) => ({
  value: fc.oneof(
    { maxDepth: 4 },
    text,
    fc.double({ noNaN: true, noDefaultInfinity: true }),
    fc.boolean(),
    fc.constant(null),
    fc.array(tie("value"), { maxLength: 3 }),
    fc.dictionary(text, fc.oneof(tie("value"), fc.constant(undefined)), { maxKeys: 3 }),
  ),
})).value;
const decimal = fc
  .tuple(
    fc.constantFrom("", "-"),
    fc.bigInt({ min: 0n, max: 10n ** 24n - 1n }),
    fc.stringMatching(/^(\.\d{1,6}0{0,3})?$/),
  )
  .map(([sign, whole, fraction]) => `${sign}00${whole}${fraction}`);
const timestamp = fc.oneof(
  fc.double({ min: -210_866_803_200, max: 9_224_318_015_999, noNaN: true }),
  fc.integer({ min: -210_866_803_200, max: 9_224_318_015_999 }),
  fc.double({ min: 0, max: 2 ** 33, noNaN: true }),
);
const given: fc.Arbitrary<Row> = fc.record({
  name: text,
  part: fc.constantFrom(0, -0, 1),
  amount: decimal,
  at: timestamp,
  texts: fc.array(text, { maxLength: 3 }),
  data: json.filter((value) => value !== null),
});

let database: TestDatabase;
let storage: PostgresStorage;

beforeAll(async () => {
  database = await createTestDatabase();
  storage = await openStorage({
    url: database.url,
    schema: "stored",
    shard: "main",
    tables: [table],
    fingerprint: {},
    chains: [{ id: 1, name: "mainnet" }],
    clock: systemClock,
    log: pino({ enabled: false }),
    holder: "test",
    budgetMs: 1_000,
  });
});

afterAll(async () => {
  await storage.close("stopped");
  await database.drop();
});

test("a row is read back as it is in memory, and by the key that was handed in, whatever it holds", async () => {
  const shape = createRowShape(table);
  let checkpoint = 0;
  await fc.assert(
    fc.asyncProperty(fc.array(given, { minLength: 1, maxLength: 20 }), async (inputs) => {
      const rows = new Map(inputs.map((input) => [shape.key(input), shape.row({ ...input })]));
      checkpoint++;
      const upserts = [...rows.values()].map((row) => [checkpoint, row] as const);
      await storage.write(runOf(checkpoint, { tables: [changesOf(table, { upserts })] }), recordingWriteTelemetry());
      const keys = inputs.map(({ name, part }) => shape.keyRow({ name, part }));
      const found = new Map((await storage.rowsByKey(table, 1, keys)).map(({ row }) => [shape.key(row), row]));
      expect(found.size).toBe(rows.size);
      for (const [key, row] of rows) expect(found.get(key)).toStrictEqual(row);
    }),
    { numRuns: 60 },
  );
});

test("what did not go through a row's shape is escaped by the encoder all the same", async () => {
  const row = { name: "\0", part: 9, amount: "1", at: 0, texts: ["\ud800"], data: ["\0"] };
  const run = runOf(10_000, { tables: [changesOf(table, { upserts: [[10_000, row]] })] });
  await storage.write(run, recordingWriteTelemetry());
  const [found] = await storage.rowsByKey(table, 1, [{ name: "\ufffd", part: 9 }]);
  expect(found?.row).toMatchObject({ name: "\ufffd", texts: ["\ufffd"], data: ["\ufffd"] });
});
