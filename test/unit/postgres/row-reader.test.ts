import { expect, test } from "vitest";
import type { Connection } from "../../../src/postgres/connection.ts";
import { schemaNamesOf } from "../../../src/postgres/ddl.ts";
import { PostgresRowReader } from "../../../src/postgres/row-reader.ts";
import { recordingClock } from "../../support/source-doubles.ts";
import { tableOf } from "../../support/tables.ts";

const table = tableOf("account", [{ name: "id", kind: "int32" }]);
const away = Object.assign(new Error("connect ECONNREFUSED"), { code: "ECONNREFUSED" });

test("a read waits an outage out, and fails when its budget is spent", async () => {
  const clock = recordingClock();
  const waits: number[] = [];
  const reader = new PostgresRowReader({
    names: schemaNamesOf("app"),
    connect: () => Promise.reject<Connection>(away),
    clock,
    budgetMs: 1_000,
    onRetry: (attempt, waitMs) => waits.push(attempt, waitMs),
  });
  await expect(reader.rowsByKey(table, 1, [{ id: 1 }])).rejects.toMatchObject({
    code: "DATABASE_UNREACHABLE",
    message: "rows of account cannot be read (4 attempts): connect ECONNREFUSED",
    cause: away,
  });
  expect(waits).toEqual([1, 100, 2, 200, 3, 400]);
});

test("a read of no keys asks nobody", async () => {
  const reader = new PostgresRowReader({
    names: schemaNamesOf("app"),
    connect: () => Promise.reject<Connection>(away),
    clock: recordingClock(),
    budgetMs: 0,
  });
  expect(await reader.rowsByKey(table, 1, [])).toEqual([]);
});
