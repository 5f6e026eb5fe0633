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

test("three reads go on at once; others wait for their turn, and it is told for how long", async () => {
  const clock = recordingClock();
  const turns: number[] = [];
  const queries: PromiseWithResolvers<{ rows: [] }>[] = [];
  const connection = (): Connection => {
    const query = (): Promise<{ rows: [] }> => {
      const asked = Promise.withResolvers<{ rows: [] }>();
      queries.push(asked);
      return asked.promise;
    };
    return { query, isBroken: false, server: { backendPid: 1 }, end: async () => {} } as unknown as Connection;
  };
  const reader = new PostgresRowReader({
    names: schemaNamesOf("app"),
    connect: async () => connection(),
    clock,
    budgetMs: 0,
    onTurn: (seconds) => turns.push(seconds),
  });
  const reads = [1, 2, 3, 4].map((id) => reader.rowsByKey(table, 1, [{ id }]));
  await clock.turn();
  expect([turns, reader.connections]).toEqual([[0, 0, 0], { busy: 3, idle: 0 }]);
  await clock.sleep(250);
  queries[0]?.resolve({ rows: [] });
  await clock.turn();
  expect(turns).toEqual([0, 0, 0, 0.25]);
  for (const { resolve } of queries) resolve({ rows: [] });
  expect(await Promise.all(reads)).toEqual([[], [], [], []]);
  expect(reader.connections).toEqual({ busy: 0, idle: 3 });
  await reader.close();
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
