import type { Mutant } from "./mutant.ts";

const RANGE_BUFFER_TEST = "test/unit/fetch/range-buffer.test.ts";
const CHAIN_FETCHER_TEST = "test/unit/fetch/chain-fetcher.test.ts";
const HEAD_TRACKER_TEST = "test/unit/fetch/head-tracker.test.ts";

/** What comes in, in order, and that it is our chain. */
export const fetchMutants: readonly Mutant[] = [
  {
    name: "cut a block in two",
    rule: "Batches end at block boundaries.",
    file: "src/fetch/range-buffer.ts",
    find: "while (end > fromRow && blockNumber[end - 1] === blockNumber[end]) end--;",
    replace: "",
    killedBy: { file: RANGE_BUFFER_TEST, name: "gives nothing where no whole block fits, unless it must" },
  },
  {
    name: "take ranges with holes between them",
    rule: "Progress says that everything up to a block is included: ranges follow each other.",
    file: "src/fetch/range-buffer.ts",
    find: "range.fromBlock === expected",
    replace: "range.fromBlock >= expected",
    killedBy: { file: RANGE_BUFFER_TEST, name: "takes ranges in order only" },
  },
  {
    name: "forget to wake the fetch loop",
    rule: "A full buffer holds fetching back until something is taken, and no longer.",
    file: "src/fetch/range-buffer.ts",
    find: "this.changed.notify();\n    return slice;",
    replace: "return slice;",
    killedBy: {
      file: RANGE_BUFFER_TEST,
      name: "wakes processing when a range comes and when it ends, and fetching when something was taken",
    },
  },
  {
    name: "call a buffer of empty ranges never full",
    rule: "The buffer is bounded, also where nothing happens on the chain.",
    file: "src/fetch/range-buffer.ts",
    find: " || this.#ranges.length >= MAX_RANGES",
    replace: "",
    killedBy: { file: RANGE_BUFFER_TEST, name: "is full with many ranges without events, too" },
  },
  {
    name: "spin at a full buffer",
    rule: "A full buffer holds fetching back until something is taken.",
    file: "src/fetch/chain-fetcher.ts",
    find: "      await this.#whileFull(signal);\n",
    replace: "",
    killedBy: { file: CHAIN_FETCHER_TEST, name: "holds fetching back until something is taken" },
  },
  {
    name: "trust that each range continues the chain",
    rule: "Each new block's parent is the block before it, or the chain was reorganised.",
    file: "src/fetch/chain-fetcher.ts",
    find: "    this.#o.checkLink(this.#o.chain, this.#last, range.headers);\n",
    replace: "",
    killedBy: {
      file: CHAIN_FETCHER_TEST,
      name: "finds that a block was replaced: by the parent of the next, or at its height",
    },
  },
  {
    name: "trust the newest block for ever",
    rule: "The newest known block is compared with what the source says of it.",
    file: "src/fetch/chain-fetcher.ts",
    find: "if (newest.number === this.#last?.number) this.#o.checkLink(chain, this.#last, [newest]);",
    replace: "",
    killedBy: {
      file: CHAIN_FETCHER_TEST,
      name: "finds that a block was replaced: by the parent of the next, or at its height",
    },
  },
  {
    name: "follow the head although it should end",
    rule: "A run with an end stops at the head that it saw first.",
    file: "src/fetch/chain-fetcher.ts",
    find: "if (this.#o.once) this.#stopBlock = Math.min(this.#stopBlock, head.target);",
    replace: "",
    killedBy: { file: CHAIN_FETCHER_TEST, name: "does not follow a head that moves meanwhile" },
  },
  {
    name: "let finality fall",
    rule: "What was final stays final.",
    file: "src/fetch/head-tracker.ts",
    find: "Math.max(this.#finalized, Math.min(head, finalized ?? head - this.#maxReorgDepth))",
    replace: "Math.min(head, finalized ?? head - this.#maxReorgDepth)",
    killedBy: { file: HEAD_TRACKER_TEST, name: "keeps what was final before the start" },
  },
  {
    name: "take blocks above the head for final",
    rule: "Nothing above a validated head is final.",
    file: "src/fetch/head-tracker.ts",
    find: "Math.min(head, finalized ?? head - this.#maxReorgDepth)",
    replace: "(finalized ?? head - this.#maxReorgDepth)",
    killedBy: { file: HEAD_TRACKER_TEST, name: "cannot be final above itself" },
  },
  {
    name: "let the head fall",
    rule: "The head never falls.",
    file: "src/fetch/head-tracker.ts",
    find: "if (head > this.#head) {",
    replace: "if (head !== this.#head) {",
    killedBy: { file: HEAD_TRACKER_TEST, name: "is unknown at first, and never falls" },
  },
  {
    name: "take logs of another version of a block",
    rule: "Logs and headers of an answer belong to the same blocks.",
    file: "src/fetch/range-query.ts",
    find: "if (hash !== header.hash) return",
    replace: "if (hash === undefined) return",
    killedBy: { file: "test/unit/fetch/selected-fields.test.ts", name: "by its hash ends it too" },
  },
  {
    name: "ask for no headers inside the reorg window",
    rule: "Every header inside the reorg window is stored, so that the common ancestor can be found.",
    file: "src/fetch/range-query.ts",
    find: "for (let block = Math.max(fromBlock, finalized); block < toBlock; block++) wanted.add(block);",
    replace: "",
    killedBy: {
      file: CHAIN_FETCHER_TEST,
      name: "has the headers of its ends, of the last final block and of all after it",
    },
  },
  {
    name: "lose what is left of a range that the node refuses",
    rule: "Progress says that everything up to a block is included: ranges follow each other.",
    file: "src/fetch/range-query.ts",
    find: "next = range.toBlock + 1;",
    replace: "next = last + 1;",
    killedBy: {
      file: CHAIN_FETCHER_TEST,
      name: "is smaller where the node refuses it, and what is left of it follows",
    },
  },
];
