import type { Mutant } from "./mutant.ts";

const EQUAL: Mutant["killedBy"] = {
  file: "test/property/factories.test.ts",
  name: "it is what a run handles that knows every address beforehand",
};
const DISCOVERY_TEST = "test/unit/fetch/factory-discovery.test.ts";
const KIT_TEST = "test/unit/testing/factories.test.ts";

/** Addresses that events of factories and handlers bring. */
export const factoryMutants: readonly Mutant[] = [
  {
    name: "look at the events of factories once, in their order",
    rule: "All logs of an address count in its first block, also those before the event that brings it.",
    file: "src/fetch/factory-discovery.ts",
    find: "while (read.some((page) => this.#addAll(page)));",
    replace: "for (const page of read) this.#addAll(page);",
    killedBy: {
      file: DISCOVERY_TEST,
      name: "a factory counts from its first block on also where there are too many to ask for each",
    },
  },
  {
    name: "ask new factories for nothing",
    rule: "A factory that was brought in a range is asked for its events in that range.",
    file: "src/fetch/factory-discovery.ts",
    find: "if (asked.queries(from, to).length === 0) return",
    replace: "if (asked !== undefined) return",
    killedBy: EQUAL,
  },
  {
    name: "keep what was brought in a block that was replaced meanwhile",
    rule: "Events of factories are of the same blocks as the logs of the range.",
    file: "src/fetch/range-query.ts",
    find: "if (factories.pages.length > 0) options.discovery?.forgetSince(factories.mark);",
    replace: "",
    killedBy: {
      file: DISCOVERY_TEST,
      name: "what a factory brought in a block that was replaced before its children's logs came is forgotten",
    },
  },
  {
    name: "fetch ranges side by side where factories are not read ahead",
    rule: "Events of factories are asked for once.",
    file: "src/fetch/chain-fetcher.ts",
    find: "const isAlone = discovery !== undefined && last > head.finalized;",
    replace: "const isAlone = false;",
    killedBy: {
      file: DISCOVERY_TEST,
      name: "where blocks may be replaced they are read with the logs, once as well",
    },
  },
  {
    name: "count logs of an address from before its first block",
    rule: "Logs of an address count from its block on.",
    file: "src/fetch/child-registry.ts",
    find: "return number !== NO_ADDRESS && (this.#blocks[number] as number) <= block;",
    replace: "return number !== NO_ADDRESS;",
    killedBy: EQUAL,
  },
  {
    name: "begin where the children begin, not where the factory does",
    rule: "A factory is read from its own first block on.",
    file: "src/indexer/chain-lane.ts",
    find: "nextBlock: resumeAt ?? factories.selection.startBlock,",
    replace: "nextBlock,",
    killedBy: EQUAL,
  },
  {
    name: "leave what a registered factory has brought up to now",
    rule: "Registered addresses are covered as factories, too.",
    file: "src/fetch/late-children.ts",
    find: "  await discovery?.catchUp(registry.since(mark), signal);\n",
    replace: "",
    killedBy: EQUAL,
  },
  {
    name: "store no address that is registered",
    rule: "Addresses are durable with the progress that passes their block.",
    file: "src/fetch/late-children.ts",
    find: "if (own.length > 0) merged =",
    replace: "if (own.length > 1e9) merged =",
    killedBy: EQUAL,
  },
  {
    name: "store addresses of blocks that are not complete",
    rule: "Addresses are durable with the progress that passes their block, and not before.",
    file: "src/batch/create-batch.ts",
    find: "return at >= fromBlock && at <= throughBlock;",
    replace: "return at >= fromBlock;",
    killedBy: {
      file: "test/unit/batch/create-batch.test.ts",
      name: "addresses come with the blocks that brought them",
    },
  },
  {
    name: "keep the addresses of orphaned blocks",
    rule: "A rollback forgets whatever is known of orphaned blocks.",
    file: "src/postgres/rollback.ts",
    find: '["factory_addresses", "block", request.childrenTo ?? toBlock],',
    replace: '["factory_addresses", "block", 1_000_000_000],',
    killedBy: {
      file: "test/e2e/factories.test.ts",
      name: "contracts of contracts of contracts, made and used in one transaction",
    },
  },
  {
    name: "register for a handler that was skipped",
    rule: "What a skipped call did is undone.",
    file: "src/process/batch-processor.ts",
    find: "    this.#registered.undoEvent();\n",
    replace: "",
    killedBy: { file: KIT_TEST, name: "covers nothing" },
  },
  {
    name: "fail for what a handler misses before the logs of new addresses are there",
    rule: "A block that registers an address is judged when its logs are there.",
    file: "src/process/batch-processor.ts",
    find: "if (isRunAgain) return { error: undefined, block: number };",
    replace: "",
    killedBy: { file: KIT_TEST, name: "an error counts when the logs of the new address are there" },
  },
];
