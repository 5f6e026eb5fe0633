import { expect, test } from "vitest";
import { statementOutline } from "../../../src/postgres/statement-outline.ts";

test.each([
  ["select 1", "select ?"],
  ["lock table app.account in exclusive mode", "lock table app.account in exclusive mode"],
  [
    "update t1 set a2 = 'it''s secret', b=-1.5e3 where id in (1, 22,.5)",
    "update t1 set a2 = ?, b=-? where id in (?, ?,?)",
  ],
  ["select * from t where a = $1 and b = $22", "select * from t where a = $1 and b = $22"],
  ["select E'a\\'secret', U&'d\\0061t', x'ff', n'x' from t", "select ?, ?, ?, ? from t"],
  ["select 'backslash\\', 'secret'", "select ?, ?"],
  ["do $$ begin secret(); end $$", "do ?"],
  ["do $body$ select '$$' $body$ -- secret", "do ?"],
  ['select "Column 5", "it""s" /* secret\n */ from\n\t t', 'select "Column 5", "it""s" from t'],
  ["insert into t values ('cut off by the serv", "insert into t values (?"],
  ["do $$ begin cut off", "do ?"],
  ["select 1 /* cut off", "select ?"],
  ["select 'ünïcode' as größe2", "select ? as größe2"],
  ["", ""],
])("%j shows as %j", (sql, outline) => {
  expect(statementOutline(sql)).toBe(outline);
});

test("a long one is shortened", () => {
  const outline = statementOutline(`select ${"column_name, ".repeat(100)} x from t`);
  expect(outline).toHaveLength(200);
  expect(outline.endsWith("…")).toBe(true);
});

test("is fast also for what looks like the beginning of something a thousand times", () => {
  const startedAt = performance.now();
  for (const part of ["$", "'", "/*", "$a$", "E'\\", "1e"]) statementOutline(part.repeat(10_000));
  expect(performance.now() - startedAt).toBeLessThan(1_000);
});
