import type { Mutant } from "./mutant.ts";

const GUILTY_ROW = "src/postgres/guilty-row.ts";
const TEST = "test/integration/postgres/guilty-row.test.ts";

/** The row, and the event, that a write failed for. */
export const guiltyRowMutants: readonly Mutant[] = [
  {
    name: "count the lines of COPY from zero",
    rule: "A row that COPY refuses is found by the line that the server names.",
    file: GUILTY_ROW,
    find: "Number(line) - 1",
    replace: "Number(line)",
    killedBy: { file: TEST, name: "among new rows" },
  },
  {
    name: "blame the row after the guilty one",
    rule: "A row that an UPDATE, UPSERT or DELETE refuses is found by halving.",
    file: GUILTY_ROW,
    find: "return from;",
    replace: "return to;",
    killedBy: { file: TEST, name: "among updates" },
  },
  {
    name: "go on in a failed transaction",
    rule: "Each attempt to write a half is taken back before the next.",
    file: GUILTY_ROW,
    find: '"rollback to savepoint attempt; release savepoint attempt"',
    replace: '"release savepoint attempt"',
    killedBy: { file: TEST, name: "among deletes" },
  },
  {
    name: "find no row that is not there",
    rule: "A row that an UPDATE did not find is guilty, too.",
    file: GUILTY_ROW,
    find: 'return kind !== "deletes" && rowCount !== rows.rows;',
    replace: "return rowCount === null;",
    killedBy: { file: TEST, name: "among updates, when it is not in the table" },
  },
  {
    name: "look for the event among those of new rows",
    rule: "A guilty row leads to the event that made it, whatever was to be done with it.",
    file: GUILTY_ROW,
    find: "changes.origins[kind][at]",
    replace: "changes.origins.inserts[at]",
    killedBy: { file: TEST, name: "among updates" },
  },
  {
    name: "show a deleted key as a whole row",
    rule: "A guilty row is shown, of deletes the key.",
    file: GUILTY_ROW,
    find: 'kind === "deletes" ? sql.deletes : sql.updates',
    replace: "sql.updates",
    killedBy: { file: TEST, name: "among deletes" },
  },
];
