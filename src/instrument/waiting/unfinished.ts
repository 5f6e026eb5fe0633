import type { SpanAttributes, WaitState } from "../names.ts";
import type { TracedSpan } from "../tracing/tracing.ts";

/** Something that has begun and not ended. It leaves the registry, `Instruments.open`, when it ends. */
export interface Unfinished {
  /** When it began; milliseconds since the epoch. */
  readonly since: number;
  /** What it is doing at this moment. Asked for only when it lasts. */
  doing(): Doing;
  /** Ends its spans with the outcome `aborted`. Left out where it ends with whoever awaits it. */
  abort?(): void;
}

export interface Doing {
  readonly state: WaitState;
  /** What is open, in words that are few: a span's name, a table, an effect. */
  readonly what: string;
  /** The open span that tells of it. Undefined: none is there yet. */
  readonly span?: TracedSpan | undefined;
  /** Processes of the database's sessions that work for it. */
  readonly backendPids?: readonly number[] | undefined;
  readonly attributes?: SpanAttributes<"spindex.still_waiting"> | undefined;
}
