import type { Mutant } from "./mutant.ts";

const ROLLBACK = "src/postgres/rollback.ts";
const WRITE_TEST = "test/integration/postgres/write.test.ts";
const REORG_TEST = "test/integration/reorg.test.ts";
const ROLLBACK_PLAN_TEST = "test/unit/reorg/rollback.test.ts";

/** Rollbacks and resuming. */
export const rollbackMutants: readonly Mutant[] = [
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
    find: '["blocks", "number", toBlock],',
    replace: '["blocks", "number", toBlock + 1_000_000],',
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
    find: "number <= greatest(c.finalized, c.history_floor)",
    replace: "number <= c.block",
    killedBy: { file: REORG_TEST, name: "a window of many hundred blocks is taken back whole" },
  },
];
