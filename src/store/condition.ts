import { comparatorOf } from "./row-order.ts";
import type { Comparison, Condition } from "./row-query.ts";
import type { Row } from "./table.ts";

type Test = (row: Row) => boolean;

const HOLDS: Readonly<Record<Comparison, (order: number) => boolean>> = {
  eq: (order) => order === 0,
  ne: (order) => order !== 0,
  gt: (order) => order > 0,
  gte: (order) => order >= 0,
  lt: (order) => order < 0,
  lte: (order) => order <= 0,
};

/** A function that tells whether a row is as the condition says: the answer that PostgreSQL would give. */
export function conditionTest(condition: Condition): Test {
  switch (condition.kind) {
    case "compare": {
      const { column, op, value } = condition;
      const { name } = column;
      if (value === null) return op === "eq" ? (row) => row[name] === null : (row) => row[name] !== null;
      const compare = comparatorOf(column);
      const holds = HOLDS[op];
      return (row) => row[name] !== null && holds(compare(row[name], value));
    }
    case "in": {
      const { column, values } = condition;
      const compare = comparatorOf(column);
      return (row) => values.some((value) => compare(row[column.name], value) === 0);
    }
    case "and": {
      const tests = condition.conditions.map(conditionTest);
      return (row) => tests.every((test) => test(row));
    }
    case "or": {
      const tests = condition.conditions.map(conditionTest);
      return (row) => tests.some((test) => test(row));
    }
  }
}
