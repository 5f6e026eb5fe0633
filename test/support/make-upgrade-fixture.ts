/**
 * Writes test/data/internal-v<n>.sql: a database as this version makes it, for the tests of later versions. To be run
 * once, before the version of the internal tables is raised: `node --conditions=spindex-source <this file>`.
 */
import { writeFileSync } from "node:fs";
import { registrationsOf } from "../../src/config/registration.ts";
import { resolveDefinition } from "../../src/config/resolve-definition.ts";
import { resolveRegistrations } from "../../src/config/resolve-registrations.ts";
import { entityDdl, indexDdl, schemaNamesOf } from "../../src/postgres/ddl.ts";
import { internalDdl } from "../../src/postgres/internal-ddl.ts";
import { INTERNAL_VERSION } from "../../src/postgres/migrations.ts";
import { quoteName } from "../../src/postgres/sql.ts";
import { chooseDatabase } from "./database-choice.ts";
import { startFakeNode } from "./fake-node.ts";
import { createDatabaseAt, type TestDatabase } from "./postgres.ts";
import { startIndexer } from "./run-indexer.ts";
import { UPGRADE_CHAIN, UPGRADE_HEAD, upgradeProject } from "./upgrade-project.ts";

const server = await chooseDatabase();
const node = await startFakeNode({ chain: UPGRADE_CHAIN, head: UPGRADE_HEAD });
const database = await createDatabaseAt(server.url);
try {
  const project = upgradeProject("http://node.invalid");
  const definition = resolveDefinition(project, { env: {} });
  resolveRegistrations(definition, registrationsOf(project));
  for (const head of [UPGRADE_HEAD - 15, UPGRADE_HEAD - 4, UPGRADE_HEAD]) {
    node.setHead(head);
    await startIndexer(upgradeProject(node.url), database.url, { once: true }).ended;
  }
  const names = schemaNamesOf(definition.name);
  const statements = [
    `create schema ${quoteName(names.user)}`,
    `create schema ${quoteName(names.internal)}`,
    ...definition.tables.flatMap((table) => [
      ...entityDdl(names, table),
      // Not beside writes: the file is run as one.
      ...indexDdl(names, table).map(({ create }) => create.replace(" concurrently", "")),
    ]),
    ...internalDdl(names),
    ...(await insertsOf(database, [names.internal, names.user])),
  ];
  const file = new URL(`../data/internal-v${INTERNAL_VERSION}.sql`, import.meta.url);
  writeFileSync(file, statements.map((statement) => `${statement};\n`).join(""));
  console.log(`wrote ${file.pathname}: ${statements.length} statements`);
} finally {
  await database.drop();
  await node.close();
  await server.stop();
}

/** One statement for each row of each table. */
async function insertsOf(from: TestDatabase, schemas: readonly string[]): Promise<string[]> {
  const tables = await from.query<{ oid: number; name: string; columns: string }>(
    `select c.oid, format('%I.%I', n.nspname, c.relname) as name,
       string_agg(format('%I', a.attname), ', ' order by a.attnum) as columns
     from pg_class c join pg_namespace n on n.oid = c.relnamespace join pg_attribute a on a.attrelid = c.oid
     where n.nspname = any($1) and c.relkind = 'r' and a.attnum > 0 and not a.attisdropped
     group by c.oid, n.nspname, c.relname order by c.oid`,
    [schemas],
  );
  const statements: string[] = [];
  // What others refer to comes first.
  tables.sort((a, b) => Number(b.name.endsWith(".shards")) - Number(a.name.endsWith(".shards")));
  for (const { name, columns } of tables) {
    const values = columns
      .split(", ")
      .map((column) => `quote_nullable(${column}::text)`)
      .join(" || ', ' || ");
    const rows = await from.query<{ row: string }>(`select ${values} as row from ${name} order by 1`);
    const overriding = /\b(starts|reorgs|skipped_events)$/.test(name) ? " overriding system value" : "";
    statements.push(...rows.map(({ row }) => `insert into ${name} (${columns})${overriding} values (${row})`));
    if (overriding !== "" && rows.length > 0) {
      statements.push(`select setval(pg_get_serial_sequence('${name}', 'id'), (select max(id) from ${name}))`);
    }
  }
  return statements;
}
