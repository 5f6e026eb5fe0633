import { createHash } from "node:crypto";
import { assert, SpindexError } from "../errors.ts";
import type { ColumnModel, IndexModel, TableModel } from "../store/table.ts";
import { columnTypeOf, elementTypeOf } from "./column-types.ts";
import { CHAIN_COLUMN, CHANGED_AT_COLUMN, CHECKPOINT_COLUMN, identityOf, keyColumnsOf } from "./copy-codec.ts";
import { MAX_NAME_BYTES, quoteName, quoteNames, quoteText } from "./sql.ts";

/** The two schemas of an indexer: the user's tables, and ours beside them. */
export interface SchemaNames {
  readonly user: string;
  readonly internal: string;
}

/** @param schema a name that was checked where it was given */
export function schemaNamesOf(schema: string): SchemaNames {
  const names = { user: schema, internal: `${schema}_spindex` };
  assert(Buffer.byteLength(names.internal) <= MAX_NAME_BYTES, "a name of a schema was not checked");
  return names;
}

export function historyTableOf(table: TableModel): string {
  return `${table.sqlName}_history`;
}

/** `"schema"."name"`. */
export function qualified(schema: string, name: string): string {
  return `${quoteName(schema)}.${quoteName(name)}`;
}

/** Statements that make an entity's table, its history and its comments. */
export function entityDdl(names: SchemaNames, table: TableModel): readonly string[] {
  requireShortName(historyTableOf(table), table);
  const target = qualified(names.user, table.sqlName);
  const columns = table.columns.map((column) => `${columnDdl(column)}${column.nullable ? "" : " not null"}`);
  if (!table.crossChain) columns.push(`${quoteName(CHAIN_COLUMN)} int8 not null`);
  columns.push(`${quoteName(CHECKPOINT_COLUMN)} int8 not null`);
  columns.push(`primary key (${quoteNames(identityOf(table))})`);
  return [
    `create table ${target} (\n  ${columns.join(",\n  ")}\n)`,
    ...commentDdl(target, table),
    ...(table.appendOnly ? [checkpointIndexDdl(target, table)] : historyDdl(names, table)),
  ];
}

/** Append-only rows come in the order of their checkpoints: a tiny index is enough to find those of orphaned blocks. */
function checkpointIndexDdl(target: string, table: TableModel): string {
  const index = shortName(`${table.sqlName}_checkpoint_idx`);
  return `create index ${quoteName(index)} on ${target} using brin (${quoteName(CHECKPOINT_COLUMN)}) with (pages_per_range = 32)`;
}

function columnDdl(column: ColumnModel): string {
  const name = quoteName(column.sqlName);
  const type = `${name} ${columnTypeOf(column)}`;
  if (column.kind !== "enum") return type;
  const values = (column.values ?? []).map(quoteText).join(", ");
  const check = column.array ? `${name} <@ array[${values}]::text[]` : `${name} in (${values})`;
  return `${type} check (${check})`;
}

/** Before-images: null `_checkpoint` says that there was no row. Found by chain and checkpoint, for rollback and pruning. */
function historyDdl(names: SchemaNames, table: TableModel): readonly string[] {
  const target = qualified(names.internal, historyTableOf(table));
  const key = new Set(table.key);
  const columns = table.columns.map((column) => {
    const type = `${quoteName(column.sqlName)} ${columnTypeOf(column)}`;
    return key.has(column.name) ? `${type} not null` : type;
  });
  const chain = table.crossChain ? [] : [CHAIN_COLUMN];
  for (const name of chain) columns.push(`${quoteName(name)} int8 not null`);
  columns.push(`${quoteName(CHECKPOINT_COLUMN)} int8`, `${quoteName(CHANGED_AT_COLUMN)} int8 not null`);
  const indexed = [...chain, CHANGED_AT_COLUMN];
  const index = shortName(`${historyTableOf(table)}_changed_at_idx`);
  return [
    `create table ${target} (\n  ${columns.join(",\n  ")}\n)`,
    `create index ${quoteName(index)} on ${target} (${quoteNames(indexed)})`,
    `comment on table ${target} is ${quoteText(`Rows of ${table.sqlName} as they were before checkpoint _changed_at changed them. A null _checkpoint: there was no row.`)}`,
  ];
}

/** A secondary index: the backfill is done without it. */
export interface IndexDdl {
  readonly name: string;
  /** Its table, with the schema. */
  readonly table: string;
  /** Makes it beside readers and writers, outside a transaction. */
  readonly create: string;
}

/** The secondary indexes of a table. */
export function indexDdl(names: SchemaNames, table: TableModel): readonly IndexDdl[] {
  return table.indexes.map((index) => {
    const name = indexNameOf(table, index);
    const target = qualified(names.user, table.sqlName);
    return {
      name,
      table: target,
      create: `create index concurrently ${quoteName(name)} on ${target} (${quoteNames(sqlNamesOf(table, index))})`,
    };
  });
}

export function indexNameOf(table: TableModel, index: IndexModel): string {
  return shortName(`${table.sqlName}_${sqlNamesOf(table, index).join("_")}_idx`);
}

function sqlNamesOf(table: TableModel, index: IndexModel): readonly string[] {
  return index.columns.map((name) => table.columns.find((column) => column.name === name)?.sqlName ?? name);
}

function commentDdl(target: string, table: TableModel): readonly string[] {
  const scope = table.crossChain ? "shared among chains" : "one row for each key and chain";
  const manner = table.appendOnly ? "append-only" : "latest values";
  const comments = [
    `comment on table ${target} is ${quoteText(`Entity ${table.name} (${manner}, ${scope}). Written by Spindex.`)}`,
    ...table.columns.map(
      (column) => `comment on column ${target}.${quoteName(column.sqlName)} is ${quoteText(meaningOf(column, table))}`,
    ),
    `comment on column ${target}.${quoteName(CHECKPOINT_COLUMN)} is 'The checkpoint that wrote the row: leads to its drain run and trace.'`,
  ];
  if (!table.crossChain) {
    comments.push(`comment on column ${target}.${quoteName(CHAIN_COLUMN)} is 'The chain''s id (EIP-155).'`);
  }
  return comments;
}

const MEANINGS: Readonly<Partial<Record<ColumnModel["kind"], string>>> = {
  eventId: "event id: block (35 bits), log index (18), sub-index (10); sorts in chain order",
  uint256: "whole number from 0 to 2^256-1",
  int256: "whole number from -2^255 to 2^255-1",
  hash: "32 bytes as lower-case hex",
  address: "20 bytes as lower-case hex",
  timestamp: "time of the block",
};

function meaningOf(column: ColumnModel, table: TableModel): string {
  const parts: string[] = [MEANINGS[column.kind] ?? column.kind];
  if (column.array) parts.push("array");
  if (table.key.includes(column.name)) parts.push("key");
  if (column.references !== undefined) parts.push(`refers to ${column.references}`);
  return parts.join("; ");
}

/** The part of a table's definition that decides what its rows hold, as JSON: tables are compatible when it is equal. */
export function tableFingerprint(table: TableModel): Record<string, unknown> {
  const columns = table.columns.map((column) => {
    const values = column.kind === "enum" ? ` (${(column.values ?? []).join(", ")})` : "";
    const type = `${column.kind === "numeric" ? elementTypeOf(column) : column.kind}${column.array ? "[]" : ""}${values}`;
    return [column.sqlName, `${type}${column.nullable ? "" : " not null"}`];
  });
  return {
    columns: Object.fromEntries(columns),
    key: keyColumnsOf(table).map((column) => column.sqlName),
    appendOnly: table.appendOnly,
    crossChain: table.crossChain,
  };
}

/** A name that PostgreSQL takes whole: long ones end in a digest instead. */
function shortName(name: string): string {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return name;
  const digest = createHash("sha256").update(name).digest("hex").slice(0, 8);
  return `${Buffer.from(name)
    .subarray(0, MAX_NAME_BYTES - 9)
    .toString("latin1")
    .replace(/[^\w]/g, "_")}_${digest}`;
}

function requireShortName(name: string, table: TableModel): void {
  if (Buffer.byteLength(name) <= MAX_NAME_BYTES) return;
  throw new SpindexError("SCHEMA_INVALID", `entity ${table.name}: its table name ${table.sqlName} is too long`, {
    fix: `PostgreSQL's names end at ${MAX_NAME_BYTES} bytes, and the history table adds "_history": shorten the entity's name.`,
  });
}
