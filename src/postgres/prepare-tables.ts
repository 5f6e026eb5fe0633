import { SpindexError } from "../errors.ts";
import type { TableModel } from "../store/table.ts";
import type { Connection } from "./connection.ts";
import { entityDdl, qualified, type SchemaNames, tableFingerprint } from "./ddl.ts";
import { jsonDifferences } from "./definition-diff.ts";
import { describeError, sqlStateOf } from "./failure.ts";
import { internalDdl } from "./internal-ddl.ts";
import { INTERNAL_VERSION, migrationsFrom } from "./migrations.ts";
import { quoteName } from "./sql.ts";

/** What was done to the tables: `ready` says that they were as they have to be. */
export type Prepared = "made" | "migrated" | "ready";

/**
 * Inside a transaction: makes everything when the schema is new; else checks that it was made by a compatible definition,
 * and brings internal tables of an older version up to this one.
 * @param takeOver called before anything of existing tables is changed: locks the shard's row
 * @throws SpindexError DATABASE_INCOMPATIBLE, DATABASE_NEWER; what `takeOver` throws
 */
export async function prepareTables(
  connection: Connection,
  names: SchemaNames,
  tables: readonly TableModel[],
  fingerprint: unknown,
  takeOver: () => Promise<void>,
): Promise<Prepared> {
  // Two shards of one schema may start at the same time.
  await connection.query("select pg_advisory_xact_lock(hashtextextended($1, 1))", [`spindex ${names.user}`]);
  const version = await checkTables(connection, names, tables, fingerprint);
  if (version === undefined) {
    await makeTables(connection, names, tables, definitionOf(tables, fingerprint));
    return "made";
  }
  await takeOver();
  const missing = migrationsFrom(version, names, tables);
  if (missing.length > 0) await connection.run(missing.join(";\n"));
  return missing.length > 0 ? "migrated" : "ready";
}

/**
 * Reads what the tables were made for; changes nothing.
 * @returns the version of the internal tables; undefined when there are none
 * @throws SpindexError DATABASE_INCOMPATIBLE, DATABASE_NEWER
 */
export async function checkTables(
  connection: Connection,
  names: SchemaNames,
  tables: readonly TableModel[],
  fingerprint: unknown,
): Promise<number | undefined> {
  const meta = qualified(names.internal, "meta");
  const exists = await connection.query("select to_regclass($1) is not null", [meta]);
  if (exists.rows[0]?.[0] !== "t") return undefined;
  const { rows } = await connection.query(`select version, definition from ${meta}`);
  const version = Number(rows[0]?.[0]);
  if (version > INTERNAL_VERSION) {
    throw new SpindexError(
      "DATABASE_NEWER",
      `the schema ${names.user} was written by a newer Spindex (internal version ${version}, this one knows ${INTERNAL_VERSION})`,
      { fix: "Install that version or a later one, or use another --schema." },
    );
  }
  const stored: unknown = JSON.parse(rows[0]?.[1] ?? "null");
  requireSame(names, stored, definitionOf(tables, fingerprint));
  return version;
}

function definitionOf(tables: readonly TableModel[], fingerprint: unknown): unknown {
  const byName = Object.fromEntries(tables.map((table) => [table.sqlName, tableFingerprint(table)]));
  // As it will be read back: without what JSON does not hold.
  return JSON.parse(JSON.stringify({ tables: byName, config: fingerprint ?? null }));
}

async function makeTables(
  connection: Connection,
  names: SchemaNames,
  tables: readonly TableModel[],
  definition: unknown,
): Promise<void> {
  const statements = [
    `create schema if not exists ${quoteName(names.user)}`,
    `create schema if not exists ${quoteName(names.internal)}`,
    ...tables.flatMap((table) => entityDdl(names, table)),
    ...internalDdl(names),
  ];
  try {
    await connection.run(statements.join(";\n"));
  } catch (error) {
    throw notMade(names, error);
  }
  await connection.query(`insert into ${qualified(names.internal, "meta")} (version, definition) values ($1, $2)`, [
    INTERNAL_VERSION,
    JSON.stringify(definition),
  ]);
}

function notMade(names: SchemaNames, error: unknown): unknown {
  const state = sqlStateOf(error) ?? "";
  if (state === "42501") {
    return new SpindexError("DATABASE_REFUSED", `the tables cannot be made: ${describeError(error)}`, {
      fix: `Let the user create schemas: grant create on database … to …, or create ${names.user} and ${names.internal} for it.`,
      cause: error,
    });
  }
  if (!["42P07", "42710"].includes(state)) return error;
  return new SpindexError(
    "DATABASE_INCOMPATIBLE",
    `the schema ${names.user} holds something that Spindex did not make: ${describeError(error)}`,
    { fix: "Choose another schema with --schema, or move what is there.", cause: error },
  );
}

function requireSame(names: SchemaNames, stored: unknown, definition: unknown): void {
  const differences = jsonDifferences(stored, definition);
  if (differences.length === 0) return;
  throw new SpindexError(
    "DATABASE_INCOMPATIBLE",
    `the rows in schema ${names.user} were made by another definition:\n${differences.map((line) => `  ${line}`).join("\n")}`,
    {
      fix: [
        "Choose: index into another schema with --schema (the old one stays),",
        `or give up its rows: drop schema ${quoteName(names.user)} cascade; drop schema ${quoteName(names.internal)} cascade;`,
        "or undo the change.",
      ].join("\n"),
    },
  );
}
