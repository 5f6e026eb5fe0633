import type { Mutant } from "./mutant.ts";

const WRITE_GUARD = "src/write/write-guard.ts";
const PRUNING_TEST = "test/integration/postgres/pruning.test.ts";
const ONE_WRITER_TEST = "test/integration/postgres/one-writer.test.ts";
const METADATA_TEST = "test/integration/postgres/chain-metadata.test.ts";

/** Numbers of writes, pruning, the lease. */
export const upkeepMutants: readonly Mutant[] = [
  {
    name: "use the number of a write again whose outcome is unknown",
    rule: "The number of metadata whose COMMIT has no known outcome is passed over.",
    file: WRITE_GUARD,
    find: "(writeSeq) => {\n      this.#takenSeq = writeSeq;\n    }",
    replace: "() => {}",
    killedBy: { file: METADATA_TEST, name: "does not stand in the way of the next run" },
  },
  {
    name: "take a lost answer to the COMMIT of metadata for a failure before it",
    rule: "Once COMMIT is sent, an error of the connection leaves the outcome open.",
    file: "src/postgres/guarded-write.ts",
    find: "commitSent: true",
    replace: "commitSent: false",
    killedBy: { file: METADATA_TEST, name: "does not stand in the way of the next run" },
  },
  {
    name: "prune one row too many",
    rule: "Pruning stays behind whatever a rollback may need.",
    file: "src/postgres/pruning.ts",
    find: "${quoteName(column)} < ${below}`",
    replace: "${quoteName(column)} <= ${below}`",
    killedBy: { file: PRUNING_TEST, name: "leaves the window, the position and the header at its floor, and the runs" },
  },
  {
    name: "prune without raising the floor",
    rule: "A chain's floor is raised before the first step of a pruning: a rollback below it is refused.",
    file: "src/postgres/pruning.ts",
    find: "ranges.length > 0 && floors.length > 0 ? [this.#raising(floors)] : []",
    replace: "[]",
    killedBy: {
      file: PRUNING_TEST,
      name: "raises the floor before anything is deleted: a crash in between leaves a floor that holds",
    },
  },
  {
    name: "wait for those who have locked rows",
    rule: "Pruning waits for nobody.",
    file: "src/postgres/pruning.ts",
    find: " for update skip locked",
    replace: " for update",
    killedBy: { file: PRUNING_TEST, name: "waits neither for readers nor for rows that others have locked" },
  },
  {
    name: "let NUL through",
    rule: "NUL, which PostgreSQL cannot hold, is escaped wherever it is.",
    file: "src/lib/stored-text.ts",
    find: 'text.toWellFormed().replaceAll("\\0", REPLACEMENT)',
    replace: "text.toWellFormed()",
    killedBy: {
      file: "test/unit/store/column-check.test.ts",
      name: "NUL and lone surrogates are escaped however deep, names of properties included, and counted",
    },
  },
  {
    name: "use one token for all owners",
    rule: "A shard has one writer, and every write proves it: by a token that is new with every owner (invariant 8).",
    file: "src/postgres/take-shard.ts",
    find: 'const token = randomBytes(16).toString("hex");',
    replace: 'const token = "0".repeat(32);',
    killedBy: { file: ONE_WRITER_TEST, name: "cannot write a run" },
  },
  {
    name: "write although the lease has lapsed",
    rule: "A lease that could not be renewed in time lapses: nothing is written until it is renewed.",
    file: "src/postgres/lease.ts",
    find: "this.#o.clock.now() < this.#heldUntil",
    replace: "this.#heldUntil > 0",
    killedBy: {
      file: ONE_WRITER_TEST,
      name: "lapses after 15 s: nothing is written until a renewal shows that nobody has taken the shard",
    },
  },
  {
    name: "go on when another process has taken the shard",
    rule: "An owner that was replaced learns it from its next renewal and writes nothing from then on.",
    file: "src/postgres/lease.ts",
    find: "if (row === undefined) return this.#lose(await this.#whyLost(connection));",
    replace: "if (row === undefined) return;",
    killedBy: {
      file: ONE_WRITER_TEST,
      name: "learns it from its next renewal, says so, and writes nothing from then on",
    },
  },
  {
    name: "take a shard whose owner is at work",
    rule: "A shard has one writer: whoever finds it held waits (invariant 8).",
    file: "src/postgres/await-shard.ts",
    find: "hasLock || expiredLooks > PATIENT_LOOKS ? await options.take(connection, hasLock) : undefined",
    replace: "await options.take(connection, true)",
    killedBy: {
      file: ONE_WRITER_TEST,
      name: "says who has the shard and since when, once, and takes over when it is let go",
    },
  },
];
