import { HEART, type Mutant } from "./mutant.ts";

const STORE_TEST = "test/unit/store/store.test.ts";

/** The queue between the two loops, the frontiers, and who waits. */
export const queueMutants: readonly Mutant[] = [
  {
    name: "merge batches of different modes",
    rule: "A drain run never mixes history modes (invariant 3).",
    file: "src/store/open-run.ts",
    find: 'if (this.mode !== mode) return this.seal("history_mode");',
    replace: "",
    killedBy: { file: STORE_TEST, name: "merges batches of one mode; another mode ends it" },
  },
  {
    name: "check the limits of a run no more",
    rule: "A run takes no batch beyond its limits.",
    file: "src/store/open-run.ts",
    find: 'if (this.#batches.length >= this.#limits.maximumBatches) return this.seal("batches");',
    replace: "",
    killedBy: { file: STORE_TEST, name: "takes no further batch beyond its limit of" },
  },
  {
    name: "keep the headers of a run's last batch only",
    rule: "Every header seen inside the reorg window is stored with the progress.",
    file: "src/store/open-run.ts",
    find: "[...(this.#progress.get(progress.chainId)?.headers ?? []), ...progress.headers]",
    replace: "progress.headers",
    killedBy: { file: STORE_TEST, name: "has the last progress of each chain, its blocks, and all headers" },
  },
  {
    name: "merge first, check the mode afterwards",
    rule: "A drain run never mixes history modes (invariant 3).",
    file: "src/store/store.ts",
    find: `    const sealed = this.#open.sealBefore(batch.mode);
    if (sealed !== undefined) this.#sealed.push(sealed);
    const changes = this.#open.join(batch, this.#clock.now(), this.#batchPositions, this.#batchSkipped);`,
    replace: `    const changes = this.#open.join(batch, this.#clock.now(), this.#batchPositions, this.#batchSkipped);
    const sealed = this.#open.sealBefore(batch.mode);
    if (sealed !== undefined) this.#sealed.push(sealed);`,
    killedBy: HEART,
  },
  {
    name: "advance the frontier before COMMIT",
    rule: "The committed frontier moves when PostgreSQL has confirmed the write (invariant 1).",
    file: "src/store/store.ts",
    find: "    return this.#inFlight;\n",
    replace:
      "    this.#committedCheckpoint = this.#inFlight?.checkpoints.to ?? this.#committedCheckpoint;\n    return this.#inFlight;\n",
    killedBy: HEART,
  },
  {
    name: "forget to wake the writer",
    rule: "A batch commit wakes the write loop.",
    file: "src/store/store.ts",
    find: "this.changed.notify();\n    return changes;",
    replace: "return changes;",
    killedBy: {
      file: "test/unit/write/persistence-loop.test.ts",
      name: "writes what is queued, one run after the other, and moves the committed frontier",
    },
  },
  {
    name: "forget to wake those who wait for a write",
    rule: "A capacity wait ends with the write that frees capacity (invariant 6).",
    file: "src/store/store.ts",
    find: "this.#lastCommitAt = this.#clock.now();\n    this.#trimCache();\n    this.changed.notify();",
    replace: "this.#lastCommitAt = this.#clock.now();\n    this.#trimCache();",
    killedBy: HEART,
  },
  {
    name: "say nothing of those who wait",
    rule: "A run is written at once when someone waits for it: a wait cannot deadlock (invariant 6).",
    file: "src/store/store.ts",
    find: "this.#waiters++;",
    replace: "",
    killedBy: { file: STORE_TEST, name: "with enough items, or when nobody would gain by waiting" },
  },
  {
    name: "let what a live chain has brought wait for more",
    rule: "What a chain at its head has brought is written after 50 ms at the latest, however little it is.",
    file: "src/store/store.ts",
    find: "return this.#clock.now() >= this.#open.dueAt;",
    replace: "return false;",
    killedBy: {
      file: STORE_TEST,
      name: "when a chain at its head has waited for long enough, and never by age in the backfill",
    },
  },
  {
    name: "sleep through the time at which a run is due",
    rule: "The write loop wakes up when a run is due by its age, even if nothing else happens.",
    file: "src/write/persistence-loop.ts",
    find: "Math.min(this.#upkeep.nextAt, store.runDueAt)",
    replace: "this.#upkeep.nextAt",
    killedBy: {
      file: "test/unit/write/persistence-loop.test.ts",
      name: "writes what a live chain has brought when it is old enough, though nothing else happens",
    },
  },
  {
    name: "wait for a write before rows have made room",
    rule: "Rows that are durable make room before processing waits for a write.",
    file: "src/store/store.ts",
    find: "this.#waiters++;\n    this.#trimCache();",
    replace: "this.#waiters++;",
    killedBy: {
      file: "test/unit/store/cache.test.ts",
      name: "makes room when somebody begins to wait, before a write does",
    },
  },
  {
    name: "count no run in flight",
    rule: "Work counts against the limit until it is durable (invariant 5).",
    file: "src/store/store.ts",
    find: "[this.#inFlight, ...this.#sealed]",
    replace: "this.#sealed",
    killedBy: { file: STORE_TEST, name: "counts queued items, changes and inserted rows, until they are durable" },
  },
  {
    name: "let a flush chase the processed frontier",
    rule: "A flush waits for what was processed when it was asked for.",
    file: "src/store/store.ts",
    find: "this.#committedCheckpoint >= target",
    replace: "this.#committedCheckpoint >= this.#processedCheckpoint",
    killedBy: { file: STORE_TEST, name: "a flush waits for what was processed when it was asked for" },
  },
  {
    name: "latch another error than the first",
    rule: "The first fatal error is latched and is what everyone hears.",
    file: "src/store/store.ts",
    find: "this.#failed.abort(error);",
    replace: "this.#failed.abort(new Error(error.message));",
    killedBy: { file: STORE_TEST, name: "is ended for everyone by the first failure, which stays" },
  },
  {
    name: "let a wait end without the failure",
    rule: "The failure latch rejects everyone who waits.",
    file: "src/store/store.ts",
    find: "if (this.failure !== undefined) throw this.failure;",
    replace: "if (this.failure !== undefined) return wakeUps;",
    killedBy: { file: STORE_TEST, name: "is ended for everyone by the first failure, which stays" },
  },
  {
    name: "keep the positions of an undone block",
    rule: "Every checkpoint is in exactly one durable write transaction (invariant 2).",
    file: "src/store/store.ts",
    find: "this.#batchPositions = this.#batchPositions.filter(({ checkpoint }) => checkpoint !== this.#scope.checkpoint);",
    replace: "",
    killedBy: HEART,
  },
];
