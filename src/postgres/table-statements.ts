import type { TableModel } from "../store/table.ts";
import { CHAIN_COLUMN, CHANGED_AT_COLUMN, codecColumnsOf, identityOf } from "./copy-codec.ts";
import { historyTableOf, qualified } from "./ddl.ts";
import { quoteName, quoteNames } from "./sql.ts";

/** A session's own table that takes rows on their way; empty at the start of every transaction. */
export interface Staging {
  readonly name: string;
  readonly create: string;
  readonly copy: string;
}

/** The SQL that writes one entity's changes. */
export interface TableStatements {
  readonly copyRows: string;
  readonly copyHistory: string;
  readonly updates: Staging;
  readonly upserts: Staging;
  readonly deletes: Staging;
  /** Changes the rows staged in `updates`. Ordered by key: the index pages are then met one after the other. */
  readonly applyUpdates: string;
  readonly applyUpserts: string;
  readonly applyDeletes: string;
  readonly unknowns: Staging;
  /** Adds what the table holds, or does not hold, for the keys staged in `unknowns`. Runs before anything is applied. */
  readonly lookUpUnknowns: string;
}

/**
 * @param schema where the table lies
 * @param historySchema where its history does
 * @param position a number that no other table of the indexer has: names of temporary tables are made from it
 */
export function tableStatementsOf(
  schema: string,
  historySchema: string,
  table: TableModel,
  position: number,
): TableStatements {
  const columns = codecColumnsOf(table);
  const target = qualified(schema, table.sqlName);
  const history = qualified(historySchema, historyTableOf(table));
  const identity = identityOf(table);
  const changing = columns.row.filter((name) => !identity.includes(name));
  const staging = (purpose: string, fields: readonly string[]): Staging => {
    const name = `pg_temp.${quoteName(`spindex_${purpose}_${position}`)}`;
    return {
      name,
      create: `create temp table ${quoteName(`spindex_${purpose}_${position}`)} on commit delete rows as select ${quoteNames(fields)} from ${target} with no data`,
      copy: copyInto(name, fields),
    };
  };
  const updates = staging("updates", columns.row);
  const upserts = staging("upserts", columns.row);
  const deletes = staging("deletes", columns.key);
  const unknowns: Staging = {
    name: `pg_temp.${quoteName(`spindex_unknowns_${position}`)}`,
    create: `create temp table ${quoteName(`spindex_unknowns_${position}`)} on commit delete rows as
      select ${quoteNames(identity)}, 0::int8 as ${quoteName(CHANGED_AT_COLUMN)} from ${target} with no data`,
    copy: copyInto(`pg_temp.${quoteName(`spindex_unknowns_${position}`)}`, columns.unknownImage),
  };
  return {
    copyRows: copyInto(target, columns.row),
    copyHistory: copyInto(history, columns.beforeImage),
    updates,
    upserts,
    deletes,
    applyUpdates: `update ${target} t set ${assignments(changing, "s")}
      from (select * from ${updates.name} order by ${quoteNames(identity)}) s where ${equal(identity, "t", "s")}`,
    applyUpserts: `insert into ${target} (${quoteNames(columns.row)})
      select ${quoteNames(columns.row)} from ${upserts.name} order by ${quoteNames(identity)}
      on conflict (${quoteNames(identity)}) do update set ${assignments(changing, "excluded")}`,
    applyDeletes: `delete from ${target} t using ${deletes.name} s where ${equal(identity, "t", "s")}`,
    unknowns,
    lookUpUnknowns: `insert into ${history} (${quoteNames(columns.beforeImage)})
      select ${columns.beforeImage.map((name) => `${columns.unknownImage.includes(name) ? "s" : "t"}.${quoteName(name)}`).join(", ")}
      from ${unknowns.name} s left join ${target} t on ${equal(identity, "t", "s")}`,
  };
}

export function copyInto(target: string, columns: readonly string[]): string {
  return `copy ${target} (${quoteNames(columns)}) from stdin (format binary)`;
}

function assignments(columns: readonly string[], source: string): string {
  return columns.map((name) => `${quoteName(name)} = ${source}.${quoteName(name)}`).join(", ");
}

function equal(columns: readonly string[], left: string, right: string): string {
  return columns.map((name) => `${left}.${quoteName(name)} = ${right}.${quoteName(name)}`).join(" and ");
}

/** Text that limits rows to a chain; nothing for rows shared among chains. */
export function chainCondition(table: TableModel, alias: string, parameter: string): string {
  return table.crossChain ? "true" : `${alias}.${quoteName(CHAIN_COLUMN)} = ${parameter}`;
}
