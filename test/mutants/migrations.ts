import type { Mutant } from "./mutant.ts";

const MIGRATIONS = "src/postgres/migrations.ts";
const PREPARE_TABLES = "src/postgres/prepare-tables.ts";
const UPGRADE_TEST = "test/integration/postgres/upgrade.test.ts";
const OPEN_TEST = "test/integration/postgres/open.test.ts";
const UPGRADED = { file: UPGRADE_TEST, name: "is upgraded by a start, keeps its rows, and is then as a new one" };

/** Versions of internal tables, and the definition that rows were made with. */
export const migrationMutants: readonly Mutant[] = [
  {
    name: "leave the version at the old one",
    rule: "Internal tables carry their version.",
    file: MIGRATIONS,
    find: "set version = ${INTERNAL_VERSION}",
    replace: "set version = version",
    killedBy: UPGRADED,
  },
  {
    name: "forget an index in an upgrade",
    rule: "An upgraded database is as a new one.",
    file: MIGRATIONS,
    find: "`create index checkpoints_block_idx on",
    replace: "`create index checkpoints_idx on",
    killedBy: UPGRADED,
  },
  {
    name: "forget what the older version counted",
    rule: "An upgrade keeps what the older version knew.",
    file: MIGRATIONS,
    find: '(select count(*) from ${of("starts")} where shard = s.shard)',
    replace: "0",
    killedBy: UPGRADED,
  },
  {
    name: "apply the newest step again",
    rule: "Tables of this version are left as they are.",
    file: MIGRATIONS,
    find: "to > version",
    replace: "to >= version",
    killedBy: { file: UPGRADE_TEST, name: "tables of this version need no statement" },
  },
  {
    name: "write to tables of a newer version",
    rule: "Tables of a newer version are refused.",
    file: PREPARE_TABLES,
    find: "version > INTERNAL_VERSION)",
    replace: "version > INTERNAL_VERSION + 1_000)",
    killedBy: {
      file: OPEN_TEST,
      name: "is refused for tables of a newer version, and for a schema that holds something else",
    },
  },
  {
    name: "mix rows of two definitions",
    rule: "Rows that another definition has made are refused, with what differs.",
    file: PREPARE_TABLES,
    find: "  requireSame(names, stored, definitionOf(tables, fingerprint));\n",
    replace: "",
    killedBy: { file: OPEN_TEST, name: "lists what differs from the definition that made the rows, and the choices" },
  },
];
