import { WAIT_SERIES, type WaitLoop, type WaitState } from "../names.ts";
import type { SpanRef, TracedSpan } from "../tracing/tracing.ts";
import type { BackendWait } from "./backend-waits.ts";
import type { Doing, Unfinished } from "./unfinished.ts";

/** Something that is open, as plain data. */
export interface OpenWork {
  readonly loop: WaitLoop;
  readonly state: WaitState;
  /** A span's name, a statement, a table, an effect. */
  readonly what: string;
  /** When it began; milliseconds since the epoch. */
  readonly since: number;
  /** The open span, when it is exported. */
  readonly span: SpanRef | undefined;
}

/** A long wait, as it was told of. */
export interface ToldWait extends OpenWork {
  readonly waitedMs: number;
  readonly doing: Doing;
  /** The session of ours in the database that waits, and for what; undefined: none does, or it is not known. */
  readonly backend: (BackendWait & { readonly pid: number }) | undefined;
  /** The span that tells of it. */
  readonly told: TracedSpan;
}

const LOOP_OF: ReadonlyMap<WaitState, WaitLoop> = new Map(WAIT_SERIES.map(({ loop, state }) => [state, loop]));

export function openWorkOf({ since }: Unfinished, { state, what, span }: Doing): OpenWork {
  return { loop: LOOP_OF.get(state) as WaitLoop, state, what, since, span: span?.ref };
}

/** A batch that waits for the write loop: what that does itself says more of it. */
export function isOfQueue(state: WaitState): boolean {
  return state === "queued" || state === "persist";
}
