import type { Mutant } from "./mutant.ts";

const QUEUE = "src/instrument/tracing/export-queue.ts";
const SINK = "src/instrument/tracing/otlp-sink.ts";
const TEST = "test/unit/instrument/collector.test.ts";

/** Spans on their way to a collector. */
export const exportingMutants: readonly Mutant[] = [
  {
    name: "let the oldest spans go first when the process ends",
    rule: "What led to the end of a process is the newest: at a flush it goes first.",
    file: QUEUE,
    find: "this.#flushes > 0 ? this.#requests.pop() : this.#requests.shift()",
    replace: "this.#requests.shift()",
    killedBy: { file: TEST, name: "gets everything before the process ends, what led to the end first" },
  },
  {
    name: "try again until the end of the process",
    rule: "A flush waits for answers only: the first request that fails ends it.",
    file: QUEUE,
    find: "while (this.#failures === 0 && !this.#isClosed",
    replace: "while (!this.#isClosed",
    killedBy: { file: TEST, name: "holds up the end not at all" },
  },
  {
    name: "send again what may have arrived",
    rule: "A request without an answer is not sent again: stored twice, its spans make a trace unreadable.",
    file: QUEUE,
    find: 'else if (delivery.kind === "lost") counts.failed += spans.length;',
    replace: "",
    killedBy: { file: TEST, name: "and known to be, for a fifth of a second" },
  },
  {
    name: "keep all spans of an outage",
    rule: "The queue is bounded: the oldest spans are dropped.",
    file: QUEUE,
    find: "    this.#queued++;\n    if (this.size > MAX_SPANS) this.#dropOldest();",
    replace: "    this.#queued++;",
    killedBy: { file: TEST, name: "for long leaves the newest spans in memory, and no more" },
  },
  {
    name: "wait as long for a collector that is known to be slow",
    rule: "A flush takes a fifth of a second when the sink is unwell.",
    file: QUEUE,
    find: "isUnwell ? FLUSH_UNWELL_MS : FLUSH_MS",
    replace: "FLUSH_MS",
    killedBy: { file: TEST, name: "and known to be, for a fifth of a second" },
  },
  {
    name: "take rejected spans for delivered",
    rule: "What the collector says it has rejected is counted as failed.",
    file: QUEUE,
    find: "counts.failed += delivery.rejected;",
    replace: "",
    killedBy: { file: TEST, name: "each span is counted, and none is sent twice" },
  },
  {
    name: "take any answer with 200 for a collector's",
    rule: "Spans count as exported when a collector has confirmed them.",
    file: SINK,
    find: 'if (content === "huge") return { kind: "lost", problem: notACollector(status, "a long text") };',
    replace: 'if (content === "huge") return { kind: "taken", rejected: 0 };',
    killedBy: { file: TEST, name: "each span is counted, and none is sent twice" },
  },
];
