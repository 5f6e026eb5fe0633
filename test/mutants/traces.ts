import type { Mutant } from "./mutant.ts";

const TRACES = {
  file: "test/property/traces.test.ts",
  name: "every sampled batch leads to its write transaction and back, whatever fails and ends in between",
};

/** The way from a batch to its write, and back. */
export const traceMutants: readonly Mutant[] = [
  {
    name: "let no batch lead to its write transaction",
    rule: "A batch that is durable leads to the write transaction that made it so (invariant 10).",
    file: "src/instrument/traces/batch-trace.ts",
    find: "stage.span.link(write);",
    replace: "",
    killedBy: TRACES,
  },
  {
    name: "let no run lead back to its batches",
    rule: "A drain run leads back to its batches (invariant 10).",
    file: "src/instrument/traces/drain-trace.ts",
    find: "links: refs,",
    replace: "links: [],",
    killedBy: TRACES,
  },
];
