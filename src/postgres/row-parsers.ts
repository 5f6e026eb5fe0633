import type { ColumnModel, Row, StoredRow, TableModel } from "../store/table.ts";
import { CHECKPOINT_COLUMN } from "./copy-codec.ts";
import { quoteName } from "./sql.ts";

/** How a table's rows are selected, as texts, and made from them. */
export interface RowParser {
  /** The select list, over the alias `t`: the columns in their order, then the checkpoint. */
  readonly selectList: string;
  parse(values: readonly (string | null)[]): StoredRow;
}

type ValueParser = (text: string) => unknown;

export function rowParserOf(table: TableModel): RowParser {
  const names = table.columns.map((column) => column.name);
  const parsers = table.columns.map((column) => valueParserOf(column));
  return {
    selectList: [...table.columns.map((column) => selected(column)), `t.${quoteName(CHECKPOINT_COLUMN)}`].join(", "),
    parse(values) {
      const row: Record<string, unknown> = {};
      for (let at = 0; at < names.length; at++) {
        const text = values[at];
        const parse = parsers[at] as ValueParser;
        row[names[at] as string] = text === null || text === undefined ? null : parse(text);
      }
      return { row: Object.freeze(row) as Row, checkpoint: Number(values[names.length]) };
    },
  };
}

/** Times as unix seconds; arrays as JSON arrays of texts. */
function selected(column: ColumnModel): string {
  const name = `t.${quoteName(column.sqlName)}`;
  if (!column.array) return column.kind === "timestamp" ? `extract(epoch from ${name})` : name;
  if (column.kind !== "timestamp") return `to_json(${name}::text[])`;
  return `case when ${name} is not null then to_json(array(
    select extract(epoch from e.v)::text from unnest(${name}) with ordinality e (v, n) order by e.n)) end`;
}

function valueParserOf(column: ColumnModel): ValueParser {
  const parse = elementParserOf(column);
  if (!column.array) return parse;
  return (text) => Object.freeze((JSON.parse(text) as string[]).map(parse));
}

function elementParserOf(column: ColumnModel): ValueParser {
  switch (column.kind) {
    case "int32":
    case "float64":
    case "timestamp":
      return Number;
    case "int64":
    case "eventId":
    case "uint256":
    case "int256":
      return BigInt;
    case "bool":
      return (text) => text.startsWith("t");
    case "bytes":
      return (text) => `0x${text.slice(2)}`;
    case "json":
      return (text) => frozen(JSON.parse(text));
    case "numeric":
    case "text":
    case "enum":
    case "hash":
    case "address":
      return (text) => text;
  }
}

function frozen(value: unknown): unknown {
  if (typeof value !== "object" || value === null) return value;
  for (const inner of Object.values(value)) frozen(inner);
  return Object.freeze(value);
}

/** A key column's value as the text of a parameter. */
export function parameterOf(column: ColumnModel, value: unknown): string {
  return column.kind === "bytes" ? `\\x${(value as string).slice(2)}` : String(value);
}
