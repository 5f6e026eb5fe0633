import { DUMP_VERSION, type Dump } from "../recorder/dump.ts";
import { type OtlpRequest, spansOf } from "./otlp-json.ts";
import { TraceModel } from "./trace-model.ts";

const CONTROL = /[\p{Cc}--\n]/v;
const CONTROLS = /[\p{Cc}--\n]+/gv;

/** What a dump says beside spans and log lines. */
export type DumpHead = Omit<Dump, "logs" | "openSpans" | "resourceSpans">;

/** A trace file or a dump of the flight recorder, read. */
export interface Recording {
  readonly model: TraceModel;
  /** Undefined: it is a trace file. */
  readonly dump: DumpHead | undefined;
  /** Lines of the log, as objects. Only a dump has them. */
  readonly logs: readonly Readonly<Record<string, unknown>>[];
}

/**
 * Reads the text of a dump, of a trace file (one OTLP/JSON request a line), or of one such request.
 * @returns a sentence that says what is wrong with it, when it is none of them
 */
export function readRecording(text: string): Recording | string {
  const whole = parsed(text);
  if (isObject(whole)) return "spindexDump" in whole ? dumpOf(whole) : requestsOf([whole]);
  const lines = text.split("\n").filter((line) => line.trim() !== "");
  if (lines.length === 0) return "it is empty";
  // A process that was killed leaves an unfinished line; it is passed over.
  return requestsOf(lines.map(parsed).filter(isObject));
}

function requestsOf(requests: readonly Record<string, unknown>[]): Recording | string {
  const found = requests.filter(({ resourceSpans }) => Array.isArray(resourceSpans));
  if (found.length === 0) return "it holds neither OTLP/JSON lines nor a dump of the flight recorder";
  return withSpans(() => ({
    model: new TraceModel(found.flatMap((request) => spansOf(request as OtlpRequest))),
    dump: undefined,
    logs: [],
  }));
}

function dumpOf(whole: Record<string, unknown>): Recording | string {
  const { logs, openSpans, resourceSpans, ...head } = whole as unknown as Dump;
  if (head.spindexDump !== DUMP_VERSION) {
    return `it is a dump of version ${head.spindexDump}, and this program reads version ${DUMP_VERSION}`;
  }
  return withSpans(() => {
    const ended = spansOf({ resourceSpans } as OtlpRequest);
    const open = spansOf({ resourceSpans: openSpans } as OtlpRequest, Date.parse(head.at));
    return { model: new TraceModel([...ended, ...open]), dump: head, logs: logs.filter(isObject) };
  });
}

/** Someone may have edited it: what should be a list may be anything. */
function withSpans(read: () => Recording): Recording | string {
  try {
    return read();
  } catch {
    return "its spans are no OTLP/JSON";
  }
}

/** Without characters that a terminal would obey: texts of errors come from anywhere. */
function parsed(text: string): unknown {
  try {
    return JSON.parse(text, (_key, value: unknown) => (typeof value === "string" ? printable(value) : value));
  } catch {
    return undefined;
  }
}

function printable(text: string): string {
  return CONTROL.test(text) ? text.replaceAll(CONTROLS, " ") : text;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
