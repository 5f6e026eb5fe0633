import type { Status } from "../status.ts";

/** What can make the flight recorder write a dump. */
export type DumpReason = "write_failure" | "handler_failure" | "rollback" | "stall" | "signal";

/** Changes when a reader of the version before would misread a dump; new fields do not change it. */
export const DUMP_VERSION = 1;

/** A loop's state, and the seconds it has spent in each since the start. */
export interface LoopTimes {
  readonly state: string;
  readonly seconds: Readonly<Record<string, number>>;
}

/** What a dump says of its moment beside spans and log lines. */
export interface DumpState {
  /** As `/status` shows it; undefined before there is one. */
  readonly status: Status | undefined;
  readonly loops: { readonly process: LoopTimes; readonly write: LoopTimes };
  /** Bytes. */
  readonly memory: Readonly<Record<string, number>>;
}

/**
 * A dump: one JSON object. Because it has `resourceSpans`, it can be posted to a collector's `/v1/traces` as it is;
 * receivers pass over fields that they do not know.
 */
export interface Dump extends DumpState {
  readonly spindexDump: number;
  readonly reason: DumpReason;
  /** ISO 8601. */
  readonly at: string;
  readonly name: string;
  readonly version: string;
  readonly instance: string;
  /** Lines of the log, oldest first; a line that was too long is a text. */
  readonly logs: readonly unknown[];
  /** Spans without an end, as OTLP/JSON `ResourceSpans`: `open: true`, no `endTimeUnixNano`. */
  readonly openSpans: readonly unknown[];
  /** Ended spans, as OTLP/JSON `ResourceSpans`. */
  readonly resourceSpans: readonly unknown[];
}
