import type { Mutant } from "./mutant.ts";

const INDEX_BUILDER = "src/postgres/index-builder.ts";
const TEST = "test/integration/postgres/index-builder.test.ts";

/** Secondary indexes, built beside the writes. */
export const indexMutants: readonly Mutant[] = [
  {
    name: "build indexes in the backfill",
    rule: "Secondary indexes are built after the backfill.",
    file: INDEX_BUILDER,
    find: "(isTime() || this.#isLast)",
    replace: "(isTime() || true)",
    killedBy: { file: TEST, name: "are not made with a new table, nor before it is time" },
  },
  {
    name: "build no index at the end of the work",
    rule: "An indexer that ends has built its indexes.",
    file: INDEX_BUILDER,
    find: "this.#isLast = true;",
    replace: "",
    killedBy: { file: TEST, name: "are built at the end of the work, whether it was time before or not" },
  },
  {
    name: "lock writers out while an index is built",
    rule: "A build blocks no write.",
    file: "src/postgres/ddl.ts",
    find: "create index concurrently",
    replace: "create index",
    killedBy: {
      file: TEST,
      name: "are built while runs are written: a build waits for old transactions, a run does not wait for the build",
    },
  },
  {
    name: "keep what a broken build has left",
    rule: "Invalid indexes are dropped and built again.",
    file: INDEX_BUILDER,
    find: 'if (isValid !== "t")',
    replace: 'if (isValid === "broken")',
    killedBy: { file: TEST, name: "that a broken build has left invalid are dropped at the start, and built again" },
  },
  {
    name: "drop what another process is building",
    rule: "One process of a schema builds at a time.",
    file: INDEX_BUILDER,
    find: "if (!(await lock(connection, this.#o.names))) return false;",
    replace: "await lock(connection, this.#o.names);",
    killedBy: { file: TEST, name: "are built by one process of a schema at a time" },
  },
  {
    name: "give an index up that failed once",
    rule: "A build that failed is tried again.",
    file: INDEX_BUILDER,
    find: "waitMs = backoffMs(++failures, BACKOFF, clock);",
    replace: "return;",
    killedBy: { file: TEST, name: "that failed are tried again" },
  },
  {
    name: "let the server go on with a build whose client is gone",
    rule: "A build is cancelled when the indexer stops.",
    file: INDEX_BUILDER,
    find: 'await connection.query("select pg_cancel_backend($1)", [build.server.backendPid]);',
    replace: "",
    killedBy: {
      file: TEST,
      name: "are left half-done when the storage is closed: the build is cancelled on the server",
    },
  },
  {
    name: "show the progress of a build that is over",
    rule: "The status says how far a build is, for as long as there is one.",
    file: INDEX_BUILDER,
    find: "await watching;\n      this.#progress = undefined;",
    replace: "await watching;",
    killedBy: { file: TEST, name: "tell how far they are" },
  },
];
