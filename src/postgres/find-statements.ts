import { ByteWriter } from "../lib/byte-writer.ts";
import type { Comparison, Condition, RowQuery } from "../store/row-query.ts";
import type { ColumnModel, Row, TableModel } from "../store/table.ts";
import { elementTypeOf } from "./column-types.ts";
import { keyColumnsOf } from "./copy-codec.ts";
import { qualified, type SchemaNames } from "./ddl.ts";
import type { RowParser } from "./row-parsers.ts";
import { quoteName } from "./sql.ts";
import { chainCondition } from "./table-statements.ts";
import { valueWriterOf } from "./values.ts";

export interface FindStatement {
  readonly text: string;
  readonly values: readonly unknown[];
}

const OPERATORS: Readonly<Record<Comparison, string>> = { eq: "=", ne: "<>", gt: ">", gte: ">=", lt: "<", lte: "<=" };

/** The query as SQL. */
export function findStatement(
  names: SchemaNames,
  table: TableModel,
  { selectList }: RowParser,
  chainId: number,
  { where, orderBy, limit }: RowQuery,
): FindStatement {
  const parameters = new Parameters();
  const conditions = [chainOf(table, chainId, parameters), conditionText(where, parameters)];
  const order = orderBy.map(({ column, descending }) => `${nameOf(column)}${descending ? " desc" : ""}`);
  const limited = limit === undefined ? "" : ` limit ${limit}`;
  return {
    text: `select ${selectList} from ${qualified(names.user, table.sqlName)} t where ${conditions.join(" and ")} order by ${order.join(", ")}${limited}`,
    values: parameters.values,
  };
}

/** A page of the table in the order of its primary key. */
export function pageStatement(
  names: SchemaNames,
  table: TableModel,
  { selectList }: RowParser,
  chainId: number,
  page: { readonly after: Row | undefined; readonly limit: number },
): FindStatement {
  const { after, limit } = page;
  const parameters = new Parameters();
  const key = keyColumnsOf(table);
  const columns = key.map(nameOf).join(", ");
  const conditions = [chainOf(table, chainId, parameters)];
  if (after !== undefined) {
    conditions.push(`(${columns}) > (${key.map((column) => parameters.add(column, after[column.name])).join(", ")})`);
  }
  return {
    text: `select ${selectList} from ${qualified(names.user, table.sqlName)} t where ${conditions.join(" and ")} order by ${columns} limit ${limit}`,
    values: parameters.values,
  };
}

/** What the planner itself reckons with: rows a page when the table was last looked through, times its pages now. */
export function estimateStatement(names: SchemaNames, tables: readonly TableModel[]): FindStatement {
  return {
    text: `select relname, case when reltuples > 0 and relpages > 0
        then reltuples / relpages * (pg_relation_size(oid) / current_setting('block_size')::int8)
        else pg_relation_size(oid) / ${GUESSED_ROW_BYTES} end
      from pg_class where relnamespace = $1::regnamespace and relkind = 'r' and relname = any($2::text[])`,
    values: [quoteName(names.user), tables.map(({ sqlName }) => sqlName)],
  };
}

/** Of a row on disk, as long as nothing has looked through its table. */
const GUESSED_ROW_BYTES = 100;

/** Values as PostgreSQL's binary format has them: what is compared is what a write would store. */
class Parameters {
  readonly values: unknown[] = [];

  /** @returns the parameter in SQL */
  add(column: ColumnModel, value: unknown): string {
    const type = `${elementTypeOf(column)}${column.array ? "[]" : ""}`;
    return `${this.addText(binaryOf(column, value))}::${type}`;
  }

  addText(value: unknown): string {
    this.values.push(value);
    return `$${this.values.length}`;
  }
}

function chainOf(table: TableModel, chainId: number, parameters: Parameters): string {
  return chainCondition(table, "t", table.crossChain ? "" : parameters.addText(chainId));
}

function conditionText(condition: Condition, parameters: Parameters): string {
  switch (condition.kind) {
    case "compare": {
      const { column, op, value } = condition;
      const name = nameOf(column);
      if (value === null) return `${name} is ${op === "eq" ? "null" : "not null"}`;
      return `${name} ${OPERATORS[op]} ${parameters.add(column, value)}`;
    }
    case "in": {
      const { column, values } = condition;
      return `${nameOf(column)} = any(${parameters.add({ ...column, array: true }, values)})`;
    }
    case "and":
    case "or": {
      const parts = condition.conditions.map((part) => conditionText(part, parameters));
      if (parts.length === 0) return condition.kind === "and" ? "true" : "false";
      return `(${parts.join(` ${condition.kind} `)})`;
    }
  }
}

function nameOf(column: ColumnModel): string {
  return `t.${quoteName(column.sqlName)}`;
}

const LENGTH_BYTES = 4;

function binaryOf(column: ColumnModel, value: unknown): Buffer {
  const out = new ByteWriter();
  valueWriterOf(column)(out, value);
  out.endRow();
  return Buffer.concat(out.take().chunks).subarray(LENGTH_BYTES);
}
