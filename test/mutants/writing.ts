import { HEART, type Mutant } from "./mutant.ts";

const PERSISTENCE_LOOP = "src/write/persistence-loop.ts";
const PERSISTENCE_LOOP_TEST = "test/unit/write/persistence-loop.test.ts";
const UPKEEP_TEST = "test/unit/write/upkeep.test.ts";

/** The persistence loop, and what it writes while no run is due. */
export const writingMutants: readonly Mutant[] = [
  {
    name: "call a run durable before it is written",
    rule: "The committed frontier moves when PostgreSQL has confirmed the write (invariant 1).",
    file: PERSISTENCE_LOOP,
    find: "await this.#write(complete, metadata, drain, signal);",
    replace: "store.durable(run);\n      await this.#write(complete, metadata, drain, signal);",
    killedBy: {
      file: PERSISTENCE_LOOP_TEST,
      name: "has one write in flight; what is committed meanwhile is one run",
    },
  },
  {
    name: "give up when an outcome is unknown",
    rule: "After a COMMIT without an answer the same run is written again: the guarded update tells what happened.",
    file: PERSISTENCE_LOOP,
    find: 'kind === "transient" || kind === "outcome_unknown"',
    replace: 'kind === "transient"',
    killedBy: { file: PERSISTENCE_LOOP_TEST, name: "is tried again with the same run, after a wait" },
  },
  {
    name: "take an unknown outcome for a durable one",
    rule: "After a COMMIT without an answer the same run is written again: the guarded update tells what happened.",
    file: PERSISTENCE_LOOP,
    find: 'const canHelp = kind === "transient" || kind === "outcome_unknown";',
    replace: 'if (kind === "outcome_unknown") return;\n        const canHelp = kind === "transient";',
    killedBy: HEART,
  },
  {
    name: "try again after being fenced",
    rule: "A fenced writer writes nothing any more.",
    file: PERSISTENCE_LOOP,
    find: 'kind === "transient" || kind === "outcome_unknown"',
    replace: 'kind !== "fatal"',
    killedBy: { file: PERSISTENCE_LOOP_TEST, name: "ends the loop at once with" },
  },
  {
    name: "retry for ever",
    rule: "A transient failure is fatal when the budget is spent.",
    file: PERSISTENCE_LOOP,
    find: " && clock.now() + waitMs < deadline",
    replace: "",
    killedBy: {
      file: PERSISTENCE_LOOP_TEST,
      name: "is given up when the budget is spent: the store fails with the place and the cause",
    },
  },
  {
    name: "retry without a pause",
    rule: "Retries back off.",
    file: PERSISTENCE_LOOP,
    find: "await clock.sleep(waitMs, signal);",
    replace: "",
    killedBy: { file: PERSISTENCE_LOOP_TEST, name: "is tried again with the same run, after a wait" },
  },
  {
    name: "keep the failure of a write to itself",
    rule: "The first fatal write error is latched and ends the loop.",
    file: PERSISTENCE_LOOP,
    find: "drain.failed(error);\n      store.fail(error instanceof Error ? error : new Error(String(error)));",
    replace: "drain.failed(error);",
    killedBy: { file: PERSISTENCE_LOOP_TEST, name: "ends the loop at once with" },
  },
  {
    name: "listen for changes only when there is nothing to do",
    rule: "A wake-up is never lost, also while something else is written.",
    file: PERSISTENCE_LOOP,
    find: "await this.#rest(next);",
    replace: "await this.#rest(store.changed.next());",
    killedBy: {
      file: PERSISTENCE_LOOP_TEST,
      name: "writes a run whenever it becomes due, also while it looks for other work",
    },
  },
  {
    name: "do the upkeep before runs",
    rule: "Metadata and pruning are written while no run is due.",
    file: PERSISTENCE_LOOP,
    find: `      if (store.isRunDue) await this.#drain(signal);
      else if (!(await this.#keepUp())) await this.#rest(next);`,
    replace: `      if (await this.#keepUp()) continue;
      if (store.isRunDue) await this.#drain(signal);
      else await this.#rest(next);`,
    killedBy: { file: UPKEEP_TEST, name: "never goes before a run that is due" },
  },
  {
    name: "compare metadata by its text",
    rule: "Chain metadata is compared by value, field by field.",
    file: "src/write/chain-metadata.ts",
    find: "return isSameMetadata(chains, this.#written) ? undefined : chains;",
    replace: "return JSON.stringify(chains) === JSON.stringify(this.#written) ? undefined : chains;",
    killedBy: {
      file: UPKEEP_TEST,
      name: "is not written when it is equal, whatever object it is and in whatever order its fields are",
    },
  },
  {
    name: "write metadata whenever it changes",
    rule: "Metadata is written alone once a second at most.",
    file: "src/write/chain-metadata.ts",
    find: "return Math.max(this.#notBefore, this.#writtenAt + this.#everyMs);",
    replace: "return this.#notBefore;",
    killedBy: {
      file: UPKEEP_TEST,
      name: "is not written more often because something else happens",
    },
  },
];
