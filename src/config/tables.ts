import type { IndexModel, TableModel } from "../store/table.ts";
import { COLUMN, isColumn, isMany, MANY } from "./column.ts";
import { columnModelOf, type KnownEntities } from "./column-model.ts";
import type { RelationDefinition } from "./definition.ts";
import { type AnyEntity, ENTITY, ENTITY_OPTIONS, type EntitySpec, isEntity } from "./entity.ts";
import { type Problems, show } from "./problems.ts";
import { NAME, refuseReservedName, refuseSameNames, sqlNameOf } from "./sql-name.ts";
import { didYouMean } from "./suggestion.ts";

/** Tables and relations of a schema. */
export interface SchemaDefinition {
  readonly tables: readonly TableModel[];
  readonly relations: readonly RelationDefinition[];
}

const KEY_KINDS: ReadonlySet<string> = new Set([
  "int32",
  "int64",
  "uint256",
  "text",
  "bytes",
  "hash",
  "address",
  "eventId",
]);

/** PostgreSQL cuts names at 63 bytes; names of histories and indexes are made from those of tables. */
const MAX_TABLE_NAME = 48;

/** Checks a schema and gives its tables in the order of their names. Problems are added to `problems`. */
export function tablesOf(schema: object, problems: Problems): SchemaDefinition {
  const entities = Object.entries(schema)
    .filter((entry): entry is [string, AnyEntity] => isEntity(entry[1]))
    .sort(([a], [b]) => (a < b ? -1 : 1));
  if (entities.length === 0) {
    const fix = "Export at least one: export const account = entity({ id: t.address() }).";
    problems.add("SCHEMA_INVALID", "schema", "has no entity", fix);
  }
  const known = knownEntities(entities, problems);
  const tables = entities.map(([name, entity]) => tableOf(name, entity[ENTITY], known, problems));
  refuseSameNames("schema", "entities", tables, problems);
  return {
    tables,
    relations: entities.flatMap(([name, entity]) => relationsOf(name, entity[ENTITY], known, problems)),
  };
}

function knownEntities(entities: readonly (readonly [string, AnyEntity])[], problems: Problems): KnownEntities {
  const known = new Map<unknown, { name: string; spec: EntitySpec }>();
  for (const [name, entity] of entities) {
    const earlier = known.get(entity);
    if (earlier === undefined) known.set(entity, { name, spec: entity[ENTITY] });
    else {
      const fix = "Export it under one name.";
      problems.add("SCHEMA_INVALID", `schema.${name}`, `is the same entity as schema.${earlier.name}`, fix);
    }
  }
  return known;
}

function tableOf(name: string, spec: EntitySpec, known: KnownEntities, problems: Problems): TableModel {
  const place = `schema.${name}`;
  const sqlName = sqlNameOf(name);
  if (!NAME.test(name)) {
    problems.add("SCHEMA_INVALID", place, "is no usable name", "Use a letter, then letters, digits and underscores.");
  } else if (sqlName.length > MAX_TABLE_NAME) {
    const message = `${sqlName} is longer than ${MAX_TABLE_NAME} characters`;
    problems.add("SCHEMA_INVALID", place, message, "Give the entity a shorter name.");
  }
  refuseReservedName(place, name, sqlName, problems);
  for (const option of spec.unknownOptions) {
    problems.add(
      "SCHEMA_INVALID",
      `${place}.${option}`,
      "there is no such option of an entity",
      didYouMean(option, ENTITY_OPTIONS),
    );
  }
  const columns = Object.entries(spec.columns ?? {}).flatMap(([column, value]) => {
    if (isColumn(value)) return [columnModelOf(`${place}.${column}`, column, value[COLUMN], known, problems)];
    if (!isMany(value)) {
      const fix = 'Make it with t, e.g. t.address(), or with many(() => transfer, "from").';
      problems.add("SCHEMA_INVALID", `${place}.${column}`, `${show(value)} is no column`, fix);
    }
    return [];
  });
  refuseSameNames(place, "columns", columns, problems);
  const table: TableModel = {
    name,
    sqlName,
    columns,
    key: spec.key,
    appendOnly: spec.appendOnly,
    crossChain: spec.crossChain,
    indexes: indexesOf(spec),
    hidden: spec.hidden,
  };
  checkKey(place, table, problems);
  checkIndexes(place, table, problems);
  return table;
}

/** Those of single columns first, in the order of the columns. */
function indexesOf(spec: EntitySpec): readonly IndexModel[] {
  const single = Object.entries(spec.columns ?? {})
    .filter(([, value]) => isColumn(value) && value[COLUMN].indexed)
    .map(([name]) => ({ columns: [name] }));
  return [...single, ...spec.indexes.map((columns) => ({ columns }))];
}

function checkKey(place: string, table: TableModel, problems: Problems): void {
  if (table.key.length === 0) {
    problems.add(
      "SCHEMA_INVALID",
      `${place}.key`,
      "is an empty list",
      'Name the key columns, e.g. key: ["owner", "spender"].',
    );
  }
  if (new Set(table.key).size !== table.key.length) {
    problems.add(
      "SCHEMA_INVALID",
      `${place}.key`,
      `${show(table.key)} names a column twice`,
      "Name each key column once.",
    );
  }
  for (const name of table.key) {
    const column = table.columns.find((candidate) => candidate.name === name);
    if (column === undefined) {
      const isDefault = table.key.length === 1 && name === "id";
      if (isDefault) {
        const fix =
          'Add one, e.g. id: t.address(), or name other key columns: entity({ … }, { key: ["owner", "spender"] }).';
        problems.add("SCHEMA_INVALID", place, "has no column id and no key", fix);
      } else
        problems.add(
          "SCHEMA_INVALID",
          `${place}.key`,
          `there is no column ${show(name)}`,
          didYouMean(name, columnNames(table)),
        );
    } else if (column.nullable || column.array || !KEY_KINDS.has(column.kind)) {
      const what = column.nullable ? "may be null" : column.array ? "is an array" : `is ${column.kind}`;
      const fix = `Key columns are ${[...KEY_KINDS].join(", ")} or a ref, and not null.`;
      problems.add("SCHEMA_INVALID", `${place}.${name}`, `${what}, and so cannot be a key column`, fix);
    }
  }
}

function checkIndexes(place: string, table: TableModel, problems: Problems): void {
  for (const { columns } of table.indexes) {
    const at = `${place}.indexes`;
    if (columns.length === 0)
      problems.add("SCHEMA_INVALID", at, "has an empty list", 'Name columns: [["from", "block"]].');
    for (const name of columns) {
      if (table.columns.some((column) => column.name === name)) continue;
      problems.add(
        "SCHEMA_INVALID",
        at,
        `there is no column ${show(name)}`,
        didYouMean(String(name), columnNames(table)),
      );
    }
  }
}

function relationsOf(name: string, spec: EntitySpec, known: KnownEntities, problems: Problems): RelationDefinition[] {
  return Object.entries(spec.columns ?? {}).flatMap(([relation, value]) => {
    if (!isMany(value)) return [];
    const place = `schema.${name}.${relation}`;
    const { target: targetOf, column } = value[MANY];
    const target = known.get(targetOf());
    if (target === undefined) {
      const fix = 'Export the entity from the schema, and name it there: many(() => transfer, "from").';
      problems.add("SCHEMA_INVALID", place, "many() names an entity that is not in the schema", fix);
      return [];
    }
    const referring = target.spec.columns[column];
    const refersHere =
      isColumn(referring) &&
      referring[COLUMN].target !== undefined &&
      known.get(referring[COLUMN].target())?.spec === spec;
    if (!refersHere) {
      const message = `${target.name}.${column} is no ref to ${name}`;
      problems.add("SCHEMA_INVALID", place, message, `Declare ${column}: t.ref(() => ${name}) in ${target.name}.`);
    }
    return [{ entity: name, name: relation, target: target.name, column }];
  });
}

function columnNames(table: TableModel): string[] {
  return table.columns.map((column) => column.name);
}
