import { HEART, type Mutant } from "./mutant.ts";

const BATCH_PROCESSOR = "src/process/batch-processor.ts";
const BATCH_PROCESSOR_TEST = "test/unit/process/batch-processor.test.ts";
const PROCESSING_LOOP = "src/process/processing-loop.ts";
const PROCESSING_LOOP_TEST = "test/unit/process/processing-loop.test.ts";
const PERSISTENCE_LOOP = "src/write/persistence-loop.ts";
const PERSISTENCE_LOOP_TEST = "test/unit/write/persistence-loop.test.ts";
const CREATE_BATCH_TEST = "test/unit/batch/create-batch.test.ts";
const UPKEEP_TEST = "test/unit/write/upkeep.test.ts";

const processing: readonly Mutant[] = [
  {
    name: "take an outage for the handler's fault",
    rule: "An outage of the storage is never shown as a handler's error: no event is skipped for it.",
    file: BATCH_PROCESSOR,
    find: 'if (route.onError === "stop" || !isOfHandler(error)) {',
    replace: 'if (route.onError === "stop") {',
    killedBy: { file: BATCH_PROCESSOR_TEST, name: "is never the handler's fault: no event is skipped for it" },
  },
  {
    name: "keep what the failed block changed",
    rule: "A batch that fails is kept up to the block before the failure; that block is taken back.",
    file: BATCH_PROCESSOR,
    find: "      this.#o.store.undoBlock();\n",
    replace: "",
    killedBy: HEART,
  },
  {
    name: "begin the next event before the handler is done",
    rule: "Events are handled one after the other.",
    file: BATCH_PROCESSOR,
    find: "if (returned !== undefined) await returned;",
    replace: "if (returned !== undefined) returned.then(undefined, () => {});",
    killedBy: { file: BATCH_PROCESSOR_TEST, name: "wait for the handler before them, also when it is slow" },
  },
  {
    name: "ignore reads that nobody awaits",
    rule: "A read that is still under way when its handler has returned is an error.",
    file: BATCH_PROCESSOR,
    find: "if (isPending(this.#o)) await refusePending",
    replace: "if (false) await refusePending",
    killedBy: { file: BATCH_PROCESSOR_TEST, name: "is an error of the handler that began it, after it has ended" },
  },
  {
    name: "give the end of a range no checkpoint",
    rule: "Progress travels with batches, also over blocks without events (invariant 9).",
    file: BATCH_PROCESSOR,
    find: "if (number !== throughBlock) this.#beginBlock(slice, throughBlock);",
    replace: "",
    killedBy: {
      file: BATCH_PROCESSOR_TEST,
      name: "are those that the batch was numbered with: of each block, and of an end without events",
    },
  },
  {
    name: "skip an event and keep its changes",
    rule: "A skipped event leaves nothing behind but its audit row.",
    file: BATCH_PROCESSOR,
    find: "this.#o.store.undoEvent();",
    replace: "",
    killedBy: { file: BATCH_PROCESSOR_TEST, name: "is skipped where it is told so: its changes alone are undone" },
  },
  {
    name: "never let the event loop turn",
    rule: "However fast handlers are, sockets and timers get a turn.",
    file: BATCH_PROCESSOR,
    find: "++this.#sinceTurn >= EVENTS_A_TURN ? await this.#turn() : endedAt",
    replace: "endedAt",
    killedBy: {
      file: BATCH_PROCESSOR_TEST,
      name: "the event loop gets a turn now and then, however fast the handlers are",
    },
  },
  {
    name: "process beyond the capacity limit",
    rule: "Uncommitted work exceeds its limit by one batch at most (invariant 5).",
    file: PROCESSING_LOOP,
    find: "const capacityWait = await this.#awaitCapacity();",
    replace: "const capacityWait = undefined;",
    killedBy: HEART,
  },
  {
    name: "wait for an empty queue at the limit",
    rule: "A capacity wait ends as soon as a write has freed capacity (invariant 6).",
    file: PROCESSING_LOOP,
    find: "store.waitUntil(() => store.capacityReached === undefined)",
    replace: "store.waitUntil(() => store.isDrained && store.uncommitted.changes < 0)",
    killedBy: HEART,
  },
  {
    name: "await the write of each batch",
    rule: "Processing never waits for a database write.",
    file: PROCESSING_LOOP,
    find: 'if (outcome.kind === "failed") throw outcome.error;',
    replace: 'if (outcome.kind === "failed") throw outcome.error;\n    await store.flush();',
    killedBy: { file: PROCESSING_LOOP_TEST, name: "never waits for a write while there is room" },
  },
  {
    name: "say nothing of being idle",
    rule: "While there is nothing to process, what is queued is written at once.",
    file: PROCESSING_LOOP,
    find: "store.setProcessingIdle(true);\n      await next;",
    replace: "await next;",
    killedBy: { file: PROCESSING_LOOP_TEST, name: "says what it waits for, and that writing later gains nothing then" },
  },
  {
    name: "drop what came before a handler's error",
    rule: "After a handler's error everything before its block is committed.",
    file: PROCESSING_LOOP,
    find: 'outcome.kind === "processed" ? batch : outcome.kept',
    replace: 'outcome.kind === "processed" ? batch : undefined',
    killedBy: {
      file: PROCESSING_LOOP_TEST,
      name: "with a handler's error, after everything before its block was committed",
    },
  },
  {
    name: "go on after a handler's error",
    rule: "After a failure nothing else is processed.",
    file: PROCESSING_LOOP,
    find: 'if (outcome.kind === "failed") throw outcome.error;',
    replace: "",
    killedBy: HEART,
  },
  {
    name: "decide the mode of a batch by its own chains alone",
    rule: "A batch keeps history while any chain of the shard is inside its reorg window.",
    file: PROCESSING_LOOP,
    find: "shardInsideWindow: supplies.some((supply) => supply.isInsideWindow)",
    replace: "shardInsideWindow: false",
    killedBy: {
      file: PROCESSING_LOOP_TEST,
      name: "makes batches that keep history while any chain is inside its window",
    },
  },
  {
    name: "let a handler change rows of another chain's block",
    rule: "A store that is used after its handler has returned is refused.",
    file: "src/process/store-facade.ts",
    find: "if (store.isChangeable && store.scope.chainId === chainId) return;",
    replace: "if (store.isChangeable) return;",
    killedBy: {
      file: "test/unit/process/store-facade.test.ts",
      name: "is refused while another chain's block is handled",
    },
  },
  {
    name: "keep history for batches that are inside the window as a whole only",
    rule: "A batch keeps history while any of its blocks can be orphaned.",
    file: "src/batch/create-batch.ts",
    find: "slices.some((slice) => isInsideWindow(slice, slice.throughBlock))",
    replace: "slices.every((slice) => isInsideWindow(slice, slice.throughBlock))",
    killedBy: HEART,
  },
  {
    name: "take a final block for one that can be orphaned",
    rule: "Before-images are made of blocks that can be orphaned only.",
    file: "src/batch/create-batch.ts",
    find: "return block > slice.range.head.finalized;",
    replace: "return block >= slice.range.head.finalized;",
    killedBy: { file: BATCH_PROCESSOR_TEST, name: "keep before-images of blocks that are not final only" },
  },
  {
    name: "claim the failed block as done",
    rule: "Progress of a chain never says more than the rows in the same transaction (invariant 9).",
    file: "src/batch/create-batch.ts",
    find: "throughBlock: beforeBlock - 1",
    replace: "throughBlock: beforeBlock",
    killedBy: HEART,
  },
  {
    name: "number positions twice",
    rule: "Every checkpoint is in exactly one durable write transaction (invariant 2).",
    file: "src/batch/create-batch.ts",
    find: "return last === slice.throughBlock ? positions : positions + 1;",
    replace: "return positions;",
    killedBy: { file: CREATE_BATCH_TEST, name: "numbers each block with events, and the end of a slice without" },
  },
  {
    name: "let no block pass that is larger than a batch",
    rule: "A single block that is larger than the limit still passes (invariant 5).",
    file: "src/batch/create-batch.ts",
    find: "supply.take(request.maxItems - items, slices.length === 0)",
    replace: "supply.take(request.maxItems - items, false)",
    killedBy: { file: CREATE_BATCH_TEST, name: "takes a block that is larger than its size, alone" },
  },
];

const writing: readonly Mutant[] = [
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
      name: "is written alone when it has changed, a second after the last write at the soonest when a chain is live",
    },
  },
];

export const loopMutants: readonly Mutant[] = [...processing, ...writing];
