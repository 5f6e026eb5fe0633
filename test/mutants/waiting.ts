import type { Mutant } from "./mutant.ts";

const WATCH = "src/instrument/waiting/wait-watch.ts";
const SPAN = "src/instrument/waiting/wait-span.ts";
const WAITS_TEST = "test/unit/instrument/waits.test.ts";

/** What is told of stalls while they last, and the time of the loops. */
export const waitingMutants: readonly Mutant[] = [
  {
    name: "tell of what is open for a moment",
    rule: "Nothing is told of that is done within 10 s.",
    file: WATCH,
    find: "if (now - unfinished.since < LONG_MS) continue;",
    replace: "",
    killedBy: { file: WAITS_TEST, name: "but nothing that is done within 10 s, however often" },
  },
  {
    name: "let the span that tells of a stall wait for others",
    rule: "During a stall there is something to click.",
    file: WATCH,
    find: "this.#sent = this.#instruments.tracing.flush();",
    replace: "",
    killedBy: { file: WAITS_TEST, name: "is exported at once" },
  },
  {
    name: "tell of a stall below a span that is not exported",
    rule: "During a stall there is something to click, at any sampling ratio but 0.",
    file: SPAN,
    find: "parent: parent?.ref === undefined ? undefined : parent,",
    replace: "parent,",
    killedBy: {
      file: WAITS_TEST,
      name: "a stall can be clicked at a ratio at which nothing else is exported; at 0 nothing is",
    },
  },
  {
    name: "leave a capacity wait without the write that it waits for",
    rule: "What is told of a stall links to the other loop.",
    file: SPAN,
    find: "if (isAwaitingRun) return { links: [run.origin.ref], attributes: ids };",
    replace: "if (isAwaitingRun) return { links: [], attributes: ids };",
    killedBy: {
      file: WAITS_TEST,
      name: "a capacity wait has no span yet: it is told of by a root that links to the run in flight",
    },
  },
  {
    name: "keep a statement open that has ended",
    rule: "A stall that is over is not told of any more.",
    file: "src/instrument/traces/write-trace.ts",
    find: "      open.delete(statement);\n",
    replace: "",
    killedBy: { file: WAITS_TEST, name: "is told of again every 30 s, and not when it is over" },
  },
  {
    name: "take the snapshot on the handlers' time",
    rule: "The time of each loop is accounted without overlap (invariant 11).",
    file: "src/write/persistence-loop.ts",
    find: 'telemetry.processLoop.interrupt("blocked", () => store.takeRun())',
    replace: "store.takeRun()",
    killedBy: {
      file: "test/unit/write/persistence-loop.test.ts",
      name: "what it encodes synchronously is time of neither loop's other work",
    },
  },
  {
    name: "count the turn of others as time of handlers",
    rule: "The time of each loop is accounted without overlap (invariant 11).",
    file: "src/process/batch-processor.ts",
    find: '    this.#o.processLoop.enter("other");\n',
    replace: "",
    killedBy: {
      file: "test/unit/process/batch-processor.test.ts",
      name: "what others do in that turn is not time of handlers",
    },
  },
  {
    name: "let a stop wait for capacity",
    rule: "A flush at a stop has a deadline: nothing before it waits for the database.",
    file: "src/process/processing-loop.ts",
    find: "store.capacityReached === undefined || signal.aborted);",
    replace: "store.capacityReached === undefined);",
    killedBy: {
      file: "test/unit/process/processing-loop.test.ts",
      name: "a stop ends the wait: nothing more is processed, and what is there can be flushed",
    },
  },
];
