import type { Mutant } from "./mutant.ts";

const WRITE_TRANSACTION = "src/postgres/write-transaction.ts";
const WRITE_CLAIM = "src/postgres/write-claim.ts";
const WRITE_GUARD = "src/write/write-guard.ts";
const ROLLBACK = "src/postgres/rollback.ts";
const WRITE_TEST = "test/integration/postgres/write.test.ts";
const REORG_TEST = "test/integration/reorg.test.ts";
const ROLLBACK_PLAN_TEST = "test/unit/reorg/rollback.test.ts";
const PRUNING_TEST = "test/integration/postgres/pruning.test.ts";
const ONE_WRITER_TEST = "test/integration/postgres/one-writer.test.ts";
const FAILURE_TEST = "test/unit/postgres/failure.test.ts";
const METADATA_TEST = "test/integration/postgres/chain-metadata.test.ts";

const writes: readonly Mutant[] = [
  {
    name: "take any answer to COMMIT for a yes",
    rule: "A write is durable when COMMIT is answered by COMMIT: a failed transaction answers ROLLBACK, without an error.",
    file: WRITE_TRANSACTION,
    find: 'if (command === "COMMIT") return;',
    replace: 'if (command !== "") return;',
    killedBy: {
      file: WRITE_TEST,
      name: "a write whose COMMIT is answered by ROLLBACK is not durable, and can be tried again",
    },
  },
  {
    name: "take a lost answer to COMMIT for a failure before it",
    rule: "Once COMMIT is sent, an error of the connection leaves the outcome open.",
    file: WRITE_TRANSACTION,
    find: 'this.#current = { summary: "COMMIT", table: undefined, commitSent: true };',
    replace: 'this.#current = { summary: "COMMIT", table: undefined, commitSent: false };',
    killedBy: { file: WRITE_TEST, name: "after COMMIT was sent is written once, whether COMMIT had arrived or not" },
  },
  {
    name: "lose rows in silence",
    rule: "Every statement touches as many rows as it was given.",
    file: WRITE_TRANSACTION,
    find: "if (touched === start.rows) return;",
    replace: "if (touched <= start.rows) return;",
    killedBy: { file: WRITE_TEST, name: "is fatal when a row to change is not there" },
  },
  {
    name: "take temporary tables for those of the next session",
    rule: "A session whose temporary tables are not known makes them again; a new session knows none.",
    file: "src/postgres/storage.ts",
    find: "this.#writer = { connection: await this.#parts.connectWriter(), stagings: new Set() };",
    replace:
      "this.#writer = { connection: await this.#parts.connectWriter(), stagings: this.#writer?.stagings ?? new Set() };",
    killedBy: { file: WRITE_TEST, name: "on a new session makes its temporary tables again" },
  },
  {
    name: "let anyone write",
    rule: "A shard has one writer, and every write proves it (invariant 8).",
    file: WRITE_CLAIM,
    find: "where shard = $1 and token = $2 and",
    replace: "where shard = $1 and (token = $2 or true) and",
    killedBy: { file: WRITE_TEST, name: "is fenced when another process has taken the shard" },
  },
  {
    name: "write on top of a database that went back",
    rule: "A database that lost writes which it had confirmed is never written to.",
    file: WRITE_CLAIM,
    find: "write_seq between $4::int8 and $3::int8 - 1",
    replace: "write_seq between least($4::int8, 0) and $3::int8 - 1",
    killedBy: { file: WRITE_TEST, name: "is refused when the database has lost confirmed writes" },
  },
  {
    name: "apply a write twice",
    rule: "A write happens once however often it is tried (invariant 2).",
    file: WRITE_CLAIM,
    find: "and $3::int8 - 1`",
    replace: "and $3::int8`",
    killedBy: { file: WRITE_TEST, name: "after COMMIT was sent is written once, whether COMMIT had arrived or not" },
  },
  {
    name: "call every unclaimed write durable",
    rule: "Only the write number tells that a write is durable.",
    file: WRITE_GUARD,
    find: "stored !== undefined && at === writeSeq",
    replace: "at <= writeSeq",
    killedBy: { file: WRITE_TEST, name: "is refused when the database has lost confirmed writes" },
  },
  {
    name: "never recognise a durable write",
    rule: "After a COMMIT without an answer the guarded update tells what happened.",
    file: WRITE_GUARD,
    find: "stored !== undefined && at === writeSeq",
    replace: "at === -1",
    killedBy: { file: WRITE_TEST, name: "after COMMIT was sent is written once, whether COMMIT had arrived or not" },
  },
  {
    name: "leave rows that exist as they are",
    rule: "A row that may exist is written whether it exists or not.",
    file: "src/postgres/table-statements.ts",
    find: '}) do update set ${assignments(changing, "excluded")}`',
    replace: '}) do update set ${assignments(changing, "t")}`.replace(`into ${target} (`, `into ${target} as t (`)',
    killedBy: { file: WRITE_TEST, name: "inserts, updates, upserts and deletes rows" },
  },
  {
    name: "keep no before-image of a row that was not there",
    rule: "The before-image of an unread row is what the storage holds, or that it holds nothing.",
    file: "src/postgres/table-statements.ts",
    find: "s left join",
    replace: "s join",
    killedBy: { file: WRITE_TEST, name: "keeps before-images, and finds those that its writer did not know" },
  },
  {
    name: "call a lost COMMIT transient",
    rule: "Once COMMIT is sent, an error of the connection leaves the outcome open.",
    file: "src/postgres/failure.ts",
    find: 'if (commitSent && !isRefusedCommit(error)) return "outcome_unknown";',
    replace: "",
    killedBy: { file: FAILURE_TEST, name: "has an unknown outcome once COMMIT was sent" },
  },
  {
    name: "call a deadlock fatal",
    rule: "What may succeed when tried again is transient.",
    file: "src/postgres/failure.ts",
    find: '  "40P01", // deadlock\n',
    replace: "",
    killedBy: { file: FAILURE_TEST, name: "may be tried again before COMMIT was sent" },
  },
  {
    name: "let metadata lower what is final",
    rule: "Finality never falls, and comes with rows only.",
    file: "src/postgres/progress-statements.ts",
    find: "greatest(c.finalized, p.finalized)",
    replace: "p.finalized",
    killedBy: { file: METADATA_TEST, name: "leaves progress and finality as the rows have made them" },
  },
  {
    name: "take metadata for progress",
    rule: "Metadata holds no position (invariant 9).",
    file: "src/postgres/progress-statements.ts",
    find: "block: progress?.block ?? null,",
    replace: "block: progress?.block ?? known?.head ?? null,",
    killedBy: { file: METADATA_TEST, name: "says what is known of the chains, and nothing of where to go on" },
  },
  {
    name: "leave the floor where history was not kept",
    rule: "Of what was written without before-images nothing can be rolled back: the floor rises in the same write.",
    file: "src/postgres/progress-statements.ts",
    find: "case when $2 then greatest(c.history_floor, p.block) else c.history_floor end",
    replace: "case when $2 then c.history_floor else c.history_floor end",
    killedBy: {
      file: WRITE_TEST,
      name: "without before-images leaves nothing to roll back to, whatever is called final",
    },
  },
];

const upkeep: readonly Mutant[] = [
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
    find: "if (row === undefined) return this.#lose(await this.#takenOver(connection));",
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

const rollbacks: readonly Mutant[] = [
  {
    name: "restore the newest before-image",
    rule: "After a rollback rows are what they were before the first orphaned block.",
    file: ROLLBACK,
    find: "order by ${quoteNames(identity)}, ${changedAt}`",
    replace: "order by ${quoteNames(identity)}, ${changedAt} desc`",
    killedBy: { file: REORG_TEST, name: "leaves the rows of the final chain" },
  },
  {
    name: "leave the headers of orphaned blocks",
    rule: "A rollback forgets whatever is known of orphaned blocks.",
    file: ROLLBACK,
    find: 'delete from ${internal("blocks")} where chain_id = $1 and number > $2`',
    replace: 'delete from ${internal("blocks")} where chain_id = $1 and number > $2 + 1000000`',
    killedBy: { file: REORG_TEST, name: "leaves the rows of the final chain" },
  },
  {
    name: "leave the rows that were inserted in orphaned blocks",
    rule: "After a rollback the state is that of a run that never saw the orphaned blocks.",
    file: ROLLBACK,
    find: "where ${quoteName(CHECKPOINT_COLUMN)} >= $2 and",
    replace: "where ${quoteName(CHECKPOINT_COLUMN)} > $2 and",
    killedBy: { file: REORG_TEST, name: "leaves the rows of the final chain" },
  },
  {
    name: "leave the positions of orphaned blocks",
    rule: "A rollback forgets whatever is known of orphaned blocks: the next one goes back no further than it must.",
    file: ROLLBACK,
    find: '["checkpoints", "skipped_events"]',
    replace: '["skipped_events"]',
    killedBy: {
      file: REORG_TEST,
      name: "a second reorg above the first, among the same heights, takes back its own blocks only",
    },
  },
  {
    name: "take only a replaced block for a reorg",
    rule: "A child with another parent shows a reorg as well.",
    file: "src/reorg/chain-link.ts",
    find: "if (replaced || orphaned) return",
    replace: "if (replaced) return",
    killedBy: { file: "test/unit/reorg/chain-link.test.ts", name: "is a child with another parent" },
  },
  {
    name: "take the highest known block for the common one",
    rule: "A chain goes back to the newest block that both sides have in common.",
    file: "src/reorg/rollback.ts",
    find: "theirs[i]?.hash === header.hash",
    replace: "theirs[i]?.number === header.number",
    killedBy: { file: ROLLBACK_PLAN_TEST, name: "to the newest of its blocks that the source has too" },
  },
  {
    name: "roll back below the floor",
    rule: "A reorg that goes below the last final block stops with the choices: nothing is guessed.",
    file: "src/reorg/rollback.ts",
    find: "ancestor === undefined || ancestor < durable.floor",
    replace: "ancestor === undefined",
    killedBy: {
      file: ROLLBACK_PLAN_TEST,
      name: "below the floor is refused, although older headers are stored",
    },
  },
  {
    name: "resume above what history allows",
    rule: "Blocks up to the floor cannot be taken back.",
    file: "src/postgres/resume.ts",
    find: "greatest(finalized, history_floor)",
    replace: "finalized",
    killedBy: {
      file: WRITE_TEST,
      name: "without before-images leaves nothing to roll back to, whatever is called final",
    },
  },
  {
    name: "take a table with rows for an empty one",
    rule: "A table is complete in memory only when the storage had no row of it.",
    file: "src/postgres/resume.ts",
    find: 'rows[0]?.[at] === "t"',
    replace: 'rows[0]?.[at] !== ""',
    killedBy: { file: "test/integration/postgres/open.test.ts", name: "knows which tables have rows of its chains" },
  },
  {
    name: "remember only the newest header at a start",
    rule: "A start compares as many stored headers as a rollback can go back.",
    file: "src/postgres/resume.ts",
    find: "const MAX_HEADERS = 512;",
    replace: "const MAX_HEADERS = 1;",
    killedBy: { file: REORG_TEST, name: "a reorg while the indexer is down is found at the next start" },
  },
];

export const postgresMutants: readonly Mutant[] = [...writes, ...upkeep, ...rollbacks];
