import { type ATTRIBUTES, SPANS, type SpanName } from "../names.ts";
import { type AttributeValue, isNamed, type TraceSpan } from "./trace-model.ts";

type AttributeName = keyof typeof ATTRIBUTES;
/** An attribute, with `_` for its value. A count comes first in its text: none is left out, and one is singular. */
type Word = readonly [attribute: AttributeName, text: string];

/** What is worth a word beside a span's bar, in this order. */
const WORDS: Partial<Record<SpanName, readonly Word[]>> = {
  "spindex.batch": [
    ["spindex.batch.id", "batch _"],
    ["spindex.batch.items", "_ events"],
    ["spindex.history_mode", "history _"],
  ],
  "spindex.capacity_wait": [
    ["spindex.wait.reason", "at the limit of _"],
    ["spindex.wait.limit", "limit _"],
    ["spindex.queue.batches", "_ batches queued"],
    ["spindex.drain.id", "waited for run _"],
  ],
  "spindex.batch.create": [["spindex.batch.bound_by", "bound by _"]],
  "spindex.batch.process": [
    ["spindex.handler.calls", "_ handler calls"],
    ["spindex.reads.storage", "_ reads of storage"],
    ["spindex.effect.calls", "_ effect calls"],
  ],
  "spindex.handlers": [
    ["spindex.handler.name", "_"],
    ["spindex.handler.calls", "_ calls"],
  ],
  "spindex.handler": [
    ["spindex.handler.name", "_"],
    ["spindex.chain.name", "_"],
    ["spindex.block.number", "block _"],
    ["spindex.log.index", "log _"],
  ],
  "spindex.effect": [["spindex.effect.name", "_"]],
  "spindex.batch.commit": [["spindex.commit.changes", "_ changes"]],
  "spindex.batch.queued": [["spindex.drain.id", "for run _"]],
  "spindex.batch.persist": [["spindex.drain.id", "in run _"]],
  "spindex.drain_run": [
    ["spindex.drain.id", "run _"],
    ["spindex.drain.batches", "_ batches"],
    ["spindex.drain.items", "_ events"],
    ["spindex.drain.split_reason", "split: _"],
  ],
  "spindex.snapshot": [
    ["spindex.snapshot.changes", "_ changes"],
    ["spindex.snapshot.bytes", "_ bytes"],
  ],
  "spindex.raw_events": [["spindex.snapshot.changes", "_ events"]],
  "spindex.write_transaction": [
    ["spindex.write.attempt", "attempt _"],
    ["spindex.write.rows", "_ rows"],
    ["spindex.write.bytes", "_ bytes"],
    ["db.postgresql.backend_pid", "backend _"],
    ["spindex.write.failure_class", "_"],
  ],
  "{db.query.summary}": [
    ["spindex.statement.purpose", "_"],
    ["spindex.write.rows", "_ rows"],
    ["spindex.write.merged_statements", "_ statements"],
  ],
  "spindex.fetch": [
    ["spindex.chain.name", "_"],
    ["spindex.block.from", "blocks _"],
    ["spindex.block.to", "to _"],
    ["spindex.fetch.logs", "_ logs"],
    ["spindex.fetch.retries", "_ retries"],
  ],
  "{rpc.method}": [
    ["spindex.source", "_"],
    ["rpc.response.status_code", "code _"],
  ],
  "spindex.still_waiting": [
    ["spindex.wait.what", "_"],
    ["spindex.wait.state", "state _"],
    ["spindex.wait.waited_s", "for _ s"],
    ["spindex.blocker.pid", "blocked by process _"],
    ["spindex.blocker.query", "which runs _"],
  ],
  "spindex.reorg": [
    ["spindex.chain.name", "_"],
    ["spindex.block.to", "back to block _"],
    ["spindex.reorg.depth", "_ durable blocks orphaned"],
  ],
  "spindex.history_prune": [
    ["spindex.prune.table", "_"],
    ["spindex.prune.rows", "_ rows"],
  ],
};

/** Not worth a word on the span of a handler's own. */
const PLACE: ReadonlySet<string> = new Set(SPANS["{handler.span}"].attributes);

/** A span in words: what it was about. */
export function wordsOf(span: TraceSpan): readonly string[] {
  const words = Object.entries(WORDS).find(([name]) => isNamed(span, name as SpanName))?.[1];
  if (words === undefined) return Object.hasOwn(SPANS, span.name) ? [] : ownWords(span);
  return words.flatMap(([attribute, text]) => {
    const value = span.attributes[attribute];
    return value === undefined ? [] : inWords(text, value);
  });
}

function inWords(text: string, value: AttributeValue): string[] {
  if (!text.startsWith("_ ") || typeof value !== "number") return [text.replace("_", () => String(value))];
  if (value === 0) return [];
  const words =
    value === 1
      ? text
          .replace("batches", "batch")
          .replace("tries", "try")
          .replace(/(?<=\w)s\b/, "")
      : text;
  return [words.replace("_", value.toLocaleString("en"))];
}

function ownWords({ attributes }: TraceSpan): string[] {
  return Object.entries(attributes)
    .filter(([name]) => !PLACE.has(name) && !name.startsWith("spindex.") && !name.startsWith("db."))
    .map(([name, value]) => `${name}=${String(value)}`);
}
