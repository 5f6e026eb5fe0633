import type { Mutant } from "./mutant.ts";

const EFFECT_TABLE = "src/store/effect-table.ts";
const EFFECT_CALLS = "src/process/effect-calls.ts";
const EFFECT_TABLE_TEST = "test/unit/store/effect-table.test.ts";
const EFFECT_CALLS_TEST = "test/unit/process/effect-calls.test.ts";
const CALL_LIMITER_TEST = "test/unit/process/call-limiter.test.ts";
const RAW_EVENTS_TEST = "test/unit/write/raw-events.test.ts";

/** Outputs of effects, and raw events. */
export const effectMutants: readonly Mutant[] = [
  {
    name: "call for each input each time",
    rule: "A call under way is shared by whoever asks for the same input.",
    file: EFFECT_CALLS,
    find: "known.underWay.set(key, made);",
    replace: "",
    killedBy: { file: EFFECT_CALLS_TEST, name: "share a call under way" },
  },
  {
    name: "keep a call that has failed",
    rule: "A failure of an effect is kept nowhere: whoever asks next makes a new call.",
    file: EFFECT_CALLS,
    find: ".finally(() => known.underWay.delete(key))",
    replace: "",
    killedBy: {
      file: EFFECT_CALLS_TEST,
      name: "rejects everyone who waits for it, and is kept nowhere: the next one is made anew",
    },
  },
  {
    name: "call without looking at what is stored",
    rule: "An output that was stored before is read, not called for.",
    file: EFFECT_CALLS,
    find: "definition.cache ? await this.#reads.read(shape, key) : undefined",
    replace: "undefined",
    killedBy: { file: EFFECT_CALLS_TEST, name: "are read in one query a turn, and not called for" },
  },
  {
    name: "begin calls faster than the rate allows",
    rule: "An effect is called within its rate.",
    file: "src/process/call-limiter.ts",
    find: "await this.#clock.sleep(oldest + perMs - now);",
    replace: "break;",
    killedBy: { file: CALL_LIMITER_TEST, name: "are no more in any interval than its rate" },
  },
  {
    name: "keep the place of a call that has failed",
    rule: "An effect has so many calls under way at once, whatever becomes of them.",
    file: "src/process/call-limiter.ts",
    find: `    try {
      return await call();
    } finally {
      this.#running--;
      this.#ended.notify();
    }`,
    replace: `    const called = await call();
    this.#running--;
    this.#ended.notify();
    return called;`,
    killedBy: { file: CALL_LIMITER_TEST, name: "that fail make room for the next" },
  },
  {
    name: "write outputs of the batch in progress",
    rule: "A run holds the outputs of committed batches only.",
    file: EFFECT_TABLE,
    find: "for (const entry of this.#open) {\n      codec",
    replace: "for (const entry of [...this.#open, ...this.#batch]) {\n      codec",
    killedBy: {
      file: EFFECT_TABLE_TEST,
      name: "of a batch in progress does not leak into the run that is sealed meanwhile",
    },
  },
  {
    name: "keep the outputs of an undone block",
    rule: "An output belongs to the checkpoint of its block: undoing the block forgets it.",
    file: EFFECT_TABLE,
    find: "entry.checkpoint !== checkpoint || this.#forgotten(entry)",
    replace: "true",
    killedBy: {
      file: EFFECT_TABLE_TEST,
      name: "stays when its event is undone, and is forgotten when its block is",
    },
  },
  {
    name: "write outputs that are not to be kept",
    rule: "Outputs without cache: true stay in memory only.",
    file: EFFECT_TABLE,
    find: "entry.shape.model.cache || this.#forgotten(entry)",
    replace: "true",
    killedBy: { file: EFFECT_TABLE_TEST, name: "without cache: true lasts as long as its batch, and is not written" },
  },
  {
    name: "evict outputs that are not durable",
    rule: "Outputs are evicted once they are committed only.",
    file: EFFECT_TABLE,
    find: "if ((entry.run ?? Number.POSITIVE_INFINITY) > throughRun) break;",
    replace: "",
    killedBy: {
      file: EFFECT_TABLE_TEST,
      name: "keeps outputs of a run that is sealed and waits for the one before it",
    },
  },
  {
    name: "count no outputs",
    rule: "Uncommitted outputs of effects count against the capacity.",
    file: "src/store/open-run.ts",
    find: "let changes = this.#effects.changes;",
    replace: "let changes = 0;",
    killedBy: { file: EFFECT_TABLE_TEST, name: "into the capacity, until they are durable" },
  },
  {
    name: "read outputs of any type",
    rule: "A changed output type invalidates stored outputs.",
    file: "src/postgres/effect-reader.ts",
    find: " and e.output_type = k.output_type",
    replace: "",
    killedBy: {
      file: "test/integration/effects.test.ts",
      name: "is called again once its output has another type, and the new output replaces the old one",
    },
  },
  {
    name: "leave the effects and raw events of orphaned blocks",
    rule: "A rollback takes back effects and raw events of orphaned blocks.",
    file: "src/postgres/rollback.ts",
    find: '["effects", "raw_events"]',
    replace: "[] as string[]",
    killedBy: {
      file: "test/integration/effects.test.ts",
      name: "is forgotten by a rollback where the call was orphaned, and only there",
    },
  },
  {
    name: "give raw events of a range's end no position",
    rule: "A raw event has the checkpoint of its block.",
    file: "src/write/raw-events.ts",
    find: "return block === slice.throughBlock ? next : next + 1;",
    replace: "return next;",
    killedBy: {
      file: RAW_EVENTS_TEST,
      name: "of a run have the checkpoints of its positions, blocks without events and ends of ranges counted",
    },
  },
  {
    name: "encode raw events in one go",
    rule: "What takes long lets the event loop turn.",
    file: "src/write/raw-events.ts",
    find: "this.out.rows < this.#turnAt.rows && this.out.bytes",
    replace: "this.out.bytes",
    killedBy: { file: RAW_EVENTS_TEST, name: "let the event loop turn every 500 events, and every 256 KiB" },
  },
  {
    name: "count no slices that raw events are made of",
    rule: "What is kept for raw events counts against the capacity.",
    file: "src/store/store.ts",
    find: "bytes += run.bytes + run.heldBytes;",
    replace: "bytes += run.bytes;",
    killedBy: {
      file: RAW_EVENTS_TEST,
      name: "keep their slices for raw events, which count into the capacity until they are durable",
    },
  },
];
