import type { Mutant } from "./mutant.ts";

const STORM_TEST = "test/unit/instrument/log-storm.test.ts";
const KIT_TEST = "test/unit/testing/handler-telemetry.test.ts";

/** What handlers tell, what the log leaves out, and what nobody may read. */
export const tellingMutants: readonly Mutant[] = [
  {
    name: "count what a skipped event counted",
    rule: "What is counted follows the rows: with a skipped event it is undone.",
    file: "src/process/batch-processor.ts",
    find: "    this.#told.undoEvent();\n",
    replace: "",
    killedBy: { file: KIT_TEST, name: "what a skipped event counted before it threw is not counted" },
  },
  {
    name: "count what a failed block counted",
    rule: "What is counted follows the rows: with a block that is taken back it is undone.",
    file: "src/process/batch-processor.ts",
    find: "      this.#told.undoBlock();\n",
    replace: "",
    killedBy: {
      file: KIT_TEST,
      name: "when a handler stops the indexer, what counts is what stays: the blocks before",
    },
  },
  {
    name: "make a span for every call that asks for one",
    rule: "Handlers make at most a hundred spans a batch.",
    file: "src/instrument/traces/handler-spans.ts",
    find: "if (this.#made >= MAX_HANDLER_SPANS) {",
    replace: "if (this.#made < 0) {",
    killedBy: { file: "test/unit/instrument/handler-telemetry.test.ts", name: "is made a hundred times a batch" },
  },
  {
    name: "send the id of a span that is not kept",
    rule: "An id that leaves the process is that of a span that is exported.",
    file: "src/instrument/traces/effect-trace.ts",
    find: "    this.#span = this.#start();\n    return this.#span;",
    replace: "    return this.#start();",
    killedBy: {
      file: "test/unit/instrument/handler-telemetry.test.ts",
      name: "is a span from then on, however fast it is",
    },
  },
  {
    name: "leave errors out of the log",
    rule: "Lines of errors are never left out.",
    file: "src/instrument/log.ts",
    find: "if (isError || storm.admits(what))",
    replace: "if (storm.admits(what))",
    killedBy: { file: STORM_TEST, name: "of errors is written as a whole" },
  },
  {
    name: "forget how many lines were left out",
    rule: "A storm of one event is limited and counted.",
    file: "src/instrument/log-storm.ts",
    find: "told.push({ of, lines });",
    replace: "",
    killedBy: { file: STORM_TEST, name: "writes a hundred lines in ten seconds, and then how many were left out" },
  },
  {
    name: "let known secrets pass",
    rule: "A value that is known to be secret is hidden wherever it stands.",
    file: "src/instrument/redact.ts",
    find: "return hideSecrets(",
    replace: "return String(",
    killedBy: { file: "test/unit/lib/known-secrets.test.ts", name: "is hidden wherever it stands" },
  },
];
