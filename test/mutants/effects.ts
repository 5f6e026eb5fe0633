import type { Mutant } from "./mutant.ts";

const EFFECT_TABLE = "src/store/effect-table.ts";
const EFFECT_CALLS = "src/process/effect-calls.ts";
const RAW_EVENTS = "src/write/raw-events.ts";
const EFFECT_TABLE_TEST = "test/unit/store/effect-table.test.ts";
const EFFECT_CALLS_TEST = "test/unit/process/effect-calls.test.ts";
const EFFECTS_TEST = "test/integration/effects.test.ts";
const RAW_EVENTS_TEST = "test/unit/write/raw-events.test.ts";

/** Effects and raw events. */
export const effectMutants: readonly Mutant[] = [
  {
    name: "keep the outputs of an undone block",
    rule: "An output is never written with a checkpoint that was undone.",
    file: EFFECT_TABLE,
    find: "entry.checkpoint !== checkpoint || this.#forgotten(entry)",
    replace: "true || checkpoint || this.#forgotten(entry)",
    killedBy: { file: EFFECT_TABLE_TEST, name: "stays when its event is undone, and is forgotten when its block is" },
  },
  {
    name: "evict outputs that are not durable",
    rule: "An output leaves the memory only once it is durable.",
    file: EFFECT_TABLE,
    find: "if ((entry.run ?? Number.POSITIVE_INFINITY) > throughRun) break;",
    replace: "",
    killedBy: { file: EFFECT_TABLE_TEST, name: "lets outputs go, oldest first, but never before they are durable" },
  },
  {
    name: "write the outputs of effects without cache: true",
    rule: "Without cache: true an output lasts as long as its batch.",
    file: EFFECT_TABLE,
    find: "entry.shape.model.cache || this.#forgotten(entry)",
    replace: "true || this.#forgotten(entry)",
    killedBy: { file: EFFECT_TABLE_TEST, name: "without cache: true lasts as long as its batch, and is not written" },
  },
  {
    name: "count no outputs into the capacity",
    rule: "Capacity counts uncommitted changes, queued items and outputs of effects, and their bytes.",
    file: "src/store/open-run.ts",
    find: "let changes = this.#effects.changes;",
    replace: "let changes = 0;",
    killedBy: { file: EFFECT_TABLE_TEST, name: "as a reason to wait" },
  },
  {
    name: "share no call under way",
    rule: "Equal inputs are called for once.",
    file: EFFECT_CALLS,
    find: "known.underWay.set(key, made);",
    replace: "",
    killedBy: { file: EFFECT_CALLS_TEST, name: "share a call under way" },
  },
  {
    name: "never look for stored outputs",
    rule: "What was stored is found again after a restart.",
    file: EFFECT_CALLS,
    find: "definition.cache ? await this.#reads.read(shape, key) : undefined",
    replace: "undefined",
    killedBy: { file: EFFECTS_TEST, name: "is called once for each input, and not again after a restart" },
  },
  {
    name: "read outputs of any type",
    rule: "A changed output type invalidates stored outputs.",
    file: "src/postgres/effect-reader.ts",
    find: " and e.output_type = k.output_type",
    replace: "",
    killedBy: { file: EFFECTS_TEST, name: "is called again once its output has another type" },
  },
  {
    name: "keep the outputs of orphaned blocks",
    rule: "A rollback forgets whatever is known of orphaned blocks.",
    file: "src/postgres/rollback.ts",
    find: '["effects", "raw_events"]',
    replace: '["raw_events"]',
    killedBy: { file: EFFECTS_TEST, name: "is forgotten by a rollback where the call was orphaned, and only there" },
  },
  {
    name: "leave out the ends of ranges when raw events are numbered",
    rule: "A raw event has the checkpoint of its rows.",
    file: RAW_EVENTS,
    find: "return block === slice.throughBlock ? next : next + 1;",
    replace: "return next;",
    killedBy: { file: RAW_EVENTS_TEST, name: "of a run have the checkpoints of its positions" },
  },
  {
    name: "encode raw events without a pause",
    rule: "Encoding raw events never blocks long.",
    file: RAW_EVENTS,
    find: "await this.#turn();",
    replace: "continue;",
    killedBy: { file: RAW_EVENTS_TEST, name: "let the event loop turn every 500 events, and every 256 KiB" },
  },
];
