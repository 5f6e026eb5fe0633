import type { Mutant } from "./mutant.ts";

const WRITE_TRANSACTION = "src/postgres/write-transaction.ts";
const WRITE_CLAIM = "src/postgres/write-claim.ts";
const WRITE_GUARD = "src/write/write-guard.ts";
const WRITE_TEST = "test/integration/postgres/write.test.ts";
const FAILURE_TEST = "test/unit/postgres/failure.test.ts";
const METADATA_TEST = "test/integration/postgres/chain-metadata.test.ts";

/** The write transaction, what its failures mean, and its progress. */
export const postgresMutants: readonly Mutant[] = [
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
    find: "if (at < durableSeq) throw wentBack(",
    replace: 'if (at <= writeSeq) return "already_durable";\n  if (at < durableSeq) throw wentBack(',
    killedBy: { file: WRITE_TEST, name: "is refused when the database has lost confirmed writes" },
  },
  {
    name: "never recognise a durable write",
    rule: "After a COMMIT without an answer the guarded update tells what happened.",
    file: WRITE_GUARD,
    find: "if (at === writeSeq) return",
    replace: "if (at === -1) return",
    killedBy: { file: WRITE_TEST, name: "after COMMIT was sent is written once, whether COMMIT had arrived or not" },
  },
  {
    name: "take a restored backup for a take-over",
    rule: "A row of the shard that has counted fewer starts than ours is older than ours: the database went back.",
    file: WRITE_GUARD,
    find: "return stored.starts <= starts;",
    replace: "return false;",
    killedBy: { file: "test/unit/write/write-guard.test.ts", name: "meets a backup of the time of an owner before us" },
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
